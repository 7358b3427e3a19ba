"""Tasks as they are chosen, sorted and cut into pages, on the page and as JSON."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.model.facts import Progress
from exporter.model.task import Identity, Listed, Task
from exporter.simulator import faults
from exporter.views.summary import WORST_FIRST
from exporter.web.search import MAX_LIMIT, SORTS, Query, SearchResult, search
from tests.lib.daemon import cloud_of, config_of, exporter_on, get, polling, sim
from tests.lib.paths import DOCS
from tests.lib.virtual_time import EPOCH, simulate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exporter.store.store import Store

STATUSES = ("INCRE_TRANSFER_STARTED", "FULL_TRANSFER_STARTED", "INCRE_TRANSFER_FAILED", "PAUSING", "DREAMING")


class Shelf:
    """A store as far as it is looked at."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self._tasks = tasks

    def tasks(self) -> Sequence[Task]:
        return self._tasks


def numbered(number: int, **facts: Any) -> Task:
    identity = Identity("acme", "eu-de", f"shop-{number % 3}", f"id-{number}", f"Task {number}")
    status = facts.pop("status", STATUSES[0])
    listed = Listed(identity.task_id, identity.task_name, status, "sync") if status else None
    return Task(replace(identity, parent_id=facts.pop("parent_id", None)), listed=listed, **facts)


def found(tasks: Sequence[Task], **asked: Any) -> SearchResult:
    stores = cast("Sequence[Store]", [Shelf(tasks[::2]), Shelf(tasks[1::2])])
    return simulate(search(stores, Query(**asked)))


def ids(tasks: Sequence[Task], **asked: Any) -> list[str]:
    return [task.identity.task_id.removeprefix("id-") for task in found(tasks, **asked).tasks]


TASKS = [
    numbered(0, progress=Progress(full_ratio=1.0, delay_seconds=3.0), collected=(("node", 1.0), ("progress", 50.0))),
    numbered(1, status=STATUSES[1], progress=Progress(full_ratio=0.4), collected=(("progress", 40.0),)),
    numbered(2, status=STATUSES[2], blockers=(("phase", True), ("stale", True))),
    numbered(3, status=None),
    numbered(4, progress=Progress(delay_seconds=9.0), blockers=(("phase", False), ("delay_high", True))),
    numbered(5, status=STATUSES[3], parent_id="id-4", blockers=None),
    numbered(6, status=STATUSES[4], blockers=(("phase", False),)),
]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, "3 2 6 5 4 0 1"),
        ({"sort": "-phase"}, "1 0 4 5 6 2 3"),
        ({"sort": "task_name"}, "0 1 2 3 4 5 6"),
        ({"sort": "-task_name"}, "6 5 4 3 2 1 0"),
        ({"sort": "project"}, "0 3 6 1 4 2 5"),
        ({"sort": "progress"}, "1 0 2 3 4 5 6"),
        ({"sort": "-progress"}, "0 1 6 5 4 3 2"),
        ({"sort": "delay"}, "0 4 1 2 3 5 6"),
        ({"sort": "-delay"}, "4 0 6 5 3 2 1"),
        ({"sort": "age"}, "0 1 2 3 4 5 6"),
        ({"sort": "-age"}, "1 0 6 5 4 3 2"),
        ({"sort": "cutover"}, "6 4 2 0 1 3 5"),
        ({"sort": "-cutover"}, "2 4 6 5 3 1 0"),
        ({"phase": "incremental"}, "4 0"),
        ({"phase": "unknown"}, "3"),
        ({"cutover": "ready"}, "6"),
        ({"cutover": "blocked"}, "2 4"),
        ({"project": "acme/eu-de/shop-1"}, "4 1"),
        ({"project": "acme/eu-de"}, ""),
        ({"q": "TASK 3"}, "3"),
        ({"q": "id-5"}, "5"),
        ({"q": "none of them"}, ""),
        ({"q": "task", "phase": "paused", "project": "acme/eu-de/shop-2"}, "5"),
        ({"limit": 3}, "3 2 6"),
        ({"limit": 3, "page": 2}, "5 4 0"),
        ({"limit": 3, "page": 3}, "1"),
        ({"limit": 3, "page": 99}, "1"),
    ],
)
def test_which_tasks_and_in_which_order(asked: dict[str, Any], expected: str) -> None:
    assert " ".join(ids(TASKS, **asked)) == expected


def test_what_is_counted_is_the_whole_fleet() -> None:
    whole = found(TASKS, q="task 1", limit=1)
    assert (whole.total, whole.subtasks, whole.matched, whole.pages) == (7, 1, 1, 1)
    assert whole.phases == {"unknown": 1, "failed": 1, "other": 1, "paused": 1, "incremental": 2, "full": 1}
    assert (whole.cutover["ready"], whole.cutover["blocked"]) == (1, 2)
    assert whole.projects == {"acme/eu-de/shop-0": 3, "acme/eu-de/shop-1": 2, "acme/eu-de/shop-2": 1}
    assert whole.slowest is TASKS[4]
    assert whole.names["id-3"] == "Task 3"
    assert found(TASKS, limit=2).pages == 4
    nothing = found([])
    assert (nothing.tasks, nothing.pages, nothing.slowest) == ([], 1, None)


