"""A task that is explained, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from exporter.model import cutover
    from exporter.model.task import Task


@dataclass(frozen=True, slots=True)
class Subject:
    """A task that is explained.

    Args:
        task: what is known of it.
        parent: of a subtask.
        apis: the API generations that list it.
        ages: seconds since each collector last succeeded for it.
        facts: what the reasons look at; None where a cut-over is out of the question.
    """

    task: Task
    parent: Task | None
    apis: frozenset[str]
    ages: Mapping[str, float]
    facts: cutover.Facts | None
