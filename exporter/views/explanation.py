"""The explanation of a task as JSON: what /api/v1/tasks/ID returns, and what the command `explain` prints."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

from exporter.config import TASKS
from exporter.model import cutover
from exporter.model.events import EventLog
from exporter.model.explanation import TaskExplanation
from exporter.model.task import Project, ProjectKey
from exporter.model.timeline import DAY, HOUR, Point, Timeline
from exporter.views.cutover import Judgement, reasons, verdict
from exporter.views.events import event_json, sentence
from exporter.views.plots import history
from exporter.views.state import conditions
from exporter.views.summary import task_json
from exporter.views.task import STATUS, Group, groups
from exporter.views.task_errors import meaning

_MOST_EVENTS = 100
"""/api/v1/events has all."""
_COLLECTORS = {reason.name: reason.collector for reason in cutover.REASONS}


def explanation_json(
    subject: TaskExplanation,
    subtasks: Sequence[TaskExplanation],
    project: Project,
    *,
    enabled: Callable[[str], bool],
    now: float,
    timeline: Timeline | None,
    log: EventLog,
) -> dict[str, Any]:
    """Return a task with its facts in words, and the reasons against its cut-over and against those of its subtasks.

    Args:
        subject: the task.
        subtasks: of the task, and theirs.
        project: shows why a fact is unknown, as `enabled` does.
        enabled: returns whether a collector is enabled.
        now: Unix time.
        timeline: the history of the task.
        log: contains the events of the task and its subtasks.
    """
    found = meaning(subject.task.failure_code)
    events = islice(log.find(task_id=subject.task.identity.task_id), _MOST_EVENTS)
    return {
        "now_timestamp_seconds": now,
        **_judged(subject),
        "error_meaning": found and found._asdict(),
        "state": [{"level": level.name.lower(), "text": text} for level, text in conditions(subject, now)],
        "facts": [_facts(group, subject) for group in groups(subject, project, enabled, now)],
        "subtasks": [_judged(part) for part in subtasks],
        "history": timeline and _history(timeline, now),
        "events": [{**event_json(event), "sentence": sentence(event)} for event in events],
        "events_since_timestamp_seconds": log.since(ProjectKey(project.account, project.region, project.project)),
    }


def _history(timeline: Timeline, now: float) -> dict[str, Any]:
    windows = {"hour": HOUR, "day": DAY}
    points = {name: [_point(point) for point in timeline.points(seconds)] for name, seconds in windows.items()}
    plots = history(timeline, now) if len(points["hour"]) > 1 else []
    if now - timeline.since <= HOUR:  # the points of the day are fewer, and so would contradict those of the hour
        plots = [(title, plot) for title, plot in plots if title.endswith("hour")]
    summaries = [{"name": title, "text": plot.summary} for title, plot in plots]
    return {"since_timestamp_seconds": timeline.since, **points, "summaries": summaries}


def _point(point: Point) -> dict[str, Any]:
    return {
        "at_timestamp_seconds": point.at,
        "incremental_delay_seconds": point.delay_seconds,
        "full_progress_ratio": point.full_progress_ratio,
        "rows_per_second": point.rows_per_second,
        "phase": point.phase,
        "ready": point.ready,
    }


def _judged(subject: TaskExplanation) -> dict[str, Any]:
    return {
        **task_json(subject.task),
        "cutover_verdict": verdict(subject),
        "cutover_reasons": [_reason(judgement, subject) for judgement in reasons(subject)],
    }


def _reason(judgement: Judgement, subject: TaskExplanation) -> dict[str, Any]:
    return {
        "reason": judgement.name,
        "blocks": judgement.blocks,
        "verdict": judgement.verdict,
        "fact": judgement.fact,
        "age": judgement.age,
        "age_seconds": subject.ages.get(_COLLECTORS[judgement.name]),
        "advice": judgement.advice,
    }


def _facts(group: Group, subject: TaskExplanation) -> dict[str, Any]:
    return {
        "group": group.title,
        "age": group.age,
        "age_seconds": None if group.age is None else subject.ages.get(TASKS if group.title == STATUS else group.title),
        "unknown": group.unknown,
        "values": [{"name": name, "text": text} for name, text in group.rows],
    }
