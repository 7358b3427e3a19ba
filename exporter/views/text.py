"""Values of the neutral model as text: the end of a field's name tells its unit."""

from __future__ import annotations

import time
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from exporter.config.load import duration_text
from exporter.model.facts import Compared, ObjectCount

if TYPE_CHECKING:
    from collections.abc import Callable

UNKNOWN = "unknown"
_BYTES = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


def rows_of(name: str, value: Any, now: float) -> list[tuple[str, str]]:
    """One field as rows; its unit is the end of its name."""
    for end, unit, text in _UNITS:
        if name.endswith(end):
            return [(_label(name.removesuffix(unit)), UNKNOWN if value is None else text(value, now))]
    if isinstance(value, tuple):
        return _listed(_label(name), value, now)
    return [(_label(name), _plain(value))]


def _label(name: str) -> str:
    return _LABELS.get(name, name).replace("_", " ")


def _listed(label: str, values: tuple[Any, ...], now: float) -> list[tuple[str, str]]:
    if not values:
        return [(label or "counts", "none")]
    return [row for value in values for row in _item(label, value, now)]


def _item(label: str, value: Any, now: float) -> list[tuple[str, str]]:
    if isinstance(value, ObjectCount):
        counts = f"{_plain(value.target)} of {_plain(value.source)}" + (", moved at the end" if value.at_end else "")
        return [(f"{label} {value.type}".strip(), counts)]
    if isinstance(value, Compared):
        rest = (one.name for one in fields(value) if one.name != "type")
        return [(f"{value.type} {name}", text) for one in rest for name, text in rows_of(one, getattr(value, one), now)]
    key, told = value
    if label == "newest":
        return [(f"{label} {key}", _moment(told, now))]
    return [(f"{label} {key}", _percent(told, now) if label == "stages" else _plain(told))]


def _plain(value: Any) -> str:
    if value is None:
        return UNKNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, frozenset):
        return ", ".join(sorted(value)) or "none"
    return _number(value) if isinstance(value, float) else str(value)


def _number(value: float) -> str:
    return f"{value:.10g}"  # nothing that is almost 100 % is shown as 100 %


def _moment(at: float, now: float) -> str:
    written = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
    away = duration_text(round(abs(now - at)))
    return f"{written}, {away} ago" if at <= now else f"{written}, in {away}"


def _percent(ratio: float, _now: float) -> str:
    return f"{_number(ratio * 100)} %"


def _seconds(seconds: float, _now: float) -> str:
    return f"{_number(seconds)} s" if seconds < 120 else duration_text(round(seconds))  # noqa: PLR2004


def _size(size: float, _now: float) -> str:
    unit = 0
    while size >= 1024 and unit < len(_BYTES) - 1:  # noqa: PLR2004
        size, unit = size / 1024, unit + 1
    return f"{size:.4g} {_BYTES[unit]}"


_LABELS = {"full": "full_load", "full_remaining": "full_load_remaining", "counts": ""}
_UNITS: tuple[tuple[str, str, Callable[[Any, float], str]], ...] = (
    ("_bytes_per_second", "_per_second", lambda rate, now: f"{_size(rate, now)}/s"),
    ("_per_second", "_per_second", lambda rate, _: f"{_number(rate)}/s"),
    ("_seconds", "_seconds", _seconds),
    ("_bytes", "_bytes", _size),
    ("_ratio", "_ratio", _percent),
    ("_at", "_at", _moment),
    ("_up", "_up", lambda up, _: "up" if up else "down"),
)
"""End of a field's name, what of it the text repeats, and how."""
