"""Words for values. No other module formats a duration, a percentage, a time or the name of a project for people."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import fields
from datetime import UTC, datetime, tzinfo
from typing import Any

from exporter.config import duration_text
from exporter.model.cutover_input import Limited
from exporter.model.cutover_results import Finished
from exporter.model.details import SpeedLimit
from exporter.model.events import Event
from exporter.model.facts import Compared, ObjectCount
from exporter.model.prediction import direction
from exporter.model.task import Identity, Project, ProjectKey

UNKNOWN = "unknown"
_BYTES = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_SHORTEST_LASTING = 60.0
_UNIT = re.compile(r"[0-9]+[a-z]+")


def project_text(owner: Identity | Project | ProjectKey | Event) -> str:
    """A project as the filters of the pages and of the API name it."""
    return f"{owner.account}/{owner.region}/{owner.project}"


def plural(count: int, noun: str) -> str:
    """A count with its noun."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def listing(names: Sequence[str]) -> str:
    """Return names as in a sentence: `a`, `a and b`, `a, b and c`."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def capitalized(text: str) -> str:
    """Return a text as it begins a sentence; the rest stays as it is."""
    return text[:1].upper() + text[1:]


def duration(seconds: float) -> str:
    """A time span at a glance, in at most two units: 0.85s, 12s, 4m30s, 3h20m, 2d4h."""
    if seconds < 10:  # noqa: PLR2004 - below, tenths matter
        return f"{round(seconds, 3):.2g}s"
    return "".join(_UNIT.findall(duration_text(round(seconds)))[:2])


def exact_duration(seconds: float) -> str:
    """A time span to the second, below two minutes to the millisecond, below a second exact: 119.5s, 1h30m5s."""
    digits = round(seconds, 3) if seconds >= 1 else seconds
    return f"{number(digits)}s" if seconds < 120 else duration_text(round(seconds))  # noqa: PLR2004


def age(at: float, now: float) -> str:
    """The whole seconds since a time; zero if it is in the future."""
    return duration(round(max(0.0, now - at)))


def age_text(seconds: float | None) -> str:
    """The age of facts, to the second."""
    return UNKNOWN if seconds is None else f"{duration(round(seconds))} old"


def percent(ratio: float) -> str:
    """Whole percent, 100 only if nothing is left. 0.29 * 100, which is a little under 29, is 29."""
    return f"{math.floor(round(ratio * 100, 6))}%"


def moment(at: float, zone: tzinfo = UTC) -> str:
    """A time with its date, and Z for UTC or else the offset from it."""
    return datetime.fromtimestamp(math.floor(at), zone).isoformat(" ").replace("+00:00", "Z")


def clock_time(at: float, zone: tzinfo = UTC) -> str:
    """A time of the last day, with Z for UTC or else the offset from it."""
    return datetime.fromtimestamp(math.floor(at), zone).isoformat(timespec="minutes")[11:].replace("+00:00", "Z")


def day(at: float, zone: tzinfo = UTC) -> str:
    """A day of the year: `Dec 5`."""
    local = datetime.fromtimestamp(math.floor(at), zone)
    return f"{local:%b} {local.day}"


def trend(slope: float) -> str:
    """How a delay changes: `growing`, `shrinking` or `steady`, from the seconds by which it grows in a second."""
    return {0: "steady", 1: "growing", -1: "shrinking"}[direction(slope)]


def lasting(since: float | None, now: float) -> str:
    """How long something has lasted, as ` for 2h10m`; empty if that is unknown, or less than a minute."""
    return f" for {age(since, now)}" if since is not None and now - since >= _SHORTEST_LASTING else ""


def outlook(slope: float | None, catch_up_seconds: float | None) -> list[str]:
    """The trend of a delay, and when it is within its limit, as far as they are known."""
    parts = [trend(slope)] if slope is not None else []
    return [*parts, f"caught up in {duration(catch_up_seconds)}"] if catch_up_seconds else parts


def load_outlook(end_at: float | None, remaining_seconds: float | None, now: float) -> str:
    """When a full load ends: as predicted from its history, else by the cloud; empty if neither is known."""
    if end_at is not None:
        return f"loaded in {age(now, end_at)}"
    return "" if remaining_seconds is None else f"loaded in {duration(remaining_seconds)} (cloud's estimate)"


def fact_text(fact: object) -> str:
    """Return the evidence of a reason against a cut-over. A value over its limit never has the text of the limit."""
    if isinstance(fact, Limited):
        text, limit = exact_duration(fact.seconds), exact_duration(fact.limit)
        if fact.exceeded and text == limit:
            text = f"{number(fact.seconds)}s"
        return f"{text}, limit {limit}"
    if isinstance(fact, list) and any(isinstance(item, Finished) for item in fact):
        return ", ".join(f"{item.type} {UNKNOWN if item.at is None else moment(item.at)}" for item in fact)
    if isinstance(fact, dict):
        return ", ".join(f"{side} {_state(up)}" for side, up in fact.items())
    return percent(fact) if isinstance(fact, float) else _plain(fact)


def rows_of(name: str, value: Any, now: float) -> list[tuple[str, str]]:
    """A field as labels and texts; the end of its name is its unit."""
    for end, unit, text in _UNITS:
        if name.endswith(end):
            return [(_label(name.removesuffix(unit)), UNKNOWN if value is None else text(value, now))]
    if isinstance(value, tuple):
        label = _label(name)
        return [row for item in value for row in _item(label, item, now)] or [(label or "counts", "none")]
    return [(_label(name), _plain(value))]


def _label(name: str) -> str:
    return _LABELS.get(name, name).replace("_", " ")


def _item(label: str, value: Any, now: float) -> list[tuple[str, str]]:
    if isinstance(value, ObjectCount):
        status = "moved at the end" if value.at_end else value.status
        counts = f"{_plain(value.target)} of {_plain(value.source)}" + (f", {status}" if status else "")
        return [(f"{label} {value.type}".strip(), counts)]
    if isinstance(value, SpeedLimit):
        window = "all day" if value.all_day else f"{value.begin_hour:02}:00 to {value.end_hour:02}:00 UTC"
        return [("speed limit", f"{_size(value.bytes_per_second)}/s, {window}")]
    if isinstance(value, Compared):
        values = ((field.name, getattr(value, field.name)) for field in fields(value) if field.name != "type")
        shown = ((name, each) for name, each in values if each is not None or "rows" not in name)
        rows = (row for name, each in shown for row in rows_of(name, each, now))
        kind = value.type if label == "types" else f"{label} {value.type}"
        return [(f"{kind} {name}", text) for name, text in rows]
    key, content = value
    if label == "newest":
        return [(f"{label} {key}", _dated(content, now))]
    text = {"stages": _exact_percent, "stages remaining": exact_duration}.get(label, _plain)
    return [(f"{label} {key}", text(content))]


def _plain(value: object) -> str:
    if value is None:
        return UNKNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, frozenset | list):
        return ", ".join(sorted(value) if isinstance(value, frozenset) else value) or "none"
    return number(value) if isinstance(value, float) else str(value) or "none"


def number(value: float) -> str:
    """A number with the digits that matter."""
    return f"{value:.10g}"  # nothing that is almost 100 % is shown as 100 %


def _state(up: bool | None) -> str:  # noqa: FBT001 - the fact itself
    return {True: "up", False: "down", None: UNKNOWN}[up]


def _dated(at: float, now: float) -> str:
    return f"{moment(at)}, {age(at, now)} ago" if at <= now else f"{moment(at)}, in {age(now, at)}"


def _exact_percent(ratio: float) -> str:
    return f"{number(ratio * 100)}%"


def _size(size: float) -> str:
    unit = 0
    while size >= 1024 and unit < len(_BYTES) - 1:  # noqa: PLR2004
        size, unit = size / 1024, unit + 1
    return f"{size:.4g} {_BYTES[unit]}"


_LABELS = {
    "full": "full_load",
    "full_remaining": "full_load_remaining",
    "counts": "",
    "target_read_only": "target_configured_read_only",  # which is not the state of the target
}
_UNITS: tuple[tuple[str, str, Callable[[Any, float], str]], ...] = (
    ("_bytes_per_second", "_per_second", lambda rate, _: f"{_size(rate)}/s"),
    ("_per_second", "_per_second", lambda rate, _: f"{number(rate)}/s"),
    ("_seconds", "_seconds", lambda seconds, _: exact_duration(seconds)),
    ("_bytes", "_bytes", lambda size, _: _size(size)),
    ("_ratio", "_ratio", lambda ratio, _: _exact_percent(ratio)),
    ("_at", "_at", _dated),
    ("_up", "_up", lambda up, _: _state(up)),
)
"""End of a field's name, what the label leaves out of it, and how the value is written."""
