"""The explanation of a task together with those of its subtasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from exporter.model.explanation import TaskExplanation
    from exporter.store.store import Store


def explain_with_subtasks(store: Store, task_id: str) -> list[TaskExplanation]:
    """Return what explains the verdict of a task, then of each task below it by name; empty without the task."""
    task = store.state.exposed(task_id)
    if task is None:
        return []
    below = map(store.state.exposed, store.state.subtasks.below(task_id))
    subtasks = [subtask for subtask in below if subtask is not None]
    subtasks.sort(key=lambda subtask: (subtask.identity.task_name, subtask.identity.task_id))
    return [store.explain(each) for each in (task, *subtasks)]
