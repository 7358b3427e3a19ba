"""A metric family: its name and help, the fields that its values come from, and the samples of a task or project."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from exporter.model.task import Project, Task

T = TypeVar("T", Task, Project)
Samples = Sequence[tuple[tuple[str, ...], float]]
"""Values by the family's own labels."""

TASK_LABELS = ("account", "region", "project", "task_id", "task_name", "parent_id")
"""The labels of every task family; `parent_id` on subtasks only."""
PROJECT_LABELS = ("account", "region", "project")


@dataclass(frozen=True, slots=True)
class Family(Generic[T]):
    """One metric family.

    Args:
        name: ends in the base unit, or in _total for counters.
        help: what a value means, in one line.
        fields: where its values come from, as `facts.field`, or `facts` alone for all fields of these facts. The
            documentation derives collectors, operations and permissions from them.
        samples: the samples of one task or project, none where nothing is known.
        labels: its own labels, beyond the identity.
        type: gauge or counter.
        reads: the attributes of a task that its samples are made of, if these are not those of `fields`. The phase and
            the history need no mention.
    """

    name: str
    help: str
    fields: tuple[str, ...]
    samples: Callable[[T], Samples]
    labels: tuple[str, ...] = ()
    type: str = "gauge"
    reads: tuple[str, ...] = ()

    @property
    def attributes(self) -> tuple[str, ...]:
        """The attributes of a task whose change can change the samples."""
        return self.reads or tuple(dict.fromkeys(split(field)[0] for field in self.fields))


def split(path: str) -> tuple[str, str]:
    """The attribute of a task or project, and the field of these facts, empty for all of them."""
    facts, _, field = path.partition(".")
    return facts, field


def gauge(name: str, help_text: str, *fields: str, kind: str = "gauge") -> Family[Any]:
    """A family without labels of its own whose value is a field.

    Of several fields the value is that of the facts that missed no poll; of these, of the first field that is known.
    """
    paths = [split(path) for path in fields]
    if len(paths) == 1:
        ((facts, field),) = paths
        return Family(name, help_text, fields, single(lambda subject: _field(subject, facts, field)), type=kind)

    def newest(task: Task) -> float | None:
        ages = {facts: age for age, facts in enumerate(task.newest)}
        by_age = sorted(paths, key=lambda path: ages.get(path[0], -1))
        return next((value for path in by_age if (value := _field(task, *path)) is not None), None)

    reads = (*dict.fromkeys(facts for facts, _ in paths), "newest")
    return Family(name, help_text, fields, single(newest), type=kind, reads=reads)


def by_label(name: str, help_text: str, field: str, label: str) -> Family[Any]:
    """A family with one label whose samples are a field, which contains pairs of a label value and a number."""
    path = split(field)

    def samples(subject: Task | Project) -> Samples:
        return tuple(((value,), number) for value, number in _field(subject, *path) or ())

    return Family(name, help_text, (field,), samples, (label,))


def _field(subject: Task | Project, facts: str, field: str) -> Any:
    value = getattr(subject, facts)
    return getattr(value, field, None) if field else value


def single(value: Callable[[T], float | None]) -> Callable[[T], Samples]:
    """Samples of a family without labels of its own: one, or none where the value is None."""

    def samples(subject: T) -> Samples:
        number = value(subject)
        return () if number is None else (((), number),)

    return samples


def state_set(states: Sequence[str], state: Callable[[T], str | None]) -> Callable[[T], Samples]:
    """Samples of a state set: one series a state, 1 for the current one; none where the state is None.

    A word that is not among the states is `other`, which must be one of them.
    """
    sets = {current: tuple(((name,), float(name == current)) for name in states) for current in states}

    def samples(subject: T) -> Samples:
        word = state(subject)
        return () if word is None else sets.get(word) or sets["other"]

    return samples
