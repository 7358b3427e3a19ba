"""Unit tests of the rules in other topologies than one exporter, derived from those in deploy/prometheus/tests."""

from __future__ import annotations

import json
import re
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

Test = dict[str, Any]
Labels = dict[str, str]

_SHARDS = 3
_SHARD_INFO, _OVERRUNS = "drs_exporter_shard_info", "drs_exporter_poll_overruns_total"
_OF_ONE_SHARD = re.compile(r"drs_(tasks|quota_\w+|async_\w+)$")
"""Families of a project that one shard exposes for all."""
_BLIND = {
    _SHARD_INFO: 1,
    _OVERRUNS: 0,
    "drs_up": 0,
    "drs_exporter_collector_success": 0,
    "drs_exporter_collector_last_success_timestamp_seconds": 0,
    "drs_task_cutover_ready": 0,
    "drs_task_cutover_unchecked": 1,
    "drs_wave_ready": 0,
    "drs_wave_tasks": 0,
}
"""What an exporter exposes that cannot read its projects."""


class Series(NamedTuple):
    """A series of a unit test, with each of its samples."""

    name: str
    labels: Labels
    samples: list[str]

    def at(self, **target: str) -> Series:
        """Return the same series of another target."""
        return self._replace(labels={**self.labels, **target})

    def with_value(self, value: int) -> Series:
        """Return a series that has this value whenever this one has any."""
        return self._replace(samples=[each if each in {"_", "stale"} else str(value) for each in self.samples])


def replicated_shards(test: Test) -> None:
    """Divide the tasks among three shards, and add for each a replica that starts late, one that cannot read the cloud,
    and a second job that scrapes it. Targets have labels, and are scraped every 15 seconds.
    """
    resample(test, 15)
    of_test = _complete(_series(test))
    sharded = [_in_shard(series, shard) for series in of_test for shard in _shards_of(series)]
    _write(test, (copy for series in (of_test if _has_shards(of_test) else sharded) for copy in _copies(series)))


def fires_at_two_minutes(test: Test) -> None:
    """Scrape every two minutes, and expect each alert that fires in the test at any time, up to four minutes later."""
    resample(test, 120)
    cases = [case for case in test.pop("alert_rule_test") if case["exp_alerts"]]
    last = max((seconds(case["eval_time"]) for case in cases), default=0)
    test["promql_expr_test"] = [
        {
            "expr": f'max by (alertname) (max_over_time(ALERTS{{alertname="{name}", alertstate="firing"}}[10d]))',
            "eval_time": f"{last + 240}s",
            "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1}],
        }
        for name in {case["alertname"] for case in cases}
    ]


def derived(path: Path, topology: Callable[[Test], None]) -> str:
    """Return a file of unit tests for another topology. Of alerts, only labels are expected."""
    tests = yaml.load(path.read_text(), yaml.CBaseLoader)  # noqa: S506 - creates strings only; 0x9 is no number here
    for test in tests["tests"]:
        for case in test["alert_rule_test"]:
            for alert in case["exp_alerts"]:
                alert.pop("exp_annotations", None)
        topology(test)
    tests["tests"] = [test for test in tests["tests"] if test.get("alert_rule_test") or test.get("promql_expr_test")]
    return json.dumps(tests)


def resample(test: Test, to: int) -> None:
    """Change the interval of the scrapes of a test. Intervals over a minute are kept: their tests leave scrapes out."""
    interval = seconds(test["interval"])
    if interval > 60:
        return
    test["interval"] = f"{to}s"
    for series in test["input_series"]:
        series["values"] = " ".join(_resampled(_expanded(series["values"]), to / interval))


