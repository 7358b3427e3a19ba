"""The daemon against the simulated cloud, each in a process of its own, over TCP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from exporter.docs.sources import feed_of
from exporter.metrics.family import Family
from exporter.metrics.projects import PROJECT_FAMILIES
from exporter.metrics.tasks import TASK_FAMILIES
from tests.e2e.programs import LISTEN, Exporter, Simulator, account, configuration

FAMILIES: tuple[Family[Any], ...] = (*TASK_FAMILIES, *PROJECT_FAMILIES)


UNSEEN = {
    "drs_task_auto_stop_timestamp_seconds",
    "drs_task_predicted_full_load_end_timestamp_seconds",
    "drs_exporter_clock_skew_seconds",
    "drs_exporter_credentials_expire_timestamp_seconds",
}
"""Families without a value.

No task of the simulated cloud fails during the test, or loads data for five minutes. Its dates are no clock of a cloud,
and its access keys do not expire.
"""
UNSEEN_BY_API = {
    "auto": set[str](),
    "v3": {"drs_task_eip_bound"},
    "v5": {
        "drs_task_rpo_threshold_seconds",
        "drs_task_rto_threshold_seconds",
        "drs_task_switching",
        "drs_task_order_auto_renew",
        "drs_task_speed_limit_bytes_per_second",
    },
}
"""Families of fields that v3 does not have, and of tasks that v5 of the simulated cloud does not list."""


def fed_by(api: str) -> set[str]:
    """The families that need no operation, or that an operation of the API feeds."""
    feeds = {family.name: {operation.api for operation in feed_of(family).operations} for family in FAMILIES}
    return {name for name, apis in feeds.items() if api == "auto" or not apis or api in apis}


@pytest.fixture
def new_cloud(tmp_path: Path) -> Iterator[str]:
    """The URL of a simulated cloud that has just started: its tasks are in more phases than at most later times."""
    with Simulator(tmp_path / "cloud") as simulator:
        yield simulator.url


@pytest.mark.parametrize("api", ["auto", "v3", "v5"])
def test_the_families_on_the_page_are_those_with_a_source(
    api: str, new_cloud: str, start: Callable[..., Exporter], tmp_path: Path
) -> None:
    waves = [{"name": "all", "include": [{"account": "prod"}]}]
    config = configuration(tmp_path / "config.yaml", account("prod", new_cloud, 0, api=api), waves=waves)
    exporter = start(config, LISTEN).ready()
    expected = fed_by(api) - UNSEEN - UNSEEN_BY_API[api]
    seen: set[str] = set()

    def all_seen() -> bool:
        seen.update(exporter.families())  # some are on the page only for a while
        return expected <= seen

    # On a busy machine a poll may miss the full load of a task, which is created again within two minutes.
    exporter.until(all_seen, lambda: f"these are on the page: {sorted(expected - seen)}", seconds=180)
    assert seen & {family.name for family in FAMILIES} == expected
