"""The Helm chart: the manifests that it renders."""

from __future__ import annotations

import base64
import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from helm_python import lint, values_from_yaml

from exporter.commands.main import parse
from exporter.config import load
from tests.lib.chart import (
    CI,
    MINIMAL,
    STORAGE_PATH,
    AssembledChart,
    Manifest,
    Release,
    Values,
    ci_values,
    container,
    pod_spec,
    selects,
    validate,
)
from tests.lib.config_example import COMPLETE, provide_secrets
from tests.lib.paths import DEPLOY
from tests.lib.rules import RULE_FILES
from tests.lib.rules import load as load_yaml
from tests.lib.tools import needs

pytestmark = needs("make")

TRIVY = Path(sys.executable).parent / "trivy"
each_ci_file = pytest.mark.parametrize("name", CI)


@each_ci_file
def test_helm_lint_finds_nothing_in_the_chart(name: str, chart: AssembledChart) -> None:
    report = lint(chart.folder, ci_values(name), strict=True)
    messages = [found for found in report["messages"] if found["severity"] > 1]
    assert (messages, report["errors"]) == ([], [])


@each_ci_file
def test_kubernetes_and_the_prometheus_operator_accept_every_manifest(name: str, chart: AssembledChart) -> None:
    for manifest in chart.render(ci_values(name)).manifests:
        validate(manifest)


