"""The settings of tasks: which are shown, and the conditions of their cut-over."""

from collections.abc import Mapping
from typing import Literal, Self, get_args

from pydantic import ConfigDict, Field, model_validator

from exporter.config.section import Section
from exporter.config.values import Duration, DurationOrZero, ListOf, NameRegex, TagLabels, Text

JobType = Literal["migration", "sync", "cloudDataGuard"]
JOB_TYPES: tuple[JobType, ...] = get_args(JobType)
"""The task scenarios that are polled; `job_type` in v5, `db_use_type` in v3."""
Need = Literal["required", "if_available", "ignore"]
_BY_STRICTNESS: tuple[Need, ...] = ("ignore", "if_available", "required")


class Rule(Section):
    """Matches a task for which all of the given keys hold."""

    name: NameRegex | None = None
    id: Text | None = None
    job_type: JobType | None = None
    engine_type: Text | None = None
    enterprise_project_id: Text | None = None
    tag: Text | None = None

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    @model_validator(mode="after")
    def _has_a_key(self) -> Self:
        if all(value is None for _, value in self):
            raise ValueError(f"give at least one of {', '.join(type(self).model_fields)}")
        return self


class TaskRule(Rule):
    """A rule of the setting `tasks`."""

    status: Text | None = None


class Tasks(Section):
    """Which tasks are shown, for how long after their end, and with what labels."""

    job_types: ListOf[JobType] = Field(JOB_TYPES, min_length=1)
    include: ListOf[TaskRule] = ()
    exclude: ListOf[TaskRule] = ()
    ended_for: Duration = 7 * 86_400.0
    tag_labels: TagLabels = ()


class Cutover(Section):
    """What must hold before drs_task_cutover_ready is 1."""

    max_delay: Duration = 5.0
    max_age: Duration = 90.0
    stable_for: DurationOrZero = 120.0
    comparison: Need = "if_available"
    comparison_max_age: Duration = 86_400.0
    endpoints: Need = "if_available"
    objects: Need = "if_available"
    report: Need = "ignore"
    logs: Need = "ignore"


NEEDS: Mapping[str, str] = {
    "comparison": "comparison",
    "endpoints": "node",
    "objects": "objects",
    "report": "progress",
    "logs": "logs",
}
"""The collector of what each setting of `Cutover` requires, uses if it is available, or ignores."""


def stricter(name: str, one: float | Need, other: float | Need) -> float | Need:
    """Return the stricter of two values of a setting of `Cutover`.

    That is the more demanding need, the longer `stable_for`, or else the shorter duration.
    """
    if isinstance(one, float) and isinstance(other, float):
        return max(one, other) if name == "stable_for" else min(one, other)
    return max(one, other, key=_BY_STRICTNESS.index)
