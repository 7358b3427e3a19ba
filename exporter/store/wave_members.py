"""The tasks of one project that running waves have seen."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Iterable, Mapping

    from exporter.model.task import Listed

_PROOF = 2
"""Sum of the weights of lists of one kind without a task that prove its deletion, see `Inventory`."""


class Member(NamedTuple):
    """A task as a wave last saw it."""

    name: str
    job_type: str


class WaveMembers:
    """The members of each wave by its name: tasks that a wave has seen while it ran.

    A member stays until it is deleted, whatever its name is and however the waves are configured meanwhile. A task that
    only disappeared is no proof: rules may exclude it, or an API generation may not exist any more. So whole lists are
    observed, with the tasks that rules exclude.
    """

    def __init__(self) -> None:
        self._members: dict[str, dict[str, Member]] = {}
        self._absence: dict[str, Counter[tuple[str, str]]] = {}
        """By id, the sum of the weights of lists in a row without the task, by API generation and job type."""

    def of(self, wave: str) -> Mapping[str, Member]:
        """Return the members of a wave by their ids."""
        return self._members.get(wave, {})

    def ids(self) -> set[str]:
        """Return the ids of the members of all waves."""
        return {task_id for members in self._members.values() for task_id in members}

    def keep(self, waves: Iterable[str]) -> None:
        """Remove the members of all other waves."""
        self._members = {name: self._members[name] for name in waves if name in self._members}

    def add(self, wave: str, listed: Listed) -> None:
        """Add a task, or update its name."""
        self._members.setdefault(wave, {})[listed.id] = Member(listed.name, listed.job_type)

    def forget(self, task_id: str) -> None:
        """Remove a task that was deleted."""
        self._absence.pop(task_id, None)
        for members in self._members.values():
            members.pop(task_id, None)

    def observe_list(self, key: tuple[str, str], present: Container[str], weight: int) -> None:
        """Observe a whole list of an API generation and job type; `present` are all ids that it contains."""
        for task_id in self.ids():
            if task_id in present:
                self._absence.pop(task_id, None)
            else:
                self._absence.setdefault(task_id, Counter())[key] += weight

    def is_deleted(self, task_id: str, lists: Collection[tuple[str, str]], job_types: Container[str]) -> bool:
        """Return whether these lists, which are all that exist, prove that a task was deleted."""
        absence = self._absence.get(task_id, Counter())
        polled = any(members[task_id].job_type in job_types for members in self._members.values() if task_id in members)
        return polled and bool(lists) and all(absence[key] >= _PROOF for key in lists)
