"""Wire models that v3 and v5 share: list items, progress, and the map of stages."""

from __future__ import annotations

from pydantic import AliasChoices, Field

from exporter.cloud.operations import PLAIN_ID
from exporter.cloud.wire.fields import DecodeErrors, Fields, Flag, Free, Moment, Text, Wire, Words
from exporter.model.task import Listed


class Action(Wire):
    """`job_action`: what may be done with a task now."""

    available_actions: Words = None
    unavailable_actions: Words = None


class Job(Wire):
    """An item of a task list, or of its `children`: v5 "Querying Tasks", v3 "Querying Tasks of a Tenant"."""

    id: str = Field(pattern=f"^{PLAIN_ID}$")  # becomes part of a path
    name: Free = None
    status: str = Field(min_length=1, max_length=64)
    create_time: Moment = None
    job_type: Text = Field(None, validation_alias=AliasChoices("job_type", "db_use_type"))
    engine_type: Text = None
    task_type: Text = None
    job_direction: Text = None
    net_type: Text = None
    enterprise_project_id: Text = None
    job_mode: Text = None
    job_mode_role: Text = None
    job_action: Fields = None
    multi_write: Flag = None

    def listed(self, job_type: str, errors: DecodeErrors, parent: str | None = None) -> Listed:
        """The task without its children, which `Tree` reads; `job_type` is the one that was queried."""
        action = Action.read(self.job_action or {}, errors) or Action()
        created_at, created_by = self.create_time or (None, None)
        return Listed(
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
            available_actions=action.available_actions or frozenset(),
            unavailable_actions=action.unavailable_actions or frozenset(),
            created_at=created_at,
            created_by=created_by,
            multi_write=bool(self.multi_write),
        )
