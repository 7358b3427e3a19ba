"""What a user sees: the whole text of one world on v3, one on v5 and one on both.

`GOLDEN=write pytest tests/daemon/test_golden.py` writes the files again; read the difference before it is committed.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

import pytest
from prometheus_client.parser import text_string_to_metric_families

from exporter.metrics.self_metrics import SELF_METRICS
from exporter.simulator import AsyncJob, SimulatedCloud
from exporter.simulator.world.life import PREPARED
from tests.lib.daemon import cloud_of, config_of, polling, sim_task
from tests.lib.paths import GOLDEN
from tests.lib.samples import parsed
from tests.lib.virtual_time import EPOCH, simulate

FOLDER = GOLDEN
WRITE = os.environ.get("GOLDEN") == "write"
COLLECTORS = (
    *("tasks", "progress", "node", "recovery", "objects", "comparison", "async_jobs", "detail", "precheck", "quota"),
)
LOADING = (*PREPARED, ("FULL_TRANSFER_STARTED", 50 * 3600.0))


def open_telekom_cloud() -> SimulatedCloud:
    """v3 as it was: no milliseconds, rates and actions, times without a zone."""
    lost = sim_task("lost", status="INCRE_TRANSFER_FAILED")
    lost.overrides["v3_progress"] = {"error_code": "DRS.M01504"}
    return cloud_of(
        sim_task("orders", delay=4),
        sim_task("billing", scenario="migration", script=LOADING),
        sim_task("ledger", scenario="cloudDataGuard", engine="cloudDataGuard-mysql", delay=8),
        sim_task(
            "merge",
            relation="multi_to_single",
            children=[sim_task("merge-a", role="child"), sim_task("merge-b", role="child")],
        ),
        sim_task('say "hi" \\ 100% \n訂單', engine="mongodb", status="CONFIGURATION"),
        sim_task("old", status="RELEASE_RESOURCE_COMPLETE"),
        lost,
        published={"v3"},
        old_bodies=True,
        naive_times=True,
    )


def huawei_cloud_v5() -> SimulatedCloud:
    """A region without v3."""
    return cloud_of(
        sim_task("orders", delay=0.25, comparison="different", tags={"team": "payments"}, alarms={"delay_time": 60}),
        sim_task("erp", engine="oracle-to-gaussdbv5", script=LOADING, charging="period", expires=EPOCH + 86_400.0),
        sim_task("cache", scenario="migration", engine="redis-to-gaussredis", status="FULL_TRANSFER_FAILED"),
        published={"v5"},
        async_jobs=[AsyncJob(status="ASYNC_JOB_VALIDATE_FAILED", created=EPOCH - 60)],
    )


def huawei_cloud() -> SimulatedCloud:
    """Both generations, each of which lists a task that the other one does not know."""
    return cloud_of(
        sim_task("both", delay=1.5, enterprise_project="7"),
        sim_task("v3 alone", engine="postgresql", delay=2.5),
        sim_task("v5 alone", engine="redis-to-gaussredis", delay=3.5),
    )


async def _a_minute(cloud: SimulatedCloud) -> None:
    """A task is paused and renamed while we look."""
    await asyncio.sleep(20)
    cloud.worlds[0].tasks[0].pin("PAUSING")
    cloud.worlds[0].tasks[1].name = "renamed"
    await asyncio.sleep(50)


WORLDS = {
    "v3": (open_telekom_cloud, "v3"),
    "v5": (huawei_cloud_v5, "v5"),
    "auto": (huawei_cloud, "auto"),
}


def in_order(family: str) -> str:
    """HELP and TYPE first, then the samples, whose order means nothing."""
    head, kind, *samples = family.rstrip("\n").split("\n")
    return "\n".join([head, kind, *sorted(samples), ""])


def shown(make: Callable[[], SimulatedCloud], api: str) -> str:
    own = {family.name for family in SELF_METRICS}

    async def main() -> str:
        cloud = make()
        async with polling(cloud, config_of(api, COLLECTORS, tasks={"tag_labels": ["team"]})) as exporter:
            await asyncio.sleep(2)
            if api == "auto":
                await _a_minute(cloud)
            page = exporter.exposition.page
            names = [
                family.name for family in page.families if family.name.startswith("drs_") and family.name not in own
            ]
            return "".join(in_order(b"".join(page.plain(frozenset({name}))).decode()) for name in names)

    return simulate(main())


@pytest.mark.parametrize("name", WORLDS)
def test_the_exposition_of_a_world(name: str) -> None:
    text = shown(*WORLDS[name])
    path = FOLDER / f"{name}.prom"
    if WRITE:
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", WORLDS)
def test_a_golden_page_can_be_parsed_and_has_no_series_twice(name: str) -> None:
    text = (FOLDER / f"{name}.prom").read_text(encoding="utf-8")
    families = list(text_string_to_metric_families(text))
    series = [(sample.name, *sorted(sample.labels.items())) for family in families for sample in family.samples]
    assert len(series) == len(set(series)) > 200
    assert all(family.documentation.endswith(".") and family.type in {"gauge", "counter"} for family in families)
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    read = [(sample.labels, sample.value) for family in families for sample in family.samples]
    assert parsed(lines) == read  # the tests read pages with this parser