@given(
    st.lists(st.tuples(st.sampled_from(STATUSES), st.none() | st.floats(0, 1e6)), max_size=40),
    st.sampled_from([*SORTS, *(f"-{word}" for word in SORTS)]),
    st.integers(1, 7),
)
def test_pages_together_are_everything_once_and_in_order(
    facts: list[tuple[str, float | None]], sort: str, limit: int
) -> None:
    tasks = [
        numbered(number, status=status, progress=Progress(delay_seconds=delay))
        for number, (status, delay) in enumerate(facts)
    ]
    whole = ids(tasks, sort=sort, limit=MAX_LIMIT)
    assert sorted(whole, key=int) == [str(number) for number in range(len(tasks))]
    pages = found(tasks, limit=limit).pages
    assert [
        task_id for page in range(1, pages + 1) for task_id in ids(tasks, sort=sort, limit=limit, page=page)
    ] == whole


def test_others_run_while_many_tasks_are_looked_at() -> None:
    async def main() -> int:
        turns = 0

        async def count() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        counting = asyncio.create_task(count())
        stores = cast("Sequence[Store]", [Shelf([numbered(number) for number in range(5000)])])
        await search(stores, Query(sort="task_name", page=50))
        counting.cancel()
        return turns

    assert simulate(main()) >= 5000 / 250 + 5000 / 250


def asked(path: str) -> tuple[int, Any]:
    async def main() -> tuple[int, Any]:
        cloud = cloud_of(sim("orders", delay=7), sim("shop", status="INCRE_TRANSFER_FAILED"), sim("<b>"))
        async with exporter_on(cloud, config_of("v3")) as exporter:
            await exporter.poll_once()
            got = await get(exporter, path)
            assert got.headers["content-type"] == "application/json"
            return got.status, json.loads(got.body)

    return simulate(main())


def test_the_api_answers_as_the_page_does() -> None:
    status, answer = asked("/api/v1/tasks?sort=-delay&limit=2")
    assert status == 200
    assert answer["tasks"][0]["task_name"] == "orders"
    assert answer["tasks"][0]["incremental_delay_seconds"] == 7
    assert {key: answer[key] for key in ("total", "matched", "page", "pages", "ready")} == {
        "total": 3,
        "matched": 3,
        "page": 1,
        "pages": 2,
        "ready": True,
    }
    assert answer["phases"] == dict.fromkeys(WORST_FIRST, 0) | {"failed": 1, "incremental": 2}
    assert answer["cutover"] == {"ready": 1, "blocked": 2}
    assert answer["now_timestamp_seconds"] == pytest.approx(EPOCH, abs=60)
    (project,) = answer["projects"]
    assert (project["account"], project["region"], project["project"]) == ("acme", "cn-north-4", "payments")
    assert (project["up"], project["tasks"], project["api_rate_limit_calls_per_second"]) == (True, 3, 1000.0)
    assert (project["last_error"], project["last_error_timestamp_seconds"]) == (None, None)
    assert 0 < project["api_demand_ratio"] < 1
    progress = project["collectors"]["progress"]
    assert (progress["success"], progress["interval_seconds"]) == (True, 30.0)
    assert progress["last_success_timestamp_seconds"] == pytest.approx(EPOCH, abs=60)


def test_the_api_refuses_what_makes_no_sense() -> None:
    status, answer = asked("/api/v1/tasks?phase=sleeping&limit=0")
    assert status == 400
    assert [fault.partition(":")[0] for fault in answer["errors"]] == ["phase", "limit"]


def test_the_last_error_of_a_project_is_told_by_its_class_and_stays() -> None:
    async def main() -> list[Any]:
        cloud = cloud_of(sim("one"))
        cloud.faults = [faults.forbidden("batch-progress")]
        async with polling(cloud, config_of("v3")) as exporter:
            await asyncio.sleep(5)
            cloud.faults = []
            await asyncio.sleep(1000)
            answer = json.loads((await get(exporter, "/api/v1/tasks")).body)
            body = (await get(exporter, "/")).body.decode()
            return [answer["projects"][0], body]

    project, body = simulate(main())
    assert project["last_error"].startswith("refused ")
    assert EPOCH <= project["last_error_timestamp_seconds"] < EPOCH + 500
    assert project["up"]
    assert f"{project['last_error']} <span" in body


def test_every_field_is_documented() -> None:
    text = (DOCS / "api.md").read_text(encoding="utf-8")
    _, answer = asked("/api/v1/tasks")
    project, task = answer["projects"][0], answer["tasks"][0]
    names = {*answer, *project, *task, *project["collectors"]["progress"], *(field.name for field in fields(Query))}
    documented = set(re.findall(r"`([a-z_]+)`", text))
    assert names <= documented
    assert set(WORST_FIRST) | set(SORTS) <= documented
    assert f"{MAX_LIMIT} at most" in text
