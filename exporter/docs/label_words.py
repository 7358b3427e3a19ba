"""The words that labels of docs/metrics.md can have, and the phases of the statuses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from exporter.docs.markdown import words
from exporter.metrics.family import Family
from exporter.metrics.projects import PROJECT_FAMILIES
from exporter.metrics.tasks import TASK_FAMILIES
from exporter.metrics.waves import WAVE_FAMILIES
from exporter.model.task import STATUSES, Phase, phase_of
from exporter.views.known_words import LABEL_WORDS

LABELS = ("phase", "action", "state", "stage", "level", "result", "status")
"""Labels whose values are words of the cloud or of the exporter."""
_FAMILIES: tuple[Family[Any], ...] = (*TASK_FAMILIES, *PROJECT_FAMILIES, *WAVE_FAMILIES)


def label_rows() -> Iterator[Sequence[str]]:
    """A row for each family with such a label: label, family, words."""
    for label in LABELS:
        for family in _FAMILIES:
            if label in family.labels:
                yield f"`{label}`", f"`{family.name}`", _words(family, label)


def _words(family: Family[Any], label: str) -> str:
    if family.words:
        return words(family.words)
    documented = LABEL_WORDS.get(family.name) or _same_label(label)
    if family.name == "drs_task_status":
        return "those of the table [Phases](#phases)"
    # The exporter writes levels in lower case.
    return f"{words(map(str.lower, documented) if label == 'level' else documented)}, or another word of the cloud"


def _same_label(label: str) -> tuple[str, ...]:
    """The words of the first family with this label: a second family about the same thing has the same words."""
    return next(
        (LABEL_WORDS[family.name] for family in _FAMILIES if label in family.labels and family.name in LABEL_WORDS), ()
    )


def phase_rows() -> Iterator[Sequence[str]]:
    """A row for each status: its phase, or the phases of tasks and subtasks if they differ."""
    for status in STATUSES:
        of_task, of_subtask = (phase_of(status, subtask=subtask) for subtask in (False, True))
        same = of_task is of_subtask
        yield f"`{status}`", f"`{of_task}`" if same else f"`{of_task}`; of a subtask `{of_subtask}`"
    failed = words(LABEL_WORDS["drs_task_status"])
    yield f"{failed}, and every other that ends in `_FAILED`", f"`{phase_of('_FAILED', subtask=False)}`"
    yield "any other word", f"`{Phase.OTHER}`"
