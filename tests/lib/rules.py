"""The rules in deploy/prometheus, and the unit tests of the alerts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tests.lib.paths import DEPLOY

Rule = dict[str, Any]

PROMETHEUS = DEPLOY / "prometheus"
RULE_FILES = sorted(PROMETHEUS.glob("drs-*.yml"))
UNIT_TESTS = sorted((PROMETHEUS / "tests").glob("*.yml"))


def load(path: Path) -> Any:
    """The content of a YAML file."""
    return yaml.safe_load(path.read_text())


RULES: list[Rule] = [rule for path in RULE_FILES for group in load(path)["groups"] for rule in group["rules"]]
ALERT_RULES = [rule for rule in RULES if "alert" in rule]
ALERTS = sorted({rule["alert"] for rule in ALERT_RULES})
RECORDED = {rule["record"] for rule in RULES if "record" in rule}
ALERT_TESTS: list[tuple[str, Rule]] = [
    (test["name"], case)
    for path in UNIT_TESTS
    for test in load(path)["tests"]
    for case in test.get("alert_rule_test", ())
]
"""The cases of all tests, with the name of the test."""
