"""The health of the lists of one project: drs_up, the job types whose tasks can be counted, expiry."""

import pytest

from exporter.model.task_lists import Gap, ListFacts
from exporter.store.list_health import ListHealth

BOTH = ("migration", "sync")
AGES = {"v3": 300.0, "v5": 900.0}.__getitem__


@pytest.fixture
def lists() -> ListHealth:
    """Both generations and job types, answered at 0."""
    lists = ListHealth()
    for api in ("v3", "v5"):
        for number, job_type in enumerate(BOTH):
            lists.succeeded(api, job_type, number, now=0)
    return lists


def test_a_project_without_a_published_generation_is_down() -> None:
    assert not ListHealth().up()


@pytest.mark.parametrize("api", ["v3", "v5"])
@pytest.mark.parametrize("job_type", BOTH)
def test_a_project_is_down_after_any_failed_list(lists: ListHealth, api: str, job_type: str) -> None:
    assert lists.up()
    lists.failed(api, job_type)
    assert not lists.up()
    lists.succeeded(api, job_type, 0, now=1)
    assert lists.up()


def test_a_generation_that_is_not_published_is_no_fault(lists: ListHealth) -> None:
    lists.failed("v5", "sync")
    lists.forget("v5")
    assert lists.up()
    assert lists.facts().keys() == {("v3", "migration"), ("v3", "sync")}


def test_a_failed_list_keeps_its_last_size(lists: ListHealth) -> None:
    lists.failed("v3", "sync")
    assert lists.facts()["v3", "sync"] == ListFacts(success=False, tasks=1)
    assert lists.facts()["v3", "migration"] == ListFacts(success=True, tasks=0)


def test_tasks_are_countable_until_the_list_of_a_generation_is_too_old(lists: ListHealth) -> None:
    lists.failed("v3", "sync")
    lists.succeeded("v3", "migration", 0, now=299)
    assert lists.countable(BOTH) == ["migration", "sync"]
    assert not lists.expire(300, AGES)
    assert lists.countable(BOTH) == ["migration", "sync"]
    assert lists.expire(300.1, AGES)
    assert lists.countable(BOTH) == ["migration"]
    for job_type in BOTH:
        lists.succeeded("v3", job_type, 0, now=1000)
    assert lists.expire(1000, AGES)  # those of v5
    assert lists.countable(BOTH) == []
    lists.forget("v5")
    assert lists.countable(BOTH) == ["migration", "sync"]


def test_a_job_type_without_a_successful_list_is_not_countable() -> None:
    lists = ListHealth()
    assert lists.countable(BOTH) == []
    lists.failed("v3", "migration")
    assert not lists.up()
    assert lists.facts() == {("v3", "migration"): ListFacts(success=False, tasks=None)}
    lists.succeeded("v3", "sync", 0, now=0)
    assert lists.countable(BOTH) == ["sync"]


def test_a_list_expires_once(lists: ListHealth) -> None:
    assert lists.expire(5000, AGES)
    assert not lists.expire(5001, AGES)
    assert not lists.any_fresh("v3")
    lists.succeeded("v3", "sync", 3, now=5002)
    assert lists.any_fresh("v3")
    assert not lists.any_fresh("v5")
    assert not lists.expire(5302, AGES)
    assert lists.expire(5303, AGES)


def test_since_when_a_list_is_incomplete_and_why() -> None:
    lists = ListHealth()
    lists.succeeded("v3", "sync", 3, now=10, gap=Gap.TOTAL)
    assert lists.facts()["v3", "sync"] == ListFacts(success=True, tasks=3, gap=Gap.TOTAL, incomplete_since=10)
    assert lists.countable(BOTH) == []
    lists.failed("v3", "sync")
    lists.succeeded("v3", "sync", 4, now=20, gap=Gap.UNREADABLE)
    assert lists.facts()["v3", "sync"] == ListFacts(success=True, tasks=4, gap=Gap.UNREADABLE, incomplete_since=10)
    lists.succeeded("v3", "sync", 5, now=30)
    assert lists.facts()["v3", "sync"] == ListFacts(success=True, tasks=5)
    assert lists.countable(BOTH) == ["sync"]
    lists.succeeded("v3", "sync", 4, now=40, gap=Gap.TOTAL)
    assert lists.facts()["v3", "sync"].incomplete_since == 40


def test_a_list_that_never_succeeded_has_no_age() -> None:
    lists = ListHealth()
    lists.failed("v3", "sync")
    assert not lists.expire(5000, AGES)
    assert not lists.any_fresh("v3")


def test_a_confirmed_list_is_as_young_as_a_new_one_and_keeps_its_size(lists: ListHealth) -> None:
    lists.failed("v3", "sync")
    lists.confirmed("v3", "sync", 200)
    assert lists.up()
    assert lists.facts()["v3", "sync"] == ListFacts(success=True, tasks=1)
    lists.confirmed("v5", "sync", 200)
    assert lists.expire(301, AGES)  # that of migrations
    assert lists.countable(BOTH) == ["sync"]
    assert lists.expire(501, AGES)
    assert lists.countable(BOTH) == []
    lists.confirmed("v3", "sync", 510)
    assert lists.countable(BOTH) == ["sync"]


def test_a_confirmed_list_stays_incomplete(lists: ListHealth) -> None:
    lists.succeeded("v3", "sync", 3, now=10, gap=Gap.TOTAL)
    lists.confirmed("v3", "sync", 40)
    assert lists.facts()["v3", "sync"] == ListFacts(success=True, tasks=3, gap=Gap.TOTAL, incomplete_since=10)
    assert lists.countable(BOTH) == ["migration"]
