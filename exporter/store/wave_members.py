"""The tasks of one project that running waves have seen."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from exporter.model.member_facts import UNKNOWN_FACTS, MemberFacts

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Iterable, Mapping

    from exporter.config import Wave
    from exporter.model.shard import Shard
    from exporter.model.task import ProjectKey
    from exporter.storage import Member, Storage

_PROOF = 2
"""Sum of the weights of lists of one kind without a task that prove its deletion, see `Inventory`."""


class WaveMembers:
    """The members of each wave by its name: tasks that a wave has seen while it ran.

    A member stays until it is deleted, whatever its name is and however the waves are configured meanwhile. A task that
    only disappeared is no proof: rules may exclude it, or an API generation may not exist any more. So whole lists are
    observed, with the tasks that rules exclude.

    Args:
        key: the project.
    """

    def __init__(self, key: ProjectKey) -> None:
        self._key = key
        self._members: dict[str, dict[str, Member]] = {}
        self._names: dict[str, dict[str, None]] = {}
        """By id, the names of the waves of a member."""
        self._deleted: dict[str, dict[str, Member]] = {}
        """By wave, the members that were deleted, with their last known states."""
        self._known: set[str] = set()
        """The names of all waves that were configured."""
        self._absence: dict[str, Counter[tuple[str, str]]] = {}
        """By id, the sum of the weights of lists in a row without the task, by API generation and job type."""
        self._job_types: set[str] = set()
        """All that were polled: a list that is not polled any more may contain a member."""

    def of(self, wave: str) -> Mapping[str, Member]:
        """Return the members of a wave by their ids."""
        return self._members.get(wave, {})

    def names(self, task_id: str) -> Collection[str]:
        """Return the names of the waves of which a task is a member."""
        return self._names.get(task_id, {}).keys()

    def deleted(self, wave: str) -> Mapping[str, Member]:
        """Return the former members of a wave that were deleted, by their ids, with their last known states."""
        return self._deleted.get(wave, {})

    def facts(self, wave: str, task_id: str) -> MemberFacts:
        """Return the last known facts of a member of a wave, or of a former one."""
        member = self.of(wave).get(task_id) or self.deleted(wave).get(task_id)
        return member.facts if member else UNKNOWN_FACTS

    def ids(self) -> set[str]:
        """Return the ids of the members of all waves."""
        return set(self._names)

    def keep(self, waves: Iterable[Wave], storage: Storage, shard: Shard) -> None:
        """Remove the members that a wave saw before its begin: in an earlier run.

        Members of a new wave that an earlier process has stored are restored. A wave that is not configured any more
        keeps its members: its report can still be written once it is configured again.
        """
        begins = {wave.name: wave.starts_at or 0.0 for wave in waves}
        for name in begins.keys() - self._known:
            self._members[name] = {
                key.task_id: member
                for key, member in storage.restored.members.get(name, {}).items()
                if key.project == self._key and shard.contains_name(key.task_id)
            }
        self._known |= begins.keys()
        for name in [*self._members]:
            for members in (self._members[name], self._deleted.get(name, {})):
                for task_id in [key for key, member in members.items() if member.joined_at < begins.get(name, 0.0)]:
                    del members[task_id]
                    storage.set_member(name, self._key, task_id, None)
        self._names = {}
        for name, members in self._members.items():
            for task_id in members:
                self._names.setdefault(task_id, {})[name] = None

    def put(self, wave: str, task_id: str, member: Member) -> None:
        """Add a task, or update what is known of it."""
        self._deleted.get(wave, {}).pop(task_id, None)
        self._members.setdefault(wave, {})[task_id] = member
        self._names.setdefault(task_id, {})[wave] = None

    def forget(self, task_id: str) -> None:
        """Remove a task that was deleted."""
        self._absence.pop(task_id, None)
        for wave in self._names.pop(task_id, {}):
            self._deleted.setdefault(wave, {})[task_id] = self._members[wave].pop(task_id)

    def observe_list(self, key: tuple[str, str], present: Container[str], weight: int) -> None:
        """Observe a whole list of an API generation and job type; `present` are all ids that it contains."""
        self._job_types.add(key[1])
        for task_id in self.ids():
            if task_id in present:
                self._absence.pop(task_id, None)
            else:
                self._absence.setdefault(task_id, Counter())[key] += weight

    def is_deleted(self, task_id: str, lists: Iterable[tuple[str, str]]) -> bool:
        """Return whether the lists that exist now, all complete, prove that a task was deleted."""
        absence, lists = self._absence.get(task_id, Counter()), set(lists)
        return self._job_types <= {job_type for _, job_type in lists} and all(absence[key] >= _PROOF for key in lists)
