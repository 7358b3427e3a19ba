"""A metric family: its name and help, the fields that its values come from, and the samples of a task or project."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from typing import Any, Generic, TypeVar

from exporter.model.task import Project, Task
from exporter.model.waves import WaveStatus

T = TypeVar("T", Task, Project, WaveStatus)
Samples = Sequence[tuple[tuple[str, ...], float]]
"""Values by the labels of the family."""

TASK_LABELS = ("account", "region", "project", "task_id", "task_name", "parent_id")
"""The labels of every task family; `parent_id` on subtasks only."""
PROJECT_LABELS = ("account", "region", "project")
WAVE_LABELS = ("wave",)
_MOST_ORDERS = 100
"""Of the fresh facts of tasks, whose order in one family is kept."""


@dataclass(frozen=True, slots=True)
class Family(Generic[T]):
    """One metric family.

    Args:
        name: ends in the base unit, or in _total for counters.
        help: the meaning of a value, in one line.
        fields: where its values come from, as `facts.field`, or `facts` alone for all fields of these facts. The
            documentation derives collectors, operations and permissions from them.
        samples: the samples of one task or project, none if nothing is known.
        labels: the labels beside those of the task or project.
        type: gauge or counter.
        reads: the attributes of a task that its samples are made of, if these are not those of `fields`. The phase and
            the history need no mention.
        words: all values of its last label, if they are fixed.
    """

    name: str
    help: str
    fields: tuple[str, ...]
    samples: Callable[[T], Samples]
    labels: tuple[str, ...] = ()
    type: str = "gauge"
    reads: tuple[str, ...] = ()
    words: tuple[str, ...] = ()

    @property
    def attributes(self) -> tuple[str, ...]:
        """The attributes of a task whose change can change the samples."""
        return self.reads or tuple(dict.fromkeys(split(field)[0] for field in self.fields))


def split(path: str) -> tuple[str, str]:
    """The attribute of a task or project, and the field of these facts, empty for all of them."""
    facts, _, field = path.partition(".")
    return facts, field


def gauge(name: str, help_text: str, *fields: str) -> Family[Any]:
    """A gauge whose value is a field, without labels of its own.

    Of several fields, the first known value; facts that missed a poll come last.
    """
    paths = [split(path) for path in fields]
    if len(paths) == 1:
        return Family(name, help_text, fields, _only(*paths[0]))

    @lru_cache(maxsize=_MOST_ORDERS)
    def by_age(fresh: tuple[str, ...]) -> list[tuple[str, str]]:
        ages = {facts: age for age, facts in enumerate(fresh)}
        return sorted(paths, key=lambda path: ages.get(path[0], -1))

    def first_fresh(task: Task) -> float | None:
        for facts, field in by_age(task.fresh):
            value: float | None = getattr(getattr(task, facts), field, None)
            if value is not None:
                return value
        return None

    reads = (*dict.fromkeys(facts for facts, _ in paths), "fresh")
    return Family(name, help_text, fields, single(first_fresh), reads=reads)


def counter(name: str, help_text: str, field: str) -> Family[Any]:
    """A counter whose value is a field, without labels of its own."""
    return Family(name, help_text, (field,), _only(*split(field)), type="counter")


def by_label(name: str, help_text: str, field: str, label: str) -> Family[Any]:
    """A family with one label; its field contains pairs of a label value and a number."""
    facts, pairs = split(field)

    def samples(subject: Task | Project) -> Samples:
        return tuple(((value,), number) for value, number in getattr(getattr(subject, facts), pairs, ()))

    return Family(name, help_text, (field,), samples, (label,))


def by_word(name: str, help_text: str, field: str, label: str) -> Family[Any]:
    """A family with one series of the value 1, whose label is a field."""
    facts, word = split(field)

    def samples(subject: Task | Project) -> Samples:
        value = getattr(getattr(subject, facts), word, None)
        return (((value,), 1),) if value else ()

    return Family(name, help_text, (field,), samples, (label,))


def info(name: str, help_text: str, facts: str, labels: tuple[str, ...]) -> Family[Any]:
    """A family with one series of the value 1, whose labels are fields of the same names; none if all are unknown."""

    def samples(subject: Task | Project) -> Samples:
        known = getattr(subject, facts)
        values = tuple(label_value(getattr(known, label, None)) for label in labels)
        return ((values, 1),) if any(values) else ()

    return Family(name, help_text, tuple(f"{facts}.{label}" for label in labels), samples, labels)


def label_value(value: str | bool | None) -> str:  # noqa: FBT001 - the fact itself
    """A field as a label; empty if it is unknown."""
    return str(value).lower() if isinstance(value, bool) else value or ""


def _only(facts: str, field: str) -> Callable[[Any], Samples]:
    """Return a function for the only sample of a family that shows one field; as fast as possible."""
    if not field:
        return single(attrgetter(facts))

    def samples(subject: Task | Project) -> Samples:
        value = getattr(getattr(subject, facts), field, None)
        return () if value is None else (((), value),)

    return samples


def single(value: Callable[[T], float | None]) -> Callable[[T], Samples]:
    """Return a function for the only sample of a family without labels of its own; none if the value is None."""

    def samples(subject: T) -> Samples:
        number = value(subject)
        return () if number is None else (((), number),)

    return samples


def state_set(states: Sequence[str], state: Callable[[T], str | None]) -> Callable[[T], Samples]:
    """Return a function for the samples of a state set: 1 for the current state, 0 for the others.

    There are no samples if the state is None. A state that is not in the set is `other`, which must be in it.
    """
    sets = {current: tuple(((name,), float(name == current)) for name in states) for current in states}

    def samples(subject: T) -> Samples:
        word = state(subject)
        return () if word is None else sets.get(word) or sets["other"]

    return samples
