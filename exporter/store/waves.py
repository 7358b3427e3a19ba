"""The status of each wave, over all projects."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from exporter.model.events import NO_PROJECT, Kind
from exporter.model.shard import ALL
from exporter.model.waves import Incomplete, Stage, WaveMember, WaveState, WaveStatus, stage_of, status_of
from exporter.storage import Storage, WaveTimes
from exporter.store.observed import Limit

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Sequence

    from exporter.config import Wave
    from exporter.model.events import EventLog
    from exporter.model.shard import Shard
    from exporter.model.task import Task
    from exporter.runtime.clock import Clock
    from exporter.store.store import Store

_log = structlog.get_logger()


class Waves:
    """All waves of the configuration, over all projects.

    Args:
        stores: returns one for each project.
        clock: of the times of waves.
        shard: the part of all tasks that this process has.
        storage: keeps since when each wave is ready.
        events: the list to which it adds that a wave becomes ready, and that it is not ready any more.
    """

    def __init__(
        self,
        stores: Callable[[], Sequence[Store]],
        clock: Clock,
        shard: Shard = ALL,
        storage: Storage | None = None,
        *,
        events: EventLog,
    ) -> None:
        self._stores = stores
        self._clock = clock
        self._shard = shard
        self._storage = storage or Storage()
        self._events = events
        self._limit = Limit()
        self._waves: dict[str, Wave] = {}
        self._restored: dict[str, WaveTimes] = {}
        """The readiness of waves as an earlier process has stored it."""
        self._ready_since: dict[str, float] = {}
        """Steady time, by the names of the waves that are ready."""
        self._begins: dict[str, float] = {}
        """By name, of all waves that were configured."""
        self._seen: dict[str, dict[str, WaveMember]] = {}
        """By wave and task id, its members when it last ran: a reload may end the polls of their projects."""

    def restore(self) -> None:
        """Use what an earlier process has stored."""
        restored = self._storage.restored
        self._restored = dict(restored.waves)
        for name, wave in self._waves.items():
            self._seen[name] = {
                key.task_id: WaveMember(key.project, key.task_id, member.task_name, WaveState.UNKNOWN)
                for key, member in restored.members.get(name, {}).items()
                if member.joined_at >= (wave.starts_at or 0.0) and self._shard.contains_name(key.task_id)
            }

    def configure(self, waves: Iterable[Wave]) -> None:
        """Replace the waves. One with a known name keeps its members, and the time since when it is ready."""
        self._waves = {wave.name: wave for wave in waves}
        for wave in self._waves.values():
            begin = wave.starts_at or 0.0
            if begin > self._begins.get(wave.name, begin):
                self._seen.pop(wave.name, None)
            self._begins[wave.name] = begin

    @property
    def sharded(self) -> bool:
        """True if other processes have other tasks: then no wave is known as a whole, and none is ready."""
        return self._shard.total > 1

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all waves, in the order of the configuration."""
        return tuple(self._waves)

    def all(self) -> list[WaveStatus]:
        """Return the status of each wave."""
        return [self._status(wave) for wave in self._waves.values()]

    def status(self, name: str) -> WaveStatus | None:
        """Return the status of a wave; None if there is none with this name."""
        wave = self._waves.get(name)
        return None if wave is None else self._status(wave)

    def observe(self) -> list[WaveStatus]:
        """Record the states of members, and since when each wave is ready; before each page.

        Returns the status of each wave that runs.
        """
        for store in self._stores():
            store.context.waves.record()
        now = self._clock.now()
        running = [self._status(wave) for wave in self._waves.values() if stage_of(wave, now) is Stage.RUNNING]
        for status in running:
            if _lacks_tasks(status):
                self._restored.pop(status.name, None)
        self._seen |= {status.name: {member.task_id: member for member in status.members} for status in running}
        before, now = self._ready_since, self._clock.steady()
        self._ready_since = {status.name: self._since(status) for status in running if status.ready}
        for status in running:
            self._store(status)
            if bool(status.ready) != (status.name in before):
                self._changed(status, observed=not status.ready or self._ready_since[status.name] >= now)
        return running

    def _changed(self, status: WaveStatus, *, observed: bool) -> None:
        """Log that a wave has become ready, or is not ready any more, with its members by state.

        It is an event if that was observed: after a restart, a wave may continue to be ready.
        """
        states = {state.value: count for state, count in status.counts.items() if count}
        text = "a wave is ready for the cut-over" if status.ready else "a wave is no longer ready for the cut-over"
        _log.info(text, wave=status.name, **states)
        self._limit.restart(self._clock.steady())
        if observed and not self._limit.count(status.name):
            kind = Kind.WAVE_READY if status.ready else Kind.WAVE_NOT_READY
            listed = ", ".join(f"{count} {state}" for state, count in states.items())
            self._events.add(NO_PROJECT, kind, wave=status.name, states=listed or "no tasks")

    def _since(self, status: WaveStatus) -> float:
        """Return since when a wave has been ready that is ready now, in steady time."""
        if (known := self._ready_since.get(status.name)) is not None:
            return known
        before, now = self._restored.pop(status.name, None), self._clock.now()
        if before is None or before.since is None or not (status.starts_at or 0.0) <= before.since <= now:
            return self._clock.steady()
        ready = [task.ready_since for task in self._tasks_of(status) if task.ready_since is not None]
        # Else a member was not ready meanwhile, or nobody knows, and so it is for the wave.
        continued = all(since <= before.since for since in ready)
        return self._clock.steady() - (now - before.since if continued else 0.0)

    def _tasks_of(self, status: WaveStatus) -> Iterator[Task]:
        states = {store.key: store.state for store in self._stores()}
        tasks = (states[member.key].exposed(member.task_id) for member in status.members if member.key in states)
        return (task for task in tasks if task is not None)

    def _store(self, status: WaveStatus) -> None:
        """Store the readiness of a running wave. An unknown one changes nothing, nor does one after a restart."""
        if status.ready is None or status.name in self._restored:
            return
        since = self._ready_since.get(status.name)
        self._storage.set_wave(status.name, WaveTimes(status.ready, None if since is None else self._clock.unix(since)))

    def _status(self, wave: Wave) -> WaveStatus:
        projects = [store.context.waves for store in self._stores()]
        now = self._clock.now()
        stage = stage_of(wave, now)
        parts = [project.part(wave, stage) for project in projects]
        members = [member for found, _ in parts for member in found]
        if stage is not Stage.PLANNED:
            members += self._unpolled(wave.name, {member.task_id for member in members})
        status = status_of(wave, now, members)
        status = replace(
            status,
            missing_ids=tuple(filter(self._shard.contains_name, status.missing_ids)),
            incomplete=tuple(gap for _, gaps in parts for gap in gaps),
            deleted=tuple(sorted(member for project in projects for member in project.former(wave))),
            interval=wave.interval,
            polled_every=max((project.intervals.get(wave.name, 0.0) for project in projects), default=0.0) or None,
        )
        ready = None if self.sharded else status.judged()
        since = self._clock.unix(self._ready_since.get(wave.name, self._clock.steady())) if ready else None
        return replace(status, ready=ready, ready_since=since)

    def _unpolled(self, wave: str, found: Container[str]) -> list[WaveMember]:
        """Return the members of a wave in projects that are not polled any more, without those found in others."""
        polled = {store.key for store in self._stores()}
        return [
            member._replace(state=WaveState.UNKNOWN)
            for member in self._seen.get(wave, {}).values()
            if member.key not in polled and member.task_id not in found
        ]


def _lacks_tasks(status: WaveStatus) -> bool:
    """Return whether a wave is not ready whatever the states of its members are: not all of its tasks are known."""
    members = len(status.members) - status.counts[WaveState.EXCLUDED]
    unlisted = any(gap.reason is Incomplete.LISTS for gap in status.incomplete)
    return status.polled and (unlisted or bool(status.missing_ids) or members < (status.expected or 0))
