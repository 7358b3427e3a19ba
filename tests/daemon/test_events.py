"""The events that a daemon observes of a simulated cloud: as JSON, in the log, and as sentences."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from typing import Any

import pytest
from structlog.testing import capture_logs

from exporter.daemon.exporter import Exporter
from exporter.model.events import Event, Kind
from exporter.simulator import SimTask, faults
from exporter.views.events import sentence
from tests.lib.daemon import HOUR, cloud_of, config_of, get, polling, sim_task
from tests.lib.virtual_time import EPOCH, simulated

pytestmark = pytest.mark.usefixtures("published_seldom")

COLLECTORS = ("tasks", "progress", "node", "detail", "comparison", "recovery")
MINUTE = 60.0
LIFE = (
    ("STARTJOBING", 9 * MINUTE),
    ("FULL_TRANSFER_STARTED", 15 * MINUTE),
    ("INCRE_TRANSFER_STARTED", 66 * MINUTE),
    ("INCRE_TRANSFER_FAILED", 12 * MINUTE),
    ("INCRE_TRANSFER_STARTED", 18 * MINUTE),
    ("RELEASE_RESOURCE_STARTED", 9 * MINUTE),
    ("RELEASE_RESOURCE_COMPLETE", 15 * MINUTE),
    ("DELETED", HOUR),
)
SPEED = 3.0
EVENTS = [
    "Task orders changed from phase preparing to full.",
    "Task orders changed from phase full to incremental.",
    "Task orders became ready for the cut-over; not checked: ",
    "A comparison of task orders finished (line): all is equal.",
    "A comparison of task orders finished (object): all is equal.",
    "A comparison of task orders finished (content): all is equal.",
    "Task orders is no longer ready for the cut-over. phase: ",
    "Task orders failed; it was in phase incremental before.",
    "Task orders failed with error code DRS.KE0002.",
    "Task orders changed from phase failed to incremental.",
    "Task orders became ready for the cut-over; not checked: ",
    "Task orders is no longer ready for the cut-over. delay_unknown: ",
    "Task orders changed from phase incremental to ending.",
    "Task orders ended; it was in phase ending before.",
    "Task orders was removed: the cloud does not list it any more.",
]


def sentences(events: Iterable[Event]) -> list[str]:
    """The oldest event first."""
    return [sentence(event) for event in events][::-1]


async def answer_of(exporter: Exporter, query: str = "?limit=5000") -> Any:
    return json.loads((await get(exporter, f"/api/v1/events{query}")).body)


def lines_of(logged: Iterable[Any]) -> list[dict[str, str]]:
    """The lines about tasks, without their texts."""
    lines = [line for line in logged if line.get("kind") in {*Kind}]
    return [{name: value for name, value in line.items() if name not in {"event", "log_level"}} for line in lines]


@simulated
async def test_the_life_of_a_task_is_its_events_in_the_json_the_log_and_as_sentences() -> None:
    task = SimTask(name="orders", born=EPOCH - MINUTE, script=LIFE, speed=SPEED, delay=1, comparison="equal")
    with capture_logs() as logged:
        async with polling(cloud_of(task, sim_task("other", delay=1)), config_of("v3", COLLECTORS)) as exporter:
            await asyncio.sleep(HOUR)
            found, answer = exporter.events.find(), await answer_of(exporter)
            by_name = await answer_of(exporter, f"?task=orders&since={EPOCH + 20 * MINUTE:.0f}")
    words = sentences(found)
    assert len(words) == len(EVENTS), "\n".join(words)
    for text, start in zip(words, EVENTS, strict=True):
        assert text.startswith(start)
    documents = [dict(event) for event in answer["events"]]
    times = [document.pop("at_timestamp_seconds") for document in documents]
    assert times == [event.at for event in found] == sorted(times, reverse=True)
    assert lines_of(logged) == documents[::-1]
    assert by_name["events"] == [
        event for event in answer["events"] if event["at_timestamp_seconds"] >= EPOCH + 20 * MINUTE
    ]


@simulated
async def test_a_silent_cloud_is_one_event_about_all_tasks_and_one_when_their_data_is_fresh() -> None:
    cloud = cloud_of(*(sim_task(f"task {number}", delay=1) for number in range(4)))
    async with polling(cloud, config_of("v3")) as exporter:
        await asyncio.sleep(5 * MINUTE)
        assert exporter.events.find() == []
        cloud.faults = [faults.broken("batch-progress")]
        await asyncio.sleep(15 * MINUTE)
        cloud.faults = []
        await asyncio.sleep(10 * MINUTE)
        progress = sentences(exporter.events.find())
        cloud.faults = [faults.broken("")]
        await asyncio.sleep(15 * MINUTE)
        cloud.faults = []
        await asyncio.sleep(10 * MINUTE)
        everything = sentences(exporter.events.find())
    project = "Project acme/cn-north-4/payments"
    stale = f"{project} has data that is too old: 4 tasks lost the verdict ready."
    fresh = f"{project} has fresh data again: 4 tasks regained the verdict ready."
    assert progress == [stale, fresh]
    unreadable = f"{project} became unreadable: every task list fails (unavailable DRS.M00004)."
    assert everything[2:] == [unreadable, stale, f"{project} is readable again.", fresh]


@simulated
async def test_a_restart_has_no_events_and_a_reload_keeps_them_and_adds_none() -> None:
    cloud = cloud_of(sim_task("orders", delay=3), sim_task("shop", status="INCRE_TRANSFER_FAILED"))
    async with polling(cloud, config_of("v3")) as exporter:
        await asyncio.sleep(5 * MINUTE)
        cloud.worlds[0].tasks[0].pin("PAUSING")
        await asyncio.sleep(5 * MINUTE)
        before = exporter.events.find()
        assert [event.kind for event in before] == [Kind.PHASE_CHANGED, Kind.NOT_READY]
        changed = config_of(
            "v3",
            COLLECTORS,
            cutover={"max_delay": "1s", "comparison": "required"},
            tasks={"exclude": [{"name": "shop"}]},
        )
        await exporter.reload(lambda: changed)
        await asyncio.sleep(5 * MINUTE)
        await exporter.reload(lambda: config_of("v3"))
        await asyncio.sleep(5 * MINUTE)
        assert exporter.events.find() == before
    async with polling(cloud, config_of("v3")) as exporter:
        await asyncio.sleep(5 * MINUTE)
        answer = await answer_of(exporter)
    assert (answer["matched"], answer["since_timestamp_seconds"]) == (0, EPOCH + 20 * MINUTE)
