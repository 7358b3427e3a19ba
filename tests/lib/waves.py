"""Waves with members in every state, for the tests of views and pages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from exporter.model.events import EventLog
from exporter.model.facts import Comparison, Progress
from exporter.model.prediction import Predicted
from exporter.model.task import History, Identity, Listed, ProjectKey, Task
from exporter.model.waves import Stage, WaveMember, WaveState, WaveStatus
from exporter.store.waves import Waves
from exporter.views.waves import MemberView, WaveView
from tests.lib.verdicts import EQUAL, PLAIN
from tests.lib.virtual_time import clock

KEY = ProjectKey("acme", "eu-de", "shop")
NOW = 1_800_000_000.0
_RUNNING = WaveStatus("weekend-1", Stage.RUNNING, NOW - 3600, NOW + 7200, ready=False)


def task(name: str, listed: Listed | None = PLAIN, **facts: Any) -> Task:
    """A task with the id and name `name`; None as its entry in the list is unknown."""
    entry = replace(listed, id=name, name=name) if listed else None
    return Task(Identity(*KEY, name, name), listed=entry, **facts)


READY = MemberView(
    WaveState.READY,
    task(
        "orders",
        progress=Progress(full_ratio=1, delay_seconds=0.5),
        blockers=(("phase", False), ("delay_high", False)),
        unchecked=(("log_error", "ignored"),),
        ready_since=NOW - 600,
        comparison=Comparison((replace(EQUAL, finished_at=NOW - 300),)),
    ),
    NOW - 600,
)
BLOCKED = MemberView(
    WaveState.BLOCKED,
    task(
        "billing",
        progress=Progress(full_ratio=0.5, delay_seconds=30),
        blockers=(("delay_high", True), ("full_incomplete", True)),
        predicted=Predicted(delay_slope=-0.5, catch_up_seconds=50, full_load_end_at=NOW + 1800),
    ),
    NOW - 120,
)
FAILED = MemberView(
    WaveState.FAILED,
    task(
        "crm",
        replace(PLAIN, status="INCRE_TRANSFER_FAILED"),
        progress=Progress(error_code="DRS.M1"),
        blockers=(("phase", True),),
        history=History(1, 1, NOW - 60),
    ),
    NOW - 60,
)
UNKNOWN = MemberView(WaveState.UNKNOWN, task("users", None))
ENDED = MemberView(WaveState.ENDED, task("hr", replace(PLAIN, status="RELEASE_RESOURCE_COMPLETE")), NOW - 7200)
EXCLUDED = MemberView(WaveState.EXCLUDED, task("ledger", replace(PLAIN, role="slave")))
EVERY = (FAILED, UNKNOWN, BLOCKED, READY, ENDED, EXCLUDED)


def wave(*members: MemberView, **status: Any) -> WaveView:
    """A wave that runs since an hour, for two more; `status` differs."""
    found = tuple(
        WaveMember(KEY, each.task.identity.task_id, each.task.identity.task_name, each.state) for each in members
    )
    return WaveView(replace(_RUNNING, members=found, **status), members)


class StaticWaves(Waves):
    """Waves whose status is given."""

    def __init__(self, *statuses: WaveStatus) -> None:
        super().__init__(tuple, clock(), events=EventLog(clock()))
        self._given = statuses

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all of them."""
        return tuple(status.name for status in self._given)

    def status(self, name: str) -> WaveStatus | None:
        """Return the one with a name."""
        return next((status for status in self._given if status.name == name), None)
