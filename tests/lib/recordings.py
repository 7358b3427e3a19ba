"""Samples that a run in virtual time exposes, recorded as Prometheus would, for unit tests of the rules."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from tests.lib.daemon import Scrape

_JOB = "drs-exporter"


class Recording:
    """The samples of some families, a minute apart.

    Args:
        names: of the families.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = tuple(names)
        self._series: dict[str, dict[int, float]] = {}
        self._minutes = 0

    def scrape(self, minute: int, page: Scrape, instance: str = "exporter.test:10826") -> None:
        """Record a page of a target at a minute after the start of the recording; other minutes are missing."""
        self._minutes = minute + 1
        target = {"job": _JOB, "instance": instance}
        for name in self._names:
            for labels, value in page.samples(name):
                pairs = ",".join(f'{key}="{text}"' for key, text in sorted({**labels, **target}.items()))
                self._series.setdefault(f"{name}{{{pairs}}}", {})[minute] = value

    def input_series(self) -> list[dict[str, str]]:
        """The series as promtool reads them; one without a sample at a minute has ended there, as in Prometheus."""
        return [{"series": name, "values": self._values(samples)} for name, samples in self._series.items()]

    def _values(self, samples: dict[int, float]) -> str:
        texts: list[str] = []
        for minute in range(self._minutes):
            missing = "stale" if minute - 1 in samples else "_"
            texts.append(f"{samples[minute]:.15g}" if minute in samples else missing)
        runs = [(text, len(list(run))) for text, run in groupby(texts)]
        return " ".join(_run(text, count) for text, count in runs)


def _run(text: str, count: int) -> str:
    if text == "stale" or (count == 1 and text != "_"):
        return text
    return f"_x{count}" if text == "_" else f"{text}x{count - 1}"


def unit_tests(recording: Recording, cases: list[dict[str, Any]], groups: list[str]) -> dict[str, Any]:
    """A file of unit tests for promtool: what the rules make of a recording."""
    return {
        "rule_files": ["../drs-*.yml"],
        "evaluation_interval": "1m",
        "group_eval_order": groups,
        "tests": [{"interval": "1m", "input_series": recording.input_series(), "alert_rule_test": cases}],
    }
