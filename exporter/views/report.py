"""The report of a wave as JSON: what /api/v1/waves/NAME/report returns, and what the command `report` reads."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from importlib.metadata import version
from typing import Any

from exporter.model.events import Event
from exporter.model.member_facts import Finding
from exporter.model.spans import Period, Span, observed
from exporter.model.task_record import TaskRecord, is_incident
from exporter.model.wave_record import WaveRecord
from exporter.model.waves import WaveMember, WaveState, WaveStatus
from exporter.views.events import event_json, sentence
from exporter.views.summary import blockers_of
from exporter.views.text import moment

_MOST_DELAYS = 300
"""The most points of the plot of a delay."""


def report_json(record: WaveRecord) -> dict[str, Any]:
    """Return the document of a report; unknown values are null."""
    status, recorded = record.status, record.recorded
    start, end = recorded.window
    return {
        "now_timestamp_seconds": recorded.now,
        "version": version("drs-exporter"),
        "name": status.name,
        "stage": status.stage,
        "from_timestamp_seconds": status.starts_at,
        "until_timestamp_seconds": status.ends_at,
        "expected": status.expected,
        "ready": status.ready,
        "ready_since_timestamp_seconds": status.ready_since,
        "missing_ids": list(status.missing_ids),
        "stored": record.stored,
        "live": record.live,
        "start_timestamp_seconds": start,
        "end_timestamp_seconds": end,
        "step_seconds": recorded.step,
        "runs": [_period(run) for run in recorded.runs if run.within(recorded.window)],
        "gaps": [_period(gap) for gap in recorded.gaps],
        "totals": _totals(record),
        "events": [_event(event, incident=is_incident(event)) for event in record.events],
        "tasks": [_task(member, task) for member, task in record.tasks],
    }


def not_begun(status: WaveStatus) -> str:
    """Return why a wave that is planned has no report, as a sentence."""
    at = "later" if status.starts_at is None else f"at {moment(status.starts_at)}"
    return f"The wave begins {at}: there is nothing to report."


def _totals(record: WaveRecord) -> dict[str, Any]:
    tasks = [task for _, task in record.tasks]
    return {
        "tasks": len(tasks),
        "states": {state: sum(member.state is state for member, _ in record.tasks) for state in WaveState},
        "all_ready_timestamp_seconds": record.all_ready_at,
        "all_ready_observed": record.all_ready_observed,
        "failed": sum(task.failures > 0 or member.state is WaveState.FAILED for member, task in record.tasks),
        "retried": sum(task.retries > 0 for task in tasks),
        "incidents": record.incidents,
    }


def _task(member: WaveMember, record: TaskRecord) -> dict[str, Any]:
    task, facts = record.task, record.facts
    return {
        **record.key._asdict(),
        "task_id": record.task_id,
        "task_name": record.task_name,
        "names_before": record.names_before,
        "state": member.state,
        "phase": record.last_phase,
        "engine_type": facts.engine_type,
        "source_type": facts.source_type,
        "target_type": facts.target_type,
        "cutover_blockers": blockers_of(task) if task else None,
        "phases": [{"phase": span.value, **each} for span, each in _spans(record.phases, record.phase_changes)],
        **_readiness(record),
        **_delay(record),
        "full_load": _full_load(record),
        "comparisons": [_finding(found) for found in record.comparisons],
        "failures": record.failures,
        "retries": record.retries,
        "ended_timestamp_seconds": record.ended_at,
        "ended_observed": record.ended_observed,
        "never_checked": record.never_checked,
        "events": [_event(event, incident=incident) for event, incident in record.shown],
    }


def _spans(spans: Sequence[Span[Any]], changes: Collection[float]) -> list[tuple[Span[Any], dict[str, Any]]]:
    """Return stretches of time, each with its JSON without the value."""
    return [
        (span, {**_period(span.period), "began_observed": began, "end_observed": ended})
        for span, (began, ended) in zip(spans, observed(spans, changes), strict=True)
    ]


def _readiness(record: TaskRecord) -> dict[str, Any]:
    return {
        "ready": [each for span, each in _spans(record.readiness, record.ready_changes) if span.value],
        "delay_at_ready_seconds": record.delay_at_ready,
    }


def _delay(record: TaskRecord) -> dict[str, Any]:
    at, most = max(record.delays, key=lambda item: item[1], default=(None, None))
    step = max(record.recorded.step, record.recorded.window.seconds / _MOST_DELAYS)
    return {
        "delay_max_seconds": most,
        "delay_max_timestamp_seconds": at,
        "delay_step_seconds": step,
        "delay": [list(item) for item in peaks(record.delays, step)],
    }


def peaks(values: Sequence[tuple[float, float]], step: float) -> list[tuple[float, float]]:
    """Return the largest value of each step, ascending, so that no peak is lost."""
    found: dict[int, tuple[float, float]] = {}
    for at, value in values:
        slot = int(at // step)
        if slot not in found or found[slot][1] < value:
            found[slot] = at, value
    return list(found.values())


def _full_load(record: TaskRecord) -> dict[str, Any]:
    load = record.full_load
    return {
        "started_timestamp_seconds": load.started_at,
        "ended_timestamp_seconds": load.ended_at,
        "seconds": load.seconds,
        "by_cloud": load.by_cloud,
        "ratio": record.full_ratio,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {"type": finding.type, "result": finding.result, "timestamp_seconds": finding.at}


def _event(event: Event, *, incident: bool) -> dict[str, Any]:
    return {**event_json(event), "sentence": sentence(event), "incident": incident}


def _period(period: Period) -> dict[str, float]:
    return {"start_timestamp_seconds": period.start, "end_timestamp_seconds": period.end}
