"""One simulated task: what it is, what its script says at a time, and what a test wants it to say."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from exporter.simulator.protocol import overridden
from exporter.simulator.world import life
from exporter.simulator.world.delays import DelayShape, steady
from exporter.simulator.world.engines import ENGINES, Engine
from exporter.simulator.world.formats import task_id
from exporter.simulator.world.life import HIDDEN, Moment, Script

if TYPE_CHECKING:
    from collections.abc import Callable

_INDEXED = frozenset({"id", "scenario", "engine", "born", "script", "renews", "_pinned"})


@dataclass(eq=False, kw_only=True)
class SimTask:
    """A task of a world. Everything about it may be changed at any time.

    Attributes:
        name: also the seed of everything invented about the task, unless ``seed`` is given.
        scenario: migration, sync or cloudDataGuard: v3 calls it ``db_use_type``, v5 ``job_type``.
        engine: a key of ENGINES.
        mode: FULL_TRANS, FULL_INCR_TRANS or INCR_TRANS.
        born: epoch second of the first birth.
        script: (status, life seconds), the last step lasting for ever.
        renews: after the script, born again with a new id and the same name.
        speed: life seconds in a second.
        expires: when the order of a task with ``charging="period"`` ends, epoch second; by default after 30 days.
        scheduled: when a task waits for its start, epoch second; by default what the script says.
        order_status, auto_renew: of the order.
        alarms: thresholds in seconds: delay_time, rpo_delay, rto_delay.
        policy: what replaces keys of the policy of a synchronisation, as v5 names them.
        speed_limits: windows of flow control: begin, end and speed, as on the wire.
        read_only: whether the target was configured to be read-only; by default if data flows into the cloud.
        eip: what binding an elastic IP address has led to: SUCCESS, FAILED, or "" without one.
        relation: why there are children: multi_to_single, multi_az, multi_write, cluster (a task for each shard), or
            edit (the objects of a running task are edited; the subtask ends when it has caught up).
        virtual: parents that the per-task operations refuse; by default all that have children, but for edits.
        action: the operation in progress, ``current_action``; by default what the status means.
        switching: a DR switchover is under way; or ``switches``: (every, for) life seconds.
        comparison: equal, different, target_missing, or "" when the user never compared; every comparison task
            ends by itself, but the newest of each kind has the status ``comparison_status`` if there is one.
        precheck: passed, failed, running, or "" when the user never ran one.
        writable: what v5 says of lifting the target's read-only state: pending, success, or "" for nothing.
        overrides: endpoint name -> what is merged into (or, when no dict, replaces) the wire object.
            Names: v3_list, v3_status, v3_detail, v3_progress, v3_rpo_rto, v3_monitor, v3_struct, v3_precheck,
            v3_compare, v3_switch_vip, v5_list, v5_monitor, v5_timelines, and v5_<type> for the types of the
            v5 detail (v5_detail, v5_progress, v5_overview, v5_log, v5_compare, v5_file, v5_is_writable,
            v5_network, v5_precheck, v5_cloud_connection).
        progress, delay, rpo, rto: percent and seconds instead of what the script says.
        watchers: called after each change that the lists of a world depend on; worlds add themselves.
    """

    name: str
    seed: str = ""
    id: str = ""
    scenario: str = "sync"
    engine: str = "mysql"
    mode: str = "FULL_INCR_TRANS"
    born: float = 1_700_000_000.0
    script: Script = life.INCREMENTAL
    renews: bool = False
    speed: float = 1.0
    direction: str = "up"
    net_type: str = "vpn"
    enterprise_project: str = "0"
    tags: dict[str, str] = field(default_factory=dict)
    node_type: str = "high"
    description: str = ""
    charging: str = "on_demand"
    order_status: str = "COMPLETED"
    auto_renew: bool = False
    expires: float = 0.0
    scheduled: float = 0.0
    alarms: dict[str, int] = field(default_factory=dict)
    policy: dict[str, object] = field(default_factory=dict)
    speed_limits: list[dict[str, str]] = field(default_factory=list)
    read_only: bool | None = None
    eip: str = ""
    restart_required: bool = False
    ssl: bool = False
    delay_shape: DelayShape = steady
    rows_rate: float = 1200.0
    error: str = ""
    children: list[SimTask] = field(default_factory=list)
    relation: str = ""
    role: str = ""
    virtual: bool | None = None
    action: str = ""
    switching: bool = False
    switches: tuple[float, float] | None = None
    comparison: str = ""
    comparison_status: str = ""
    precheck: str = "passed"
    extra_actions: tuple[str, ...] = ()
    writable: str = ""
    source_up: bool = True
    target_up: bool = True
    overrides: dict[str, object] = field(default_factory=dict)
    progress: float | None = None
    delay: float | None = None
    rpo: float | None = None
    rto: float | None = None
    watchers: set[Callable[[], None]] = field(init=False, repr=False, default_factory=set)
    _pinned: str | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.seed = self.seed or self.name
        self.id = self.id or self._id(0)

    def __setattr__(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)
        if name in _INDEXED:
            for tell in self.__dict__.get("watchers", ()):
                tell()

    @property
    def vanishes(self) -> bool:
        """True if lists may have to leave it out at some time."""
        return self.renews or bool(HIDDEN & {self._pinned, *(status for status, _ in self.script)})

    @property
    def words(self) -> Engine:
        """The engine's words in each generation."""
        return ENGINES[self.engine]

    @property
    def is_virtual(self) -> bool:
        """True if the per-task operations refuse it: "virtual IDs cannot be queried" (v3 batch-detail)."""
        return bool(self.children) and self.relation != "edit" if self.virtual is None else self.virtual

    def pin(self, status: str | None) -> None:
        """Freeze the status, whatever the script says; None lets go of it."""
        self._pinned = status

    def at(self, now: float) -> Moment:
        """The task at a time."""
        lived = max(now - self.born, 0.0) * self.speed
        generation, born, identity = 0, self.born, self.id
        if self.renews:
            length = life.duration(self.script)
            generation = int(lived // length)
            lived -= generation * length
            born += generation * length / self.speed
            identity = self._id(generation) if generation else self.id
        step, fraction = life.step_at(self.script, lived)
        entered, first = life.entered_until(self.script, step, born, self.speed)
        status = self._pinned or self.script[step][0]
        return Moment(identity, status, now, born, lived, fraction, entered, first, self.speed)

    def living_children(self, now: float) -> list[SimTask]:
        """The subtasks that are not deleted."""
        return [child for child in self.children if child.at(now).status not in HIDDEN]

    def wire(self, endpoint: str, built: Any) -> Any:
        """The built wire object with this task's overrides for the endpoint in it."""
        if endpoint not in self.overrides:
            return built
        return overridden(built, self.overrides[endpoint])

    def _id(self, generation: int) -> str:
        return task_id(self.seed, generation, self.words.suffixes.get(self.scenario, "jb101"))
