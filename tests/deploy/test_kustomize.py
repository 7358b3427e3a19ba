"""The kustomize base: the same pod as that of the Helm chart, and a configuration that the exporter accepts."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from exporter.config import load
from tests.lib.chart import MINIMAL, AssembledChart, Release, container, pod_spec, selects, validate
from tests.lib.paths import DEPLOY
from tests.lib.tools import needs, tool

pytestmark = needs("kubectl", "make")

BASE = DEPLOY / "kustomize"
# `bases` is now called `resources`, which the kubectl of Debian 12 takes for files only.
OVERLAY = """\
bases: [base]
namespace: monitoring
images: [{name: drs-exporter, newName: registry.example/drs-exporter, newTag: "1"}]
configMapGenerator: [{name: drs-exporter, behavior: replace, files: [config.yaml]}]
"""


def built(folder: Path) -> Release:
    """The manifests of a folder, as kustomize builds them."""
    done = subprocess.run([tool("kubectl"), "kustomize", folder], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Release(list(yaml.safe_load_all(done.stdout)), "")


@pytest.fixture
def base() -> Release:
    return built(BASE)


def test_kubernetes_accepts_every_manifest(base: Release) -> None:
    assert {manifest["kind"] for manifest in base.manifests} == {"ConfigMap", "Deployment", "Service"}
    for manifest in base.manifests:
        validate(manifest)
    labels = base.one("Deployment")["spec"]["template"]["metadata"]["labels"]
    assert selects(base.one("Service")["spec"]["selector"], labels)
    assert selects(base.one("Deployment")["spec"]["selector"]["matchLabels"], labels)


def test_the_pod_is_that_of_the_helm_chart(base: Release, chart: AssembledChart) -> None:
    values: dict[str, Any] = {**MINIMAL, "secrets": {"files": ["drs-credentials"]}}
    (workload,) = chart.render(values).workloads
    theirs, ours = pod_spec(workload), pod_spec(base.one("Deployment"))
    del theirs["serviceAccountName"]
    theirs["containers"][0]["image"] = "drs-exporter:0.1.0"
    theirs["volumes"][0]["configMap"]["name"] = base.one("ConfigMap")["metadata"]["name"]
    assert ours == theirs


def test_the_exporter_accepts_the_configuration(base: Release, tmp_path: Path) -> None:
    folder = "/run/secrets/drs-exporter/drs-credentials"
    for key in ("access_key", "secret_key"):
        (tmp_path / key).write_text("invented")
    text = base.one("ConfigMap")["data"]["config.yaml"]
    (file := tmp_path / "config.yaml").write_text(text.replace(folder, str(tmp_path)))
    assert load(file).accounts[0].name == "prod"
    assert folder in {mount["mountPath"] for mount in container(base.one("Deployment"))["volumeMounts"]}


def test_an_overlay_replaces_the_image_and_the_configuration(tmp_path: Path) -> None:
    shutil.copytree(BASE, tmp_path / "base")
    (tmp_path / "kustomization.yaml").write_text(OVERLAY)
    (tmp_path / "config.yaml").write_text("accounts: []\n")
    release = built(tmp_path)
    workload, config = release.one("Deployment"), release.one("ConfigMap")
    assert container(workload)["image"] == "registry.example/drs-exporter:1"
    assert config["data"] == {"config.yaml": "accounts: []\n"}
    assert pod_spec(workload)["volumes"][0]["configMap"]["name"] == config["metadata"]["name"]
    assert {manifest["metadata"]["namespace"] for manifest in release.manifests} == {"monitoring"}