@pytest.mark.skipif(not TRIVY.exists(), reason="trivy has no wheel for this machine")
@each_ci_file
def test_trivy_finds_no_misconfiguration(name: str, chart: AssembledChart, tmp_path: Path) -> None:
    (tmp_path / "manifests.yaml").write_text(yaml.safe_dump_all(chart.render(ci_values(name)).manifests))
    # The registry is the user's own; and the ConfigMap contains the path of a password, not a password.
    (tmp_path / "ignored").write_text("KSV-0125\nKSV-01010\n")
    command = [str(TRIVY), "config", "--quiet", "--skip-check-update", "--exit-code=1"]
    options = ["--skip-version-check", f"--cache-dir={tmp_path / 'cache'}", f"--ignorefile={tmp_path / 'ignored'}"]
    done = subprocess.run([*command, *options, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("shards", [1, 3])
@pytest.mark.parametrize("replicas", [1, 2])
@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet"])
@pytest.mark.parametrize("source", ["values", "existing"])
def test_a_shard_is_a_workload_with_its_replicas(
    shards: int, replicas: int, kind: str, source: str, chart: AssembledChart
) -> None:
    storage, existing = kind == "StatefulSet", source == "existing"
    values: Values = {**MINIMAL, "shards": shards, "replicas": replicas, "storage": {"enabled": storage}}
    if existing:
        values = {**values, "configFrom": {"configMap": "drs-config", "key": "drs.yml"}}
        del values["config"]
    release = chart.render(values)
    for manifest in release.manifests:
        validate(manifest)
    names = ["drs"] if shards == 1 else [f"drs-{number}" for number in range(shards)]
    assert [workload["metadata"]["name"] for workload in release.workloads] == names
    for number, workload in enumerate(release.workloads):
        assert workload["kind"] == kind
        assert workload["spec"]["replicas"] == replicas
        shard = [option for option in container(workload)["args"] if option.startswith("--shard")]
        assert shard == ([f"--shard={number}/{shards}"] if shards > 1 else [])
        check_volumes(workload, storage=storage, existing=existing)
        assert ("topologySpreadConstraints" in pod_spec(workload)) == (replicas > 1)
    check_selectors(release, budgets=shards if replicas > 1 else 0)


def check_volumes(workload: Manifest, *, storage: bool, existing: bool) -> None:
    """Each mount has a volume; only that of the storage can be written to."""
    volumes = {volume["name"]: volume for volume in pod_spec(workload)["volumes"]}
    claims = [claim["metadata"]["name"] for claim in workload["spec"].get("volumeClaimTemplates", ())]
    mounts = container(workload)["volumeMounts"]
    assert {mount["name"] for mount in mounts} == {*volumes, *claims}
    assert [mount["mountPath"] for mount in mounts if not mount.get("readOnly")] == ([STORAGE_PATH] if storage else [])
    key = "drs.yml" if existing else "config.yaml"
    name = "drs-config" if existing else "drs"
    assert volumes["config"]["configMap"] == {"name": name, "items": [{"key": key, "path": "config.yaml"}]}


def check_selectors(release: Release, budgets: int) -> None:
    """The service selects all pods, and a workload and its budget only the pods of their shard."""
    pods = [workload["spec"]["template"]["metadata"]["labels"] for workload in release.workloads]
    service = release.one("Service")
    assert all(selects(service["spec"]["selector"], labels) for labels in pods)
    assert not selects(service["spec"]["selector"], release.one("Pod")["metadata"]["labels"])
    assert len(release.of_kind("PodDisruptionBudget")) == budgets
    for kinds in (("Deployment", "StatefulSet"), ("PodDisruptionBudget",)):
        for number, manifest in enumerate(release.of_kind(*kinds)):
            found = [selects(manifest["spec"]["selector"]["matchLabels"], labels) for labels in pods]
            assert found == [other == number for other in range(len(pods))]


@each_ci_file
def test_pods_meet_the_restricted_pod_security_standard(name: str, chart: AssembledChart) -> None:
    specs = [spec for manifest in chart.render(ci_values(name)).manifests if (spec := pod_spec(manifest))]
    assert len(specs) > 1
    for spec in specs:
        assert spec["automountServiceAccountToken"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        (only,) = spec["containers"]
        assert only["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert only["resources"]["requests"].keys() == only["resources"]["limits"].keys() == {"cpu", "memory"}


@each_ci_file
def test_the_exporter_accepts_the_arguments(name: str, chart: AssembledChart) -> None:
    for workload in chart.render(ci_values(name)).workloads:
        options = parse(container(workload)["args"])
        ports = {port["name"]: port["containerPort"] for port in container(workload)["ports"]}
        assert options.addresses == [f":{ports['metrics']}"]
        assert options.health_addresses == [f":{ports['health']}"]
        for probe in ("livenessProbe", "readinessProbe"):
            assert container(workload)[probe]["httpGet"]["port"] == "health"


@pytest.mark.parametrize("name", ["minimal", "sharded"])
def test_the_exporter_accepts_the_configuration(
    name: str, chart: AssembledChart, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = chart.render(ci_values(name))
    (text,) = (m["data"]["config.yaml"] for m in release.of_kind("ConfigMap") if "config.yaml" in m["data"])
    folder = "/run/secrets/drs-exporter/drs-credentials"
    (tmp_path / "password").write_text("invented")
    for variable in ("HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK"):
        monkeypatch.setenv(variable, "invented")
    (file := tmp_path / "config.yaml").write_text(text.replace(folder, str(tmp_path)))
    config = load(file)
    for workload in release.workloads:
        mounts = {mount["mountPath"] for mount in container(workload)["volumeMounts"]}
        assert (folder in mounts) == (folder in text)
        assert (str(config.storage.path) in mounts) == (config.storage.path is not None)


def test_every_key_of_the_configuration_reaches_the_exporter_as_it_was_written(
    chart: AssembledChart, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    provide_secrets(tmp_path, monkeypatch)
    values = {**MINIMAL, "config": values_from_yaml(COMPLETE), "storage": {"enabled": True}}
    (file := tmp_path / "config.yaml").write_text(COMPLETE)
    written = load(file)
    file.write_text(chart.render(values).one("ConfigMap")["data"]["config.yaml"])
    assert load(file) == written


def test_a_changed_configuration_restarts_the_pods_and_nothing_else_does(chart: AssembledChart) -> None:
    def annotations(**values: Any) -> Any:
        (workload,) = chart.render({**MINIMAL, **values}).workloads
        return workload["spec"]["template"]["metadata"]["annotations"]

    changed = {**MINIMAL["config"], "poll": {"interval": "45s"}}
    before = annotations()
    assert annotations(config=changed)["checksum/config"] != before["checksum/config"]
    assert annotations(service={"port": 80}, dashboards={"enabled": True}) == before


@pytest.mark.parametrize("kind", ["ServiceMonitor", "PodMonitor"])
@pytest.mark.parametrize(
    ("web", "path"),
    [
        ({}, "/metrics"),
        ({"externalUrl": "https://proxy.example/drs"}, "/drs/metrics"),
        ({"externalUrl": "https://proxy.example/drs", "routePrefix": "/"}, "/metrics"),
        ({"routePrefix": "/a/b/"}, "/a/b/metrics"),
    ],
)
def test_a_monitor_scrapes_the_port_and_the_path_of_the_metrics(
    kind: str, web: Values, path: str, chart: AssembledChart
) -> None:
    release = chart.render({**MINIMAL, "web": web, kind[0].lower() + kind[1:]: {"enabled": True}})
    spec = release.one(kind)["spec"]
    (endpoint,) = spec["endpoints" if kind == "ServiceMonitor" else "podMetricsEndpoints"]
    assert (endpoint["port"], endpoint["path"], endpoint["honorLabels"]) == ("metrics", path, True)
    service, workload = release.one("Service"), release.workloads[0]
    for labels in (service["metadata"]["labels"], workload["spec"]["template"]["metadata"]["labels"]):
        assert selects(spec["selector"]["matchLabels"], labels)
        assert labels[spec["jobLabel"]] == labels["app.kubernetes.io/instance"]
    assert "metrics" in {port["name"] for port in service["spec"]["ports"]}
    assert f"http://127.0.0.1:10826{path.removesuffix('metrics')}\n" in release.notes


def test_names_that_yaml_takes_for_other_types_or_for_structure_stay_text(chart: AssembledChart) -> None:
    web = "web, optional: true"
    release = chart.render(
        {
            **MINIMAL,
            "secrets": {"files": ["123", "true"], "env": ["null"]},
            "web": {"configSecret": web},
            "serviceAccount": {"name": "123"},
            "storage": {"enabled": True, "storageClassName": "true"},
            "dashboards": {"enabled": True, "namespace": "12"},
        }
    )
    for manifest in release.manifests:
        validate(manifest)
    (workload,) = release.workloads
    volumes = [volume["secret"] for volume in pod_spec(workload)["volumes"] if "secret" in volume]
    assert volumes == [{"secretName": name, "defaultMode": 0o440} for name in ("123", "true", web)]


def test_the_notes_print_rules_with_the_labels_of_the_monitor_and_the_url(chart: AssembledChart) -> None:
    monitor = {"enabled": True, "labels": {"release": "prometheus"}}
    notes = chart.render(
        {**MINIMAL, "serviceMonitor": monitor, "web": {"externalUrl": "https://proxy.example/drs"}}
    ).notes
    assert " --exporter-url=https://proxy.example/drs --label=release=prometheus | kubectl --namespace" in notes
    assert "grafana.example.com | kubectl --namespace" in chart.render(MINIMAL).notes


def test_the_notes_promise_tls_for_no_web_configuration(chart: AssembledChart) -> None:
    notes = chart.render({**MINIMAL, "web": {"configSecret": "web"}}).notes
    assert "http://127.0.0.1:10826/ (https if the Secret web configures TLS)\n" in notes


def test_rules_and_dashboards_are_the_shipped_ones(chart: AssembledChart) -> None:
    release = chart.render(ci_values("sharded"))
    rules = [rule["spec"] for rule in release.of_kind("PrometheusRule")]
    assert sorted(rules, key=str) == sorted((load_yaml(path) for path in RULE_FILES), key=str)
    data = [m["data"] for m in release.of_kind("ConfigMap") if m["metadata"]["labels"].get("grafana_dashboard") == "1"]
    dashboards = {name: json.loads(text) for part in data for name, text in part.items()}
    assert dashboards == {f"drs-{p.name}": json.loads(p.read_text()) for p in (DEPLOY / "grafana").glob("*.json")}


def test_pods_use_the_user_and_the_paths_of_the_image(chart: AssembledChart) -> None:
    dockerfile = (DEPLOY / "docker" / "Dockerfile").read_text()
    release = chart.render(MINIMAL)
    folder = str(Path(container(release.one("Pod"))["command"][0]).parent)
    assert f'ENTRYPOINT ["{folder}/drs-exporter"]' in dockerfile
    assert f"-- {folder}/drs-exporter check" in release.notes
    for manifest in (release.one("Pod"), release.workloads[0]):
        context = pod_spec(manifest)["securityContext"]
        assert f"USER {context['runAsUser']}:{context['runAsGroup']}" in dockerfile


def test_helm_can_store_a_release_with_everything(chart: AssembledChart) -> None:
    release = chart.render(ci_values("sharded"))
    files = [path.read_bytes() for path in chart.folder.rglob("*") if path.is_file()]
    stored = gzip.compress(json.dumps(release.manifests).encode() + b"".join(base64.b64encode(file) for file in files))
    assert len(base64.b64encode(stored)) < 1024 * 1024, "the limit of a Secret"


def test_the_network_policy_allows_dns_and_https_out_and_two_ports_in(chart: AssembledChart) -> None:
    spec = chart.render(ci_values("existing")).one("NetworkPolicy")["spec"]
    assert [[port["port"] for port in rule["ports"]] for rule in spec["ingress"]] == [["metrics"], ["health"]]
    assert [[port["port"] for port in rule["ports"]] for rule in spec["egress"]] == [[53, 53], [443], [3128]]