def _copies(series: Series) -> Iterator[Series]:
    instance = series.labels["instance"]
    named = {"pod": instance, "replica": instance, "host": instance, "cluster": "c"}
    yield series.at(**named)
    late = series.at(instance=f"{instance} late", **{**named, "host": "late", "pod": "late", "replica": "late"})
    yield late._replace(samples=["_"] * (len(series.samples) // 3) + series.samples[len(series.samples) // 3 :])
    yield series.at(job="second job", host="again")
    if series.name in _BLIND:
        value = 3 if series.labels.get("state") == "unknown" else _BLIND[series.name]
        yield series.at(instance=f"{instance} blind", **{**named, "host": "blind"}).with_value(value)


def _has_shards(of_test: list[Series]) -> bool:
    """Return whether a test has shards, or counts of waves, of which each shard has its own."""
    return any(series.labels.get("shards", "1") != "1" or series.name == "drs_wave_tasks" for series in of_test)


def _in_shard(series: Series, shard: int) -> Series:
    named = {"shard": f"{shard}", "shards": f"{_SHARDS}"} if series.name == _SHARD_INFO else {}
    return series.at(instance=f"{series.labels['instance']} {shard}", **named)


def _complete(of_test: list[Series]) -> list[Series]:
    """Add what each exporter exposes: its shard, and of each of its projects whether it can be read."""
    names = {series.name for series in of_test}
    projects = {_project(series) for series in of_test if "project" in series.labels}
    if "drs_wave_tasks" in names:
        projects = projects or {frozenset({("project", "of the wave")})}
    always = ["1"] * _length(of_test)
    added = [
        Series(name, {**exporter, **dict(project), **more}, always)
        for name, more in ((_OVERRUNS, {"collector": "tasks"}), ("drs_up", {}))
        if name not in names
        for exporter, project in product(_exporters(of_test), projects)
    ]
    if _SHARD_INFO not in names:
        added += [
            Series(_SHARD_INFO, {**exporter, "shard": "0", "shards": "1"}, always) for exporter in _exporters(of_test)
        ]
    return [*of_test, *added]


def _series(test: Test) -> list[Series]:
    found = []
    for series in test["input_series"]:
        name, _, text = series["series"].partition("{")
        labels = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', text))
        found.append(Series(name, {"job": "drs", "instance": "only", **labels}, _expanded(series["values"])))
    return found


def _write(test: Test, of_test: Iterable[Series]) -> None:
    test["input_series"] = [
        {"series": f"{series.name}{{{_written(series.labels)}}}", "values": " ".join(series.samples)}
        for series in of_test
    ]


def _written(labels: Labels) -> str:
    return ", ".join(f'{name}="{value}"' for name, value in labels.items())


def _exporters(of_test: Iterable[Series]) -> list[Labels]:
    """Return the labels job and instance of each exporter of a test."""
    found = {(series.labels["job"], series.labels["instance"]) for series in of_test}
    return [{"job": job, "instance": instance} for job, instance in sorted(found)]


def _project(series: Series) -> frozenset[tuple[str, str]]:
    return frozenset((label, series.labels.get(label, "")) for label in ("account", "region", "project"))


def _length(of_test: Iterable[Series]) -> int:
    return max(len(series.samples) for series in of_test)


def _shards_of(series: Series) -> Iterable[int]:
    root = series.labels.get("parent_id", series.labels.get("task_id"))
    if root is not None:
        return [sum(root.encode()) % _SHARDS]
    return [1] if _OF_ONE_SHARD.match(series.name) else range(_SHARDS)


def seconds(duration: str) -> int:
    """Return the seconds of a duration such as `1h30m`."""
    return sum(
        int(number) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[unit]
        for number, unit in re.findall(r"(\d+)([smhd])", duration)
    )


def _expanded(values: str) -> list[str]:
    """Return each sample of the notation of promtool: `1+2x3` are 1, 3, 5 and 7, `_x2` are two gaps."""
    samples: list[str] = []
    for token in values.split():
        found = re.fullmatch(r"(_|-?[\d.]+(?:e\d+)?)(?:([+-][\d.]+))?x(\d+)", token)
        if found is None:
            samples.append(token)
        elif found[1] == "_":
            samples += ["_"] * int(found[3])
        else:
            samples += [f"{float(found[1]) + n * float(found[2] or 0):.15g}" for n in range(int(found[3]) + 1)]
    return samples


def _resampled(samples: list[str], step: float) -> Iterator[str]:
    """Yield the samples that scrapes at another interval see. The end of a series is not lost between two of them."""
    before = 0
    for scrape in range(round(len(samples) / step)):
        now = int(scrape * step) + 1
        between = [sample for sample in samples[before:now] if sample != "_"]
        yield "stale" if between[-1:] == ["stale"] else samples[now - 1]
        before = now
