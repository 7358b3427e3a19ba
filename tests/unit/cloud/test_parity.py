"""One simulation world through both API generations: equal, but for what a generation lacks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from operator import attrgetter
from typing import Any, TypeVar

import pytest

from exporter.cloud.source import TaskResults
from exporter.model.details import Detail
from exporter.model.facts import Node, Progress
from exporter.model.task import Listed
from exporter.simulator import SimTask, SimulatedCloud, World
from exporter.simulator.world.engines import ENGINES
from exporter.simulator.world.life import Script
from tests.lib import virtual_time as virtual
from tests.lib.cloud import PROJECT, connected, progress, source
from tests.lib.transport import InProcess

HOUR = 3600.0
ENGINE_WORDS = {"mysql": "mysql-to-mysql", "postgresql": "postgresql-to-postgresql"}
"""v3 -> v5: the same engine has another name."""
ONLY_IN_V5 = ("enterprise_project_id", "job_mode", "role", "node_role", "charging_mode")
"""Fields that no v3 list item has."""
ONLY_IN_V3_PROGRESS = ("apply_rows_per_second", "apply_bytes_per_second")
"""v5 has the first of them among its metrics."""
FULL: Script = (("CREATING", 200.0), ("FULL_TRANSFER_STARTED", 40 * 60.0), ("INCRE_TRANSFER_STARTED", 1e15))
WINDOWS = [{"begin": "22:00", "end": "03:59", "speed": "10"}, {"begin": "12:00", "end": "12:59", "speed": "99"}]
STATUSES = ("CREATING", "CONFIGURATION", "FULL_TRANSFER_COMPLETE", "PAUSING", "INCRE_TRANSFER_FAILED", "FROZEN")


def task(name: str, *, age: float = 40 * HOUR, **facts: object) -> SimTask:
    return SimTask(name=name, born=virtual.now() - age, **facts)  # type: ignore[arg-type]


def tasks() -> Iterable[SimTask]:
    """Every kind of task that both generations know, at many points of its life."""
    for status in STATUSES:
        pinned = task(f"pinned-{status}")
        pinned.pin(status)
        yield pinned
    for minutes in (1, 4, 10, 30, 43, 50):
        yield task(f"young-{minutes}", age=minutes * 60, script=FULL, scenario="migration")
    for engine in ("mysql", "postgresql", "mysql-to-taurus", "oracle-to-gaussdbv5"):
        yield task(f"engine-{engine}", engine=engine)
    yield task("dr", scenario="cloudDataGuard", engine="cloudDataGuard-mysql", direction="down", net_type="vpc")
    yield task("switching", scenario="cloudDataGuard", engine="cloudDataGuard-mysql", switching=True)
    yield task("resized", action="NODE_FLAVOR_MODIFY")
    yield task("late", delay=12345.678, mode="INCR_TRANS")
    yield task("once", mode="FULL_TRANS", enterprise_project="7", extra_actions=("START", "CONTINUE_JOB"))
    yield task(
        "parent", relation="multi_to_single", role="parent", children=[task("north", role="child"), task("south")]
    )
    dual: dict[str, Any] = {"scenario": "cloudDataGuard", "engine": "cloudDataGuard-mysql"}
    halves = [task(name, role="child", **dual) for name in ("forward", "backward")]
    yield task("dual-active", relation="multi_write", children=halves, **dual)
    yield task("pair", relation="multi_az", children=[task("one", role="master"), task("two", role="slave")])


async def world(**options: object) -> tuple[World, SimulatedCloud]:
    world = World(project_id=PROJECT, tasks=list(tasks()), v5_engines=_all_engines(), **options)  # type: ignore[arg-type]
    return world, SimulatedCloud(worlds=[world], keys={"AK": "SK"}, now=virtual.now)


def _all_engines() -> tuple[str, ...]:
    return tuple(engine.v5 for engine in ENGINES.values())


Facts = TypeVar("Facts", Listed, Progress, Detail)


def lacking(facts: Facts, *fields: str) -> Facts:
    """The facts without those of a few fields."""
    absent: dict[str, Any] = dict.fromkeys(fields)
    return replace(facts, **absent)


def as_v5_says(listed: Listed) -> Listed:
    """What v3 said, in the words of v5."""
    engine = ENGINE_WORDS.get(listed.engine_type or "", listed.engine_type)
    # v5 tells of dual-active pairs in the detail only; v3 leaves out the key of the action where none is in progress.
    return replace(listed, engine_type=engine, multi_write=False, current_action=listed.current_action or "")


def ordered(tasks: Iterable[Listed]) -> list[Listed]:
    """v3 lists the newest tasks first, v5 is queried for the oldest first."""
    return sorted(tasks, key=attrgetter("id"))


@pytest.mark.parametrize("job_type", ["migration", "sync", "cloudDataGuard"])
async def test_lists_are_equal(job_type: str) -> None:
    _, simulation = await world()
    async with connected(InProcess(simulation)) as cloud:
        v3, v5 = await cloud.list_tasks("v3", job_type), await cloud.list_tasks("v5", job_type)
        assert (v3.complete, v5.complete) == (True, True)
        assert {field for task in v3.tasks for field in ONLY_IN_V5 if getattr(task, field) is not None} == set()
        by_v5 = [lacking(listed, *ONLY_IN_V5) for listed in ordered(v5.tasks)]
        assert [as_v5_says(listed) for listed in ordered(v3.tasks)] == by_v5
        assert len(v5.tasks) >= 1
        assert all(listed.created_at for listed in v3.tasks)
        assert all(listed.enterprise_project_id and listed.job_mode for listed in v5.tasks)
        assert cloud.lost == 0


async def test_an_older_v3_lacks_times_and_actions_as_well() -> None:
    _, simulation = await world(naive_times=True, old_bodies=True)
    async with connected(InProcess(simulation)) as cloud:
        v3, v5 = await cloud.list_tasks("v3"), await cloud.list_tasks("v5")
        expected = [
            replace(
                lacking(listed, *ONLY_IN_V5, "created_at", "created_at_latest", "multi_az"),
                available_actions=frozenset(),
                unavailable_actions=frozenset(),
                current_action="",
            )
            for listed in ordered(v5.tasks)
        ]
        assert [lacking(as_v5_says(listed), "created_at_latest") for listed in ordered(v3.tasks)] == expected
        assert (v3.complete, cloud.lost) == (True, 0)


async def test_progress_is_equal_for_every_task() -> None:
    _, simulation = await world()
    async with connected(InProcess(simulation)) as cloud:
        lists = [await cloud.list_tasks("v5", job_type) for job_type in ("migration", "sync", "cloudDataGuard")]
        ids = [task.id for answer in lists for task in answer.tasks if not task.is_parent]
        seen = set()
        for identity in ids:
            (first,) = (await cloud.fetch(progress(cloud.v3), [identity])).values()
            (second,) = (await cloud.fetch(progress(cloud.v5), [identity])).values()
            assert isinstance(first, tuple)
            assert isinstance(second, tuple)
            by_v3 = next(part for part in first if isinstance(part, Progress))
            by_v5 = next(part for part in second if isinstance(part, Progress))
            node = next(part for part in second if isinstance(part, Node))
            assert lacking(by_v3, *ONLY_IN_V3_PROGRESS) == lacking(by_v5, "task_status")
            if by_v3.apply_rows_per_second is not None:
                assert node.apply_rows_per_second == pytest.approx(by_v3.apply_rows_per_second, abs=1)
            seen |= {name for name in Progress.__match_args__ if getattr(by_v5, name)}
        # The world shows each of the common facts at least once.
        assert seen == set(Progress.__match_args__) - {*ONLY_IN_V3_PROGRESS, "error_code", "served_at"}
        assert (len(ids), cloud.lost) == (27, 0)


async def test_details_are_equal_for_every_task() -> None:
    shown, simulation = await world()
    shown.tasks = [*shown.tasks, *configured()]
    async with connected(InProcess(simulation)) as cloud:
        sources = source(cloud.v3, "v3_batch_detail"), source(cloud.v5, "v5_job_detail")
        lists = [await cloud.list_tasks("v5", job_type) for job_type in ("migration", "sync", "cloudDataGuard")]
        ids = [task.id for answer in lists for task in answer.tasks if not task.is_parent]
        missing = [name.partition(".")[2] for each in sources for name in each.lacks]
        seen = set()
        for identity in ids:
            first, second = [details(await cloud.fetch(each, [identity])) for each in sources]
            # v3 has an order instead of a charging mode.
            assert (first.charging_mode == "period") == (second.charging_mode == "period")
            assert lacking(first, *missing, "charging_mode") == lacking(second, *missing, "charging_mode")
            seen |= {name for name in Detail.__match_args__ if getattr(second, name) not in {None, ()}}
        assert seen == set(Detail.__match_args__) - {name.partition(".")[2] for name in sources[1].lacks}
        assert cloud.lost == 0


def configured() -> Iterable[SimTask]:
    """Tasks with settings of their own."""
    yield task("paid", scheduled=virtual.now() + HOUR, charging="period", auto_renew=True, tags={"team": "db"})
    yield task("watched", alarms={"delay_time": 60, "rpo_delay": 30, "rto_delay": 20})
    yield task("reached", eip="SUCCESS", net_type="eip")
    yield task(
        "strict",
        policy={"conflict_policy": "stop", "index_trans": False},
        read_only=False,
        eip="FAILED",
        speed_limits=WINDOWS,
    )


def details(results: TaskResults) -> Detail:
    """The details of the only task."""
    (parts,) = results.values()
    assert isinstance(parts, tuple)
    (detail,) = (part for part in parts if isinstance(part, Detail))
    return detail


async def test_both_show_the_same_course_of_a_task() -> None:
    shown, simulation = await world()
    shown.tasks = [task("alone", age=0, script=FULL)]
    async with connected(InProcess(simulation)) as cloud:
        for status in ("CREATING", "FULL_TRANSFER_STARTED", "INCRE_TRANSFER_STARTED"):
            for api in ("v3", "v5"):
                assert [listed.status for listed in (await cloud.list_tasks(api)).tasks] == [status]
            await asyncio.sleep(30 * 60)


async def test_v5_lists_what_v3_does_not_know_and_the_other_way_round() -> None:
    world = World(
        project_id=PROJECT,
        tasks=[
            SimTask(name="both", engine="mysql"),
            SimTask(name="only-v5", engine="redis-to-gaussredis"),
            SimTask(name="only-v3", engine="postgresql"),
        ],
    )
    simulation = SimulatedCloud(worlds=[world], keys={"AK": "SK"}, now=virtual.now)
    async with connected(InProcess(simulation)) as cloud:
        v3, v5 = await cloud.list_tasks("v3"), await cloud.list_tasks("v5")
        assert {task.name for task in v3.tasks} == {"both", "only-v3"}
        assert {task.name for task in v5.tasks} == {"both", "only-v5"}
