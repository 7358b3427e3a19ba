"""`drs-exporter once` on the demo: it prints every family but those that need an observed change or a setting."""

from __future__ import annotations

import re

import pytest

from exporter.commands.demo import simulated
from exporter.commands.once import once
from exporter.commands.outcome import Outcome
from exporter.metrics.self_metrics import SELF_METRICS
from tests.lib.daemon import FAMILY_NAMES
from tests.lib.virtual_time import simulate

OBSERVED = {
    "drs_task_phase_changed_timestamp_seconds",
    "drs_task_auto_stop_timestamp_seconds",
    "drs_task_predicted_full_load_end_timestamp_seconds",
}
"""Families that need a change of phase, or a history, while the exporter runs."""
CONFIGURED = {
    "drs_task_network_info",
    *(metric.name for metric in SELF_METRICS if metric.optional),
}
"""Families that need a setting."""
ABSENT = {"drs_exporter_clock_skew_seconds", "drs_exporter_credentials_expire_timestamp_seconds"}
"""Families that need the hosts of a cloud, or credentials that expire."""


def test_once_on_the_demo_prints_every_family_that_needs_no_change_and_no_setting(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    # On the loop of the tests the calls need not wait for the rate limit.
    assert simulate(once(*simulated())) == Outcome(0)
    page = capsysbinary.readouterr().out.decode()
    printed = set(re.findall(r"^# TYPE (\S+) ", page, re.MULTILINE))
    assert FAMILY_NAMES - printed == OBSERVED | CONFIGURED | ABSENT
    assert not re.search(r"^\S+ (-1|NaN)$", page, re.MULTILINE)
