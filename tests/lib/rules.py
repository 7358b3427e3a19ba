"""The rules in deploy/prometheus, and the unit tests of the alerts."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.lib.paths import DEPLOY
from tests.lib.tools import tool

Rule = dict[str, Any]

PROMETHEUS = DEPLOY / "prometheus"
RULE_FILES = sorted(PROMETHEUS.glob("drs-*.yml"))
UNIT_TESTS = sorted((PROMETHEUS / "tests").glob("*.yml"))


def load(path: Path) -> Any:
    """The content of a YAML file."""
    return yaml.load(path.read_text(), yaml.CSafeLoader)  # ten times as fast as the loader in Python


_CONTENTS = {path: load(path) for path in RULE_FILES}
RULES: list[Rule] = [rule for content in _CONTENTS.values() for group in content["groups"] for rule in group["rules"]]
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


def promtool(*arguments: str | Path) -> None:
    """Run promtool, which has to succeed."""
    command = [tool("promtool"), *map(str, arguments)]
    seldom = {**os.environ, "GOGC": "400"}  # collects garbage less often: three quarters of the processor time
    ran = subprocess.run(command, capture_output=True, text=True, check=False, env=seldom)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def run_unit_tests(folder: Path, tests: Mapping[str, str], *, annotations: bool) -> None:
    """Run the texts of files of unit tests, by their names, in this folder."""
    paths = []
    for name, text in tests.items():
        path = folder / name / "tests" / f"{name}.yml"
        path.parent.mkdir(parents=True)
        path.write_text(text)
        write_rules(folder / name, rules_for(text), annotations=annotations)
        paths.append(path)
    promtool("test", "rules", *paths)


def rules_for(text: str) -> list[Rule]:
    """The rules that the text of a file of unit tests looks at, and those whose results they use.

    promtool evaluates each rule of a file at each minute of each test: all rules would take twice as long.
    """
    alerts = set(re.findall(r"\balertname\W{1,4}(\w+)", text))
    rules: list[Rule] = []
    while more := [
        rule for rule in RULES if rule not in rules if rule.get("alert") in alerts or rule.get("record", "\0") in text
    ]:
        rules += more
        text += json.dumps(more)
    return rules


def write_rules(folder: Path, rules: list[Rule], *, annotations: bool) -> None:
    """Write the rule files with these rules alone, as JSON, which is YAML."""
    without = {"annotations"} if not annotations else set()
    for path, content in _CONTENTS.items():
        groups = [
            {
                **group,
                "rules": [
                    {key: value for key, value in rule.items() if key not in without}
                    for rule in group["rules"]
                    if rule in rules
                ],
            }
            for group in content["groups"]
        ]
        (folder / path.name).write_text(json.dumps({"groups": groups}))
