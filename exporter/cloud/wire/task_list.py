"""The items of task lists, which v3 and v5 have in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, WrapValidator

from exporter.cloud.operations import PLAIN_ID
from exporter.cloud.wire.fields import (
    Flag,
    Nested,
    Text,
    TimeBounds,
    UserText,
    Wire,
    Word,
    Words,
    alias,
    facts_of,
    is_null,
)
from exporter.model.task import Listed


def _upper(word: str | None) -> str | None:
    return None if word is None else word.upper()


CurrentAction = Annotated[Word, WrapValidator(lambda value, word: "" if is_null(value) else _upper(word(value)))]
"""A word in upper case, empty where the key is present without a value: that there is no action is a fact as well."""


class ActionWire(Wire):
    """`job_action`: what may be done with a task now, and what is being done."""

    available_actions: Words = None
    unavailable_actions: Words = None
    current_action: CurrentAction = None


class TaskWire(Wire):
    """An item of a task list, or of its `children`: v5 "Querying Tasks", v3 "Querying Tasks of a Tenant"."""

    id: str = Field(pattern=f"^{PLAIN_ID}$")  # becomes part of a path
    name: UserText = None
    status: str = Field(min_length=1, max_length=64)
    create_time: TimeBounds = None
    job_type: Text = alias("job_type", "db_use_type")
    engine_type: Text = None
    task_type: Text = None
    direction: Text = alias("job_direction")
    net_type: Text = None
    enterprise_project_id: Text = None
    job_mode: Text = None
    role: Text = alias("job_mode_role")
    node_role: Word = None
    multi_az: Flag = alias("is_multi_az")
    charging_mode: Word = None
    job_action: Nested[ActionWire] = None
    multi_write: Flag = None

    def listed(self, job_type: str, parent: str | None = None) -> Listed:
        """Return the task without its children, which `TaskTree` reads; `job_type` is the one that was queried."""
        action = self.job_action or ActionWire()
        created_at, created_at_latest = self.create_time or (None, None)
        return facts_of(
            Listed,
            self,
            name=self.name or self.id,
            job_type=self.job_type or job_type,
            parent_id=parent,
            available_actions=action.available_actions or frozenset(),
            unavailable_actions=action.unavailable_actions or frozenset(),
            current_action=action.current_action,
            created_at=created_at,
            created_at_latest=created_at_latest,
            multi_write=bool(self.multi_write),
        )
