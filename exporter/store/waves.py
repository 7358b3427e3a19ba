"""The status of each wave, over all projects."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from exporter.model.shard import ALL
from exporter.model.waves import Stage, WaveStatus, listed_ids, stage_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from exporter.config import Wave
    from exporter.model.shard import Shard
    from exporter.runtime.clock import Clock
    from exporter.store.store import Store


class Waves:
    """All waves of the configuration, over all projects.

    Args:
        stores: returns one for each project.
        clock: of the times of waves.
        shard: the part of all tasks that this process has.
    """

    def __init__(self, stores: Callable[[], Sequence[Store]], clock: Clock, shard: Shard = ALL) -> None:
        self._stores = stores
        self._clock = clock
        self._shard = shard
        self._waves: dict[str, Wave] = {}
        self._ready_since: dict[str, float] = {}
        """Steady time, by the names of the waves that are ready."""

    def configure(self, waves: Iterable[Wave]) -> None:
        """Replace the waves. One with a known name keeps the time since when it is ready."""
        self._waves = {wave.name: wave for wave in waves}

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
        """Record since when each wave is ready, and return the status of each that runs; before each page."""
        now, statuses = self._clock.steady(), self.all()
        self._ready_since = {
            status.name: self._ready_since.get(status.name, now) for status in statuses if status.ready
        }
        return [status for status in statuses if status.stage is Stage.RUNNING]

    def _status(self, wave: Wave) -> WaveStatus:
        projects = [store.context.waves for store in self._stores()]
        stage = stage_of(wave, self._clock.now())
        members = [member for project in projects for member in project.members(wave, stage)]
        found = {member.task_id for member in members}
        missing = [task_id for task_id in listed_ids(wave) if task_id not in found]
        status = WaveStatus(
            wave.name,
            stage,
            wave.starts_at,
            wave.ends_at,
            wave.expected,
            tuple(sorted(members, key=lambda member: (member.key, member.task_name, member.task_id))),
            tuple(task_id for task_id in missing if self._shard.contains_name(task_id)),
            tuple(gap for project in projects for gap in project.incomplete(wave)),
        )
        ready = None if self.sharded else status.judged()
        since = self._clock.unix(self._ready_since.get(wave.name, self._clock.steady())) if ready else None
        return replace(status, ready=ready, ready_since=since)
