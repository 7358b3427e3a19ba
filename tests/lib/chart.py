"""The Helm chart, as `make chart` assembles it, rendered without a cluster."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema
import kubernetes_validate
import yaml
from helm_python import Chart, values_from_yaml

from tests.lib.paths import DATA, DEPLOY, ROOT
from tests.lib.tools import tool

Values = dict[str, Any]
Manifest = dict[str, Any]

SOURCE = DEPLOY / "helm" / "drs-exporter"
RELEASE = "drs"
VERSIONS = ("1.25.0", "1.37.0")
"""The oldest version of Kubernetes that Chart.yaml allows, and the newest whose schemas are known here."""
CI = {path.name.removesuffix("-values.yaml"): path for path in sorted((SOURCE / "ci").glob("*.yaml"))}
"""The files with values for tests."""
STORAGE_PATH = "/var/lib/drs-exporter"
"""Where the volume for the storage is mounted."""
_OPERATOR = "monitoring.coreos.com/v1"


def ci_values(name: str) -> Values:
    """The values of a file in ci/, as Helm reads them."""
    return values_from_yaml(CI[name].read_text())


MINIMAL = ci_values("minimal")
"""Values for one exporter, without anything optional."""


class Release(NamedTuple):
    """The manifests of a release, and the text that Helm shows after its installation."""

    manifests: list[Manifest]
    notes: str

    def of_kind(self, *kinds: str) -> list[Manifest]:
        return [manifest for manifest in self.manifests if manifest["kind"] in kinds]

    def one(self, kind: str) -> Manifest:
        """The only manifest of a kind."""
        (found,) = self.of_kind(kind)
        return found

    @property
    def workloads(self) -> list[Manifest]:
        """The Deployments or StatefulSets: one for each shard."""
        return self.of_kind("Deployment", "StatefulSet")


class AssembledChart:
    """The chart with rules and dashboards.

    Args:
        folder: where `make chart` assembles it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        subprocess.run([tool("make"), "-s", "chart", f"CHART={folder}"], cwd=ROOT, check=True, capture_output=True)
        self.chart = Chart.load(folder)

    def render(self, values: Values) -> Release:
        """Render a release; raises `HelmError` with the text that Helm shows."""
        rendered = self.chart.render(values, name=RELEASE, namespace="monitoring")
        notes = rendered.pop("drs-exporter/templates/NOTES.txt")
        manifests = [
            manifest
            for text in rendered.values()
            for manifest in yaml.load_all(text, yaml.CSafeLoader)
            if manifest is not None
        ]
        return Release(manifests, notes)


def validate(manifest: Manifest) -> None:
    """Fail unless the oldest and the newest version, or the operator, accept a manifest; they refuse unknown keys."""
    if manifest["apiVersion"] == _OPERATOR:
        schema = json.loads((DATA / "prometheus-operator" / f"{manifest['kind']}.json").read_text())
        jsonschema.validate(manifest, schema)
        return
    for version in VERSIONS:
        kubernetes_validate.validate(manifest, version, strict=True)


def pod_spec(manifest: Manifest) -> Any:
    """The specification of the pods of a manifest; None if it has none."""
    return manifest["spec"] if manifest["kind"] == "Pod" else manifest.get("spec", {}).get("template", {}).get("spec")


def container(workload: Manifest) -> Any:
    """The only container of a workload."""
    (found,) = pod_spec(workload)["containers"]
    return found


def selects(selector: dict[str, str], labels: dict[str, str]) -> bool:
    """Return whether a selector of labels selects an object."""
    return selector.items() <= labels.items()
