"""The details of events as an earlier process has stored them: those that each kind needs, and their values."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from exporter.model.events import Event, Kind
from exporter.model.task import Phase

_RESULTS = frozenset({"equal", "inconsistent", "failed"})
"""Of comparisons."""
_NEEDED: Mapping[Kind, tuple[str, ...]] = {
    Kind.APPEARED: ("phase",),
    Kind.RENAMED: ("name_before",),
    Kind.PHASE_CHANGED: ("phase_before", "phase"),
    Kind.FAILED: ("phase_before",),
    Kind.ERROR_CODE: ("error_code",),
    Kind.ENDED: ("phase_before",),
    Kind.NOT_READY: ("reasons",),
    Kind.COMPARED: ("type", "result"),
    Kind.TASKS_STALE: ("tasks",),
    Kind.TASKS_FRESH: ("tasks",),
    Kind.PROJECT_UNREADABLE: ("error",),
    Kind.WAVE_READY: ("wave", "states"),
    Kind.WAVE_NOT_READY: ("wave", "states"),
    Kind.RESTARTED: ("seconds",),
    Kind.MUTED: ("seconds",),
    Kind.LEFT_OUT: ("events", "tasks"),
}
_VALID: Mapping[str, Callable[[str], object]] = {
    **dict.fromkeys(("phase", "phase_before"), Phase),
    **dict.fromkeys(("events", "tasks"), int),
    "result": _RESULTS.__contains__,
    "seconds": lambda text: math.isfinite(float(text)),
}
"""By name of a detail; raises ValueError or returns false if a value is not valid."""


def check_details(event: Event) -> None:
    """Raise ValueError if the details of an event are damaged, or are those of another version."""
    detail = event.detail
    if not detail.keys() >= {*_NEEDED.get(event.kind, ())}:
        raise ValueError("a detail is missing")
    for name in detail.keys() & _VALID.keys():
        if _VALID[name](detail[name]) is False:
            raise ValueError(name)
