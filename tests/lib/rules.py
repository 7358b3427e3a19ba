"""The rules in deploy/prometheus, and the unit tests of the alerts."""

from __future__ import annotations

import json
import re
import subprocess
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
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def run_unit_tests(folder: Path, tests: str, *, annotations: bool) -> None:
    """Run the text of a file of unit tests, in this empty folder."""
    write_rules(folder, rules_for(tests), annotations=annotations)
    path = folder / "tests" / "test.yml"
    path.parent.mkdir()
    path.write_text(tests)
    promtool("test", "rules", path)


def rules_for(text: str) -> list[Rule]:
    """The rules that the text of a file of unit tests looks at, and those whose results they use.

    promtool evaluates each rule of a file at each minute of each test: all rules would take twice as long.
    """
    alerts = set(re.findall(r'\balertname"?: "?(\w+)', text))
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


def with_a_second_exporter(path: Path) -> str:
    """A file of unit tests with each series a second time, from another target. Of alerts, only labels are expected."""
    tests = yaml.load(path.read_text(), yaml.CBaseLoader)  # noqa: S506 - creates strings only; 0x9 is no number here
    for test in tests["tests"]:
        named = any(series["series"].startswith("up{") for series in test["input_series"])  # up is selected by its job
        labels = ("instance", "pod", "replica", *(() if named else ("job",)))
        test["input_series"] += [
            {**series, "series": _of_another_target(series["series"], labels)} for series in test["input_series"]
        ]
        for case in test["alert_rule_test"]:
            for alert in case["exp_alerts"]:
                alert.pop("exp_annotations", None)
    return json.dumps(tests)


def _of_another_target(series: str, target_labels: tuple[str, ...]) -> str:
    name, _, labels = series.partition("{")
    instance = re.search(r'instance="([^"]*)"', labels)
    kept = re.sub(rf'\b({"|".join(target_labels)})="[^"]*",?\s*', "", labels.removesuffix("}")).strip(", ")
    added = (f'{label}="second {instance[1] if instance else ""}"' for label in target_labels)
    return f"{name}{{{', '.join(filter(None, (kept, *added)))}}}"
