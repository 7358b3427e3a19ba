"""The facts about a task or a project, a class for each kind of response, in base units.

Seconds, bytes, ratios of 1 and Unix timestamps only. None: the response did not contain the value. The end of a field's
name is its unit: by it, pages word the value (views/text.py) and documents choose an example (docs/examples.py).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from exporter.config import COLLECTOR_OF, COLLECTORS, Scope


@dataclass(frozen=True, slots=True)
class Facts:
    """A group of values about one task or project that a response contains as a whole.

    Attributes:
        name: the field of `Task` or `Project` that holds them.
        collector: the collector that updates them, see the table of collectors.
        scope: the tasks that this collector polls.
    """

    name: ClassVar[str]
    collector: ClassVar[str]
    scope: ClassVar[Scope]

    def __init_subclass__(cls) -> None:
        cls.name = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()
        if cls.name in COLLECTOR_OF:
            cls.collector = COLLECTOR_OF[cls.name]
            cls.scope = COLLECTORS[cls.collector].scope


@dataclass(frozen=True, slots=True)
class TaskFacts(Facts):
    """Facts about one task."""

    def settled(self, before: TaskFacts | None, *, loading: bool) -> bool:  # noqa: ARG002 - for those that override it
        """Return whether they may be queried less and less often from now on.

        Args:
            before: the facts that they replace.
            loading: whether the task may run its full load.
        """
        return False


@dataclass(frozen=True, slots=True)
class Progress(TaskFacts):
    """Progress of the full load, and delay of the target."""

    full_ratio: float | None = None
    full_remaining_seconds: float | None = None
    stages: tuple[tuple[str, float], ...] = ()
    """Completed ratio by stage of the full load: struct, data, index, ..."""
    stages_remaining: tuple[tuple[str, float], ...] = ()
    """Seconds by stage, of those that run."""
    transfer_status: str | None = None
    """The status of the task by its progress, which may be that of a failure before the list reports it."""
    task_status: str | None = None
    """The status of the task in the same response, where that contains one beside its progress."""
    delay_seconds: float | None = None
    reported_at: float | None = None
    """When the cloud last computed this progress; None if it reports a time without a zone."""
    reported_at_latest: float | None = None
    """The latest Unix time that this time can mean, in any zone; None if the cloud reports none."""
    served_at: float | None = None
    """Unix time of the response by the clock of the cloud, from the header Date; None without that header."""
    apply_rows_per_second: float | None = None
    apply_bytes_per_second: float | None = None
    error_code: str | None = None


APPLY_STATES = ("succeed", "failed", "processing", "waiting")
"""The documented words for what the applier of a node does."""


@dataclass(frozen=True, slots=True)
class Node(TaskFacts):
    """Load of the node that runs the task."""

    cpu_ratio: float | None = None
    memory_ratio: float | None = None
    receive_bytes_per_second: float | None = None
    transmit_bytes_per_second: float | None = None
    disk_read_bytes_per_second: float | None = None
    disk_write_bytes_per_second: float | None = None
    apply_rows_per_second: float | None = None
    apply_transactions_per_second: float | None = None
    apply_ddls_per_second: float | None = None
    apply_average_execute_seconds: float | None = None
    apply_average_commit_seconds: float | None = None
    apply_state: str | None = None
    reported_at: float | None = None


@dataclass(frozen=True, slots=True)
class Monitor(TaskFacts):
    """Sizes of the node, and its connections to both databases."""

    cpu_ratio: float | None = None
    memory_size_bytes: float | None = None
    memory_used_bytes: float | None = None
    disk_size_bytes: float | None = None
    disk_used_bytes: float | None = None
    source_up: bool | None = None
    target_up: bool | None = None
    source_requests_per_second: float | None = None
    target_requests_per_second: float | None = None
    apply_bytes_per_second: float | None = None
    reported_at: float | None = None

    @property
    def memory_ratio(self) -> float | None:
        """The used part of the memory."""
        used, size = self.memory_used_bytes, self.memory_size_bytes
        # A size below one byte is invalid; the quotient might not be finite.
        return None if used is None or size is None or size < 1 else used / size


@dataclass(frozen=True, slots=True)
class Recovery(TaskFacts):
    """Recovery point and time of a disaster-recovery task."""

    rpo_seconds: float | None = None
    """How far the DRS node is behind the service database."""
    rto_seconds: float | None = None
    """How far the disaster-recovery database is behind the DRS node."""


@dataclass(frozen=True, slots=True)
class Switchover(TaskFacts):
    """The switchover of a disaster-recovery task: in progress or not."""

    switching: bool | None = None


@dataclass(frozen=True, slots=True)
class ObjectCount:
    """Objects of one type: in the source, and how many of them reached the target."""

    type: str
    source: float | None
    target: float | None
    status: str | None = None
    """Of objects that a task moves, such as COMPLETED."""

    @property
    def at_end(self) -> bool:
        """True for objects that are moved when the task ends; the target lacks them until then."""
        return self.status == "TRANSFER_WHEN_END"


@dataclass(frozen=True, slots=True)
class Objects(TaskFacts):
    """Objects moved, by type."""

    def settled(self, before: TaskFacts | None, *, loading: bool) -> bool:
        return self == before and not loading

    counts: tuple[ObjectCount, ...] = ()
    started_at: float | None = None
    """When the full load began."""
    incremental_started_at: float | None = None
    full_completed_at: float | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """The newest comparison of one type: objects, lines or contents."""

    type: str
    status: str
    consistent: bool | None = None
    """True: all equal, False: something differs, None: the comparison runs, failed or is impossible."""
    finished_at: float | None = None
    different_rows: float | None = None
    results: tuple[tuple[str, int], ...] = ()
    """The number of databases, tables or object types by result."""
    missing_rows: float | None = None
    """Rows that only the source has."""
    extra_rows: float | None = None
    """Rows that only the target has."""
    rows_source: float | None = None
    rows_target: float | None = None


@dataclass(frozen=True, slots=True)
class Comparison(TaskFacts):
    """Newest comparison of each type, and the object counts that it found."""

    types: tuple[Compared, ...] = ()
    objects: tuple[ObjectCount, ...] = ()
    earlier: tuple[Compared, ...] = ()
    """Earlier comparisons by which the data is judged instead of the newest of their types."""
    unknown: bool = False
    """True if a comparison has an unknown type or no id: it may have found a difference."""

    @property
    def judged(self) -> tuple[Compared, ...]:
        """The comparisons with a verdict by which the data is judged, one of each type."""
        judged = {compared.type: compared for compared in (*self.types, *self.earlier)}
        return tuple(compared for compared in judged.values() if compared.consistent is not None)

    def settled(self, before: TaskFacts | None, *, loading: bool) -> bool:  # noqa: ARG002
        return self == before and not self.types


@dataclass(frozen=True, slots=True)
class Precheck(TaskFacts):
    """The newest pre-check of a task that is being configured."""

    items: tuple[tuple[str, int], ...] = ()
    passed_ratio: float | None = None

    def settled(self, before: TaskFacts | None, *, loading: bool) -> bool:  # noqa: ARG002
        return self == before


@dataclass(frozen=True, slots=True)
class Logs(TaskFacts):
    """When the newest log entry of each level was written."""

    newest: tuple[tuple[str, float], ...] = ()
    undated_error: bool = False
    """True if there is an error without a time that can be read: it may be the newest entry."""


@dataclass(frozen=True, slots=True)
class Quota(Facts):
    """Use of the project's quotas."""

    resources: tuple[tuple[str, float | None, float | None], ...] = ()
    """Resource, used, limit."""


@dataclass(frozen=True, slots=True)
class AsyncJobs(Facts):
    """Asynchronous batches of the project."""

    counts: tuple[tuple[str, int], ...] = ()
    """The number of batches by status."""
    failed: tuple[tuple[str, float], ...] = ()
    """Id and time of creation of the newest failed batches."""


@dataclass(frozen=True, slots=True)
class CollectorFacts:
    """The newest poll of one collector of a project."""

    interval_seconds: float
    success: bool | None = None
    """None if no query was possible."""
    duration_seconds: float | None = None
    last_success_at: float | None = None
    max_age_seconds: float | None = None
    """The age above which its facts are not shown any more."""
    oldest_seconds: float | None = None
    """The age of its oldest facts about a task; None if it has none."""


@dataclass(frozen=True, slots=True)
class Access:
    """Facts about the exporter's access to the cloud, of one project."""

    clock_skew_seconds: float | None = None
    """Seconds that the host's clock is ahead of the cloud's."""
    credentials_type: str = ""
    credentials_expire_at: float | None = None
    """When the credentials in use expire; None if they do not, or if it is not known."""
