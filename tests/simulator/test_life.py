from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from exporter.simulator import DEMO_PROJECTS, SimTask, SimulatedCloud, World, demo_cloud, fleet_world
from exporter.simulator.world import figures
from exporter.simulator.world.life import GONE, HOUR, INCREMENTAL, ending

if TYPE_CHECKING:
    from collections.abc import Callable

START = 1_800_000_000.0
CYCLE = (*INCREMENTAL[:-1], ("INCRE_TRANSFER_STARTED", HOUR), *ending(shown=HOUR))


def test_a_task_lives_by_its_script() -> None:
    task = SimTask(name="t", born=START, script=CYCLE)
    ages = {0: "CREATING", 201: "CONFIGURATION", 801: "STARTJOBING", 861: "FULL_TRANSFER_STARTED"}
    ages |= {3261: "FULL_TRANSFER_COMPLETE", 3321: "INCRE_TRANSFER_STARTED", 3321 + 3600: "RELEASE_RESOURCE_STARTED"}
    assert {age: task.at(START + age).status for age in ages} == ages
    assert task.at(START + 3400).entered["FULL_TRANSFER_STARTED"] == START + 860


def test_speed_divides_durations_and_nothing_is_in_the_future() -> None:
    task = SimTask(name="t", born=START, script=CYCLE, speed=60)
    moment = task.at(START + 20)
    assert moment.status == "FULL_TRANSFER_STARTED"
    assert moment.life == 1200
    assert all(START <= entered <= START + 20 for entered in moment.entered.values())


def test_a_task_that_ends_is_deleted_and_comes_again_under_a_new_id(clock: Any, asker: Callable[..., Any]) -> None:
    task = SimTask(name="t", born=START, script=CYCLE, renews=True)
    length = sum(seconds for _, seconds in CYCLE)
    project = "054ba152d480d55b2f5dc0069e7ddef0"
    ask = asker(SimulatedCloud(worlds=[World(project_id=project, tasks=[task])], keys={}, now=clock))

    def state(age: float) -> tuple[int, str]:
        clock.value = START + age
        first = task.at(START).id
        answer = ask.v5(f"/jobs/{first}?type=progress")
        status = answer.json()["job"]["status"] if answer.status_code == 200 else answer.json()["error_code"]
        return ask.list_v3()["total_record"], status

    assert state(length - 1300) == (1, "RELEASE_RESOURCE_COMPLETE")
    assert state(length - 1100) == (0, "DELETED")  # still 200 when asked for by id
    assert state(length - 100) == (0, "DRS.10000010")
    assert task.at(START + length - 100).status == GONE
    assert state(length + 100) == (1, "DRS.10000010")
    again = ask.list_v3()["jobs"][0]
    assert again["name"] == "t"
    assert again["id"] != task.id
    assert (len(again["id"]), again["id"][-5:]) == (36, "jb201")
    assert again["id"] == SimTask(name="t", born=START, script=CYCLE, renews=True).at(clock()).id


def test_pinning(ask: Any, task: SimTask) -> None:
    task.pin("SOMETHING_NEW")
    assert ask.list_v3(name="one")["jobs"][0]["status"] == "SOMETHING_NEW"
    task.pin("DELETED")
    assert ask.list_v3()["total_record"] == 2
    task.pin(None)
    assert ask.list_v3(name="one")["jobs"][0]["status"] == "INCRE_TRANSFER_STARTED"


def test_tasks_may_come_go_and_be_renamed(ask: Any, world: World) -> None:
    assert ask.list_v3()["total_record"] == 3
    removed = world.tasks.pop()
    world.tasks.append(SimTask(name="four", born=START - 60))
    world.task("one").name = "uno"
    assert [job["name"] for job in ask.list_v3()["jobs"]] == ["four", "two", "uno"]
    assert world.find(removed.id, START) is None


def all_statuses(cloud: SimulatedCloud, asker: Callable[..., Any]) -> dict[str, set[str]]:
    ask = asker(cloud)
    found: dict[str, set[str]] = {}
    for region, _, project in DEMO_PROJECTS:
        for scenario in ("migration", "sync", "cloudDataGuard"):
            body = {"cur_page": 0, "per_page": 100, "db_use_type": scenario, "engine_type": ""}
            jobs = ask("POST", f"/v3/{project}/jobs", body).json()["jobs"]
            found.setdefault(region, set()).update(job["status"] for job in jobs)
            assert jobs
    return found


@pytest.mark.parametrize("speed", [1.0, 60.0])
def test_the_demo_shows_every_phase_at_once(clock: Any, asker: Callable[..., Any], speed: float) -> None:
    cloud = demo_cloud(now=clock, speed=speed)
    found = all_statuses(cloud, asker)
    assert set().union(*found.values()) >= {
        *("CREATING", "CONFIGURATION", "WAITING_FOR_START", "FULL_TRANSFER_STARTED", "INCRE_TRANSFER_STARTED"),
        *("PAUSING", "CHANGE_JOB_STARTED", "RELEASE_RESOURCE_STARTED", "RELEASE_RESOURCE_COMPLETE"),
        *("INCRE_TRANSFER_FAILED", "FULL_TRANSFER_FAILED"),
    }
    assert sum(len(world.tasks) for world in cloud.worlds) >= 14
    names = [task.name for world in cloud.worlds for task in world.everything()]
    assert len(names) == len(set(names))


