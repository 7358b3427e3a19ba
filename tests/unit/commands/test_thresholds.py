"""The thresholds that a site may change, and where the rules contain them."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from exporter.commands.site_rules import Site, rules_for, title_of
from exporter.commands.thresholds import THRESHOLDS, replaced_texts, threshold_value
from exporter.runtime.shipped_rules import Rule, shipped_groups
from tests.lib.commands import CommandLine
from tests.lib.paths import DOCS
from tests.lib.rules import RULES

MONITORING = DOCS / "monitoring.md"
each_threshold = pytest.mark.parametrize("name", THRESHOLDS)
SHIPPED = shipped_groups()
BY_TITLE = {title_of(rule): rule for rule in RULES}
OTHER = {name: 0.77 if threshold.default.endswith("%") else 4321.0 for name, threshold in THRESHOLDS.items()}
"""Values that no rule contains."""


def changed_rules(values: Mapping[str, float]) -> dict[str, Rule]:
    groups = rules_for(Site(thresholds=values), SHIPPED)
    return {title_of(rule): rule for group in groups for rule in group["rules"]}


def alerts_that_use(title: str) -> set[str]:
    rule = BY_TITLE[title]
    if "alert" in rule:
        return {rule["alert"]}
    users = (each for each, other in BY_TITLE.items() if re.search(rf"{title}\b(?!:)", other["expr"]) and each != title)
    return {alert for user in users for alert in alerts_that_use(user)}


@each_threshold
def test_the_rules_contain_each_text_of_a_threshold(name: str) -> None:
    for title, templates in THRESHOLDS[name].texts.items():
        rule = BY_TITLE[title]
        default = replaced_texts(title, {})
        text = "".join((rule["expr"], *rule.get("annotations", {}).values()))
        assert [old for old in default if old not in text] == []
        assert len(templates) <= len(default)


@each_threshold
def test_a_threshold_changes_the_alerts_that_it_names(name: str) -> None:
    threshold = THRESHOLDS[name]
    assert set(threshold.alerts) == set.union(*(alerts_that_use(title) for title in threshold.texts))


@each_threshold
def test_another_value_replaces_the_default_in_its_rules_and_nowhere_else(name: str) -> None:
    changed = changed_rules({name: OTHER[name]})
    assert {title for title, rule in changed.items() if rule["expr"] != BY_TITLE[title]["expr"]} == set(
        THRESHOLDS[name].texts
    )
    for title in THRESHOLDS[name].texts:
        default = {text for text in replaced_texts(title, {name: OTHER[name]}).items() if text[0] != text[1]}
        assert [old for old, _ in default if old in changed[title]["expr"]] == []


def test_two_thresholds_of_a_rule_can_exchange_their_values() -> None:
    shipped, changed = (
        changed_rules(values)["DrsTaskStuck changing"]
        for values in ({}, {"stuck-change": 43200, "stuck-subtask": 7200})
    )
    assert (shipped["expr"].count("[2h]"), shipped["expr"].count("[12h]")) == (3, 3)
    assert changed["expr"] == re.sub(r"\b12h|\b2h", lambda found: {"2h": "12h", "12h": "2h"}[found[0]], shipped["expr"])
    assert "2 hours{{ else }}12 hours" in changed["annotations"]["description"]


def test_a_longer_number_that_begins_like_a_threshold_is_left_alone() -> None:
    rule = {"record": "drs:task_delay_limit_seconds", "expr": "a + 300 < b + 3000 < c + 300.5"}
    (group,) = rules_for(Site(thresholds={"delay": 120}), [{"name": "g", "rules": [rule]}])
    assert group["rules"] == [{**rule, "expr": "a + 120 < b + 3000 < c + 300.5"}]


def test_the_default_as_a_value_changes_nothing() -> None:
    values = {name: threshold_value(name, threshold.default) for name, threshold in THRESHOLDS.items()}
    assert changed_rules(values) == changed_rules({})


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("delay", "120s", 120),
        ("delay", "1h30m", 5400),
        ("stuck-full", "10m", 600),
        ("node-disk", "95%", 0.95),
        ("node-disk", "0.95", 0.95),
        ("node-disk", "100%", 1),
    ],
)
def test_a_value_is_a_duration_or_a_share(name: str, text: str, value: float) -> None:
    assert threshold_value(name, text) == pytest.approx(value)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        *[("delay", text, "expected a duration such as 90s") for text in ("", "0s", "-5m", "90%", "5 m", "1d}}")],
        ("delay", "1500ms", "expected whole seconds"),
        ("stuck-full", "599s", "must be at least 10m"),
        *[
            ("node-disk", text, "expected a share such as 90%")
            for text in ("", "0", "101%", "1.01", "5m", "-1%", "nan")
        ],
    ],
)
def test_another_value_is_refused(name: str, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        threshold_value(name, text)


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        (300, ("300", "5m", "5 minutes")),
        (3600, ("3600", "1h", "1 hour")),
        (5400, ("5400", "90m", "90 minutes")),
        (7200, ("2 * 3600", "2h", "2 hours")),
        (86_400, ("86400", "1d", "1 day")),
        (604_800, ("7 * 86400", "7d", "7 days")),
        (61, ("61", "61s", "61 seconds")),
    ],
)
def test_a_duration_has_the_forms_of_the_rules(value: float, texts: tuple[str, str, str]) -> None:
    seconds, window, words = texts
    assert replaced_texts("DrsTaskPausedLong", {"paused": value}) == {"> 20 * 3600": f"> {seconds}", "20 hours": words}
    assert replaced_texts("DrsTaskDelayMissing", {"delay-missing": value})["[15m]"] == f"[{window}]"


@each_threshold
def test_the_help_lists_a_threshold_with_its_default_and_alerts(name: str, command_line: CommandLine) -> None:
    text = " ".join(command_line.help("rules").split())
    threshold = THRESHOLDS[name]
    assert f" {name}={threshold.default} {threshold.meaning} ({', '.join(threshold.alerts)})" in text


def test_monitoring_md_lists_the_thresholds() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| (\d+[dhm%]) \| (.+) \| ([\w, ]+) \|$", MONITORING.read_text(), re.MULTILINE)
    expected = [(name, each.default, each.meaning, ", ".join(each.alerts)) for name, each in THRESHOLDS.items()]
    assert rows == expected
