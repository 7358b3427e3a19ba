"""The numbers of a task at a moment, in plain units; both generations write the same ones in their own way."""

from __future__ import annotations

from dataclasses import dataclass
from math import sin
from typing import TYPE_CHECKING

from exporter.simulator.world.formats import pick
from exporter.simulator.world.life import HOUR, MINUTE, duration

if TYPE_CHECKING:
    from exporter.simulator.world.life import Moment
    from exporter.simulator.world.tasks import SimTask

DONE = 100.0
"""Percent."""

BEFORE_FULL = frozenset(
    {"CREATING", "CREATE_FAILED", "CONFIGURATION", "WAITING_FOR_START", "STARTJOBING", "START_JOB_FAILED"}
)
RELEASED = frozenset({"RELEASE_RESOURCE_COMPLETE", "RELEASE_CHILD_TRANSFER_COMPLETE"})
"""The node is gone: progress answers that the task was deleted or released."""

REPLICATING = frozenset(
    {
        "INCRE_TRANSFER_STARTED",
        "CHANGE_JOB_STARTED",
        "REBUILD_NODE_STARTED",
        "NODE_UPGRADE_START",
        "NODE_UPGRADE_COMPLETE",
        "CHILD_TRANSFER_STARTING",
        "CHILD_TRANSFER_STARTED",
        "CHILD_TRANSFER_COMPLETE",
    }
)
"""Statuses in which the delay is known, once incremental replication had begun."""


@dataclass(frozen=True, slots=True)
class Node:
    """Use of the replication instance: percent, bytes per second, megabytes, gigabytes."""

    cpu: float
    memory: float
    received: float
    sent: float
    disk_read: float
    disk_written: float
    memory_mb: int
    disk_gb: int
    disk_used_gb: float


def failed(moment: Moment) -> bool:
    """True if the status is a failure."""
    return moment.status.endswith("_FAILED")


def full_percent(task: SimTask, moment: Moment) -> float:
    """Progress of the full load; it stays 100 for the rest of the life."""
    if task.progress is not None:
        return task.progress
    if moment.status in BEFORE_FULL and not _started_again(moment):
        return 0.0
    if moment.status == "FULL_TRANSFER_STARTED":
        running = "FULL_TRANSFER_COMPLETE" not in moment.entered and moment.status in moment.entered
        return DONE * moment.fraction if running else 50.0
    if moment.status == "FULL_TRANSFER_FAILED":
        return 63.0
    # Paused or changed in the middle of the full load.
    interrupted = "FULL_TRANSFER_STARTED" in moment.entered and "FULL_TRANSFER_COMPLETE" not in moment.entered
    return 42.0 if interrupted and "INCRE" not in moment.status else DONE


def _started_again(moment: Moment) -> bool:
    """True if the task is started after its full load: it is retried, or resumed."""
    loaded = moment.entered.get("FULL_TRANSFER_COMPLETE")
    return loaded is not None and moment.entered.get(moment.status, 0.0) > loaded


def remaining_seconds(task: SimTask, moment: Moment) -> int:
    """Estimate of the full load; 0 when finished and also before it is known, as the cloud does it."""
    percent = full_percent(task, moment)
    if moment.status != "FULL_TRANSFER_STARTED" or not 1.0 <= percent < DONE:
        return 0
    whole = duration(tuple(step for step in task.script if step[0] == "FULL_TRANSFER_STARTED")) or HOUR
    return max(int((1 - percent / DONE) * whole / moment.speed), 1)


def delay_seconds(task: SimTask, moment: Moment) -> float | None:
    """The delay of the target; None outside incremental replication (the wire says -1)."""
    if task.mode == "FULL_TRANS" or moment.status not in REPLICATING:
        return None
    since = moment.since("INCRE_TRANSFER_STARTED")
    if since is None and moment.status != "INCRE_TRANSFER_STARTED":
        return None
    return task.delay_shape(since or 0.0) if task.delay is None else task.delay


def scheduled_start(task: SimTask, moment: Moment) -> float | None:
    """The epoch second of a scheduled start, None for a task that is started by hand."""
    waits = [seconds for status, seconds in task.script if status == "WAITING_FOR_START"]
    entered = moment.entered.get("WAITING_FOR_START")
    if task.scheduled or entered is None:
        return task.scheduled or None
    return entered + waits[0] / moment.speed


def policy(task: SimTask) -> dict[str, object]:
    """The policy of a synchronisation in the words of v5; a migration has none by default."""
    synchronises: dict[str, object] = {
        "conflict_policy": "overwrite",
        "filter_ddl_policy": "drop_database",
        "index_trans": True,
        "ddl_trans": True,
        "data_sync_topology_type": "many2one" if task.role == "child" else "one2one",
        "sync_type_policy": "tableData,tableStructure,constraintData",
    }
    return {**(synchronises if task.scenario == "sync" else {}), **task.policy}


def zones(region: str, task: SimTask) -> str:
    """The zones of the node: two of a primary/standby instance."""
    paired = task.relation == "multi_az" or task.role in {"master", "slave"}
    return f"{region}a,{region}b" if paired else f"{region}a"


def read_only(task: SimTask) -> bool:
    """Whether the target was configured to be read-only."""
    return task.direction == "up" if task.read_only is None else task.read_only


def switching(task: SimTask, moment: Moment) -> bool:
    """True if a DR switchover is under way: the kernel runs against the task's direction."""
    if task.switching or task.switches is None:
        return task.switching
    every, lasts = task.switches
    return moment.life % every > every - lasts


def kernel_direction(task: SimTask, moment: Moment) -> str:
    """The direction data flows in now."""
    if not switching(task, moment):
        return task.direction
    return "down" if task.direction == "up" else "up"


def rpo_seconds(task: SimTask, moment: Moment) -> float | None:
    """From the service database to the DRS node; None outside incremental replication."""
    return _share(task, moment, 0.25, task.rpo)


def rto_seconds(task: SimTask, moment: Moment) -> float | None:
    """From the DRS node to the DR database; None outside incremental replication."""
    return _share(task, moment, 0.75, task.rto)


def rows_rate(task: SimTask, moment: Moment) -> float | None:
    """Rows written to the target per second; None outside incremental replication."""
    if delay_seconds(task, moment) is None:
        return None
    return task.rows_rate * (1 + 0.3 * sin(moment.life / (7 * MINUTE)))


def node(task: SimTask, moment: Moment) -> Node:
    """Use of the replication instance, busier in the full load."""
    full = moment.status == "FULL_TRANSFER_STARTED"
    busy = (55.0 if full else 18.0) + 8.0 * sin(moment.life / (9 * MINUTE)) + pick(task.seed, 0, 15)
    traffic = (48e6 if full else 0.0) + task.rows_rate * 220
    return Node(
        cpu=busy,
        memory=30.0 + busy / 4,
        received=traffic,
        sent=traffic * 0.97,
        disk_read=traffic * 0.1,
        disk_written=traffic * 0.4,
        memory_mb=16384,
        disk_gb=100,
        disk_used_gb=8 + pick(task.seed + "disk", 0, 20),
    )


def _share(task: SimTask, moment: Moment, part: float, override: float | None) -> float | None:
    delay = delay_seconds(task, moment)
    if delay is None or override is not None:
        return None if delay is None else override
    return delay * part
