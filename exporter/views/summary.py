"""A task in one row, and as JSON: what the status page, the API and the command `tasks` show."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from exporter.model.facts import CollectorFacts
from exporter.model.task import Project, Task
from exporter.model.task_lists import ListFacts
from exporter.views.cutover import BLOCKED, READY, unchecked_of
from exporter.views.text import UNKNOWN


def phase_of(task: Task) -> str:
    """The phase, one of `WORST_FIRST` in views/order.py."""
    return task.phase.value if task.phase else UNKNOWN


def full_ratio_of(task: Task) -> float | None:
    """The completed part of the full load."""
    return task.progress.full_ratio if task.progress else None


def read_at(task: Task) -> float | None:
    """The time of the last successful poll of the progress."""
    return dict(task.collected).get("progress")


def blockers_of(task: Task) -> list[str] | None:
    """The reasons that block the cut-over; None if there is no verdict."""
    return None if task.blockers is None else [reason for reason, blocks in task.blockers if blocks]


def cutover_of(task: Task) -> str | None:
    """Return `READY`, `BLOCKED`, or None if there is no verdict, or nothing blocks a subtask: its parent is ready."""
    return READY if task.ready else BLOCKED if blockers_of(task) else None


def comparison_of(task: Task) -> tuple[str, float | None] | None:
    """Return the result of the newest finished comparisons, and when the oldest of them ended; None without any."""
    judged = task.comparison.judged if task.comparison else ()
    if not judged:
        return None
    word = "different" if any(compared.consistent is False for compared in judged) else "equal"
    return word, min((compared.finished_at for compared in judged if compared.finished_at is not None), default=None)


def task_json(task: Task) -> dict[str, Any]:
    """A task; unknown values are null."""
    return {
        **{field.name: getattr(task.identity, field.name) for field in fields(task.identity)},
        **_fields_of(task.listed, "job_type", "engine_type", "task_type", "direction", "status"),
        "phase": phase_of(task),
        "phase_changed_timestamp_seconds": task.history.phase_changed_at,
        "error_code": task.failure_code,
        "full_progress_ratio": full_ratio_of(task),
        "full_remaining_seconds": task.full_remaining_seconds,
        "incremental_delay_seconds": task.delay_seconds,
        "incremental_delay_slope": task.predicted.delay_slope,
        "predicted_catch_up_seconds": task.predicted.catch_up_seconds,
        "predicted_full_load_end_timestamp_seconds": task.predicted.full_load_end_at,
        **_fields_of(task.recovery_now, "rpo_seconds", "rto_seconds"),
        "collected_timestamp_seconds": dict(task.collected),
        "cutover": cutover_of(task),
        "cutover_blockers": blockers_of(task),
        "cutover_unchecked": None if task.blockers is None else dict(task.unchecked),
        "cutover_not_checked": unchecked_of(task) or None,
        "cutover_ready_since_timestamp_seconds": task.ready_since,
        "caught_up": task.caught_up,
    }


def _fields_of(facts: object, *names: str) -> dict[str, Any]:
    """Return these fields of facts; they are null without these facts."""
    return {name: getattr(facts, name, None) for name in names}


def project_json(project: Project) -> dict[str, Any]:
    """A project without its tasks; unknown values are null."""
    return {
        **_fields_of(project, "account", "region", "project", "up"),
        "lists": [_list_json(*key, facts) for key, facts in project.lists.items()],
        "collectors": {name: _collector_json(facts) for name, facts in project.collectors.items()},
        "clock_skew_seconds": project.access.clock_skew_seconds,
        "credentials_expire_timestamp_seconds": project.access.credentials_expire_at,
    }


def _list_json(api: str, job_type: str, facts: ListFacts) -> dict[str, Any]:
    return {
        "api": api,
        "job_type": job_type,
        **_fields_of(facts, "success", "tasks", "complete"),
        "incomplete_because": facts.gap,
        "incomplete_since_timestamp_seconds": facts.incomplete_since,
    }


def _collector_json(facts: CollectorFacts) -> dict[str, Any]:
    return {
        **_fields_of(facts, "success", "duration_seconds"),
        "last_success_timestamp_seconds": facts.last_success_at,
        **_fields_of(facts, "interval_seconds", "oldest_seconds", "max_age_seconds"),
    }
