"""Tasks in the order in which they are due."""

from __future__ import annotations

import math
import random

import pytest

from exporter.polling.due_queue import DueQueue, TaskQueue


def emptied(queue: DueQueue) -> list[tuple[float, str]]:
    """All tasks in the order of the queue, with the times at which they are due."""
    found = []
    while math.isfinite(queue.first()):
        found.append((queue.first(), queue.pop()))
    return found


def test_tasks_come_in_the_order_in_which_they_are_due_and_equals_as_they_came() -> None:
    queue = DueQueue()
    for task_id, due in (("c", 3), ("b", 1), ("a", 3), ("d", 2)):
        queue.put(task_id, due)
    assert emptied(queue) == [(1, "b"), (2, "d"), (3, "c"), (3, "a")]


@pytest.mark.parametrize(("due", "order"), [(0.0, "ab"), (1.0, "ab"), (5.0, "ba")])
def test_a_task_that_is_added_again_is_due_at_the_new_time_only(due: float, order: str) -> None:
    queue = DueQueue()
    queue.put("a", 1)
    queue.put("b", 2)
    queue.put("a", due)
    assert "".join(task_id for _, task_id in emptied(queue)) == order


def test_a_discarded_task_is_not_due_and_may_be_added_again() -> None:
    queue = DueQueue()
    queue.put("a", 1)
    queue.put("b", 2)
    queue.discard("a")
    queue.discard("never added")
    assert queue.first() == 2
    queue.put("a", 1)
    assert emptied(queue) == [(1, "a"), (2, "b")]


def test_an_empty_queue_is_never_due() -> None:
    queue = DueQueue()
    assert queue.first() == math.inf
    with pytest.raises(IndexError):
        queue.pop()


@pytest.mark.parametrize("seed", range(20))
def test_any_changes_leave_the_order_of_a_sorted_list(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    queue, expected = DueQueue(), dict[str, tuple[float, int]]()
    for number in range(300):
        task_id, due = f"id-{chance.randrange(20):02}", float(chance.randrange(9))
        match chance.randrange(4):
            case 0:
                queue.discard(task_id)
                expected.pop(task_id, None)
            case 1 if expected:
                first = min(expected, key=expected.__getitem__)
                assert (queue.first(), queue.pop()) == (expected[first][0], first)
                del expected[first]
            case _:
                queue.put(task_id, due)
                expected[task_id] = due, number
    in_order = sorted(expected, key=expected.__getitem__)
    assert emptied(queue) == [(expected[task_id][0], task_id) for task_id in in_order]


def test_a_task_that_is_queried_alone_fills_no_batch_and_comes_when_it_is_the_latest() -> None:
    queue = TaskQueue(head_start=0)
    for task_id, due in (("a", 1), ("b", 3), ("c", 4)):
        queue.put(task_id, due, urgent=task_id == "b")
    queue.put("alone", 2, urgent=True, alone=True)
    assert (queue.first(), queue.due("alone")) == (1, 2)
    assert queue.take(5, 2) == ["a", "b"]
    assert queue.take(5, 2) == ["alone"]
    queue.put("alone", 3, urgent=False, alone=True)
    queue.put("alone", 5, urgent=False)
    assert queue.take(5, 2) == ["c", "alone"]
    assert (queue.first(), queue.take(5, 2)) == (math.inf, [])
