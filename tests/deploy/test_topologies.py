"""Every alert with replicas, a second job and shards, and for scrapes every 15 seconds to 2 minutes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.lib.promql import ranges
from tests.lib.rules import PROMETHEUS, RECORDED, RULES, UNIT_TESTS, load, run_unit_tests
from tests.lib.tools import needs
from tests.lib.topologies import Test, derived, fires_at_two_minutes, replicated_shards, seconds

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OF_EXPORTERS = {
    "DrsClockSkew",
    "DrsRulesMissing",
    *(rule["alert"] for group in load(PROMETHEUS / "drs-alerts-exporters.yml")["groups"] for rule in group["rules"]),
}
"""Alerts about exporters, replicas and shards, whose unit tests have these, and about Prometheus."""
LONGEST_INTERVAL = 120
"""The longest interval of scrapes in seconds that docs/monitoring.md allows."""


def alerts(path: Path) -> set[str]:
    """Return the names of the alerts that a file of unit tests is about."""
    return {case["alertname"] for test in load(path)["tests"] for case in test.get("alert_rule_test", ())}


@needs("promtool")
@pytest.mark.parametrize(
    "topology",
    [
        pytest.param(replicated_shards, id="shards with replicas and a second job"),
        pytest.param(fires_at_two_minutes, id="scrapes every 2 minutes"),
    ],
)
def test_alerts_fire_as_with_one_exporter(topology: Callable[[Test], None], tmp_path: Path) -> None:
    paths = [path for path in UNIT_TESTS if alerts(path) and not alerts(path) & OF_EXPORTERS]
    run_unit_tests(tmp_path, {path.stem: derived(path, topology) for path in paths}, annotations=False)


def test_rules_name_the_labels_that_they_keep() -> None:
    assert [rule for rule in RULES if "without (" in rule["expr"] or "ignoring (" in rule["expr"]] == []


def test_no_rule_looks_back_over_less_than_four_scrapes() -> None:
    assert [
        (rule.get("alert", rule.get("record")), name)
        for rule in RULES
        for name, window in ranges(rule["expr"])
        if name not in RECORDED and window < 4 * LONGEST_INTERVAL
    ] == []


def test_two_failed_scrapes_in_a_row_resolve_no_alert() -> None:
    kept = {rule["alert"]: rule["keep_firing_for"] for rule in RULES if "keep_firing_for" in rule}
    assert {name for name, duration in kept.items() if seconds(duration) <= 2 * LONGEST_INTERVAL} == set()
