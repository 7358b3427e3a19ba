"""How the task lists of one project fare, by API generation and job type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from exporter.model.task import ListFacts

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable

    from exporter.model.task import Gap


@dataclass(slots=True)
class _List:
    success: bool
    tasks: int | None = None
    succeeded_at: float | None = None
    believed: bool = False
    """Whether it has succeeded lately enough to stand for what exists."""
    gap: Gap | None = None
    """Why it may lack tasks; tasks can be counted only where it lacks none."""
    incomplete_since: float | None = None


class Lists:
    """The newest lists. A generation that is not published has none, and is no fault."""

    def __init__(self) -> None:
        self._lists: dict[tuple[str, str], _List] = {}

    def answered(self, api: str, job_type: str, tasks: int, now: float, *, gap: Gap | None = None) -> None:
        """A list succeeded; `gap` is why it may lack tasks."""
        before = self._lists.get((api, job_type), _List(success=True)).incomplete_since
        since = None if gap is None else now if before is None else before
        self._lists[api, job_type] = _List(
            success=True, tasks=tasks, succeeded_at=now, believed=True, gap=gap, incomplete_since=since
        )

    def failed(self, api: str, job_type: str) -> None:
        """A list failed: what the one before said stays, until it is too old."""
        self._lists.setdefault((api, job_type), _List(success=False)).success = False

    def forget(self, api: str) -> None:
        """The generation is not published."""
        self._lists = {key: value for key, value in self._lists.items() if key[0] != api}

    def adopt(self, other: Lists, job_types: Container[str]) -> None:
        """Go on with what is known of the lists of these job types."""
        self._lists = {key: facts for key, facts in other._lists.items() if key[1] in job_types}

    def age_out(self, now: float, believed_for: Callable[[str], float]) -> bool:
        """Stop believing lists that are too old; whether there were any."""
        aged = [
            facts
            for (api, _), facts in self._lists.items()
            if facts.believed and facts.succeeded_at is not None and now - facts.succeeded_at > believed_for(api)
        ]
        for facts in aged:
            facts.believed = False
        return bool(aged)

    def believed(self, api: str) -> bool:
        """Whether any list of the generation is still believed."""
        return any(facts.believed for key, facts in self._lists.items() if key[0] == api)

    def known(self, job_types: Iterable[str]) -> list[str]:
        """The job types of which every published generation's list is complete and believed: their counts are facts."""
        return [
            job_type
            for job_type in job_types
            if (facts := [value for key, value in self._lists.items() if key[1] == job_type])
            and all(value.believed and value.gap is None for value in facts)
        ]

    def up(self) -> bool:
        """Whether there is a published generation, and the newest list of each job type succeeded in all of them."""
        return bool(self._lists) and all(facts.success for facts in self._lists.values())

    def facts(self) -> dict[tuple[str, str], ListFacts]:
        """As they are shown."""
        return {
            key: ListFacts(facts.success, facts.tasks, facts.gap, facts.incomplete_since)
            for key, facts in self._lists.items()
        }
