"""The document that the command `report` reads, and prints with --output=json. Its text has no control characters."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from exporter.commands.documents import Document, Figure, InProject, Shown, Time

_MOST_TASKS = 10_000
Sample = Annotated[list[Figure], Field(min_length=2, max_length=2)]
"""Unix time and value."""


class Period(Document):
    """A stretch of time."""

    start_timestamp_seconds: Time
    end_timestamp_seconds: Time


class PhaseSpan(Period):
    """A phase; None: not known."""

    phase: Shown | None
    began_observed: bool
    end_observed: bool


class ReadySpan(Period):
    """A time in which a task was ready; it may have begun before if that was not observed."""

    began_observed: bool


class FullLoadRow(Document):
    """The full load of a task."""

    started_timestamp_seconds: Time | None
    ended_timestamp_seconds: Time | None
    seconds: Figure | None
    by_cloud: bool
    ratio: Figure | None


class FindingRow(Document):
    """The newest finished comparison of a type."""

    type: Shown
    result: Shown
    timestamp_seconds: Time | None


class ChangeRow(Document):
    """A change of a task or a project."""

    at_timestamp_seconds: Time
    sentence: Shown
    incident: bool


class ReportedTask(InProject):
    """What happened to one task of a wave."""

    task_id: Shown
    task_name: Shown
    names_before: list[Shown]
    state: Shown
    phase: Shown | None
    engine_type: Shown | None
    source_type: Shown | None
    target_type: Shown | None
    cutover_blockers: list[Shown] | None
    phases: list[PhaseSpan]
    ready: list[ReadySpan]
    delay_at_ready_seconds: Figure | None
    delay_max_seconds: Figure | None
    delay_max_timestamp_seconds: Time | None
    delay_step_seconds: Figure
    delay: list[Sample]
    full_load: FullLoadRow
    comparisons: list[FindingRow]
    failures: int
    retries: int
    ended_timestamp_seconds: Time | None
    ended_observed: bool
    never_checked: list[Shown] | None
    events: list[ChangeRow]


class Totals(Document):
    """Counts over all tasks of a wave."""

    tasks: int
    states: dict[Shown, int]
    all_ready_timestamp_seconds: Time | None
    all_ready_observed: bool
    failed: int
    retried: int
    incidents: int


class Report(Document):
    """What happened to the tasks of a wave."""

    now_timestamp_seconds: Time
    version: Shown
    name: Shown
    stage: Shown
    from_timestamp_seconds: Time | None
    until_timestamp_seconds: Time | None
    expected: int | None
    ready: bool | None
    ready_since_timestamp_seconds: Time | None
    missing_ids: list[Shown]
    stored: bool
    live: bool
    start_timestamp_seconds: Time
    end_timestamp_seconds: Time
    step_seconds: Figure
    runs: list[Period]
    gaps: list[Period]
    totals: Totals
    events: list[ChangeRow]
    tasks: list[ReportedTask] = Field(max_length=_MOST_TASKS)

    @model_validator(mode="after")
    def _check_times(self) -> Self:
        if self.end_timestamp_seconds <= self.start_timestamp_seconds:
            raise ValueError("the end is not after the start")
        return self