def test_the_demo_moves(clock: Any, asker: Callable[..., Any]) -> None:
    cloud = demo_cloud(now=clock)
    world = cloud.worlds[0]

    def delay(name: str) -> float:
        task = world.task(name)
        return figures.delay_seconds(task, task.at(clock())) or 0.0

    behind, losing = delay("erp-oracle-to-gaussdb"), delay("analytics-taurus")
    assert behind > 300
    seen: set[str] = set()
    for age in range(600):
        clock.value += 1
        if age == 300:
            assert delay("analytics-taurus") > losing + 100
        seen.add(world.task("billing-migration").at(clock()).id)
    assert len(seen) == 2
    assert 100 < delay("erp-oracle-to-gaussdb") < behind - 100
    assert world.task("legacy-crm").at(clock()).status == "INCRE_TRANSFER_FAILED"


def test_the_second_world_of_the_demo_is_like_open_telekom_cloud(clock: Any, asker: Callable[..., Any]) -> None:
    cloud = demo_cloud(now=clock)
    ask, (_, _, project) = asker(cloud), DEMO_PROJECTS[1]
    assert ask("GET", f"/v5/{project}/jobs?job_type=sync").status_code == 404
    body = {"cur_page": 1, "per_page": 10, "db_use_type": "sync", "engine_type": ""}
    job = ask("POST", f"/v3/{project}/jobs", body).json()["jobs"][0]
    assert " " in job["create_time"]


def test_a_fleet_answers_quickly(clock: Any, asker: Callable[..., Any]) -> None:
    world = fleet_world(10_000, clock)
    ask = asker(SimulatedCloud(worlds=[world], keys={}, now=clock))
    path = f"/v3/{world.project_id}/jobs"
    body = {"cur_page": 3, "per_page": 100, "db_use_type": "sync", "engine_type": ""}
    assert ask("POST", path, body).json()["total_record"] == 5001
    began = time.perf_counter()
    answers: list[Any] = [ask("POST", path, body) for _ in range(20)]
    assert (time.perf_counter() - began) / 20 < 0.05
    assert len({job["engine_type"] for job in answers[0].json()["jobs"]}) == 3


def test_subtasks_come_and_go_inside_their_parent(ask: Any, world: World, clock: Any) -> None:
    child = SimTask(name="child", role="child")
    parent = SimTask(name="parent", children=[child], relation="multi_to_single", role="parent")
    world.tasks = [parent]
    assert len(ask.list_v3()["jobs"][0]["children"]) == 1
    child.pin("DELETED")
    assert ask.list_v3()["jobs"][0]["children"] == []
    assert ask.v5("/jobs?job_type=sync").json()["jobs"][0]["children"] == []
    child.pin(None)
    parent.pin("DELETED")
    assert world.find(child.id, clock()) is None


def test_a_scheduled_start_stands_in_the_details(ask: Any, world: World, clock: Any) -> None:
    script = (("WAITING_FOR_START", 7200.0), *INCREMENTAL)
    task = SimTask(name="later", script=script, born=clock() - 3600)
    world.tasks.append(task)
    detail = ask.v3("/batch-detail", jobs=[task.id]).json()["results"][0]
    assert detail["inst_info"]["start_time"] == str(int((clock() + 3600) * 1000))
    assert ask.detail(task, "detail")["base_info"]["start_time"] == "2027-01-15T09:00:00Z"


def test_paused_in_the_middle_of_the_full_load(ask: Any, world: World, clock: Any) -> None:
    task = SimTask(name="paused", born=clock() - 900)
    world.tasks.append(task)
    task.pin("PAUSING")
    assert ask.progress(task)[0]["progress"] == "42"
    task.progress = 17.9
    assert ask.progress(task)[0]["progress"] == "17"
    task.pin("FULL_TRANSFER_FAILED")
    task.progress = None
    assert ask.progress(task)[0]["progress"] == "63"


def test_a_switchover_that_comes_by_the_clock() -> None:
    task = SimTask(name="dr", born=START, switches=(1000.0, 100.0))
    ages = {0: False, 899: False, 901: True, 999: True, 1001: False, 1950: True}
    assert {age: figures.switching(task, task.at(START + age)) for age in ages} == ages


def test_the_lists_hear_of_every_change(ask: Any, world: World, clock: Any) -> None:
    def names(scenario: str = "sync") -> list[str]:
        return [job["name"] for job in ask.list_v3(db_use_type=scenario)["jobs"]]

    assert names() == ["three", "two", "one"]
    world.task("one").born = clock() - 10
    world.task("two").scenario = "migration"
    assert (names(), names("migration")) == (["one", "three"], ["two"])
    world.task("one").script = (("DELETED", 1.0),)
    world.task("three").engine = "redis-to-gaussredis"
    assert names() == []
