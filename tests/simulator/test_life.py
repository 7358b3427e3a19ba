from __future__ import annotations

import time
from typing import Any

import pytest

from exporter.simulator import DEMO_PROJECTS, SimTask, SimulatedCloud, World, demo_cloud, fleet_world
from exporter.simulator.world import figures
from exporter.simulator.world.comparisons import KINDS, comparisons
from exporter.simulator.world.life import GONE, HOUR, INCREMENTAL, Script, duration, ending
from tests.simulator.client import PROJECT, START, CloudClient, names

CYCLE = (*INCREMENTAL[:-1], ("INCRE_TRANSFER_STARTED", HOUR), *ending(shown=HOUR))


def test_the_age_of_a_task_determines_its_status() -> None:
    task = SimTask(name="t", born=START, script=CYCLE)
    ages = {0: "CREATING", 201: "CONFIGURATION", 801: "STARTJOBING", 861: "FULL_TRANSFER_STARTED"}
    ages |= {3261: "FULL_TRANSFER_COMPLETE", 3321: "INCRE_TRANSFER_STARTED", 3321 + 3600: "RELEASE_RESOURCE_STARTED"}
    assert {age: task.at(START + age).status for age in ages} == ages
    assert task.at(START + 3400).entered["FULL_TRANSFER_STARTED"] == START + 860


def test_speed_divides_durations_and_nothing_is_in_the_future() -> None:
    moment = SimTask(name="t", born=START, script=CYCLE, speed=60).at(START + 20)
    assert (moment.status, moment.life) == ("FULL_TRANSFER_STARTED", 1200)
    assert all(START <= entered <= START + 20 for entered in moment.entered.values())


def test_a_task_that_ends_is_deleted_and_created_again_with_a_new_id(clock: Any) -> None:
    task = SimTask(name="t", born=START, script=CYCLE, renews=True)
    length = sum(seconds for _, seconds in CYCLE)
    api = CloudClient(SimulatedCloud(worlds=[World(project_id=PROJECT, tasks=[task])], keys={}, now=clock))

    def state(age: float) -> tuple[int, str]:
        clock.value = START + age
        first = task.at(START).id
        answer = api.v5(f"/jobs/{first}?type=progress")
        status = answer.json()["job"]["status"] if answer.status_code == 200 else answer.json()["error_code"]
        return api.list_v3()["total_record"], status

    assert state(length - 1300) == (1, "RELEASE_RESOURCE_COMPLETE")
    assert state(length - 1100) == (0, "DELETED")  # its details are still returned
    assert (state(length - 100), task.at(START + length - 100).status) == ((0, "DRS.10000010"), GONE)
    assert state(length + 100) == (1, "DRS.10000010")
    again = api.list_v3()["jobs"][0]
    assert again["name"] == "t"
    assert again["id"] != task.id
    assert (len(again["id"]), again["id"][-5:]) == (36, "jb201")
    assert again["id"] == SimTask(name="t", born=START, script=CYCLE, renews=True).at(clock()).id


def test_a_task_that_is_retried_keeps_its_full_load_and_its_comparisons() -> None:
    failed: Script = (("INCRE_TRANSFER_FAILED", HOUR), ("STARTJOBING", 60.0), ("INCRE_TRANSFER_STARTED", HOUR))
    task = SimTask(name="t", born=START, script=(*INCREMENTAL[:-1], ("INCRE_TRANSFER_STARTED", HOUR), *failed))
    task.comparison, begun = "equal", START + duration(INCREMENTAL[:-1])
    retried = task.at(begun + 2 * HOUR + 30)
    assert (retried.status, figures.full_percent(task, retried)) == ("STARTJOBING", 100)
    before, after = ([each.id for each in comparisons(task, task.at(begun + hours * HOUR))] for hours in (0.9, 2.5))
    assert before == after
    assert len(after) == len(KINDS)


def test_pinning(api: Any, task: SimTask) -> None:
    task.pin("SOMETHING_NEW")
    assert api.list_v3(name="one")["jobs"][0]["status"] == "SOMETHING_NEW"
    task.pin("DELETED")
    assert api.list_v3()["total_record"] == 2
    task.pin(None)
    assert api.list_v3(name="one")["jobs"][0]["status"] == "INCRE_TRANSFER_STARTED"


def test_tasks_can_be_added_removed_and_renamed(api: Any, world: World) -> None:
    assert api.list_v3()["total_record"] == 3
    removed = world.tasks.pop()
    world.tasks.append(SimTask(name="four", born=START - 60))
    world.task("one").name = "uno"
    assert (names(api.list_v3()), world.find(removed.id, START)) == (["four", "two", "uno"], None)


