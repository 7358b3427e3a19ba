"""The interface of the storage, which keeps nothing itself: then an exporter has all of it in memory only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from exporter.storage.records import NOTHING

if TYPE_CHECKING:
    from exporter.config import StorageSettings
    from exporter.model.events import Event
    from exporter.model.task import ProjectKey
    from exporter.model.timeline import Point
    from exporter.storage.records import Member, Restored, Run, TaskTimes, WaveTimes


_log = structlog.get_logger()


class Storage:
    """Keeps records over a restart. Nothing here waits for the disk but the reads, and nothing raises.

    This class itself keeps nothing: the configuration contains no `storage.path`, or a command polls once.
    A record that is set replaces the one before; None removes it. All times are Unix times.
    """

    enabled = False
    """False if nothing is kept."""
    restored: Restored = NOTHING
    """What an earlier process has left. Nothing before `open`."""

    async def open(self) -> None:
        """Read what an earlier process has left."""

    async def run(self) -> None:
        """Write records for ever; return at once if nothing is kept."""

    async def close(self) -> None:
        """Write what waits; it takes seconds at most."""

    def limit(self, settings: StorageSettings) -> None:
        """Adopt the settings of a reload; report a path that this process will not use."""
        if settings.path is not None:
            _log.warning("a new storage.path is used only after a restart", in_use=None)

    def add_event(self, event: Event) -> None:
        """Store an event."""

    def add_point(self, key: ProjectKey, task_id: str, point: Point) -> None:
        """Store a point of the history of a task."""

    def set_times(self, key: ProjectKey, task_id: str, times: TaskTimes | None) -> None:
        """Store the last observations of a task; None once it is removed."""

    def set_member(self, wave: str, key: ProjectKey, task_id: str, member: Member | None) -> None:
        """Store a member of a wave; None once the wave has begun again."""

    def set_wave(self, wave: str, times: WaveTimes | None) -> None:
        """Store the readiness of a wave; None if it is unknown."""

    async def read_events(self, since: float, until: float) -> list[Event] | None:
        """Return the events of a time, ascending; None if that fails, or nothing is kept."""

    async def read_points(self, key: ProjectKey, task_id: str, since: float, until: float) -> list[Point] | None:
        """Return the history of a task, ascending, a minute between two points; None as for events."""

    async def read_runs(self, since: float, until: float) -> list[Run] | None:
        """Return the runs of the exporter that overlap a time, ascending; None as for events."""
