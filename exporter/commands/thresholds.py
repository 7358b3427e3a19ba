"""The thresholds of alerts that `drs-exporter rules --set` changes, and where the shipped rules contain them."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from typing import NamedTuple

from pydantic import TypeAdapter, ValidationError

from exporter.config import Duration

_HELP_WIDTH, _NAME_WIDTH = 80, 24
_LEAST_WINDOW_SECONDS = 600
"""A shorter window would not be longer than the gap in scrapes that its rules allow."""
_UNITS = {"d": ("day", 86_400), "h": ("hour", 3600), "m": ("minute", 60), "s": ("second", 1)}
_RATIO = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?)(%?)", re.ASCII)
_SECONDS: TypeAdapter[float] = TypeAdapter(Duration)
_WINDOW = ("offset {duration}", "[{duration}]", "{words}")


class Threshold(NamedTuple):
    """A value in the rules that a site may change.

    Attributes:
        default: as a user writes it: a duration, or a share in percent.
        meaning: for the help.
        alerts: the alerts that depend on it.
        texts: the texts that contain it, by rule: the alert with its reason, or the recorded name. `{seconds}`,
            `{duration}`, `{words}` and `{ratio}` stand for the value.
    """

    default: str
    meaning: str
    alerts: tuple[str, ...]
    texts: Mapping[str, tuple[str, ...]]


def _of_alert(default: str, meaning: str, title: str, *texts: str) -> Threshold:
    return Threshold(default, meaning, (title.partition(" ")[0],), {title: texts})


THRESHOLDS: Mapping[str, Threshold] = {
    "delay": Threshold(
        "5m",
        "delay of a task whose alarm in the cloud has no threshold",
        ("DrsTaskDelayHigh", "DrsTaskDelayGrowing"),
        {"drs:task_delay_limit_seconds": ("+ {seconds}",)},
    ),
    "recovery-point": Threshold(
        "1m",
        "recovery point of a DR task whose alarm in the cloud has no threshold",
        ("DrsRpoObjectiveMissed",),
        {"drs:task_rpo_kept": ("<= bool {seconds}",)},
    ),
    "recovery-time": Threshold(
        "1m",
        "recovery time of a DR task whose alarm in the cloud has no threshold",
        ("DrsRtoObjectiveMissed",),
        {"drs:task_rto_kept": ("<= bool {seconds}",)},
    ),
    "delay-missing": _of_alert("15m", "time without any delay", "DrsTaskDelayMissing", *_WINDOW),
    "stale": Threshold(
        "5m",
        "age of a list or a progress, if it is also older than 3 intervals",
        ("DrsTaskStale",),
        {"DrsTaskStale list": ("> {seconds}",), "drs:task_progress_stale": ("<= {seconds}",)},
    ),
    "start-overdue": _of_alert("15m", "time since the scheduled start", "DrsTaskStartOverdue", "> {seconds}"),
    "stuck-creating": _of_alert("30m", "duration of a creation", "DrsTaskStuck creating", *_WINDOW),
    "stuck-starting": _of_alert("30m", "duration of a start", "DrsTaskStuck starting", *_WINDOW),
    "stuck-full": _of_alert("2h", "time without progress of a full load", "DrsTaskStuck full", *_WINDOW),
    "stuck-change": _of_alert("2h", "time without progress of a change", "DrsTaskStuck changing", *_WINDOW),
    "stuck-subtask": _of_alert("12h", "time without progress of a subtask's change", "DrsTaskStuck changing", *_WINDOW),
    "stuck-ending": _of_alert("1h", "duration of an end", "DrsTaskStuck ending", *_WINDOW),
    "paused": _of_alert("20h", "duration of a pause", "DrsTaskPausedLong", "> {seconds}", "{words}"),
    "configured": _of_alert("2d", "time without a start", "DrsTaskConfiguredLong", "> {seconds}"),
    "done": _of_alert("1d", "time since the end of a task that only loads", "DrsTaskDoneNotEnded", "> {seconds}"),
    "auto-stop": _of_alert("2d", "time before the cloud ends a failed task", "DrsTaskAutoStopNear", "< {seconds}"),
    "order-expiry": _of_alert("7d", "time before an order ends", "DrsTaskOrderExpiryNear", "< {seconds}"),
    "node-cpu": _of_alert("90%", "CPU usage of a node", "DrsNodeCpuHigh", "> {ratio}"),
    "node-memory": _of_alert("90%", "memory usage of a node", "DrsNodeMemoryHigh", "> {ratio}"),
    "node-disk": _of_alert("85%", "disk usage of a node", "DrsNodeDiskNearFull", "> {ratio}"),
    "clock-skew": Threshold(
        "1m",
        "difference of the exporter's clock from that of the cloud or of Prometheus",
        ("DrsClockSkew",),
        {"DrsClockSkew cloud": ("> {seconds}",), "DrsClockSkew prometheus": ("> {seconds}",)},
    ),
    "token-expiry": _of_alert(
        "1h", "time before the end of a token that another program renews", "DrsCredentialsExpiring", "< {seconds}"
    ),
    "shard-change": Threshold(
        "15m",
        "time that a change of the number of shards may take",
        ("DrsShardMissing", "DrsShardMismatch"),
        {"DrsShardMissing": ("offset {duration}",), "DrsShardMismatch": ("offset {duration}", "{words}")},
    ),
    "quota": _of_alert("90%", "usage of a quota", "DrsQuotaNear", "> {ratio}"),
}
"""By the name that users write."""


def threshold_value(name: str, text: str) -> float:
    """Return the value of a threshold in seconds or as a ratio; raises ValueError."""
    threshold = THRESHOLDS[name]
    if threshold.default.endswith("%"):
        return _ratio(text)
    try:
        seconds = _SECONDS.validate_python(text)
    except ValidationError:
        raise ValueError("expected a duration such as 90s, 5m or 2h") from None
    if seconds % 1:
        raise ValueError("expected whole seconds")
    if seconds < _LEAST_WINDOW_SECONDS and any(_WINDOW[0] in texts for texts in threshold.texts.values()):
        raise ValueError("must be at least 10m")
    return seconds


def replaced_texts(title: str, values: Mapping[str, float]) -> dict[str, str]:
    """Return each text with a threshold in a rule, and the text that replaces it.

    Args:
        title: the alert with its reason, or the recorded name.
        values: the thresholds that are set; the others keep their defaults.
    """
    replaced: dict[str, str] = {}
    for name, threshold in THRESHOLDS.items():
        if templates := threshold.texts.get(title):
            default = threshold_value(name, threshold.default)
            old, new = _forms(default), _forms(values.get(name, default))
            replaced |= {template.format(**old): template.format(**new) for template in templates}
    return replaced


def thresholds_help() -> str:
    """Return the thresholds with their defaults and alerts, for the help."""
    lines = ["Thresholds, with their defaults:"]
    for name, threshold in THRESHOLDS.items():
        text = f"{threshold.meaning} ({', '.join(threshold.alerts)})"
        first = f"  {name}={threshold.default}".ljust(_NAME_WIDTH)
        lines.append(textwrap.fill(text, _HELP_WIDTH, initial_indent=first, subsequent_indent=" " * _NAME_WIDTH))
    return "\n".join(lines) + "\n"


def _ratio(text: str) -> float:
    found = _RATIO.fullmatch(text)
    value = float(found[1]) / (100 if found[2] else 1) if found else 0
    if not 0 < value <= 1:
        raise ValueError("expected a share such as 90% or 0.9")
    return value


def _forms(value: float) -> dict[str, str]:
    """Return a threshold in each form in which rules contain it."""
    unit, size = next(((unit, size) for unit, (_, size) in _UNITS.items() if value % size == 0), ("s", 1))
    count = round(value / size)
    product = f"{count} * {size}" if unit in "dh" and count > 1 else f"{value:.0f}"
    return {
        "seconds": product,
        "duration": f"{count}{unit}",
        "words": f"{count} {_UNITS[unit][0]}{'' if count == 1 else 's'}",
        "ratio": f"{value:g}",
    }
