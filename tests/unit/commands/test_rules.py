"""The command rules: what it prints for a site."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest
import yaml

from exporter.commands.main import parse
from exporter.commands.site_rules import EXPORTER, GRAFANA, RUNBOOKS
from tests.lib.commands import CommandLine
from tests.lib.paths import DEPLOY, DOCS, ROOT
from tests.lib.rules import ALERT_RULES, RULE_FILES, RULES, Rule, load

COMMANDS = ROOT / "exporter" / "commands"
SHIPPED = {group["name"]: group for path in RULE_FILES for group in load(path)["groups"]}
LINKS = {"--grafana-url": GRAFANA, "--exporter-url": EXPORTER, "--runbook-url": RUNBOOKS}
"""The options that write the links of the shipped files."""


def groups_of(text: str) -> dict[str, Any]:
    return {group["name"]: group for group in yaml.load(text, yaml.CSafeLoader)["groups"]}


def alerts_of(text: str) -> list[Rule]:
    return [rule for group in groups_of(text).values() for rule in group["rules"] if "alert" in rule]


def links_of(rule: Rule) -> dict[str, str]:
    return {name: text for name, text in rule["annotations"].items() if name.endswith("_url")}


def without_links(rule: Rule) -> Rule:
    if "alert" not in rule:
        return rule
    return {**rule, "annotations": {k: text for k, text in rule["annotations"].items() if not k.endswith("_url")}}


@pytest.fixture
def printed(command_line: CommandLine) -> Any:
    """Run the command, which has to succeed; its output."""

    def run(*words: str) -> str:
        code, out, err = command_line("rules", *words)
        assert (code, err) == (0, "")
        return out

    return run


def test_with_the_links_of_the_shipped_files_it_prints_the_shipped_rules(printed: Any) -> None:
    assert groups_of(printed(*(f"{option}={url}" for option, url in LINKS.items()))) == SHIPPED


def test_without_options_it_prints_the_shipped_rules_without_links(printed: Any) -> None:
    out = printed()
    expected = {
        name: {**group, "rules": [without_links(rule) for rule in group["rules"]]} for name, group in SHIPPED.items()
    }
    assert groups_of(out) == expected
    assert [url for url in LINKS.values() if url in out] == []


def test_the_rule_file_can_be_read_by_people(printed: Any) -> None:
    lines = printed("--grafana-url=https://grafana.example").splitlines()
    assert lines[0].startswith("# Rules of drs-exporter ")
    assert "    expr: |" in lines
    assert [line for line in lines if re.search(r"[&*]id\d|\\n|^ *!", line)] == []


@pytest.mark.parametrize("given", LINKS)
def test_a_link_is_written_only_if_its_url_is_given(given: str, printed: Any) -> None:
    out = printed(f"{given}=https://site.example/base/")
    urls = [url for rule in alerts_of(out) for url in links_of(rule).values()]
    assert urls
    assert all(url.startswith("https://site.example/base/") for url in urls)
    assert [url for url in LINKS.values() if url in out] == []


def test_runbooks_are_those_of_the_exporter_where_it_may_be_needed_and_it_has_a_url(printed: Any) -> None:
    out = printed("--runbook-url=https://wiki.example/drs", "--exporter-url=https://drs.example")
    found = {rule["alert"]: rule["annotations"]["runbook_url"] for rule in alerts_of(out)}
    assert found["DrsConfigReloadFailed"] == "https://wiki.example/drs/DrsConfigReloadFailed.md"
    task = "https://drs.example/runbooks/DrsTaskFailed?task_id={{ $labels.task_id | urlquery }}"
    assert found["DrsTaskFailed"] == task


def test_runbooks_are_those_of_the_site_if_the_exporter_has_no_url(printed: Any) -> None:
    for rule in alerts_of(printed("--runbook-url=https://wiki.example/drs")):
        assert links_of(rule) == {"runbook_url": f"https://wiki.example/drs/{rule['alert']}.md"}


def test_a_severity_is_that_of_all_rules_of_its_alert(printed: Any) -> None:
    changed = alerts_of(printed("--severity=DrsTaskDelayHigh=info", "--severity", "DrsSideDown=critical"))
    expected = {"DrsTaskDelayHigh": "info", "DrsSideDown": "critical"}
    for rule, shipped in zip(changed, ALERT_RULES, strict=True):
        assert rule["labels"]["severity"] == expected.get(rule["alert"], shipped["labels"]["severity"])
        assert rule["labels"].keys() == shipped["labels"].keys()


def test_disabled_alerts_are_left_out_and_nothing_else_is(printed: Any) -> None:
    out = printed("--disable=DrsTaskDelayHigh", "--disable", "DrsQuotaNear", "--disable=DrsQuotaNear")
    left = [(rule.get("alert"), rule["expr"]) for group in groups_of(out).values() for rule in group["rules"]]
    kept = [rule for rule in RULES if rule.get("alert") not in {"DrsTaskDelayHigh", "DrsQuotaNear"}]
    assert left == [(rule.get("alert"), rule["expr"]) for rule in kept]


def test_a_group_without_rules_is_left_out(printed: Any) -> None:
    waves = {rule["alert"] for rule in SHIPPED["drs-waves-ready"]["rules"]}
    assert SHIPPED.keys() - groups_of(printed(*(f"--disable={alert}" for alert in waves))).keys() == {"drs-waves-ready"}


def test_a_job_of_exporters_changes_two_alerts(printed: Any) -> None:
    changed = {
        rule["alert"]: rule["expr"]
        for rule, shipped in zip(alerts_of(printed("--job=db/drs")), ALERT_RULES, strict=True)
        if rule["expr"] != shipped["expr"]
    }
    assert changed.keys() == {"DrsExporterDown", "DrsReplicaDown"}
    assert all('up{job="db/drs"}' in expression for expression in changed.values())


def test_no_expression_depends_on_the_name_of_the_job(printed: Any) -> None:
    assert 'job="' not in printed()


def test_a_threshold_changes_expression_and_description(printed: Any) -> None:
    (rule,) = (rule for rule in alerts_of(printed("--set=paused=90m")) if rule["alert"] == "DrsTaskPausedLong")
    assert rule["expr"].endswith("> 5400\n")
    assert rule["annotations"]["summary"].endswith("has been paused for more than 90 minutes")


def test_tasks_outside_of_waves_can_be_ready(printed: Any) -> None:
    changed = alerts_of(printed("--ready-outside-waves"))
    different = [
        (rule, shipped)
        for rule, shipped in zip(changed, ALERT_RULES, strict=True)
        if without_links(rule) != without_links(shipped)
    ]
    ((rule, shipped),) = different
    assert rule["alert"] == "DrsTaskCutoverReady"
    assert shipped["expr"].removeprefix(rule["expr"].rstrip("\n")).count("\n") == 2
    assert "wave" not in rule["expr"]


def test_the_manifest_of_the_operator_has_the_groups(printed: Any) -> None:
    found = yaml.safe_load(printed("--format=prometheusrule", "--label=release=prometheus"))
    assert (found["apiVersion"], found["kind"]) == ("monitoring.coreos.com/v1", "PrometheusRule")
    assert found["metadata"] == {
        "name": "drs-exporter",
        "labels": {"app.kubernetes.io/name": "drs-exporter", "release": "prometheus"},
    }
    assert found["spec"] == yaml.safe_load(printed())


def test_the_config_map_contains_the_rule_file(printed: Any) -> None:
    found = yaml.safe_load(printed("--format=configmap"))
    assert (found["apiVersion"], found["kind"]) == ("v1", "ConfigMap")
    assert found["data"] == {"drs-exporter.yml": printed()}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--severity=DrsTaskFailed", "'DrsTaskFailed' is not ALERT=SEVERITY with one of critical, warning, info"),
        ("--severity=DrsTaskFailed=page", "is not ALERT=SEVERITY with one of critical, warning, info"),
        ("--severity=DrsTaskFaild=info", "--severity: unknown alert 'DrsTaskFaild', did you mean DrsTaskFailed?"),
        ("--disable=DrsTaskFaild", "--disable: unknown alert 'DrsTaskFaild', did you mean DrsTaskFailed?"),
        ("--set=dely=5m", "unknown threshold 'dely', did you mean delay?"),
        ("--set=delay", "'delay' is not THRESHOLD=VALUE"),
        ("--set=delay=fast", "delay: expected a duration such as 90s, 5m or 2h"),
        ("--job=", "'' is not a job of Prometheus"),
        ('--job=a"b', "is not a job of Prometheus"),
        ("--job=\udcff", "is not a job of Prometheus"),
        ("--grafana-url=https://{{.x}}/", "expected https://HOST"),
        ("--grafana-url=grafana.example", "argument --grafana-url: expected https://HOST"),
        ("--exporter-url=https://user:hunter2@drs.example", "argument --exporter-url: expected https://HOST"),
        ("--label=release=a", "--label is for manifests, not for --format=prometheus"),
        ("--format=configmap --label=release", "'release' is not NAME=VALUE of a label of Kubernetes"),
    ],
)
def test_wrong_usage_is_one_line(words: str, message: str, command_line: CommandLine) -> None:
    found = command_line.error("rules", *words.split())
    assert message in found
    assert "hunter2" not in found


_COMMAND = re.compile(r"^[^`\n]*drs-exporter ((?:rules|dashboards) (?:\\\n|[^\n|>`])+)[\n|>]", re.MULTILINE)
DOCUMENTED = {
    " ".join(re.sub(r"\\\n\s*|  .*", " ", found).split())
    for path in (
        *DOCS.glob("*.md"),
        *COMMANDS.glob("*.py"),
        DEPLOY / "helm" / "drs-exporter" / "templates" / "NOTES.txt",
    )
    for found in _COMMAND.findall(path.read_text())
}


@pytest.mark.parametrize("words", sorted(DOCUMENTED))
def test_documented_commands_are_accepted(words: str) -> None:
    assert parse(shlex.split(words)).command == words.split(maxsplit=1)[0]


def test_commands_are_documented_with_and_without_kubernetes() -> None:
    assert {"--format=prometheusrule" in words for words in DOCUMENTED} == {True, False}
