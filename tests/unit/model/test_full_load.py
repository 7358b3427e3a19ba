"""The full load of a task of a wave: by the cloud, or else by the changes of the phase."""

from __future__ import annotations

from typing import Any

import pytest

from exporter.model.details import Detail
from exporter.model.events import Kind
from exporter.model.facts import Objects
from exporter.model.task import Phase
from exporter.model.task_record import FullLoad
from tests.lib.reports import HOUR, RESTARTED, START, event, exposed, moved, points, recorded, task_record


@pytest.mark.parametrize(
    ("facts", "load"),
    [
        ({"objects": Objects(started_at=10.0, full_completed_at=40.0)}, FullLoad(10.0, 40.0, by_cloud=True)),
        (
            {"objects": Objects(started_at=10.0), "detail": Detail(full_completed_at=50.0)},
            FullLoad(10.0, 50.0, by_cloud=True),
        ),
        ({"objects": Objects(started_at=60.0, full_completed_at=40.0)}, FullLoad()),
        ({"objects": Objects(started_at=60.0)}, FullLoad(60.0)),
        ({}, FullLoad()),
    ],
    ids=["by the cloud", "end in the details", "end before the start", "still loads", "unknown"],
)
def test_the_full_load_by_the_cloud(facts: dict[str, Any], load: FullLoad) -> None:
    assert task_record(task=exposed(**facts)).full_load == load


def test_the_full_load_by_the_changes_of_the_phase() -> None:
    load = moved("a", "a", recorded()).full_load
    assert load == FullLoad(START + 0.1 * HOUR, START + 2 * HOUR, by_cloud=False)


def test_a_full_load_that_failed_and_was_retried_lasts_from_its_first_start_to_its_end() -> None:
    events = [
        event(1, Kind.PHASE_CHANGED, phase_before="preparing", phase="full"),
        event(2, Kind.FAILED, phase_before="full"),
        event(3, Kind.PHASE_CHANGED, phase_before="failed", phase="full"),
        event(4, Kind.PHASE_CHANGED, phase_before="full", phase="incremental"),
    ]
    assert task_record(events=events).full_load == FullLoad(START + HOUR, START + 4 * HOUR)


def test_a_full_load_without_an_observed_start_has_an_end() -> None:
    events = [event(4, Kind.PHASE_CHANGED, phase_before="full", phase="incremental")]
    assert task_record(events=events).full_load == FullLoad(None, START + 4 * HOUR)


@pytest.mark.parametrize(
    ("ratio", "end"), [(0.5, None), (1.0, START + 4 * HOUR), (0.0, START + 4 * HOUR), (None, START + 4 * HOUR)]
)
def test_a_full_load_that_was_stopped_has_no_end(ratio: float | None, end: float | None) -> None:
    events = [
        event(1, Kind.PHASE_CHANGED, phase_before="preparing", phase="full"),
        event(4, Kind.ENDED, phase_before="full"),
    ]
    history = [point._replace(full_progress_ratio=ratio) for point in points(1, 4, Phase.FULL)]
    assert task_record(events=events, history=history).full_load == FullLoad(START + HOUR, end)


@pytest.mark.parametrize(
    ("change", "objects"),
    [
        (("full", "incremental"), Objects(started_at=START + 2 * HOUR)),
        (("preparing", "full"), Objects(full_completed_at=START)),
    ],
    ids=["loaded again", "from a load before"],
)
def test_a_full_load_that_ends_before_it_begins_is_not_known(change: tuple[str, str], objects: Objects) -> None:
    before, after = change
    events = [event(1, Kind.PHASE_CHANGED, phase_before=before, phase=after)]
    assert task_record(events=events, task=exposed(objects=objects)).full_load == FullLoad()


def test_the_progress_of_the_full_load_is_the_newest_known_one() -> None:
    history = [point._replace(full_progress_ratio=0.5) for point in points(0, 1, Phase.FULL)]
    assert task_record(history=[*history, *points(1, 2, Phase.FAILED)]).full_ratio == 0.5
    assert task_record().full_ratio is None


def test_a_full_load_that_ended_while_the_exporter_was_down_has_no_end() -> None:
    events = [
        event(1, Kind.PHASE_CHANGED, phase_before="preparing", phase="full"),
        event(3.01, Kind.PHASE_CHANGED, phase_before="full", phase="incremental", unobserved="true"),
    ]
    assert task_record(events=events, at=RESTARTED).full_load == FullLoad(START + HOUR)


def test_a_full_load_that_ended_soon_after_a_start_has_an_end() -> None:
    events = [event(3.01, Kind.PHASE_CHANGED, phase_before="full", phase="incremental")]
    assert task_record(events=events, at=RESTARTED).full_load == FullLoad(None, START + 3.01 * HOUR)
