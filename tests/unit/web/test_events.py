"""The events as JSON, and the parameters that select them."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import quote

import pytest

from exporter.daemon.exporter import Exporter
from exporter.model.events import MOST_EVENTS, Kind
from exporter.model.task import ProjectKey
from exporter.views.events import event_json
from exporter.web.events import EventQuery
from tests.lib.daemon import cloud_of, exporter_on, get, sim_task
from tests.lib.virtual_time import EPOCH, simulated

KEY = ProjectKey("acme", "cn-north-4", "payments")


async def answer_of(exporter: Exporter, query: str = "") -> tuple[int, Any]:
    got = await get(exporter, f"/api/v1/events{query}")
    assert got.headers["content-type"] == "application/json"
    return got.status, json.loads(got.body)


@simulated
async def response_of(query: str) -> tuple[int, Any]:
    """The response of an exporter with three events, ten seconds apart."""
    async with exporter_on(cloud_of(sim_task("one"))) as exporter:
        for name in ("orders", "shop", "a b/é"):
            exporter.events.add(KEY, Kind.PHASE_CHANGED, (f"id-{name}", name), phase_before="full", phase="paused")
            await asyncio.sleep(10)
        return await answer_of(exporter, query)


def names(query: str) -> list[str]:
    status, answer = response_of(query)
    assert (status, answer["matched"]) == (200, len(answer["events"]))
    return [event["task_name"] for event in answer["events"]]


@simulated
async def test_a_start_has_no_events_and_the_response_contains_since_when_there_could_be_some() -> None:
    async with exporter_on(cloud_of(sim_task("one"))) as exporter:
        await asyncio.sleep(60)
        await exporter.poll_once()
        _, answer = await answer_of(exporter)
    assert answer == {
        "now_timestamp_seconds": pytest.approx(EPOCH + 60, abs=1),
        "since_timestamp_seconds": EPOCH,
        "matched": 0,
        "events": [],
    }


def test_the_newest_event_comes_first() -> None:
    status, answer = response_of("?limit=2")
    assert (status, answer["matched"], [event["task_name"] for event in answer["events"]]) == (
        200,
        3,
        ["a b/é", "shop"],
    )
    assert answer["events"][1] == {
        "at_timestamp_seconds": EPOCH + 10,
        "kind": "phase_changed",
        **KEY._asdict(),
        "task_id": "id-shop",
        "task_name": "shop",
        "phase_before": "full",
        "phase": "paused",
    }


@pytest.mark.parametrize(
    "since",
    [
        f"{EPOCH + 10:.0f}",
        f"{EPOCH + 10:.3f}",
        "2026-01-01T00:00:10Z",
        "2026-01-01t00:00:09.5z",
        "2026-01-01T08:00:10%2B08:00",
        "2025-12-31T19:00:10-05:00",
    ],
)
def test_since_is_unix_seconds_or_a_time_of_rfc_3339(since: str) -> None:
    assert names(f"?since={since}") == ["a b/é", "shop"]


def test_a_task_is_selected_by_its_id_or_its_name() -> None:
    assert names("?task=shop") == names("?task=id-shop") == ["shop"]
    assert names(f"?task={quote('a b/é', safe='')}") == ["a b/é"]
    assert names("?task=sho") == []
    assert names("?since=&task=") == ["a b/é", "shop", "orders"]


@pytest.mark.parametrize(
    "since",
    [
        "yesterday",
        "-1",
        "1e9",
        "nan",
        "\u0661",
        "9" * 12,
        "2026-01-01",
        "2026-01-01T00:00:00",
        "2026-13-01T00:00:00Z",
        "2026-01-01T00:00:00 08:00",
        "20260101T000000Z",
    ],
)
def test_a_time_that_is_none_is_refused(since: str) -> None:
    query, errors = EventQuery.of({"since": since})
    assert query.since is None
    assert [error.partition(":")[0] for error in errors] == ["since"]


def test_invalid_and_unknown_parameters_are_named() -> None:
    status, answer = response_of(f"?waves=blue&since=now&limit={MOST_EVENTS + 1}&{'x' * 1000}=1")
    assert status == 400
    assert [error.partition(":")[0] for error in answer["errors"]] == ["waves", "x" * 50, "since", "limit"]
    assert answer["errors"][0] == "waves: unknown; expected since, task, wave, limit"


@pytest.mark.parametrize("limit", ["0", "-1", "1.5", "²", "9" * 5000])
def test_a_limit_that_is_none_is_refused(limit: str) -> None:
    assert EventQuery.of({"limit": limit})[1]


@simulated
async def test_a_response_is_limited_to_what_the_log_keeps() -> None:
    async with exporter_on(cloud_of(sim_task("one"))) as exporter:
        events = [exporter.events.add(KEY, Kind.REMOVED, (str(number), str(number))) for number in range(300)]
        _, answer = await answer_of(exporter)
        _, everything = await answer_of(exporter, f"?limit={MOST_EVENTS}")
    assert (answer["matched"], len(answer["events"])) == (300, 100)
    assert everything["events"] == [event_json(event) for event in reversed(events)]
