from __future__ import annotations

import re

import pytest

from exporter.commands.thresholds import THRESHOLDS
from tests.lib.promql import faults
from tests.lib.rules import ALERT_RULES, ALERT_TESTS, ALERTS, RECORDED
from tests.lib.runbooks import RUNBOOKS, queries, sections

each_runbook = pytest.mark.parametrize("name", ALERTS)


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    assert list(RUNBOOKS) == ALERTS


@each_runbook
def test_a_runbook_has_all_sections(name: str) -> None:
    text = RUNBOOKS[name]
    assert text.startswith(f"# {name}\n")
    assert list(sections(name)) == ["Meaning", "Impact", "Diagnosis", "Mitigation", "Silence"]
    assert all(sections(name).values())
    assert f"alertname={name} " in sections(name)["Silence"]
    assert all(link in RUNBOOKS for link in re.findall(r"\]\((\w+)\.md\)", text))


@each_runbook
def test_a_runbook_names_the_thresholds_that_a_site_can_change(name: str) -> None:
    named = set(re.findall(r"`--set ([a-z-]+=\w+%?)`", sections(name)["Silence"]))
    assert named == {
        f"{each}={threshold.default}" for each, threshold in THRESHOLDS.items() if name in threshold.alerts
    }


@each_runbook
def test_the_diagnosis_has_queries_and_says_what_their_results_mean(name: str) -> None:
    diagnosis = sections(name)["Diagnosis"]
    assert queries(name)
    assert diagnosis.count("```promql") == len(queries(name))
    assert re.search(r"^\* ", diagnosis, re.MULTILINE)


@each_runbook
def test_queries_use_names_and_labels_that_exist(name: str) -> None:
    assert [fault for query in queries(name) for fault in faults(query, RECORDED)] == []


@each_runbook
def test_only_runbooks_that_alerts_open_for_a_task_name_a_task(name: str) -> None:
    opened = any("task_id" in rule["annotations"]["runbook_url"] for rule in ALERT_RULES if rule["alert"] == name)
    assert opened or "TASK_ID" not in RUNBOOKS[name]


@each_runbook
def test_silences_match_labels_of_the_alert(name: str) -> None:
    matched = set(re.findall(r"(\w+)=(?:…|TASK_ID)", sections(name)["Silence"]))
    had = [
        alert["exp_labels"].keys()
        for _, case in ALERT_TESTS
        if case["alertname"] == name
        for alert in case["exp_alerts"]
    ]
    assert any(matched <= labels for labels in had)
