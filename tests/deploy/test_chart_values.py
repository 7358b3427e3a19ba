"""The values of the Helm chart: which it refuses, and their schema."""

from __future__ import annotations

import json
import re
import runpy
import shlex
from itertools import pairwise
from typing import Any

import pytest
import yaml
from helm_python import Chart, HelmError, parse_set_string, values_from_yaml

from tests.lib.chart import MINIMAL, SOURCE, STORAGE_PATH, AssembledChart, Values, container, pod_spec
from tests.lib.paths import DOCS, ROOT
from tests.lib.tools import needs


def configured(**keys: Any) -> Values:
    """Values with these keys of the configuration."""
    return {"config": {**MINIMAL["config"], **keys}}


def account(**keys: Any) -> Values:
    """Values whose only account has these keys."""
    return configured(accounts=[{**MINIMAL["config"]["accounts"][0], **keys}])


REFUSED: dict[str, tuple[Values, str]] = {
    "no image": ({"image": {"repository": ""}}, "image.repository: build the image with deploy/docker/Dockerfile"),
    "unknown key": ({"shard": 3}, "additional properties 'shard' not allowed"),
    "unknown nested key": ({"web": {"port": 1}}, "at '/web': additional properties 'port' not allowed"),
    "no replica": ({"replicas": 0}, "at '/replicas': minimum: got 0, want 1"),
    "shards as text": ({"shards": "3"}, "at '/shards': got string, want integer"),
    "log level": ({"log": {"level": "trace"}}, "at '/log/level': value must be one of 'debug', 'info', 'warning', "),
    "one port twice": ({"web": {"healthPort": 10826}}, "web.healthPort: 10826 is the port of the metrics"),
    "two monitors": (
        {"serviceMonitor": {"enabled": True}, "podMonitor": {"enabled": True}},
        "enable serviceMonitor or podMonitor: with both, Prometheus scrapes each pod twice",
    ),
    "two configurations": ({"configFrom": {"secret": "x"}}, "set one of config, configFrom.configMap and configFrom."),
    "a path without a volume": (
        configured(storage={"path": STORAGE_PATH}),
        "config.storage.path: set storage.enabled instead",
    ),
    "unknown key of the configuration": (
        configured(polls={}),
        "at '/config': additional properties 'polls' not allowed",
    ),
    "no account": (configured(accounts=[]), "at '/config/accounts': minItems: got 0, want 1"),
    "interval": (configured(poll={"interval": "30"}), "at '/config/poll/interval': '30' does not match pattern"),
    "cloud": (
        account(cloud="aws"),
        "at '/config/accounts/0/cloud': value must be one of 'huaweicloud', 'huaweicloud_eu', ",
    ),
    "literal secret": (
        account(credentials={"type": "token", "token": "literal"}),
        "at '/config/accounts/0/credentials/token': got string, want object",
    ),
    "no credentials": (account(credentials=None), "at '/config/accounts/0/credentials': got null, want object"),
    "another path than the volume": (
        {**configured(storage={"path": "/data"}), "storage": {"enabled": True}},
        f"config.storage.path: remove it, storage.enabled sets it to the path of the volume, {STORAGE_PATH}",
    ),
}


@pytest.mark.parametrize(("values", "message"), REFUSED.values(), ids=REFUSED)
@needs("make")
def test_wrong_values_are_refused_with_the_key_and_what_is_allowed(
    values: Values, message: str, chart: AssembledChart
) -> None:
    with pytest.raises(HelmError) as raised:
        chart.render({**MINIMAL, **values})
    assert message in str(raised.value)


@needs("make")
def test_without_a_configuration_nothing_is_rendered(chart: AssembledChart) -> None:
    with pytest.raises(HelmError, match=r"set one of config, configFrom\.configMap and configFrom\.secret"):
        chart.render({"image": MINIMAL["image"]})


@needs("make")
def test_the_command_of_the_readme_renders_the_chart(chart: AssembledChart) -> None:
    (command,) = re.findall(r"^helm install (?:.*\\\n)*.*", (ROOT / "README.md").read_text(), re.MULTILINE)
    words = shlex.split(command.replace("\\\n", " "))
    assert words[3] == "build/chart/drs-exporter"
    given = parse_set_string(",".join(word for before, word in pairwise(words) if before == "--set"))
    release = chart.render(given)
    (workload,) = release.workloads
    assert container(workload)["envFrom"] == [{"secretRef": {"name": "drs-credentials"}}]
    assert pod_spec(workload)["volumes"][0]["configMap"]["name"] == "drs-config"
    assert not release.of_kind("ConfigMap")


@needs("make")
def test_the_values_of_the_documentation_render_the_chart(chart: AssembledChart) -> None:
    text = (DOCS / "running.md").read_text().partition("A complete `values.yaml`:")[2]
    given = values_from_yaml(text.split("```yaml\n")[1].partition("```")[0])
    release = chart.render({**given, "image": MINIMAL["image"]})
    assert release.of_kind("ServiceMonitor", "PrometheusRule")
    (secret,) = given["secrets"]["files"]
    folder = next(m["mountPath"] for m in container(release.workloads[0])["volumeMounts"] if secret in m["name"])
    keys = given["config"]["accounts"][0]["credentials"]
    assert {keys[key]["file"].rpartition("/")[0] for key in ("access_key", "secret_key")} == {folder}


@pytest.mark.parametrize("key", ["prometheusRule", "dashboards"])
def test_the_chart_as_it_is_in_git_names_make_chart_where_files_are_missing(key: str) -> None:
    with pytest.raises(HelmError, match=r"is missing in this folder: run `make chart`, and install build/chart"):
        Chart.load(SOURCE).render({**MINIMAL, key: {"enabled": True}}, name="drs")


def test_the_default_values_contain_every_key_of_their_schema() -> None:
    schema = json.loads((SOURCE / "values.schema.json").read_text())
    defaults = yaml.safe_load((SOURCE / "values.yaml").read_text())

    def check(part: Any, values: Any) -> None:
        if "$ref" in part:
            part = schema["definitions"][part["$ref"].rpartition("/")[2]]
        if "properties" in part and not part.get("additionalProperties", True):
            assert part["properties"].keys() - {"global", "config"} == values.keys()
            for key in values:
                check(part["properties"][key], values[key])

    check(schema, defaults)


def test_the_schema_contains_that_of_the_configuration_without_literal_secrets() -> None:
    text = (SOURCE / "values.schema.json").read_text()
    updated = runpy.run_path(str(ROOT / "scripts" / "chart_schema.py"))["updated"]
    assert text == updated(text), "run `make docs`"
    token = json.loads(text)["$defs"]["Token"]["properties"]["token"]
    assert token["type"] == "object"
    assert token["properties"].keys() == {"env", "file"}
