from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from exporter.catalogue import family_names
from exporter.telemetry import OWN_FAMILIES
from tests.tools import require

PROMETHEUS = Path(__file__).parent.parent / "deploy" / "prometheus"
ALERTS = PROMETHEUS / "drs-alerts.yml"
UNIT_TESTS = sorted((PROMETHEUS / "tests").glob("*.yml"))

Rule = dict[str, Any]


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


RULES: list[Rule] = [rule for group in load(ALERTS)["groups"] for rule in group["rules"]]
ALERT_RULES = [rule for rule in RULES if "alert" in rule]
ALERT_TESTS: list[tuple[str, Rule]] = [
    (test["name"], case)
    for path in UNIT_TESTS
    for test in load(path)["tests"]
    for case in test.get("alert_rule_test", ())
]


def title(rule: Rule) -> str:
    """The alert and, where it has several rules, the reason that tells them apart."""
    return " ".join(filter(None, (rule["alert"], rule["labels"].get("reason"))))


def promtool(*arguments: str | Path) -> None:
    command = [require("promtool", "prometheus"), *map(str, arguments)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_configuration_is_valid() -> None:
    promtool("check", "config", PROMETHEUS / "prometheus.yml")


def test_the_rules_are_valid() -> None:
    promtool("check", "rules", "--lint=all", "--lint-fatal", ALERTS)


@pytest.mark.parametrize("path", UNIT_TESTS, ids=lambda path: path.stem)
def test_unit_tests_of_the_rules_pass(path: Path) -> None:
    promtool("test", "rules", path)


@pytest.mark.parametrize("rule", ALERT_RULES, ids=title)
def test_every_alert_has_a_unit_test_that_fires_it(rule: Rule) -> None:
    labels = rule["labels"].items()
    assert any(
        case["alertname"] == rule["alert"] and labels <= alert["exp_labels"].items()
        for _, case in ALERT_TESTS
        for alert in case["exp_alerts"]
    )


@pytest.mark.parametrize("rule", ALERT_RULES, ids=title)
def test_every_alert_has_a_unit_test_that_comes_near_and_does_not_fire(rule: Rule) -> None:
    fired = [
        bool(case["exp_alerts"])
        for name, case in ALERT_TESTS
        if case["alertname"] == rule["alert"] and name.startswith(f"{title(rule)} stays quiet")
    ]
    assert fired
    assert not any(fired)


@pytest.mark.parametrize("rule", ALERT_RULES, ids=title)
def test_every_alert_says_how_bad_what_and_where(rule: Rule) -> None:
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert set(rule["annotations"]) >= {"summary", "description"}
    assert re.search(r"\$labels\.(project|instance)", rule["annotations"]["description"])


def test_the_rules_of_an_alert_are_told_apart() -> None:
    titles = [title(rule) for rule in ALERT_RULES]
    assert len(set(titles)) == len(titles)


def test_rules_use_families_that_exist() -> None:
    used = {name for rule in RULES for name in re.findall(r"\bdrs_\w+", rule["expr"])}
    assert used <= family_names() | {own.name for own in OWN_FAMILIES}
