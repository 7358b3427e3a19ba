"""The explanation of a task together with those of its subtasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from exporter.model.explanation import TaskExplanation
    from exporter.store.store import Store


def explain_with_subtasks(store: Store, task_id: str) -> list[TaskExplanation]:
    """Return what explains the verdict of a task, then of each task below it by name; empty without the task."""
    known = {task.identity.task_id: task for task in store.tasks()}
    if task_id not in known:
        return []
    subtasks = below(task_id, {key: task.identity.parent_id for key, task in known.items()})
    ordered = [task_id, *sorted(subtasks, key=lambda key: (known[key].identity.task_name, key))]
    tasks = [known[key] for key in ordered]
    return [store.explain(task, known.get(task.identity.parent_id or "")) for task in tasks]


def below(task_id: str, parents: Mapping[str, str | None]) -> set[str]:
    """Return the ids of the subtasks of a task, and of theirs; `parents` are those of all tasks, by id."""
    found, level = set[str](), {task_id}
    while level := {key for key, parent in parents.items() if parent in level} - found - {task_id}:
        found |= level
    return found
