"""What is known of a project as a whole: its lists, its collectors, its quotas."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from exporter.model.task import Phase, Project
from exporter.store.list_health import Lists

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from exporter.model.facts import AsyncJobs, Quota
    from exporter.model.project import ProjectKey
    from exporter.model.task import CollectorFacts, ListFacts
    from exporter.runtime.clock import Clock

_LATE_INTERVALS = 3
_MISSED_INTERVALS = 1.5


class Ages:
    """How old facts may be; known by collector, and for lists by API generation."""

    def __init__(self, stale_after: float) -> None:
        self._stale_after = stale_after
        self.intervals: dict[str, float] = {}
        """Effective intervals, seconds."""
        self.shortened = False
        """Whether one has become shorter since the ages were last looked at."""

    def set(self, name: str, interval: float) -> None:
        """The effective interval is this from now on."""
        self.shortened |= interval < self.intervals.get(name, 0.0)
        self.intervals[name] = interval

    def punctual(self, name: str) -> float:
        """Older than so many seconds is late."""
        return _LATE_INTERVALS * self.intervals[name]

    def missed(self, name: str) -> float:
        """Older by so many seconds than other news of the task missed a poll."""
        return _MISSED_INTERVALS * self.intervals[name]

    def believed(self, name: str) -> float:
        """Older than so many seconds is not shown any more."""
        return max(self._stale_after, self.punctual(name))


class ProjectFacts:
    """The facts of one project, and since when.

    Args:
        key: its labels.
        job_types: those that are listed.
        ages: how old they may be.
        clock: of their ages.
    """

    def __init__(self, key: ProjectKey, job_types: Sequence[str], ages: Ages, clock: Clock) -> None:
        self.key = key
        self.lists = Lists()
        self.ready = False
        """Whether the first poll has ended, well or not; from then on silence means a fault."""
        self.job_types = job_types
        self._ages = ages
        self._clock = clock
        self._collectors: dict[str, CollectorFacts] = {}
        self.sources: Mapping[tuple[str, str], bool | None] = {}
        """Whether the operations that can feed collectors exist in this region, by collector and operation."""
        self._facts: dict[str, tuple[Quota | AsyncJobs, float]] = {}
        self._last_error: tuple[str, float] | None = None

    def adopt(self, other: ProjectFacts) -> None:
        """Go on with what is known of the same project, as far as it is still asked for."""
        self.lists.adopt(other.lists, self.job_types)
        self.ready = other.ready
        self._last_error = other._last_error
        enabled = self._ages.intervals
        self._collectors = {name: facts for name, facts in other._collectors.items() if name in enabled}
        self._facts = {name: facts for name, facts in other._facts.items() if name in enabled}

    def polled(self, collector: str, facts: CollectorFacts) -> None:
        """A poll of a collector has ended; its success is in steady time. A last success is kept without a new one."""
        known = self._collectors.get(collector)
        if facts.last_success_at is None and known is not None:
            facts = replace(facts, last_success_at=known.last_success_at)
        self._collectors[collector] = facts

    def failed(self, kind: str) -> None:
        """A call went wrong in this way."""
        self._last_error = kind, self._clock.steady()

    @property
    def all_listed(self) -> bool:
        """Whether the list of every job type is known."""
        return self.lists.known(self.job_types) == [*self.job_types]

    def learnt(self, facts: Quota | AsyncJobs) -> None:
        """Facts about the project as a whole came."""
        self._facts[facts.collector] = (facts, self._clock.steady())

    def snapshot(self, counted: Mapping[tuple[str, Phase], int] | None) -> Project:
        """The project as it stands; `counted` tasks by job type and phase, None where another shard counts them."""
        now = self._clock.steady()
        fresh = {name: facts for name, (facts, at) in self._facts.items() if now - at <= self._ages.believed(name)}
        error = self._last_error and (self._last_error[0], self._clock.unix(self._last_error[1]))
        return Project(
            *self.key,
            up=self.lists.up() if self.ready else None,
            counts={
                (job_type, phase): counted.get((job_type, phase), 0)
                for job_type in self.lists.known(self.job_types)
                for phase in Phase
            }
            if counted is not None
            else {},
            lists=self.list_facts(),
            collectors={name: self._shown(facts) for name, facts in self._collectors.items()},
            sources=self.sources,
            last_error=error,
            **fresh,  # type: ignore[arg-type]  # Project names its fields as the collectors are named
        )

    def list_facts(self) -> dict[tuple[str, str], ListFacts]:
        """The lists by API generation and job type, with Unix times."""
        return {
            key: replace(facts, incomplete_since=facts.incomplete_since and self._clock.unix(facts.incomplete_since))
            for key, facts in self.lists.facts().items()
        }

    def _shown(self, facts: CollectorFacts) -> CollectorFacts:
        """With the last success in Unix time."""
        at = facts.last_success_at
        return facts if at is None else replace(facts, last_success_at=self._clock.unix(at))
