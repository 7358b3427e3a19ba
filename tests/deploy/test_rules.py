from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from exporter.commands.site_rules import title_of
from tests.lib.paths import DEPLOY
from tests.lib.promql import faults
from tests.lib.rules import (
    ALERT_RULES,
    ALERT_TESTS,
    ALERTS,
    PROMETHEUS,
    RECORDED,
    RULE_FILES,
    RULES,
    UNIT_TESTS,
    Rule,
    promtool,
    rules_for,
    run_unit_tests,
)
from tests.lib.tools import needs

if TYPE_CHECKING:
    from pathlib import Path

MONITORING = DEPLOY.parent / "docs" / "monitoring.md"
PAGES = {
    "DrsCollectorFailing recovery",
    "DrsCredentialsRefused",
    "DrsExporterDown",
    "DrsExporterDown unstable",
    "DrsProjectBlind",
    "DrsRpoObjectiveMissed",
    "DrsShardMissing",
    "DrsTaskDelayHigh",
    "DrsTaskFailed",
}
"""Titles of the alerts for whoever is on call."""
EXPORTER = "http://localhost:10826"
LINKS = {
    "task_id": {
        ("?task_id={{ $labels.task_id | urlquery }}", "/tasks/{{ $labels.task_id | urlquery }}"),
        (  # an alert about one task or, without an id, about many
            "{{ with $labels.task_id }}?task_id={{ . | urlquery }}{{ end }}",
            "/{{ with $labels.task_id }}tasks/{{ . | urlquery }}{{ end }}",
        ),
    },
    "wave": {("", "/waves/{{ $labels.wave | urlquery }}")},
    "project": {("", "/")},
}
"""What follows the URL of the runbook, and the URL of the exporter, by the subject of an alert."""
CONDITION = re.compile(r"\{\{ if [^}]+ }}(?P<then>.*?)(?:\{\{ else }}(?P<else>.*?))?\{\{ end }}")
"""A condition in a template; it contains no other."""
READY = {"DrsTaskCutoverReady", "DrsWaveReady"}
"""Alerts that end as soon as it is not known any more that something is ready."""

each_rule = pytest.mark.parametrize("rule", RULES, ids=title_of)
each_alert_rule = pytest.mark.parametrize("rule", ALERT_RULES, ids=title_of)


@needs("promtool")
def test_the_configuration_is_valid() -> None:
    promtool("check", "config", PROMETHEUS / "prometheus.yml")


@needs("promtool")
def test_the_rules_are_valid() -> None:
    promtool("check", "rules", "--lint=all", "--lint-fatal", *RULE_FILES)


@needs("promtool")
def test_unit_tests_of_the_rules_pass(tmp_path: Path) -> None:
    run_unit_tests(tmp_path, {path.stem: path.read_text() for path in UNIT_TESTS}, annotations=True)


@needs("promtool")
def test_the_shipped_files_can_be_tested_as_they_are() -> None:
    promtool("test", "rules", PROMETHEUS / "tests" / "project-blind.yml")


def test_a_unit_test_gets_the_rules_whose_results_its_alert_uses() -> None:
    names = {
        rule.get("alert", rule.get("record"))
        for rule in rules_for((PROMETHEUS / "tests" / "task-stuck.yml").read_text())
    }
    assert {name for name in names if ":" not in str(name)} == {"DrsTaskStuck"}
    assert names > {"DrsTaskStuck"}


@each_rule
def test_rules_use_names_and_labels_that_exist(rule: Rule) -> None:
    assert faults(rule["expr"], RECORDED) == []


@each_alert_rule
def test_queries_in_descriptions_use_names_that_exist(rule: Rule) -> None:
    queries = re.findall(r'printf "((?:[^"\\]|\\.)+)"(?= \$labels[^|]*\| query)', rule["annotations"]["description"])
    assert len(queries) == rule["annotations"]["description"].count("| query")
    for query in queries:
        assert faults(query.replace('\\"', '"').replace("%q", '"x"'), RECORDED) == []


def test_wrong_names_labels_and_phases_are_found() -> None:
    wrong = 'sum by (foo) (drs_up{x="y"}) + on (bar) drs_nope / ignoring (job) drs_task_phase{phase="pause"}'
    assert faults(wrong, set()) == [
        "no label bar",
        "no label foo",
        "drs_up has no label x",
        "no family drs_nope",
        "no phase pause",
    ]


def test_every_recording_rule_is_used() -> None:
    shown = "".join(path.read_text() for path in (*RULE_FILES, *(DEPLOY / "grafana").glob("*.json")))
    assert {name for name in RECORDED if shown.count(name) < 2} == set()


