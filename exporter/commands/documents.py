"""The parts of the JSON documents that `tasks` and `explain` print. Their text has no control characters."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from exporter.model.task import ProjectKey
from exporter.runtime.escape import printable

Shown = Annotated[str, AfterValidator(printable)]
"""Text that a terminal can show: a document may be that of another program."""
Time = Annotated[float, Field(ge=0, lt=253_402_300_800)]
"""Unix time before the year 10000, which has a date."""
Figure = Annotated[float, Field(ge=-1e18, le=1e18)]
"""No more than an exporter reads from a cloud; the product of a larger one may be infinite."""


class Document(BaseModel):
    """Keys of a newer exporter are ignored; missing ones, or values of another type, are errors."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False, strict=True)


class InProject(Document):
    """What belongs to a project."""

    account: Shown
    region: Shown
    project: Shown

    @property
    def key(self) -> ProjectKey:
        return ProjectKey(self.account, self.region, self.project)


class Cells(Document):
    """What the page of a wave shows about a member."""

    cutover: Shown


class TaskRow(InProject):
    """A task in the list of all tasks."""

    task_id: Shown
    task_name: Shown
    parent_id: Shown | None
    phase: Shown
    full_progress_ratio: Figure | None
    full_remaining_seconds: Figure | None
    incremental_delay_seconds: Figure | None
    incremental_delay_slope: Figure | None
    predicted_catch_up_seconds: Figure | None
    predicted_full_load_end_timestamp_seconds: Time | None
    collected_timestamp_seconds: dict[Shown, Time]
    cutover: Shown | None
    cutover_blockers: list[Shown] | None
    cutover_not_checked: Shown | None
    cutover_ready_since_timestamp_seconds: Time | None
    cells: Cells | None = None
    """Only of a member of a wave."""


class TaskList(Document):
    """One list of a project."""

    api: Shown
    job_type: Shown
    incomplete_because: Shown | None


class CollectorRow(Document):
    """A collector of a project."""

    success: bool | None


class ProjectRow(InProject):
    """A project."""

    up: bool | None
    lists: list[TaskList]
    collectors: dict[Shown, CollectorRow]
    last_error: Shown | None = None

    @property
    def incomplete(self) -> bool:
        """True if a list that succeeded may lack tasks."""
        return any(found.incomplete_because is not None for found in self.lists)

    @property
    def failed(self) -> list[str]:
        """The collectors whose newest poll failed."""
        return [name for name, collector in self.collectors.items() if collector.success is False]


class WaveHead(Document):
    """A wave without its members."""

    name: Shown
    timing: Shown
    verdict: Shown


class TaskTable(Document):
    """All tasks, or those of a wave."""

    now_timestamp_seconds: Time
    projects: list[ProjectRow]
    tasks: list[TaskRow]
    wave: WaveHead | None = None


class ObservedTask(TaskRow):
    """A task in the list of all tasks, with what `wait` needs beside it."""

    status: Shown | None
    caught_up: bool | None


class ObservedTasks(Document):
    """All tasks, or those that a query selects."""

    now_timestamp_seconds: Time
    projects: list[ProjectRow]
    tasks: list[ObservedTask]


class WaveTask(ObservedTask):
    """A member of a wave."""

    state: Shown
    cells: Cells


class Sentence(Document):
    """Why a project may have members that are not known."""

    sentence: Shown


class DeletedTask(Document):
    """A former member of a wave."""

    task_id: Shown
    task_name: Shown


class WaveTable(Document):
    """A wave and its members."""

    now_timestamp_seconds: Time
    name: Shown
    stage: Shown
    timing: Shown
    verdict: Shown
    ready: bool | None
    expected: int | None
    missing_ids: list[Shown]
    incomplete_projects: list[Sentence]
    not_ready_because: list[Shown]
    members: list[WaveTask]
    deleted: list[DeletedTask]


class WaveName(Document):
    """A wave in the list of waves."""

    name: Shown


class WaveNames(Document):
    """All waves."""

    waves: list[WaveName]


class TaskEvent(Document):
    """An event of a task, or of a project."""

    kind: Shown
    task_id: Shown | None


class TaskEvents(Document):
    """The events of a task and its subtasks, the newest first."""

    events: list[TaskEvent]


class ReasonRow(Document):
    """A reason against a cut-over that applies to the task."""

    reason: Shown
    blocks: bool
    verdict: Shown
    fact: Shown
    age: Shown
    advice: Shown


class JudgedTask(TaskRow):
    """A task with the verdict on its cut-over."""

    cutover_verdict: Shown
    cutover_reasons: list[ReasonRow]

    @property
    def blocking(self) -> list[ReasonRow]:
        """The reasons that block."""
        return [reason for reason in self.cutover_reasons if reason.blocks]


class Value(Document):
    """A fact."""

    name: Shown
    text: Shown


class FactGroup(Document):
    """The facts of one kind."""

    group: Shown
    age: Shown | None
    unknown: Shown | None
    values: list[Value]


class Statement(Document):
    """A sentence about the task."""

    text: Shown


class History(Document):
    """The recent history of a task."""

    since_timestamp_seconds: Time
    summaries: list[Value]


class EventRow(Document):
    """A change of the task, or of a subtask."""

    at_timestamp_seconds: Time
    sentence: Shown


class ExplainedTask(JudgedTask):
    """All about one task."""

    now_timestamp_seconds: Time
    state: list[Statement]
    history: History | None
    events: list[EventRow]
    events_since_timestamp_seconds: Time
    facts: list[FactGroup]
    subtasks: list[JudgedTask]
