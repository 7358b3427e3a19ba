"""What was observed before: gathered tasks, and the limit of events."""

from __future__ import annotations

import pytest

from exporter.store.observed import MOST_OF_TASK, WINDOW_SECONDS, Gathered, Limit, ObservedProject


def test_tasks_are_gathered_until_no_other_one_has_followed_for_a_minute() -> None:
    gathered = Gathered()
    assert gathered.take(0) == 0
    gathered.add("a", 100)
    gathered.add("b", 150)
    gathered.add("b", 150)
    assert (gathered.take(209), gathered.take(210), gathered.take(211)) == (0, 2, 0)


def test_tasks_that_follow_one_another_are_gathered_for_five_minutes_at_most() -> None:
    gathered = Gathered()
    taken = []
    for now in range(0, 900, 10):
        gathered.add(str(now), now)
        taken.append(gathered.take(now))
    assert [count for count in taken if count] == [31, 31]


@pytest.mark.parametrize("task_id", ["a", None])
def test_a_task_has_a_number_of_events_in_an_hour(task_id: str | None) -> None:
    limit = Limit()
    assert limit.restart(1000) == []
    assert [limit.count(task_id) for _ in range(MOST_OF_TASK + 3)] == [*[0] * MOST_OF_TASK, 1, 2, 3]
    assert limit.count("another") == 0
    assert limit.restart(1000 + WINDOW_SECONDS - 1) == []
    assert limit.restart(1000 + WINDOW_SECONDS) == [3]
    assert limit.count(task_id) == 0
    assert limit.restart(1000 + 2 * WINDOW_SECONDS) == []


def gathered(project: ObservedProject) -> tuple[set[str], set[str]]:
    return project.became_stale.tasks, project.became_fresh.tasks


def test_a_task_whose_data_is_fresh_again_before_the_event_is_in_none() -> None:
    project = ObservedProject()
    project.update("a", 0, lost=True, ready=False)
    project.update("a", 1, lost=True, ready=False)
    assert gathered(project) == ({"a"}, set())
    project.update("a", 2, lost=False, ready=True)
    assert (gathered(project), project.stale) == ((set(), set()), set())


def test_a_task_is_in_the_event_of_its_return_only_if_it_was_in_the_one_of_its_loss() -> None:
    project = ObservedProject()
    project.update("a", 0, lost=True, ready=False)
    assert project.became_stale.take(100) == 1
    project.update("a", 200, lost=False, ready=True)
    assert gathered(project) == (set(), {"a"})
    project.update("a", 201, lost=True, ready=False)
    assert (gathered(project), project.stale) == ((set(), set()), {"a"})
    project.update("a", 300, lost=False, ready=True)
    assert (project.became_fresh.take(400), project.stale) == (1, set())


def test_a_task_with_another_verdict_is_in_no_event_of_its_project() -> None:
    project = ObservedProject()
    project.update("a", 0, lost=True, ready=False)
    project.update("a", 1, lost=False, ready=False)
    project.update("b", 1, lost=True, ready=False)
    project.forget("b")
    assert (gathered(project), project.stale) == ((set(), set()), set())
