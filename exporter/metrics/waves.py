"""The families of waves, without labels of projects, and their samples."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from exporter.metrics.family import WAVE_LABELS, Family, Samples, gauge, single
from exporter.model.waves import WaveState, WaveStatus

if TYPE_CHECKING:
    from exporter.metrics.exposition import Exposition


def _tasks(wave: WaveStatus) -> Samples:
    return tuple(((state,), count) for state, count in wave.counts.items()) if wave.polled else ()


WAVE_FAMILIES: tuple[Family[WaveStatus], ...] = (
    Family(
        "drs_wave_tasks",
        "Members of a running wave, by state. unknown: the status is too old, the task disappeared without a proof of "
        "its deletion, a listed id was not found, or there is no verdict yet. Absent before the first poll.",
        ("counts",),
        _tasks,
        ("state",),
        words=tuple(WaveState),
    ),
    gauge(
        "drs_wave_expected_tasks",
        "The setting expected of a running wave; absent without one. Each shard shows it.",
        "expected",
    ),
    Family(
        "drs_wave_ready",
        "1: at least one member of a running wave is ready, none is blocked, failed or unknown, ready and ended ones "
        "are as many as expected, and the lists are complete. Absent with shards, and before the first poll.",
        ("ready",),
        single(lambda wave: None if wave.ready is None else float(wave.ready)),
    ),
)


class WaveSamples:
    """The samples of the waves that run.

    Args:
        exposition: takes the samples.
    """

    def __init__(self, exposition: Exposition) -> None:
        self._exposition = exposition
        self._shown: set[tuple[str, str]] = set()

    def show(self, statuses: Iterable[WaveStatus]) -> None:
        """Replace the samples by those of these waves."""
        by_key = {("wave", status.name): status for status in statuses}
        for key in self._shown - by_key.keys():
            self._exposition.drop(key)
        self._shown = set(by_key)
        for key, status in by_key.items():
            self._exposition.set_labels(key, zip(WAVE_LABELS, (status.name,), strict=True))
            for family in WAVE_FAMILIES:
                self._exposition.put(key, family.name, family.samples(status))