@each_alert_rule
def test_every_alert_has_a_unit_test_that_fires_it(rule: Rule) -> None:
    labels = {name: value for name, value in rule["labels"].items() if "{{" not in value}.items()
    assert any(
        case["alertname"] == rule["alert"] and labels <= alert["exp_labels"].items()
        for _, case in ALERT_TESTS
        for alert in case["exp_alerts"]
    )


@each_alert_rule
def test_every_alert_has_a_unit_test_that_nearly_fires_it(rule: Rule) -> None:
    fired = [
        bool(case["exp_alerts"])
        for name, case in ALERT_TESTS
        if case["alertname"] == rule["alert"] and name.startswith(f"{title_of(rule)} stays quiet")
    ]
    assert fired
    assert not any(fired)


@each_alert_rule
def test_every_alert_has_a_severity_a_summary_and_a_dashboard(rule: Rule) -> None:
    annotations = rule["annotations"]
    assert rule["labels"]["severity"] in ({"critical"} if title_of(rule) in PAGES else {"warning", "info"})
    assert annotations.keys() - {"exporter_url"} == {"summary", "description", "runbook_url", "dashboard_url"}
    assert re.search(r"\$labels\.(account|project|instance|wave|shards)|query", annotations["description"])


@each_alert_rule
def test_alerts_link_to_the_pages_of_the_exporter_but_for_alerts_about_the_exporter_itself(rule: Rule) -> None:
    annotations = rule["annotations"]
    subjects = re.findall(r"\$labels\.(task_id|wave|project|account)\b", annotations["description"])
    if not subjects:
        assert annotations["runbook_url"] == f"https://drs-exporter.example/docs/runbooks/{rule['alert']}.md"
        assert "exporter_url" not in annotations
        return
    links = LINKS[next((subject for subject in ("task_id", "wave") if subject in subjects), "project")]
    runbook = f"{EXPORTER}/runbooks/{rule['alert']}"
    urls = [annotations["runbook_url"].removeprefix(runbook), annotations["exporter_url"].removeprefix(EXPORTER)]
    assert tuple(urls) in links


@each_alert_rule
def test_alerts_of_tasks_name_the_task_and_the_value_and_can_be_inhibited_by_it(rule: Rule) -> None:
    of_a_task = "$labels.task_id" in rule["annotations"]["description"]
    assert of_a_task == ("root_id" in rule["labels"])
    if of_a_task:
        assert "$labels.task_name" in rule["annotations"]["summary"]
        assert "var-task={{ $labels.task_id | urlquery }}" in rule["annotations"]["dashboard_url"]


@each_alert_rule
def test_alerts_of_projects_and_tasks_survive_gaps(rule: Rule) -> None:
    survives = "keep_firing_for" in rule
    assert survives == (rule["alert"] not in READY) or "$labels.project" not in rule["annotations"]["description"]


@each_alert_rule
def test_dashboards_of_alerts_exist_and_have_the_variables_of_the_link(rule: Rule) -> None:
    for branch in ("then", "else"):
        url = CONDITION.sub(rf"\g<{branch}>", rule["annotations"]["dashboard_url"])
        found = re.match(r"http://localhost:3000/d/drs-([a-z]+)(\?|$)", url)
        assert found is not None
        dashboard = json.loads((DEPLOY / "grafana" / f"{found[1]}.json").read_text())
        assert dashboard["uid"] == f"drs-{found[1]}"
        assert set(re.findall(r"var-(\w+)=", url)) <= {variable["name"] for variable in dashboard["templating"]["list"]}


def test_few_alerts_are_critical() -> None:
    assert {title_of(rule) for rule in ALERT_RULES if rule["labels"]["severity"] == "critical"} == PAGES


@pytest.mark.parametrize("name", [rule for rule in ALERTS if "Delay" in rule])
def test_alerts_about_delays_need_no_facts_of_the_task_to_fire(name: str) -> None:
    assert not any("_info" in rule["expr"] for rule in ALERT_RULES if rule["alert"] == name)


def test_the_rules_of_an_alert_have_distinct_titles() -> None:
    titles = [title_of(rule) for rule in ALERT_RULES]
    assert len(set(titles)) == len(titles)


def test_monitoring_md_lists_every_alert_once_by_severity() -> None:
    text = MONITORING.read_text()
    listed = [
        (severity, name)
        for severity, links in re.findall(r"^\| `(\w+)` \| (.+) \|$", text, re.MULTILINE)
        for name in re.findall(r"\[(\w+)\]\([./\w]+/runbooks/\1\.md\)", links)
    ]
    assert sorted(listed) == sorted({(rule["labels"]["severity"], rule["alert"]) for rule in ALERT_RULES})
