"""Which tasks of a list are read, and when all are."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from exporter.cloud.http.errors import CloudError, UnavailableError
from exporter.cloud.source import EVERYTHING, Selected, TaskList
from exporter.model.task import Listed
from exporter.model.task_lists import Gap
from exporter.polling.context import PollContext
from exporter.polling.list_reader import ListReader
from tests.lib.daemon import StoreFixture, listed_task
from tests.lib.polling import poll_context

FIRST = Selected(first_page=True)
ENDED = "RELEASE_RESOURCE_COMPLETE"


class FakeApi:
    """A generation that lists tasks in pages of two.

    Args:
        tasks: by id, the newest first.
        selects: whether it selects tasks by their ids; else it returns all.
    """

    sources = project_sources = ()

    def __init__(self, name: str, *tasks: Listed, most_ids: int = 100, selects: bool = True) -> None:
        self.name = name
        self.most_ids = most_ids
        self.tasks = {task.id: task for task in tasks}
        self.gap: Gap | None = None
        self.error: CloudError | None = None
        self.asked: list[Selected] = []
        self.seconds = 0.0
        self._selects = selects

    async def list_tasks(self, _client: object, _errors: object, _job_type: str, selected: Selected) -> TaskList:
        self.asked.append(Selected(selected.first_page, tuple(sorted(selected.ids))))
        await asyncio.sleep(self.seconds)
        if self.error is not None:
            raise self.error
        tasks, total = tuple(self.tasks.values()), len(self.tasks)
        if selected.first_page:
            return TaskList(tasks[:2], self.gap, 1, total)
        if selected.ids and self._selects:
            return TaskList(tuple(task for task in tasks if task.id in selected.ids))
        return TaskList(tasks, self.gap, max(1, (total + 1) // 2), total)


class Reader:
    """A reader of fake generations; the first one is that of most tests."""

    def __init__(self, *apis: FakeApi) -> None:
        self.store = StoreFixture()
        self.context: PollContext = poll_context(self.store)
        fakes: Any = apis
        self.context.connection = self.context.connection._replace(apis=fakes)
        self.reader = ListReader(self.context)
        self._apis = apis

    async def read(self, now: float, number: int = 0) -> list[Selected]:
        """What is requested by a poll at this time."""
        api: Any = self._apis[number]
        api.asked.clear()
        roots = self.reader.roots(api, "sync", now)
        if roots != () or not self.reader.is_second(api):
            await self.reader.read(api, self.context.connection.client, "sync", roots, now)
        return list(api.asked)

    async def tasks_of(self, api: Any, *task_ids: str) -> None:
        """Read some tasks by their ids."""
        await self.reader.read_tasks(api, self.context.connection.client, "sync", task_ids)

    def status(self, task_id: str) -> str:
        """The status of a task."""
        listed = self.store.store.state.tasks[task_id].listed
        assert listed is not None
        return listed.status

    @property
    def tasks(self) -> set[str]:
        """The ids of the tasks that exist."""
        return set(self.store.store.state.inventory)


def ids(*names: str) -> Selected:
    return Selected(ids=names)


def ten(*active: str, name: str = "v3", **options: Any) -> FakeApi:
    """Five pages: the tasks a to j, of which some have not ended."""
    tasks = [listed_task(key, "INCRE_TRANSFER_STARTED" if key in active else ENDED) for key in "abcdefghij"]
    return FakeApi(name, *tasks, **options)


async def test_a_list_is_read_as_a_whole_every_five_minutes_and_in_between_what_may_have_changed() -> None:
    reader = Reader(ten("a", "i", "j"))
    for start in (0, 300, 600):
        assert await reader.read(start) == [EVERYTHING]
        for now in range(start + 30, start + 300, 30):
            assert await reader.read(now) == [FIRST, ids("i", "j")]  # a is on the first page
    assert len(reader.tasks) == 10


async def test_a_list_whose_tasks_have_all_ended_takes_one_call() -> None:
    reader = Reader(ten())
    await reader.read(0)
    assert await reader.read(30) == [FIRST]


@pytest.mark.parametrize(
    ("most_ids", "requests"), [(100, [FIRST, ids("h", "i", "j")]), (1, [FIRST, ids("h", "i", "j")])]
)
async def test_ids_are_read_while_they_take_fewer_calls_than_all_pages(most_ids: int, requests: list[Selected]) -> None:
    reader = Reader(ten("h", "i", "j", most_ids=most_ids))
    await reader.read(0)
    assert await reader.read(30) == requests


async def test_the_whole_list_is_read_where_ids_take_as_many_calls() -> None:
    reader = Reader(ten("g", "h", "i", "j", most_ids=1))
    await reader.read(0)
    assert await reader.read(30) == [EVERYTHING]
    short = Reader(FakeApi("v3", listed_task("a"), listed_task("b", ENDED)))
    await short.read(0)
    assert await short.read(30) == [EVERYTHING]


async def test_another_total_leads_to_the_whole_list_at_once() -> None:
    api = ten("i")
    reader = Reader(api)
    await reader.read(0)
    api.tasks = {"new": listed_task("new"), **api.tasks}
    assert await reader.read(30) == [FIRST, ids("i"), EVERYTHING]
    assert "new" in reader.tasks
    del api.tasks["h"]  # one that has ended
    assert await reader.read(60) == [FIRST, ids("i"), EVERYTHING]
    assert await reader.read(90) == [EVERYTHING]  # a single list of several pages proves no absence
    assert "h" not in reader.tasks
    assert await reader.read(120) == [FIRST, ids("i")]


async def test_a_task_that_its_id_does_not_select_is_removed_with_the_whole_list_of_that_poll() -> None:
    api = ten("i", "j")
    reader = Reader(api)
    await reader.read(0)
    del api.tasks["j"]
    api.tasks["k"] = listed_task("k", ENDED)  # the total is the same
    assert await reader.read(30) == [FIRST, ids("i", "j"), EVERYTHING]
    assert reader.tasks == {*"abcdefghik"}
    assert await reader.read(60) == [FIRST, ids("i")]


async def test_a_first_page_that_cannot_be_decoded_leads_to_the_whole_list() -> None:
    api = ten("i")
    reader = Reader(api)
    await reader.read(0)
    api.gap = Gap.UNREADABLE
    assert await reader.read(30) == [FIRST, ids("i"), EVERYTHING]


async def test_an_incomplete_list_is_read_as_a_whole_each_time() -> None:
    api = ten("i")
    api.gap = Gap.TOTAL
    reader = Reader(api)
    for now in (0, 30, 60):
        assert await reader.read(now) == [EVERYTHING]
    api.gap = None
    assert await reader.read(90) == [EVERYTHING]
    assert await reader.read(120) == [FIRST, ids("i")]


async def test_a_failed_list_is_read_as_a_whole_next_time() -> None:
    api = ten("i")
    reader = Reader(api)
    await reader.read(0)
    api.error = UnavailableError("v3_list_jobs", "503")
    with pytest.raises(UnavailableError):
        await reader.read(30)
    with pytest.raises(UnavailableError):
        await reader.read(300)
    api.error = None
    assert await reader.read(330) == [EVERYTHING]
    assert await reader.read(360) == [FIRST, ids("i")]


async def test_a_cloud_that_ignores_ids_is_sent_none_for_an_hour() -> None:
    api = ten("i", selects=False)
    reader = Reader(api)
    await reader.read(0)
    assert await reader.read(30) == [FIRST, ids("i"), EVERYTHING]
    for now in range(60, 3630, 30):
        assert await reader.read(now) == [EVERYTHING]
    assert await reader.read(3630) == [FIRST, ids("i"), EVERYTHING]


async def test_the_second_generation_reads_only_what_the_first_one_does_not_list() -> None:
    first, second = ten("i"), ten("i", name="v5")
    second.tasks |= {"x": listed_task("x"), "y": listed_task("y"), "z": listed_task("z", ENDED)}
    reader = Reader(first, second)
    assert [await reader.read(0, number) for number in (0, 1)] == [[EVERYTHING]] * 2
    for now in range(30, 300, 30):
        assert await reader.read(now, 1) == [ids("x", "y")]
    assert await reader.read(300, 1) == [EVERYTHING]
    del second.tasks["y"]
    assert await reader.read(330, 1) == [ids("x", "y"), EVERYTHING]
    assert "y" not in reader.tasks


async def test_the_second_generation_makes_no_call_where_the_first_one_lists_all() -> None:
    reader = Reader(ten("i"), ten("i", name="v5"))
    for number in (0, 1):
        await reader.read(0, number)
    assert await reader.read(30, 1) == []
    assert await reader.read(300, 1) == [EVERYTHING]


async def test_the_second_generation_is_the_only_one_where_the_first_is_absent() -> None:
    reader = Reader(FakeApi("v3"), ten("i", name="v5"))
    reader.context.availability.mark_absent("v3")
    assert await reader.read(0, 1) == [EVERYTHING]
    assert await reader.read(30, 1) == [FIRST, ids("i")]


async def test_unknown_statuses_are_counted_and_logged_once(capsys: pytest.CaptureFixture[str]) -> None:
    api = FakeApi("v3", listed_task("a", "NEW_WORD"), listed_task("b", "NEW_WORD"))
    reader = Reader(api)
    for now in (0, 30):
        await reader.read(now)
    assert capsys.readouterr().out.count("NEW_WORD") == 1
    (metric,) = (each for each in reader.store.telemetry.registry.collect() if "unknown_statuses" in each.name)
    assert [sample.value for sample in metric.samples] == [1]


async def test_tasks_that_are_read_by_their_ids_prove_nothing_about_others() -> None:
    api = ten("a", "b")
    reader = Reader(api)
    await reader.read(0)
    api.tasks = {"a": listed_task("a", "PAUSING")}
    api.asked.clear()
    for _ in range(3):
        await reader.tasks_of(api, "a", "b")
    assert (api.asked, len(reader.tasks)) == ([ids("a", "b")] * 3, 10)
    assert reader.status("a") == "PAUSING"


async def test_tasks_are_read_by_their_ids_again_after_an_hour_where_the_cloud_ignores_ids() -> None:
    api = ten("a", "b", selects=False)
    reader = Reader(api)
    await reader.read(0)
    api.asked.clear()
    for _ in range(300):
        await asyncio.sleep(20)
        await reader.tasks_of(api, "a")
    assert api.asked == [ids("a")] * 2


async def test_a_status_that_is_read_while_the_whole_list_is_read_stays() -> None:
    api = ten("a")
    reader = Reader(api)
    await reader.read(0)
    await asyncio.sleep(300)
    old, api.seconds = dict(api.tasks), 60.0
    reading = asyncio.create_task(reader.read(300))
    await asyncio.sleep(30)
    api.seconds, api.tasks = 0.0, {"a": listed_task("a", "INCRE_TRANSFER_FAILED")}
    await reader.tasks_of(api, "a")
    api.tasks = old
    await reading
    assert reader.status("a") == "INCRE_TRANSFER_FAILED"
    await reader.read(330)
    assert reader.status("a") == "INCRE_TRANSFER_STARTED"
