"""The daemon against the simulated cloud, each in a process of its own, over TCP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from exporter.docs.sources import feed_of
from exporter.metrics.projects import PROJECT_FAMILIES
from exporter.metrics.tasks import TASK_FAMILIES
from tests.e2e.programs import LISTEN, Exporter, account, configuration

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from exporter.metrics.family import Family

FAMILIES: tuple[Family[Any], ...] = (*TASK_FAMILIES, *PROJECT_FAMILIES)


def fed_by(*collectors: str) -> set[str]:
    """The families whose values come from these collectors only."""
    feeds = {family.name: set(feed_of(family).collectors) for family in FAMILIES}
    return {name for name, feed in feeds.items() if feed and feed <= set(collectors)}


NEVER_SEEN = {"drs_task_auto_stop_timestamp_seconds"}  # no task of the cloud fails during the test
WITHOUT_SOURCE: Mapping[str, set[str]] = {
    "auto": NEVER_SEEN,
    "v3": NEVER_SEEN
    | fed_by("async_jobs", "logs", "objects")
    | {
        "drs_apply_average_commit_seconds",
        "drs_apply_average_execute_seconds",
        "drs_apply_ddls_per_second",
        "drs_apply_state",
        "drs_apply_transactions_per_second",
        "drs_node_disk_read_bytes_per_second",
        "drs_node_disk_write_bytes_per_second",
        "drs_node_network_receive_bytes_per_second",
        "drs_node_network_transmit_bytes_per_second",
        "drs_node_report_timestamp_seconds",
        "drs_task_auto_stop_after_seconds",
        "drs_task_target_read_only_lifted",
    },
    "v5": NEVER_SEEN
    | fed_by("precheck", "quota", "recovery")
    | {
        "drs_task_failure_info",
        "drs_task_order_expires_timestamp_seconds",
        "drs_task_rpo_threshold_seconds",
        "drs_task_rto_threshold_seconds",
        "drs_task_started_timestamp_seconds",
        "drs_task_switching",
        "drs_task_updated_timestamp_seconds",
    },
}
"""The families without a source, by the setting `api`."""


@pytest.mark.parametrize("api", WITHOUT_SOURCE)
def test_every_family_with_a_source_is_on_the_page(
    api: str, cloud: str, start: Callable[..., Exporter], tmp_path: Path
) -> None:
    config = configuration(tmp_path / "config.yaml", account("prod", cloud, 0, api=api))
    exporter = start(config, LISTEN).ready()
    wanted = {family.name for family in FAMILIES} - WITHOUT_SOURCE[api]
    seen: set[str] = set()

    def all_seen() -> bool:
        seen.update(exporter.families())  # some are on the page only for a while
        return wanted <= seen

    # On a busy machine a poll may miss the full load of a task, which is created again within two minutes.
    exporter.until(all_seen, lambda: f"these are seen: {sorted(wanted - seen)}", seconds=180)
    assert not seen & WITHOUT_SOURCE[api], "they have a source: remove them from the table"
