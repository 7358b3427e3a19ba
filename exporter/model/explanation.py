"""The explanation of the verdict on the cut-over of a task, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from exporter.model.cutover_input import CutoverInput
from exporter.model.task import Task


@dataclass(frozen=True, slots=True)
class TaskExplanation:
    """A task with the values that explain the verdict on its cut-over.

    Args:
        task: its facts.
        parent: the parent of a subtask.
        apis: the API generations that list it.
        ages: seconds since each collector last succeeded for it.
        cutover: the input of the reasons; None if the task cannot be cut over at all.
    """

    task: Task
    parent: Task | None
    apis: frozenset[str]
    ages: Mapping[str, float]
    cutover: CutoverInput | None
