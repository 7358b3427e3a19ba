"""The status of waves, and their families."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from structlog.testing import capture_logs

from exporter.config import Wave
from exporter.model.events import Event, EventLog
from exporter.model.facts import Progress
from exporter.model.shard import Shard
from exporter.model.waves import Stage, WaveState
from exporter.storage import Restored, WaveTimes
from exporter.store.waves import Waves
from exporter.views.events import sentence
from tests.lib.daemon import Scrape, StoreFixture, config_of, listed_task
from tests.lib.virtual_time import EPOCH, simulated

if TYPE_CHECKING:
    from collections.abc import Callable

    from exporter.storage import Storage

FINE = Progress(full_ratio=1, delay_seconds=0)
JOB_TYPES = ("migration", "cloudDataGuard")
BEGUN = {"from": "2026-01-01T00:00:00Z"}


def wave(name: str = "w", **keys: Any) -> dict[str, Any]:
    return {"name": name, "include": [{"name": "task .*"}], **keys}


def counts(page: Scrape, name: str = "w") -> dict[str, float]:
    return {state: value for state, value in page.by("state", "drs_wave_tasks", wave=name).items() if value}


def wave_events(log: EventLog) -> list[Event]:
    """The events of waves, the oldest first."""
    return [event for event in log.find() if "wave" in event.detail][::-1]


async def fixture_of(*waves: dict[str, Any], **settings: Any) -> StoreFixture:
    fixture = StoreFixture(cutover=settings)
    fixture.run(*waves)
    for job_type in JOB_TYPES:
        await fixture.lists(job_type=job_type)
    return fixture


@simulated
async def test_a_wave_is_ready_once_all_its_members_are() -> None:
    fixture = await fixture_of(wave(expected=2))
    await fixture.lists(listed_task("a"), listed_task("b"))
    page = await fixture.page_with({"a": [FINE]})
    assert (counts(page), page.value("drs_wave_ready", wave="w")) == ({"ready": 1, "blocked": 1}, 0)
    page = await fixture.page_with({"b": [FINE]})
    assert (counts(page), page.value("drs_wave_ready", wave="w")) == ({"ready": 2}, 1)
    assert page.value("drs_wave_expected_tasks", wave="w") == 2
    assert page.value("drs_task_wave_info", task_id="a", wave="w") == 1
    status = fixture.waves.status("w")
    assert status is not None
    assert (status.ready, status.ready_since) == (True, EPOCH)
    assert [member.state for member in status.members] == [WaveState.READY] * 2


@simulated
async def test_the_log_has_a_line_when_a_wave_becomes_ready_and_when_it_is_not_any_more() -> None:
    fixture = await fixture_of(wave())
    with capture_logs() as logged:
        await fixture.lists(listed_task("a"), listed_task("b"))
        await fixture.page_with({"a": [FINE], "b": [FINE]})
        await fixture.scrape()
        await fixture.page_with({"b": [replace(FINE, delay_seconds=900)]})
        await fixture.scrape()
    assert [line for line in logged if "wave" in line] == [
        {"event": "a wave is ready for the cut-over", "wave": "w", "ready": 2, "log_level": "info"},
        {
            "event": "a wave is no longer ready for the cut-over",
            "wave": "w",
            "ready": 1,
            "blocked": 1,
            "log_level": "info",
        },
    ]


@simulated
async def test_a_wave_that_becomes_ready_and_loses_that_is_an_event_at_most_20_times_an_hour() -> None:
    fixture = await fixture_of(wave())
    await fixture.lists(listed_task("a"), listed_task("b"))
    for _ in range(12):
        await fixture.page_with({"a": [FINE], "b": [FINE]})
        await fixture.page_with({"b": [replace(FINE, delay_seconds=900)]})
        await asyncio.sleep(1)
    assert [sentence(event) for event in wave_events(fixture.events)[:2]] == [
        "Wave w is ready for the cut-over: 2 ready.",
        "Wave w is no longer ready for the cut-over: 1 ready, 1 blocked.",
    ]
    assert len(wave_events(fixture.events)) == 20
    await asyncio.sleep(3600)
    for job_type in JOB_TYPES:
        await fixture.lists(job_type=job_type)
    await fixture.lists(listed_task("a"), listed_task("b"))
    await fixture.page_with({"a": [FINE], "b": [FINE]})
    assert len(wave_events(fixture.events)) == 21


@simulated
async def test_a_wave_judges_by_its_rules_only_while_it_runs() -> None:
    times = {"from": "2026-01-01T00:01:00Z", "until": "2026-01-01T00:02:00Z"}
    fixture = await fixture_of(wave(cutover={"max_delay": "1s"}, **times))
    await fixture.lists(listed_task())
    slow = {"a": [Progress(full_ratio=1, delay_seconds=3)]}
    page = await fixture.page_with(slow)
    assert (page.value("drs_task_cutover_ready"), counts(page)) == (1, {})
    assert [status.stage for status in fixture.waves.all()] == [Stage.PLANNED]
    page = await fixture.scrape(60)
    assert (page.value("drs_task_cutover_ready"), counts(page)) == (0, {"blocked": 1})
    await fixture.page_with(slow)
    await fixture.lists(listed_task())
    page = await fixture.scrape(60)
    assert (page.value("drs_task_cutover_ready"), counts(page)) == (1, {})
    assert [status.stage for status in fixture.waves.all()] == [Stage.OVER]


@simulated
async def test_a_wave_that_has_just_begun_is_not_ready_by_the_verdicts_of_before() -> None:
    fixture = await fixture_of(wave(cutover={"max_delay": "1s"}, **{"from": "2026-01-01T00:00:30Z"}))
    await fixture.lists(listed_task())
    await fixture.page_with({"a": [FINE]})
    assert [status.members[0].state for status in fixture.waves.all()] == [WaveState.READY]
    await asyncio.sleep(30)
    (status,) = fixture.waves.all()
    assert (status.stage, status.ready, status.members[0].state) == (Stage.RUNNING, False, WaveState.UNKNOWN)
    assert (await fixture.scrape()).value("drs_wave_ready") == 1


async def ready_since_20() -> StoreFixture:
    """A project with a member of a wave that is ready 20 seconds after the begin of the wave."""
    fixture = StoreFixture()
    fixture.run(wave(**BEGUN))
    await asyncio.sleep(20)
    for job_type in JOB_TYPES:
        await fixture.lists(job_type=job_type)
    await fixture.lists(listed_task())
    await fixture.page_with({"a": [FINE]})
    return fixture


def restarted(
    fixture: StoreFixture,
    stored: dict[str, WaveTimes],
    keys: dict[str, Any],
    store: Callable[[WaveTimes], None] = lambda _: None,
) -> Waves:
    """The wave `w` with these keys, after a process that has stored its times; `store` takes the new ones."""
    storage = SimpleNamespace(restored=Restored(waves=stored), set_wave=lambda _, times: store(times))
    clock, stores = fixture.store.context.clock, [fixture.store]
    waves = Waves(lambda: stores, clock, storage=cast("Storage", storage), events=fixture.events)
    waves.restore()
    waves.configure(config_of(waves=[wave(**keys)]).waves)
    return waves


@pytest.mark.parametrize(
    ("stored", "since"),
    [
        (None, 60),
        (WaveTimes(ready=False), 60),
        (WaveTimes(ready=True, since=EPOCH - 60), 60),  # in an earlier run
        (WaveTimes(ready=True, since=EPOCH + 10), 60),  # a member is ready only since then
        (WaveTimes(ready=True, since=EPOCH + 30), 30),
    ],
)
@simulated
async def test_the_time_since_when_an_earlier_process_saw_a_wave_ready_counts_if_its_members_were_ready(
    stored: WaveTimes | None, since: float
) -> None:
    fixture = await ready_since_20()
    waves = restarted(fixture, {"w": stored} if stored else {}, BEGUN)
    await asyncio.sleep(40)
    waves.observe()
    (status,) = waves.all()
    assert status.ready
    assert status.ready_since == EPOCH + since
    assert len(wave_events(fixture.events)) == 1 + (since == 60)  # the fixture has observed it once


@pytest.mark.parametrize(
    ("complete", "keys", "since"),
    [(True, {}, 30), (False, {}, 60), (True, {"expected": 2}, 60), (True, {"include": [{"id": "a"}, {"id": "b"}]}, 60)],
)
@simulated
async def test_a_wave_is_not_ready_since_before_the_restart_if_more_than_its_members_kept_it_from_being_ready(
    complete: bool,  # noqa: FBT001
    keys: dict[str, Any],
    since: float,
) -> None:
    fixture = await ready_since_20()
    waves = restarted(fixture, {"w": WaveTimes(ready=True, since=EPOCH + 30)}, {**BEGUN, **keys})
    await asyncio.sleep(20)
    await fixture.lists(listed_task(), complete=complete)
    waves.observe()
    await asyncio.sleep(20)
    await fixture.lists(listed_task())
    waves.configure(config_of(waves=[wave(**BEGUN)]).waves)
    waves.observe()
    (status,) = waves.all()
    assert (status.ready, status.ready_since) == (True, EPOCH + since)


@simulated
async def test_the_stored_time_of_a_wave_stays_until_its_members_are_ready_again() -> None:
    stored = list[WaveTimes]()
    fixture = await fixture_of(wave())
    waves = restarted(fixture, {"w": WaveTimes(ready=True, since=EPOCH)}, {}, stored.append)
    await fixture.lists(listed_task())
    await fixture.scrape()
    waves.observe()  # not ready: the exporter may be restarted again
    assert stored == []
    await fixture.page_with({"a": [FINE]})
    waves.observe()
    assert stored == [WaveTimes(ready=True, since=EPOCH)]
    await fixture.page_with({"a": [Progress(full_ratio=1, delay_seconds=9)]})
    waves.observe()
    assert stored[1:] == [WaveTimes(ready=False)]


@simulated
async def test_an_id_that_is_not_found_is_missing_in_one_shard_only() -> None:
    fixture, ids = StoreFixture(), [f"id-{number}" for number in range(8)]
    config = config_of(waves=[wave(include=[{"id": each} for each in ids])])
    missing = list[str]()
    for number in range(3):
        waves = Waves(lambda: [fixture.store], fixture.store.context.clock, Shard(number, 3), events=fixture.events)
        waves.configure(config.waves)
        (status,) = waves.all()
        missing += status.missing_ids
    assert sorted(missing) == ids


@simulated
async def test_a_wave_of_another_project_changes_nothing() -> None:
    fixture = await fixture_of()
    other = Wave.model_validate({"name": "w", "include": [{"project": "other"}], "cutover": {"max_delay": "1s"}})
    fixture.store.context.waves.configure((other,))
    fixture.waves.configure((other,))
    await fixture.lists(listed_task(), complete=False)
    page = await fixture.page_with({"a": [Progress(full_ratio=1, delay_seconds=3)]})
    assert page.value("drs_task_cutover_ready") == 1
    assert [(status.members, status.incomplete, status.ready) for status in fixture.waves.all()] == [((), (), False)]
    assert fixture.store.context.waves.strictest == fixture.store.context.account.cutover
    assert fixture.waves.status("none") is None
