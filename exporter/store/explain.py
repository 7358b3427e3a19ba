"""A task with its subtasks, and what explains their verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from exporter.model.explanation import TaskExplanation
    from exporter.model.task import Task
    from exporter.store.store import Store


def explain_with_subtasks(store: Store, task_id: str) -> list[TaskExplanation]:
    """Return what explains the verdict of each of `with_subtasks`."""
    return [store.explain(task) for task in with_subtasks(store, task_id)]


def with_subtasks(store: Store, task_id: str) -> list[Task]:
    """Return a task, then each task below it by name; empty without the task."""
    task = store.state.exposed(task_id)
    if task is None:
        return []
    below = map(store.state.exposed, store.state.subtasks.below(task_id))
    subtasks = [subtask for subtask in below if subtask is not None]
    subtasks.sort(key=lambda subtask: (subtask.identity.task_name, subtask.identity.task_id))
    return [task, *subtasks]
