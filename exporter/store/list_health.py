"""The newest task lists of one project, by API generation and job type."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from exporter.model.task_lists import ListFacts

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable

    from exporter.model.task_lists import Gap


@dataclass(slots=True)
class _List:
    facts: ListFacts
    succeeded_at: float = -math.inf
    fresh: bool = False
    """True if the newest success is recent enough to prove which tasks exist."""


class ListHealth:
    """The success, completeness and age of each list. A generation that does not exist here has no list."""

    def __init__(self) -> None:
        self._lists: dict[tuple[str, str], _List] = {}

    def succeeded(self, api: str, job_type: str, tasks: int, now: float, *, gap: Gap | None = None) -> None:
        """Record a successful list; `gap` is the reason why it may lack tasks."""
        before = self._lists.get((api, job_type))
        since = before.facts.incomplete_since if before else None
        since = None if gap is None else now if since is None else since
        self._lists[api, job_type] = _List(ListFacts(True, tasks, gap, since), now, fresh=True)  # noqa: FBT003

    def confirmed(self, api: str, job_type: str, now: float) -> None:
        """The first page of a list and the tasks that have not ended show no difference to the newest list."""
        entry = self._lists[api, job_type]
        entry.facts = replace(entry.facts, success=True)
        entry.succeeded_at, entry.fresh = now, True

    def failed(self, api: str, job_type: str) -> None:
        """Record a failed list. The list before it counts until it expires."""
        entry = self._lists.setdefault((api, job_type), _List(ListFacts(success=False)))
        entry.facts = replace(entry.facts, success=False)

    def forget(self, api: str) -> None:
        """Remove the lists of a generation that does not exist here."""
        self._lists = {key: entry for key, entry in self._lists.items() if key[0] != api}

    def restrict(self, job_types: Container[str]) -> None:
        """Remove the lists of other job types."""
        self._lists = {key: entry for key, entry in self._lists.items() if key[1] in job_types}

    def expire(self, now: float, expire_after: Callable[[str], float]) -> bool:
        """Expire lists that are too old. Return whether there were any."""
        expired = [
            entry
            for (api, _), entry in self._lists.items()
            if entry.fresh and now - entry.succeeded_at > expire_after(api)
        ]
        for entry in expired:
            entry.fresh = False
        return bool(expired)

    def any_fresh(self, api: str) -> bool:
        """Return whether any list of the generation has not expired."""
        return any(entry.fresh for key, entry in self._lists.items() if key[0] == api)

    def countable(self, job_types: Iterable[str]) -> list[str]:
        """Return the job types whose tasks can be counted: the list of every generation is complete and fresh."""
        return [
            job_type
            for job_type in job_types
            if (entries := [entry for (_, listed), entry in self._lists.items() if listed == job_type])
            and all(entry.fresh and entry.facts.gap is None for entry in entries)
        ]

    def up(self) -> bool:
        """Return whether a generation exists, and the newest list of each job type succeeded in all of them."""
        return bool(self._lists) and all(entry.facts.success for entry in self._lists.values())

    def facts(self) -> dict[tuple[str, str], ListFacts]:
        """Return the facts about the lists, with steady times."""
        return {key: entry.facts for key, entry in self._lists.items()}
