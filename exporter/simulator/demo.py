"""The demo cloud: two projects in mid-life, every phase visible from the first second, and then moving."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from exporter.simulator.cloud import SimulatedCloud
from exporter.simulator.world.delays import bursty, growing, in_sync, recovering
from exporter.simulator.world.life import DAY, FOR_EVER, FULL, HOUR, INCREMENTAL, MINUTE, PREPARED, WITHOUT_FULL, ending
from exporter.simulator.world.tasks import SimTask
from exporter.simulator.world.world import AsyncJob, World

if TYPE_CHECKING:
    from collections.abc import Callable

    from exporter.simulator.world.life import Script

DEMO_ACCESS_KEY = "DEMOACCESSKEY"
DEMO_SECRET_KEY = "demo-secret-key"  # noqa: S105 - opens nothing but the demo
DEMO_PROJECTS = [
    ("cn-north-4", "cn-north-4", "054ba152d480d55b2f5dc0069e7ddef0"),
    ("eu-de", "eu-de", "5237e10fe9aa4ad5b16b6a5245248314"),
]
"""(region, name, project id)."""

_CYCLE: Script = (*PREPARED, *FULL, ("INCRE_TRANSFER_STARTED", 4 * HOUR), *ending(shown=HOUR))
_FULL_ONLY: Script = (
    *PREPARED,
    ("FULL_TRANSFER_STARTED", 90 * MINUTE),
    ("FULL_TRANSFER_COMPLETE", 2 * HOUR),
    *ending(shown=HOUR),
)
_SCHEDULED: Script = (*PREPARED[:2], ("WAITING_FOR_START", 2 * DAY), PREPARED[2], *_CYCLE[3:])
_FAILING: Script = (*INCREMENTAL[:-1], ("INCRE_TRANSFER_STARTED", 3 * HOUR), ("INCRE_TRANSFER_FAILED", FOR_EVER))
_PAUSED: Script = (*INCREMENTAL[:-1], ("INCRE_TRANSFER_STARTED", 5 * HOUR), ("PAUSING", FOR_EVER))
_EDITED: Script = (
    *INCREMENTAL[:-1],
    *((("INCRE_TRANSFER_STARTED", 3 * HOUR), ("CHANGE_JOB_STARTED", 30 * MINUTE)) * 200),
)
_STOPPING: Script = (
    *INCREMENTAL[:-1],
    ("INCRE_TRANSFER_STARTED", 3 * HOUR),
    ("RELEASE_RESOURCE_STARTED", 30 * MINUTE),
    *ending(shown=2 * HOUR)[1:],
)
_DRAFT: Script = (PREPARED[0], ("CONFIGURATION", 2 * DAY), PREPARED[2], *_CYCLE[3:])
_CHILD: Script = (
    *_CYCLE[:6],
    ("RELEASE_CHILD_TRANSFER_STARTED", 5 * MINUTE),
    ("RELEASE_CHILD_TRANSFER_COMPLETE", HOUR),
    *_CYCLE[-2:],
)
_OBJECT_EDIT: Script = (
    ("CHANGE_JOB_STARTED", 5 * MINUTE),
    ("CHILD_TRANSFER_STARTING", 5 * MINUTE),
    ("CHILD_TRANSFER_STARTED", HOUR),
    ("CHILD_TRANSFER_COMPLETE", 5 * MINUTE),
    ("RELEASE_CHILD_TRANSFER_STARTED", 5 * MINUTE),
    ("RELEASE_CHILD_TRANSFER_COMPLETE", 4 * HOUR),
    *_CYCLE[-2:],
)
_FULL_FAILED: Script = (*PREPARED, ("FULL_TRANSFER_STARTED", HOUR), ("FULL_TRANSFER_FAILED", FOR_EVER))


class _Stage:
    """Puts tasks into the middle of their lives."""

    def __init__(self, now: float, speed: float) -> None:
        self._now = now
        self._speed = speed

    def task(self, name: str, script: Script, status: str, into: float, **facts: object) -> SimTask:
        """A task that entered the status ``into`` life seconds ago."""
        start = 0.0
        for step, seconds in script:
            if step == status:
                break
            start += seconds
        born = self._now - (start + into) / self._speed
        return SimTask(name=name, script=script, born=born, speed=self._speed, **facts)  # type: ignore[arg-type]

    def running(self, name: str, days: float, **facts: object) -> SimTask:
        """A task in incremental replication for ever, begun days of its life ago."""
        return self.task(name, INCREMENTAL, "INCRE_TRANSFER_STARTED", days * DAY, **facts)

    def cycling(self, name: str, status: str, into: float, script: Script = _CYCLE, **facts: object) -> SimTask:
        """A task that ends, is deleted and comes again."""
        return self.task(name, script, status, into, renews=True, **facts)

    def later(self, seconds: float) -> float:
        """The epoch second at which so many life seconds will have passed."""
        return self._now + seconds / self._speed


def demo_cloud(now: Callable[[], float] = time.time, speed: float = 60.0) -> SimulatedCloud:
    """The cloud of ``drs-exporter demo``: a Huawei Cloud region, and one like Open Telekom Cloud.

    Args:
        now: the clock.
        speed: life seconds in a second; at 1 a task takes its true time.
    """
    stage = _Stage(now(), speed)
    (north, _, north_id), (europe, _, europe_id) = DEMO_PROJECTS
    worlds = [
        World(project_id=north_id, region=north, tasks=_north(stage), async_jobs=_async_jobs(stage)),
        World(
            project_id=europe_id,
            region=europe,
            published={"v3"},
            tasks=_europe(stage),
            naive_times=True,
            old_bodies=True,
        ),
    ]
    return SimulatedCloud(worlds=worlds, keys={DEMO_ACCESS_KEY: DEMO_SECRET_KEY}, now=now)


def _north(stage: _Stage) -> list[SimTask]:
    return [
        *_transferring(stage),
        *_not_transferring(stage),
        _dr(stage, "core-dr", 9, alarms={"rpo_delay": 30, "rto_delay": 60}, charging="period"),
        _dr(stage, "branch-dr", 7.3, direction="down", switches=(6 * HOUR, 30 * MINUTE)),
        _dual_active(stage),
        _many_to_one(stage),
        _cluster(stage),
        _object_edit(stage),
        _primary_standby(stage),
    ]


def _transferring(stage: _Stage) -> list[SimTask]:
    return [
        stage.running(
            "orders-to-rds",
            6,
            comparison="equal",
            tags={"team": "payments"},
            alarms={"delay_time": 60},
            rows_rate=2400.0,
        ),
        stage.cycling(
            "billing-migration", "FULL_TRANSFER_STARTED", 12 * MINUTE, scenario="migration", tags={"team": "payments"}
        ),
        stage.running(
            "erp-oracle-to-gaussdb",
            0.2,
            engine="oracle-to-gaussdbv5",
            delay_shape=recovering,
            comparison="different",
            extra_actions=("STOP_CAPTURE", "STOP_APPLY"),
            alarms={"delay_time": 300},
        ),
        *_nosql(stage),
        stage.running(
            "analytics-taurus", 0.1, engine="mysql-to-taurus", delay_shape=growing, alarms={"delay_time": 600}
        ),
    ]


def _nosql(stage: _Stage) -> list[SimTask]:
    return [
        stage.cycling(
            "sessions-redis",
            "INCRE_TRANSFER_STARTED",
            HOUR,
            scenario="migration",
            engine="redis-to-gaussredis",
            net_type="eip",
            eip="SUCCESS",
        ),
        stage.cycling(
            "catalog-mongodb",
            "FULL_TRANSFER_STARTED",
            40 * MINUTE,
            _FULL_ONLY,
            scenario="migration",
            engine="mongodb",
            mode="FULL_TRANS",
            speed_limits=[{"begin": "16:00", "end": "15:59", "speed": "40"}],
        ),
    ]


def _not_transferring(stage: _Stage) -> list[SimTask]:
    return [
        stage.task("legacy-crm", _FAILING, "INCRE_TRANSFER_FAILED", 5 * HOUR, scenario="migration"),
        stage.task("inventory-sync", _PAUSED, "PAUSING", 2 * HOUR, description="paused for the\nrelease weekend"),
        stage.cycling("reporting-sync", "WAITING_FOR_START", HOUR, _SCHEDULED),
        stage.cycling("hr-postgres", "RELEASE_RESOURCE_STARTED", MINUTE, _STOPPING, engine="postgresql"),
        stage.task("warehouse-sync", _EDITED, "CHANGE_JOB_STARTED", 10 * MINUTE, delay_shape=bursty),
        stage.cycling("loyalty-draft", "CONFIGURATION", HOUR, _DRAFT, scenario="migration"),
    ]


def _europe(stage: _Stage) -> list[SimTask]:
    full = "FULL_TRANSFER_STARTED"
    return [
        stage.running("webshop-mysql", 3, scenario="migration", comparison="equal"),
        stage.cycling("documents-mongodb", full, 20 * MINUTE, scenario="migration", engine="mongodb"),
        stage.task("tickets-mysql", _FULL_FAILED, "FULL_TRANSFER_FAILED", 6 * HOUR, scenario="migration"),
        stage.cycling("geo-postgres", "RELEASE_RESOURCE_COMPLETE", 5 * MINUTE, engine="postgresql"),
        stage.cycling("invoices-taurus", "CREATING", MINUTE, engine="mysql-to-taurus"),
        _dr(stage, "frankfurt-dr", 4.6, switches=(6 * HOUR, 30 * MINUTE)),
        stage.task(
            "partner-feed",
            WITHOUT_FULL,
            "INCRE_TRANSFER_STARTED",
            DAY,
            mode="INCR_TRANS",
            delay_shape=bursty,
            net_type="eip",
        ),
    ]


def _async_jobs(stage: _Stage) -> list[AsyncJob]:
    return [
        AsyncJob(status=status, created=stage.later(-hours * HOUR), tasks=tasks)
        for status, hours, tasks in (
            ("COMMIT_SUCCESS", 30, ("orders-to-rds", "inventory-sync")),
            ("AUTO_PARAM_VALIDATE_SUCCESS", 5, ("loyalty-draft",)),
            ("ASYNC_JOB_VALIDATE_FAILED", 3, ()),
            ("ASYNC_JOB_VALIDATING", 1, ()),
        )
    ]


def _dr(stage: _Stage, name: str, days: float, **facts: object) -> SimTask:
    return stage.running(name, days, scenario="cloudDataGuard", engine="cloudDataGuard-mysql", **facts)


def _dual_active(stage: _Stage) -> SimTask:
    children = [
        _dr(stage, "geo-dual-active-forward", 5.01, role="child"),
        _dr(stage, "geo-dual-active-backward", 5, role="child", direction="down", delay_shape=in_sync),
    ]
    return _dr(stage, "geo-dual-active", 5, relation="multi_write", children=children)


def _many_to_one(stage: _Stage) -> SimTask:
    children = [
        stage.running("shops-to-one-north", 2, role="child", comparison="equal"),
        stage.running("shops-to-one-south", 2.04, role="child", delay_shape=bursty),
        stage.cycling("shops-to-one-west", "FULL_TRANSFER_STARTED", 5 * MINUTE, _CHILD, role="child"),
    ]
    return stage.running("shops-to-one", 2, relation="multi_to_single", role="parent", children=children)


def _cluster(stage: _Stage) -> SimTask:
    redis = {"scenario": "migration", "engine": "rediscluster-to-gaussredis"}
    children = [
        stage.running(f"cache-cluster-{shard}", 2, role="child", writable="success", **redis) for shard in (1, 2, 3)
    ]
    return stage.running("cache-cluster", 2, relation="cluster", children=children, **redis)


def _object_edit(stage: _Stage) -> SimTask:
    edit = stage.cycling("tariffs-sync-edit", "CHILD_TRANSFER_STARTED", 5 * MINUTE, _OBJECT_EDIT, role="child")
    return stage.running("tariffs-sync", 8, relation="edit", children=[edit], comparison="equal")


def _primary_standby(stage: _Stage) -> SimTask:
    children = [stage.running(f"ledger-ha-{role}", days, role=role) for role, days in (("master", 4), ("slave", 4.003))]
    return stage.running("ledger-ha", 4, relation="multi_az", children=children)