@pytest.mark.parametrize("speed", [1.0, 60.0])
def test_the_demo_shows_every_phase_at_once(clock: Any, speed: float) -> None:
    cloud = demo_cloud(now=clock, speed=speed)
    api, statuses = CloudClient(cloud), set[str]()
    for _, _, project in DEMO_PROJECTS:
        for scenario in ("migration", "sync", "cloudDataGuard"):
            jobs = api.list_v3(project, db_use_type=scenario)["jobs"]
            assert jobs
            statuses |= {job["status"] for job in jobs}
    assert statuses >= {
        *("CREATING", "CONFIGURATION", "WAITING_FOR_START", "FULL_TRANSFER_STARTED", "INCRE_TRANSFER_STARTED"),
        *("PAUSING", "CHANGE_JOB_STARTED", "RELEASE_RESOURCE_STARTED", "RELEASE_RESOURCE_COMPLETE"),
        *("INCRE_TRANSFER_FAILED", "FULL_TRANSFER_FAILED"),
    }
    assert sum(len(world.tasks) for world in cloud.worlds) >= 14
    every = [task.name for world in cloud.worlds for task in world.everything()]
    assert len(every) == len(set(every))


def test_the_demo_moves(clock: Any) -> None:
    world = demo_cloud(now=clock).worlds[0]

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


def test_the_second_project_of_the_demo_is_like_one_of_open_telekom_cloud(clock: Any) -> None:
    api, (_, _, project) = CloudClient(demo_cloud(now=clock)), DEMO_PROJECTS[1]
    assert api("GET", f"/v5/{project}/jobs?job_type=sync").status_code == 404
    assert " " in api.list_v3(project)["jobs"][0]["create_time"]


def test_a_list_of_many_tasks_takes_little_time(clock: Any) -> None:
    world = fleet_world(10_000, clock)
    api = CloudClient(SimulatedCloud(worlds=[world], keys={}, now=clock))
    assert api.list_v3(world.project_id, cur_page=3)["total_record"] == 5001
    began = time.process_time()
    lists = [api.list_v3(world.project_id, cur_page=3) for _ in range(20)]
    assert (time.process_time() - began) / 20 < 0.05
    assert len({job["engine_type"] for job in lists[0]["jobs"]}) == 3


def test_subtasks_are_created_and_deleted_in_their_parent(api: Any, world: World, clock: Any) -> None:
    child = SimTask(name="child", role="child")
    parent = SimTask(name="parent", children=[child], relation="multi_to_single", role="parent")
    world.tasks = [parent]
    assert len(api.list_v3()["jobs"][0]["children"]) == 1
    child.pin("DELETED")
    assert api.list_v3()["jobs"][0]["children"] == []
    assert api.v5("/jobs?job_type=sync").json()["jobs"][0]["children"] == []
    child.pin(None)
    parent.pin("DELETED")
    assert world.find(child.id, clock()) is None


def test_the_details_contain_a_scheduled_start(api: Any, world: World, clock: Any) -> None:
    script = (("WAITING_FOR_START", 7200.0), *INCREMENTAL)
    task = SimTask(name="later", script=script, born=clock() - 3600)
    world.tasks.append(task)
    detail = api.v3("/batch-detail", jobs=[task.id]).json()["results"][0]
    assert detail["inst_info"]["start_time"] == str(int((clock() + 3600) * 1000))
    assert api.detail(task, "detail")["base_info"]["start_time"] == "2027-01-15T09:00:00Z"


def test_paused_in_the_middle_of_the_full_load(api: Any, world: World, clock: Any) -> None:
    task = SimTask(name="paused", born=clock() - 900)
    world.tasks.append(task)
    task.pin("PAUSING")
    assert api.progress(task)[0]["progress"] == "42"
    task.progress = 17.9
    assert api.progress(task)[0]["progress"] == "17"
    task.pin("FULL_TRANSFER_FAILED")
    task.progress = None
    assert api.progress(task)[0]["progress"] == "63"


def test_a_periodic_switchover() -> None:
    task = SimTask(name="dr", born=START, switches=(1000.0, 100.0))
    ages = {0: False, 899: False, 901: True, 999: True, 1001: False, 1950: True}
    assert {age: figures.switching(task, task.at(START + age)) for age in ages} == ages


def test_the_lists_show_every_change(api: Any, world: World, clock: Any) -> None:
    assert names(api.list_v3()) == ["three", "two", "one"]
    world.task("one").born = clock() - 10
    world.task("two").scenario = "migration"
    assert (names(api.list_v3()), names(api.list_v3(db_use_type="migration"))) == (["one", "three"], ["two"])
    world.task("one").script = (("DELETED", 1.0),)
    world.task("three").engine = "redis-to-gaussredis"
    assert names(api.list_v3()) == []
