"""A task with its subtasks, and what explains their verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exporter.config import TASKS
from exporter.model.explanation import TaskExplanation

if TYPE_CHECKING:
    from exporter.model.task import Task
    from exporter.store.store import Store


def explain(store: Store, task: Task) -> TaskExplanation:
    """Return what explains the verdict of an exposed task."""
    clock, last_seen = store.context.clock, store.state.inventory.last_seen(task.identity.task_id)
    ages = {name: clock.now() - at for name, at in task.collected}
    if last_seen:
        ages[TASKS] = clock.steady() - max(at for _, at in last_seen)
    apis, case = frozenset(api for api, _ in last_seen), store.verdicts.input_of(task)
    return TaskExplanation(task, store.state.exposed(task.identity.parent_id), apis, ages, case)


def explain_with_subtasks(store: Store, task_id: str) -> list[TaskExplanation]:
    """Return what explains the verdict of each of `with_subtasks`."""
    return [explain(store, task) for task in with_subtasks(store, task_id)]


def with_subtasks(store: Store, task_id: str) -> list[Task]:
    """Return a task, then each task below it by name; empty without the task."""
    task = store.state.exposed(task_id)
    if task is None:
        return []
    below = map(store.state.exposed, store.state.subtasks.below(task_id))
    subtasks = [subtask for subtask in below if subtask is not None]
    subtasks.sort(key=lambda subtask: (subtask.identity.task_name, subtask.identity.task_id))
    return [task, *subtasks]
