"""Wire models that v3 and v5 share: list items, progress, and the map of stages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import AliasChoices, Field

from exporter.cloud.fields import (
    Completed,
    ErrorCode,
    Fields,
    Items,
    Losses,
    Milliseconds,
    Number,
    Text,
    Time,
    Wire,
    Words,
)
from exporter.model import Listed, Progress

if TYPE_CHECKING:
    from collections.abc import Mapping


class Action(Wire):
    """`job_action`: what may be done with a task now."""

    available_actions: Words = None
    unavailable_actions: Words = None


class Job(Wire):
    """An item of a task list, or of its `children`: v5 "Querying Tasks", v3 "Querying Tasks of a Tenant"."""

    id: str = Field(min_length=1, max_length=64)
    name: Text = None
    status: str = Field(min_length=1, max_length=64)
    create_time: Time = None
    job_type: Text = Field(None, validation_alias=AliasChoices("job_type", "db_use_type"))
    engine_type: Text = None
    task_type: Text = None
    job_direction: Text = None
    net_type: Text = None
    enterprise_project_id: Text = None
    job_mode: Text = None
    job_mode_role: Text = None
    job_action: Fields = None
    children: Items = None

    def listed(self, job_type: str, losses: Losses, parent: str | None = None) -> list[Listed]:
        """The task and its subtasks; `job_type` is the one that was asked for."""
        action = Action.read(self.job_action or {}, losses) or Action()
        children = [
            task for child in Job.read_all(self.children, losses) for task in child.listed(job_type, losses, self.id)
        ]
        task = Listed(
            id=self.id,
            name=self.name or self.id,
            status=self.status,
            job_type=self.job_type or job_type,
            engine_type=self.engine_type,
            task_type=self.task_type,
            direction=self.job_direction,
            net_type=self.net_type,
            enterprise_project_id=self.enterprise_project_id,
            job_mode=self.job_mode,
            role=self.job_mode_role,
            parent_id=parent,
            is_parent=bool(children),
            available_actions=action.available_actions or frozenset(),
            unavailable_actions=action.unavailable_actions or frozenset(),
            created_at=self.create_time,
        )
        return [task, *children]


class Stage(Wire):
    """An entry of `progress_map`."""

    completed: Completed = None


class ProgressFields(Wire):
    """`progress_info` of v5 "Querying Task Details" (table 35), and an item of v3 batch-progress."""

    progress: Completed = None
    delay: Number = Field(None, validation_alias=AliasChoices("incr_trans_delay", "incre_trans_delay"))
    delay_millis: Milliseconds = Field(
        None, validation_alias=AliasChoices("incr_trans_delay_millis", "incre_trans_delay_millis")
    )
    transfer_status: Text = None
    process_time: Time = None
    remaining_time: Number = None
    progress_map: Fields = None
    apply_rows_rate: Number = None
    apply_bytes_rate: Number = None
    error_code: ErrorCode = None

    def part(self, losses: Losses) -> Progress:
        """The neutral part: the delay in its finer unit where that is given, the rest of the load only amid it."""
        loading = self.progress is not None and 0 < self.progress < 1
        return Progress(
            full_ratio=self.progress,
            full_remaining_seconds=self.remaining_time if loading else None,
            stages=_stages(self.progress_map or {}, losses),
            delay_seconds=self.delay if self.delay_millis is None else self.delay_millis,
            reported_at=self.process_time,
            apply_rows_per_second=self.apply_rows_rate,
            apply_bytes_per_second=self.apply_bytes_rate,
            error_code=self.error_code,
        )


def _stages(progress_map: Mapping[str, Any], losses: Losses) -> tuple[tuple[str, float], ...]:
    read = ((name, Stage.read(value, losses)) for name, value in progress_map.items())
    return tuple((name, stage.completed) for name, stage in read if stage and stage.completed is not None)
