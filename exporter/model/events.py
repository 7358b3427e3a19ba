"""The events that the exporter has observed: changes of tasks and projects, in a log of bounded size."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from operator import itemgetter
from typing import NamedTuple

from exporter.model.task import ProjectKey
from exporter.runtime.clock import Clock

MOST_EVENTS = 5000
"""Events that the log keeps; each takes about 640 bytes."""
MOST_OF_PROJECT = 1000
"""Events of one project that the log keeps."""
_NUMBER = itemgetter(0)


class Kind(StrEnum):
    """The kinds of events, each with the text of its log line and the keys of its details."""

    _value_: str
    line: str | None
    """None if others log it."""

    def __new__(cls, value: str, line: str | None = None) -> Kind:  # noqa: PYI034 - an enum has no subclasses
        kind = str.__new__(cls, value)
        kind._value_, kind.line = value, line
        return kind

    APPEARED = "appeared", "a task is new"
    """phase"""
    REMOVED = "removed", "a task was removed: the cloud does not list it any more"
    RENAMED = "renamed", "a task has a new name"
    """name_before"""
    PHASE_CHANGED = "phase_changed", "a task changed its phase"
    """phase_before, phase, and unobserved if it did so at a time of which the exporter has no record"""
    FAILED = "failed", "a task failed"
    """phase_before, error_code if the cloud has reported it already, and unobserved"""
    ERROR_CODE = "error_code", "the error code of a failed task is known"
    """error_code, of a failure before"""
    ENDED = "ended", "a task ended"
    """phase_before, and unobserved"""
    READY = "ready", "a task became ready for the cut-over"
    """unchecked, if a reason was not checked"""
    NOT_READY = "not_ready", "a task is no longer ready for the cut-over"
    """reasons, and unobserved"""
    COMPARED = "compared", "a comparison finished"
    """type, and result: equal, inconsistent or failed"""
    SWITCHOVER_BEGAN = "switchover_began", "a switchover began"
    """direction, if the list contains it"""
    SWITCHOVER_ENDED = "switchover_ended", "a switchover ended"
    """direction, if the list contains it"""
    TASKS_STALE = "tasks_stale", "tasks lost the verdict ready: their data is too old"
    """tasks"""
    TASKS_FRESH = "tasks_fresh", "tasks regained the verdict ready: their data is fresh"
    """tasks"""
    PROJECT_UNREADABLE = "project_unreadable"
    """error"""
    PROJECT_READABLE = "project_readable"
    WAVE_READY = "wave_ready"
    """wave, and states: how many of its members are in which state"""
    WAVE_NOT_READY = "wave_not_ready"
    """wave and states"""
    RESTARTED = "restarted"
    """seconds: of which nothing is recorded about the project; the storage contains what was before"""
    MUTED = "muted", "too many changes: further events are left out"
    """seconds: for how long further events of this task are left out"""
    LEFT_OUT = "left_out", "events were left out: too many changes"
    """events and tasks: how many were left out"""


NO_PROJECT = ProjectKey("", "", "")
"""The key of events of waves, which may have tasks of several projects."""


class Event(NamedTuple):
    """A change of a task, a project or a wave.

    Args:
        at: Unix time at which the exporter observed it. With `unobserved` in `detail` it happened earlier, at an
            unknown time, of which the exporter has no record: it did not run, or could not write to the storage.
        kind: see `Kind`.
        account: of the project; the event of a wave has none, see `NO_PROJECT`.
        region: of the project.
        project: its name.
        task_id: None for an event of the project, or of a wave.
        task_name: the name of the task after the event.
        detail: as `Kind` lists it; of subtasks also parent_id and parent_name. Several names have commas between them.
    """

    at: float
    kind: Kind
    account: str
    region: str
    project: str
    task_id: str | None
    task_name: str | None
    detail: Mapping[str, str]

    @property
    def wave(self) -> str | None:
        """The name of the wave that the event is about; None for an event of a task or a project."""
        return self.detail.get("wave")


class EventLog:
    """The newest events of all projects.

    The events of one project do not displace those of the others: if there are too many, the oldest event of the
    project with the most events is removed.

    Args:
        clock: of the process.
        store: takes each event that is added.
    """

    def __init__(self, clock: Clock, store: Callable[[Event], None] = lambda _: None) -> None:
        self._clock = clock
        self._store = store
        self._started = clock.steady()
        self._added = 0
        self._events: dict[ProjectKey, deque[tuple[int, float, Event]]] = {}
        """By project; each with its number, and with the step of the clock that its time contains."""
        self._removed: dict[ProjectKey, float] = {}
        """By project, the steady time of the newest event that was removed."""

    def since(self, key: ProjectKey | None = None) -> float:
        """Return the Unix time after which the log has all events, of one project or of all.

        It is the start of the process, the oldest event that the storage has kept, or the time of the newest removed
        event. Before a restart, nothing may be recorded for a time: see `Kind.RESTARTED`.
        """
        removed = [at for owner, at in self._removed.items() if key in {None, owner}]
        return self._clock.unix(max([self._started, *removed]))

    def __len__(self) -> int:
        return sum(map(len, self._events.values()))

    def add(self, key: ProjectKey, kind: Kind, task: tuple[str, str] | None = None, **detail: str) -> Event:
        """Add an event of now, and return it; `task` is the id and the name of the task."""
        task_id, task_name = task or (None, None)
        event = Event(self._clock.now(), kind, *key, task_id, task_name, detail)
        self._append(key, event)
        self._store(event)
        return event

    def restore(self, events: Iterable[Event]) -> None:
        """Add the events of an earlier process, ascending, before any other is added."""
        for event in events:
            self._started = min(self._started, event.at - self._clock.step)
            self._append(ProjectKey(event.account, event.region, event.project), event)

    def _append(self, key: ProjectKey, event: Event) -> None:
        self._added += 1
        events = self._events.setdefault(key, deque())
        events.append((self._added, self._clock.step, event))
        if len(events) > MOST_OF_PROJECT:
            self._remove_oldest(key)
        elif len(self) > MOST_EVENTS:
            self._remove_oldest(max(self._events, key=lambda owner: len(self._events[owner])))

    def _remove_oldest(self, key: ProjectKey) -> None:
        _, step, event = self._events[key].popleft()
        self._removed[key] = event.at - step

    def find(self, since: float | None = None, task_id: str | None = None) -> list[Event]:
        """Return the events, the newest first.

        Args:
            since: Unix time; only events at or after it.
            task_id: id or name of a task, also a former name; only its events and those of its subtasks.
        """
        numbered = sorted((each for events in self._events.values() for each in reversed(events)), key=_NUMBER)
        events = [self._shown(step, event) for _, step, event in reversed(numbered)]
        if task_id is not None:
            ids = {task_id} | {event.task_id for event in events if task_id in _names(event)}
            events = [event for event in events if event.task_id in ids or event.detail.get("parent_id") in ids]
        return [event for event in events if since is None or event.at >= since]

    def _shown(self, step: float, event: Event) -> Event:
        """Return an event with its time by the clock as it is set now."""
        return event if step == self._clock.step else event._replace(at=event.at + self._clock.step - step)


def _names(event: Event) -> tuple[str | None, ...]:
    """Return the name of the task of an event, and its name before if the event changed it."""
    return event.task_name, event.detail.get("name_before")
