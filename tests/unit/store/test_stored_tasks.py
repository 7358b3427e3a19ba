"""What the store keeps of tasks in the storage, and restores of an earlier process."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from exporter.config import Wave, from_mapping
from exporter.model.events import Event, Kind
from exporter.model.task import Listed, Phase, ProjectKey
from exporter.model.timeline import Point
from exporter.storage import Restored, Storage, TaskKey, TaskTimes
from exporter.store.cutover_state import EarlierVerdict
from exporter.store.task_state import TaskState
from tests.lib.daemon import PROJECT, StoreFixture, listed_task
from tests.lib.settings import otc_account
from tests.lib.virtual_time import EPOCH

KEY = ProjectKey(**PROJECT)
CHANGED = "drs_task_phase_changed_timestamp_seconds"
BEFORE = EPOCH - 600
TIMES = TaskTimes("task a", Phase.INCREMENTAL, BEFORE)


class Memory(Storage):
    """A storage that keeps what it is given."""

    enabled = True

    def __init__(self, *, times: dict[str, TaskTimes] | None = None, points: tuple[Point, ...] = ()) -> None:
        self.restored = Restored({KEY: times or {}}, points={TaskKey(KEY, "a"): points} if points else {})
        self.times: dict[str, TaskTimes | None] = {}
        self.points: list[tuple[str, Point]] = []

    def set_times(self, key: ProjectKey, task_id: str, times: TaskTimes | None) -> None:
        self.times[task_id] = times

    def add_point(self, key: ProjectKey, task_id: str, point: Point) -> None:
        self.points.append((task_id, point))


def fixture_on(memory: Memory) -> StoreFixture:
    fixture = StoreFixture(storage=memory)
    fixture.store.state.polls_on = True
    return fixture


def events(fixture: StoreFixture) -> list[tuple[Kind, dict[str, str]]]:
    found: list[Event] = fixture.events.find()
    return [(event.kind, dict(event.detail)) for event in found]


async def test_the_times_of_a_task_are_stored_as_they_change() -> None:
    memory = Memory()
    fixture = fixture_on(memory)
    await fixture.lists(listed_task(status="FULL_TRANSFER_STARTED"))
    assert memory.times == {"a": TaskTimes("task a", Phase.FULL, ready=False)}
    await asyncio.sleep(30)
    await fixture.lists(listed_task(status="PAUSING", name="b"))
    assert memory.times == {"a": TaskTimes("b", Phase.PAUSED, EPOCH + 30, ready=False)}
    await asyncio.sleep(30)
    await fixture.lists(listed_task(status="RELEASE_RESOURCE_COMPLETE"))
    assert memory.times["a"] == TaskTimes("task a", Phase.ENDED, EPOCH + 60, EPOCH + 60)
    await fixture.lists()
    assert memory.times == {"a": None}


async def test_the_same_phase_keeps_its_time() -> None:
    memory = Memory(times={"a": TIMES})
    fixture = fixture_on(memory)
    page = await fixture.page_of(listed_task())
    assert page.value(CHANGED) == BEFORE
    assert page.value("drs_task_phase_changes_total") == 0
    assert events(fixture) == []
    assert memory.times["a"] == TIMES
    assert memory.restored.times == {KEY: {}}


@pytest.mark.parametrize(
    ("status", "kind", "detail"),
    [
        ("PAUSING", Kind.PHASE_CHANGED, {"phase": "paused"}),
        ("INCRE_TRANSFER_FAILED", Kind.FAILED, {}),
        ("RELEASE_RESOURCE_COMPLETE", Kind.ENDED, {}),
    ],
)
async def test_another_phase_has_no_time_and_an_event_that_says_so(
    status: str, kind: Kind, detail: dict[str, str]
) -> None:
    fixture = fixture_on(Memory(times={"a": TIMES}))
    page = await fixture.page_of(listed_task(status=status))
    assert page.value(CHANGED) is None
    assert page.value("drs_task_phase_changes_total") == 0
    assert page.value("drs_task_failures_total") == 0
    assert events(fixture) == [(kind, {"phase_before": "incremental", **detail, "unobserved": "true"})]
    await asyncio.sleep(30)
    page = await fixture.page_of(listed_task(status="FULL_TRANSFER_STARTED"))
    assert page.value(CHANGED) == EPOCH + 30
    assert page.value("drs_task_phase_changes_total") == 1
    assert len(events(fixture)) == 2
    assert "unobserved" not in events(fixture)[0][1]


async def test_only_the_first_list_is_compared_with_the_earlier_process() -> None:
    fixture = fixture_on(Memory(times={"a": TIMES}))
    await fixture.lists(listed_task())
    await asyncio.sleep(30)
    assert (await fixture.page_of(listed_task(status="PAUSING"))).value(CHANGED) == EPOCH + 30
    assert events(fixture) == [(Kind.PHASE_CHANGED, {"phase_before": "incremental", "phase": "paused"})]


async def test_times_after_now_are_unknown() -> None:
    """The clock of the host has been set back."""
    future = TaskTimes("task a", Phase.INCREMENTAL, EPOCH + 60, None, True, EPOCH + 60, EPOCH + 90, 1)  # noqa: FBT003
    fixture = fixture_on(Memory(times={"a": future}, points=(Point(EPOCH + 60, 1.0),)))
    assert (await fixture.page_of(listed_task())).value(CHANGED) is None
    state = fixture.store.state.tasks["a"]
    assert state.cutover.restored is None
    assert fixture.store.timeline("a") is not None  # of this process
    assert [point.at for point in fixture.store.timeline("a").points(3600.0)] == [EPOCH]  # type: ignore[union-attr]


async def test_the_end_of_a_task_is_restored_only_if_it_is_still_ended() -> None:
    ended = TaskTimes("task a", Phase.ENDED, BEFORE, BEFORE)
    fixture = fixture_on(Memory(times={"a": ended, "b": ended}))
    await fixture.lists(
        listed_task("a", status="RELEASE_RESOURCE_COMPLETE"), listed_task("b", status="FULL_TRANSFER_STARTED")
    )
    assert fixture.store.state.tasks["a"].ended_at == BEFORE
    assert fixture.store.state.tasks["b"].ended_at is None


async def test_a_task_that_runs_has_no_end_whatever_the_storage_contains() -> None:
    fixture = fixture_on(Memory(times={"a": TIMES._replace(ended_at=BEFORE)}))
    await fixture.lists(listed_task())
    assert fixture.store.state.tasks["a"].ended_at is None


async def test_points_are_restored_and_the_next_one_follows_them() -> None:
    points = tuple(Point(EPOCH - 600 + 60 * number, 1.0) for number in range(5))
    memory = Memory(times={"a": TIMES}, points=points)
    fixture = fixture_on(memory)
    await fixture.lists(listed_task())
    timeline = fixture.store.timeline("a")
    assert timeline is not None
    assert [point.at - EPOCH for point in timeline.points(3600.0)] == [-600, -540, -480, -420, -360, 0]
    assert timeline.since == EPOCH - 600
    assert memory.restored.points == {}


async def run_wave(fixture: StoreFixture, *tasks: Listed) -> None:
    config = from_mapping({"accounts": [otc_account()], "waves": [{"name": "w", "include": [{"name": "task a"}]}]})
    waves: tuple[Wave, ...] = config.waves
    fixture.store.context.waves.configure(waves)
    await fixture.page_of(*tasks)


async def test_points_are_stored_only_of_tasks_in_running_waves() -> None:
    memory = Memory()
    fixture = fixture_on(memory)
    tasks = listed_task("a"), listed_task("b")
    await fixture.lists(*tasks)
    assert memory.points == []
    await run_wave(fixture, *tasks)
    for _ in range(3):
        await asyncio.sleep(60)
        await fixture.lists(*tasks)
    assert {task_id for task_id, _ in memory.points} == {"a"}
    assert [point.at - EPOCH for _, point in memory.points] == [0, 60, 120, 180]
    assert {point.phase for _, point in memory.points} == {Phase.INCREMENTAL}


async def test_of_a_removed_task_nothing_stays_in_memory() -> None:
    memory = Memory()
    fixture = fixture_on(memory)
    await run_wave(fixture, listed_task())
    assert [task_id for task_id, _ in memory.points] == ["a"]
    await fixture.lists()
    assert memory.times == {"a": None}
    stored: Any = fixture.store._stored
    assert not stored._changed
    assert not stored._stored_at


async def test_a_restored_point_is_not_stored_again() -> None:
    memory = Memory(times={"a": TIMES}, points=(Point(EPOCH - 10, 1.0),))
    fixture = fixture_on(memory)
    await run_wave(fixture, listed_task())
    assert memory.points == []
    await asyncio.sleep(60)
    await fixture.lists(listed_task())
    assert [point.at - EPOCH for _, point in memory.points] == [60]


async def test_without_a_storage_nothing_is_collected() -> None:
    fixture = StoreFixture()
    await fixture.lists(listed_task())
    stored: Any = fixture.store._stored
    assert not stored._changed
    assert not stored._stored_at


async def test_a_task_without_series_is_not_stored() -> None:
    memory = Memory()
    fixture = fixture_on(memory)
    await fixture.lists(listed_task(status="RELEASE_RESOURCE_COMPLETE"))
    memory.times.clear()
    await fixture.scrape(8 * 86_400.0)
    assert memory.times == {}


async def test_a_verdict_is_restored_until_its_facts_are_too_old() -> None:
    times = TIMES._replace(ready=True, ready_since=BEFORE, ready_until=EPOCH + 30, rules=7)
    fixture = fixture_on(Memory(times={"a": times, "b": times._replace(rules=None)}))
    stored, state = fixture.store._stored, TaskState()
    stored.restore("a", state)
    assert state.cutover.restored == EarlierVerdict(BEFORE, EPOCH + 30, 7)
    assert state.observed.ready is True
    stored.restore("b", other := TaskState())
    assert other.cutover.restored is None
    stored.restore("a", again := TaskState())  # only once
    assert again.phase is None


async def test_after_a_step_of_the_hosts_clock_times_are_restored_at_their_true_ages() -> None:
    verdict = TIMES._replace(ready=True, ready_since=BEFORE, ready_until=EPOCH + 30, rules=7)
    fixture, state = fixture_on(Memory(times={"a": verdict})), TaskState()
    fixture.store.context.clock.step = 100.0
    fixture.store._stored.restore("a", state)
    assert state.history.phase_changed_at == BEFORE - 100
    assert state.cutover.restored == EarlierVerdict(BEFORE - 100, EPOCH - 70, 7)
