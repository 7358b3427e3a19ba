"""A task in one row, and as JSON."""

from __future__ import annotations

from typing import Any

import pytest

from exporter.metrics.tasks import TASK_FAMILIES
from exporter.model.facts import Progress, Recovery
from exporter.model.prediction import Predicted
from exporter.model.task import Identity, Listed, Task
from exporter.views.summary import phase_of, task_json

IDENTITY = Identity("acme", "eu-de", "shop", "id-1", "Task 1")


def task(status: str | None = "INCRE_TRANSFER_STARTED", **facts: Any) -> Task:
    return Task(IDENTITY, listed=Listed("id-1", "Task 1", status, "sync") if status else None, **facts)


def test_a_task_as_json() -> None:
    facts: dict[str, Any] = {
        "progress": Progress(full_ratio=0.5, delay_seconds=2.0, error_code="DRS.M1"),
        "recovery": Recovery(1.0, 2.0),
        "collected": (("progress", 5.0),),
        "predicted": Predicted(catch_up_seconds=4.0, delay_slope=-0.5),
        "blockers": (("phase", False), ("delay_high", True)),
        "unchecked": (("log_error", "ignored"),),
    }
    assert task_json(task(**facts)) == {
        "account": "acme",
        "region": "eu-de",
        "project": "shop",
        "task_id": "id-1",
        "task_name": "Task 1",
        "parent_id": None,
        "job_type": "sync",
        "engine_type": None,
        "task_type": None,
        "direction": None,
        "status": "INCRE_TRANSFER_STARTED",
        "phase": "incremental",
        "phase_changed_timestamp_seconds": None,
        "error_code": None,
        "full_progress_ratio": 0.5,
        "full_remaining_seconds": None,
        "incremental_delay_seconds": 2.0,
        "incremental_delay_slope": -0.5,
        "predicted_catch_up_seconds": 4.0,
        "predicted_full_load_end_timestamp_seconds": None,
        "rpo_seconds": 1.0,
        "rto_seconds": 2.0,
        "collected_timestamp_seconds": {"progress": 5.0},
        "cutover": "blocked",
        "cutover_blockers": ["delay_high"],
        "cutover_unchecked": {"log_error": "ignored"},
        "cutover_not_checked": "not checked: log (ignored by the settings)",
        "cutover_ready_since_timestamp_seconds": None,
        "caught_up": None,
    }


def test_a_failed_task_has_an_error_code_and_no_delay() -> None:
    failed = task_json(task("INCRE_TRANSFER_FAILED", progress=Progress(delay_seconds=2.0, error_code="DRS.M1")))
    assert (failed["error_code"], failed["incremental_delay_seconds"]) == ("DRS.M1", None)


@pytest.mark.parametrize(
    ("status", "remaining"), [("FULL_TRANSFER_STARTED", 9.0), ("FULL_TRANSFER_FAILED", None), ("PAUSING", None)]
)
def test_only_a_load_that_runs_has_a_remaining_time(status: str, remaining: float | None) -> None:
    progress = Progress(full_ratio=0.5, full_remaining_seconds=9.0)
    loading = task(status, progress=progress)
    assert task_json(loading)["full_remaining_seconds"] == remaining
    (family,) = (family for family in TASK_FAMILIES if family.name == "drs_task_full_remaining_seconds")
    assert dict(family.samples(loading)) == ({} if remaining is None else {(): remaining})


def test_unknown_values_are_null() -> None:
    document = task_json(task(None))
    known = {"account", "region", "project", "task_id", "task_name", "phase", "collected_timestamp_seconds"}
    assert {name for name, value in document.items() if value is not None} == known
    assert (document["phase"], phase_of(task(None))) == ("unknown", "unknown")
