"""Every family of tasks and projects, as data. A metric is added here, and only here.

Docs, tests and lint are derived from these entries. `drs_exporter_*` counters and histograms that belong to no
project live in `telemetry`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count
from typing import Generic, TypeVar

from exporter.config.collectors import COLLECTORS
from exporter.config.values import tag_label
from exporter.model.task import Phase, Project, Task

T = TypeVar("T", Task, Project)
Samples = Sequence[tuple[tuple[str, ...], float]]

TASK_LABELS = ("account", "region", "project", "task_id", "task_name", "parent_id")
"""The labels of every task family; `parent_id` on subtasks only."""
PROJECT_LABELS = ("account", "region", "project")

ACTIONS = (
    "START",
    "RETRY",
    "RESET",
    "CONTINUE_JOB",
    "CONTINUE_APPLY",
    "CONTINUE_CAPTURE",
    "SWITCH_OVER",
    "PAY_ORDER",
)
APPLY_STATES = ("succeed", "failed", "processing", "waiting")
COMPARISON_STATUSES = (
    "RUNNING",
    "WAITING_FOR_RUNNING",
    "SUCCESSFUL",
    "FAILED",
    "CANCELLED",
    "TIMEOUT_INTERRUPT",
    "FULL_DOING",
    "INCRE_DOING",
    "other",
)
_DETAIL_LABELS = (
    "node_type",
    "instance_type",
    "source_type",
    "target_type",
    "target_instance_id",
    "charging_mode",
    "kernel_direction",
    "multi_write",
    "local_role",
)


@dataclass(frozen=True, slots=True)
class Family(Generic[T]):
    """One metric family.

    Args:
        name: ends in the base unit, or in _total for counters.
        help: what a value means, in one line.
        collector: whose success keeps it fresh; `derived` where several do.
        samples: the samples of one task or project, none where nothing is known.
        labels: its own labels, beyond the identity.
        type: gauge or counter.
        reads: the fields of a task that its samples are made of; without it those of the collector, see `samples`.
            The phase and the history need no mention.
    """

    name: str
    help: str
    collector: str
    samples: Callable[[T], Samples]
    labels: tuple[str, ...] = ()
    type: str = "gauge"
    reads: tuple[str, ...] = ()


def one(value: Callable[[T], float | None]) -> Callable[[T], Samples]:
    """Samples of a family without labels of its own: one, or none where the value is None."""

    def samples(subject: T) -> Samples:
        number = value(subject)
        return () if number is None else (((), number),)

    return samples


def state_set(states: Sequence[str], state: Callable[[T], str | None]) -> Callable[[T], Samples]:
    """Samples of a state set: one series a state, 1 for the current one; none where the state is None.

    A word that is not among the states is `other`, which must be one of them.
    """
    sets = {current: tuple(((name,), float(name == current)) for name in states) for current in states}

    def samples(subject: T) -> Samples:
        word = state(subject)
        return () if word is None else sets.get(word) or sets["other"]

    return samples


def _info(task: Task) -> Samples:
    listed = task.listed
    if listed is None:
        return ()
    values = (
        listed.job_type,
        listed.engine_type,
        listed.task_type,
        listed.direction,
        listed.net_type,
        listed.enterprise_project_id,
        listed.job_mode,
        listed.role,
    )
    return ((tuple(value or "" for value in values), 1),)


def _detail_info(tag_labels: Mapping[str, str]) -> Callable[[Task], Samples]:
    def samples(task: Task) -> Samples:
        detail, listed = task.detail, task.listed
        if detail is None:
            return ()
        tags = dict(detail.tags)
        dual = detail.multi_write if detail.multi_write is not None else listed.multi_write if listed else None
        values = (
            detail.node_type,
            detail.instance_type,
            detail.source_type,
            detail.target_type,
            detail.target_instance_id,
            detail.charging_mode,
            detail.kernel_direction,
            None if dual is None else str(dual).lower(),
            _local_role(task),
            *(tags.get(key) for key in tag_labels),
        )
        return ((tuple(value or "" for value in values), 1),)

    return samples


def _local_role(task: Task) -> str | None:
    """Which side of a DR pair this cloud is: data flows up to the standby, and down from the active one."""
    listed = task.listed
    if listed is None or not listed.disaster_recovery:
        return None
    direction = (task.detail.kernel_direction if task.detail else None) or listed.direction
    return {"up": "standby", "down": "active"}.get(direction or "")


def _failure(task: Task) -> Samples:
    code = task.failure_code
    return (((code,), 1),) if code else ()


def _actions(task: Task) -> Samples:
    listed = task.listed
    if listed is None:
        return ()
    known = listed.available_actions | listed.unavailable_actions
    return tuple(((action,), float(action in listed.available_actions)) for action in ACTIONS if action in known)


def _stages(task: Task) -> Samples:
    return tuple(((stage,), ratio) for stage, ratio in task.progress.stages) if task.progress else ()


def _part(part: str, name: str) -> Callable[[Task], Samples]:
    """One field of one part."""
    return one(lambda task: getattr(getattr(task, part), name, None))


def _progress(name: str) -> Callable[[Task], Samples]:
    return _part("progress", name)


def _node(name: str) -> Callable[[Task], Samples]:
    return _part("node", name)


def _detail(name: str) -> Callable[[Task], Samples]:
    return _part("detail", name)


def _newest(*fields: tuple[str, str]) -> Callable[[Task], Samples]:
    """A field that several parts tell: of the first that knows it; lists go first, what missed a poll goes last."""

    def value(task: Task) -> float | None:
        ages = {name: age for age, name in enumerate(task.newest)}
        parts = sorted(fields, key=lambda field: ages.get(field[0], -1))
        values = (getattr(getattr(task, part), name, None) for part, name in parts)
        return next((number for number in values if number is not None), None)

    return one(value)


def _sides(source: str, target: str) -> Callable[[Task], Samples]:
    def samples(task: Task) -> Samples:
        sides = (("source", getattr(task.monitor, source, None)), ("target", getattr(task.monitor, target, None)))
        return tuple(((side,), value) for side, value in sides if value is not None)

    return samples


def _recovery(name: str) -> Callable[[Task], Samples]:
    return one(lambda task: None if task.switching else getattr(task.recovery, name, None))


def _counts_of(part: str, fields: str, side: str) -> Callable[[Task], Samples]:
    """Object counts of one side, by type; the first of a type that the cloud names twice."""

    def samples(task: Task) -> Samples:
        counts = getattr(getattr(task, part), fields, ())
        known = {one.type: getattr(one, side) for one in reversed(counts)}
        return tuple(((kind,), number) for kind, number in sorted(known.items()) if number is not None)

    return samples


def _compared(name: str) -> Callable[[Task], Samples]:
    def samples(task: Task) -> Samples:
        values = ((one.type, getattr(one, name)) for one in (task.comparison.types if task.comparison else ()))
        return tuple(((kind,), value) for kind, value in values if value is not None)

    return samples


def _comparison_status(task: Task) -> Samples:
    types = task.comparison.types if task.comparison else ()
    current = ((one.type, one.status if one.status in COMPARISON_STATUSES else "other") for one in types)
    return tuple(((kind, name), float(name == status)) for kind, status in current for name in COMPARISON_STATUSES)


def _comparison_results(task: Task) -> Samples:
    types = task.comparison.types if task.comparison else ()
    return tuple(((one.type, word), count) for one in types for word, count in one.results)


def _auto_stop_at(task: Task) -> float | None:
    """Only where the failure was witnessed: nothing tells when an older one began."""
    after = task.detail.auto_stop_after_seconds if task.detail else None
    since = task.history.phase_changed_at
    return since + after if after is not None and since is not None and task.phase is Phase.FAILED else None


def _blockers(task: Task) -> Samples:
    return tuple(((reason,), blocks) for reason, blocks in task.blockers) if task.blockers is not None else ()


def _ready(task: Task) -> float | None:
    return None if task.blockers is None else float(not any(blocks for _, blocks in task.blockers))


_TASK_FAMILIES: tuple[Family[Task], ...] = (
    Family(
        "drs_task_info",
        "What the task list says of a task; the value is always 1.",
        "tasks",
        _info,
        (
            "job_type",
            "engine_type",
            "task_type",
            "direction",
            "net_type",
            "enterprise_project_id",
            "job_mode",
            "role",
        ),
    ),
    Family(
        "drs_task_status",
        "The raw status word of a task as label; one series, always 1.",
        "tasks",
        lambda task: (((task.listed.status,), 1),) if task.listed else (),
        ("status",),
    ),
    Family(
        "drs_task_phase",
        "Phase of a task: 1 for the current one, 0 for the others.",
        "tasks",
        state_set(tuple(Phase), lambda task: task.phase),
        ("phase",),
    ),
    Family(
        "drs_task_failure_info",
        "Error code of a failed task, where the cloud gives one; the value is always 1.",
        "derived",
        _failure,
        ("error_code",),
        reads=("progress", "detail"),
    ),
    Family(
        "drs_task_action_available",
        "Whether an operation is open to the user now: RETRY, CONTINUE_APPLY and so on.",
        "tasks",
        _actions,
        ("action",),
    ),
    Family(
        "drs_task_phase_changes_total",
        "Phase changes seen since this exporter discovered the task.",
        "tasks",
        one(lambda task: task.history.phase_changes),
        type="counter",
    ),
    Family(
        "drs_task_failures_total",
        "Changes into phase failed seen since this exporter discovered the task.",
        "tasks",
        one(lambda task: task.history.failures),
        type="counter",
    ),
    Family(
        "drs_task_created_timestamp_seconds",
        "When the task was created. Absent where the cloud gives the time without a zone.",
        "detail",
        _newest(("listed", "created_at"), ("detail", "created_at")),
    ),
    Family(
        "drs_task_started_timestamp_seconds",
        "When the task was started.",
        "detail",
        _detail("started_at"),
    ),
    Family(
        "drs_task_full_completed_timestamp_seconds",
        "When the full load was complete.",
        "detail",
        _newest(("detail", "full_completed_at"), ("objects", "full_completed_at")),
    ),
    Family(
        "drs_task_updated_timestamp_seconds",
        "When the task was last configured.",
        "detail",
        _detail("updated_at"),
    ),
    Family(
        "drs_task_scheduled_start_timestamp_seconds",
        "When the task is to start by itself; absent where no time is set.",
        "detail",
        _detail("scheduled_start_at"),
    ),
    Family(
        "drs_task_order_expires_timestamp_seconds",
        "When the yearly or monthly order of the task ends.",
        "detail",
        _detail("order_expires_at"),
    ),
    Family(
        "drs_task_auto_stop_after_seconds",
        "How long the cloud lets the task be in failure before it stops it for good.",
        "detail",
        _detail("auto_stop_after_seconds"),
    ),
    Family(
        "drs_task_auto_stop_timestamp_seconds",
        "When the cloud will stop the failed task; only where this exporter saw it fail.",
        "detail",
        one(_auto_stop_at),
    ),
    Family(
        "drs_task_phase_changed_timestamp_seconds",
        "When this exporter saw the phase change; absent until it has seen a change.",
        "tasks",
        one(lambda task: task.history.phase_changed_at),
    ),
    Family(
        "drs_task_incremental_delay_seconds",
        "How far the target is behind the source. Only in phases incremental and changing.",
        "progress",
        one(lambda task: task.delay_seconds),
    ),
    Family(
        "drs_task_full_progress_ratio",
        "Completed part of the full load, or of the initialisation of a DR task, from 0 to 1.",
        "progress",
        _progress("full_ratio"),
    ),
    Family(
        "drs_task_full_remaining_seconds",
        "The cloud's estimate of the rest of the full load; only while it is between 0 and 1.",
        "progress",
        _progress("full_remaining_seconds"),
    ),
    Family(
        "drs_task_stage_progress_ratio",
        "Completed part of each stage of the full load (struct, data, index and so on), from 0 to 1.",
        "progress",
        _stages,
        ("stage",),
    ),
    Family(
        "drs_task_progress_reported_timestamp_seconds",
        "When the cloud itself last computed the progress of the task.",
        "progress",
        _progress("reported_at"),
    ),
    Family(
        "drs_task_collected_timestamp_seconds",
        "When progress, node or recovery last told of this task; of several answers the oldest that is still shown.",
        "derived",
        lambda task: tuple(((collector,), at) for collector, at in task.collected if COLLECTORS[collector].dated),
        ("collector",),
        reads=("collected",),
    ),
    Family(
        "drs_node_cpu_usage_ratio",
        "CPU use of the node that runs the task, from 0 to 1. In v5 percent is inferred from Cloud Eye.",
        "node",
        _newest(("node", "cpu_ratio"), ("monitor", "cpu_ratio")),
    ),
    Family(
        "drs_node_memory_usage_ratio",
        "Memory use of the node that runs the task, from 0 to 1. In v5 percent is inferred from Cloud Eye.",
        "node",
        _newest(("node", "memory_ratio"), ("monitor", "memory_ratio")),
    ),
    Family(
        "drs_node_memory_size_bytes",
        "Memory of the node.",
        "node",
        _part("monitor", "memory_size_bytes"),
    ),
    Family(
        "drs_node_disk_used_bytes",
        "Disk space in use on the node.",
        "node",
        _part("monitor", "disk_used_bytes"),
    ),
    Family(
        "drs_node_disk_size_bytes",
        "Disk space of the node.",
        "node",
        _part("monitor", "disk_size_bytes"),
    ),
    Family(
        "drs_node_network_receive_bytes_per_second",
        "Network input of the node. The cloud documents no unit; inferred from its Cloud Eye metric of that name.",
        "node",
        _node("receive_bytes_per_second"),
    ),
    Family(
        "drs_node_network_transmit_bytes_per_second",
        "Network output of the node. The cloud documents no unit; inferred from its Cloud Eye metric of that name.",
        "node",
        _node("transmit_bytes_per_second"),
    ),
    Family(
        "drs_node_disk_read_bytes_per_second",
        "Disk reads of the node. The cloud documents no unit; inferred from its Cloud Eye metric of that name.",
        "node",
        _node("disk_read_bytes_per_second"),
    ),
    Family(
        "drs_node_disk_write_bytes_per_second",
        "Disk writes of the node. The cloud documents no unit; inferred from its Cloud Eye metric of that name.",
        "node",
        _node("disk_write_bytes_per_second"),
    ),
    Family(
        "drs_node_report_timestamp_seconds",
        "When the node reported its figures to the cloud; of two reports that which missed no poll.",
        "node",
        _newest(("node", "reported_at"), ("monitor", "reported_at")),
    ),
    Family(
        "drs_apply_rows_per_second",
        "Rows written into the target per second. The unit is inferred from Cloud Eye's metric.",
        "derived",
        _newest(("progress", "apply_rows_per_second"), ("node", "apply_rows_per_second")),
        reads=("progress", "node", "newest"),
    ),
    Family(
        "drs_apply_transactions_per_second",
        "Transactions applied to the target per second. The unit is inferred from Cloud Eye's metric.",
        "node",
        _node("apply_transactions_per_second"),
    ),
    Family(
        "drs_apply_ddls_per_second",
        "DDL statements applied to the target per second. The unit is inferred from Cloud Eye's metric.",
        "node",
        _node("apply_ddls_per_second"),
    ),
    Family(
        "drs_apply_bytes_per_second",
        "Bytes written into the target per second.",
        "derived",
        _newest(("progress", "apply_bytes_per_second"), ("monitor", "apply_bytes_per_second")),
        reads=("progress", "monitor", "newest"),
    ),
    Family(
        "drs_apply_average_execute_seconds",
        "Average time to execute a transaction on the target. Milliseconds inferred from Cloud Eye's metric.",
        "node",
        _node("apply_average_execute_seconds"),
    ),
    Family(
        "drs_apply_average_commit_seconds",
        "Average time to commit a transaction on the target. Milliseconds inferred from Cloud Eye's metric.",
        "node",
        _node("apply_average_commit_seconds"),
    ),
    Family(
        "drs_apply_state",
        "What the applier does: 1 for the current state, 0 for the others.",
        "node",
        state_set((*APPLY_STATES, "other"), lambda task: task.node.apply_state if task.node else None),
        ("state",),
    ),
    Family(
        "drs_side_up",
        "Whether the node reaches the database on this side.",
        "node",
        _sides("source_up", "target_up"),
        ("side",),
    ),
    Family(
        "drs_side_requests_per_second",
        "Requests that the database on this side answers to the node.",
        "node",
        _sides("source_requests_per_second", "target_requests_per_second"),
        ("side",),
    ),
    Family(
        "drs_task_rpo_seconds",
        "Recovery point: how far the DRS node is behind the service database. Absent amid a switchover.",
        "recovery",
        _recovery("rpo_seconds"),
    ),
    Family(
        "drs_task_rto_seconds",
        "Recovery time: how far the disaster-recovery database is behind the DRS node. Absent amid a switchover.",
        "recovery",
        _recovery("rto_seconds"),
    ),
    Family(
        "drs_task_switching",
        "Whether a DR task is amid a switchover: its kernel runs against its direction.",
        "recovery",
        one(lambda task: task.switching),
    ),
    Family(
        "drs_task_delay_threshold_seconds",
        "The delay at which the cloud alarms; absent where none is set.",
        "detail",
        _detail("delay_threshold_seconds"),
    ),
    Family(
        "drs_task_rpo_threshold_seconds",
        "The RPO at which the cloud alarms; absent where none is set.",
        "detail",
        _detail("rpo_threshold_seconds"),
    ),
    Family(
        "drs_task_rto_threshold_seconds",
        "The RTO at which the cloud alarms; absent where none is set.",
        "detail",
        _detail("rto_threshold_seconds"),
    ),
    Family(
        "drs_task_target_read_only_lifted",
        "Whether the target was made writable again: 1 done, 0 pending. Absent where nobody asked for it.",
        "detail",
        _part("writable", "lifted"),
    ),
    Family(
        "drs_task_objects_source",
        "Objects of a type to move.",
        "objects",
        _counts_of("objects", "counts", "source"),
        ("object_type",),
    ),
    Family(
        "drs_task_objects_target",
        "Objects of a type that reached the target.",
        "objects",
        _counts_of("objects", "counts", "target"),
        ("object_type",),
    ),
    Family(
        "drs_comparison_status",
        "Status of the newest comparison of a type: 1 for the current one, 0 for the others.",
        "comparison",
        _comparison_status,
        ("type", "status"),
    ),
    Family(
        "drs_comparison_consistent",
        "The newest comparison: 1 all equal, 0 anything inconsistent or missing on the target. Absent while it runs, "
        "and where it failed.",
        "comparison",
        _compared("consistent"),
        ("type",),
    ),
    Family(
        "drs_comparison_finished_timestamp_seconds",
        "When the newest comparison ended.",
        "comparison",
        _compared("finished_at"),
        ("type",),
    ),
    Family(
        "drs_comparison_different_rows",
        "Rows that differ in the newest comparison, where the cloud counts them.",
        "comparison",
        _compared("different_rows"),
        ("type",),
    ),
    Family(
        "drs_comparison_objects_source",
        "Objects of a type that the newest object comparison found in the source.",
        "comparison",
        _counts_of("comparison", "objects", "source"),
        ("object_type",),
    ),
    Family(
        "drs_comparison_objects_target",
        "Objects of a type that the newest object comparison found in the target.",
        "comparison",
        _counts_of("comparison", "objects", "target"),
        ("object_type",),
    ),
    Family(
        "drs_comparison_results",
        "How many databases or object types ended how in the newest comparison.",
        "comparison",
        _comparison_results,
        ("type", "result"),
    ),
    Family(
        "drs_precheck_items",
        "Checks of the newest pre-check by result; ALARM counts as passed in the ratio.",
        "precheck",
        lambda task: tuple(((result,), count) for result, count in task.precheck.items) if task.precheck else (),
        ("result",),
    ),
    Family(
        "drs_precheck_passed_ratio",
        "Part of the checks that passed in the newest pre-check, from 0 to 1.",
        "precheck",
        _part("precheck", "passed_ratio"),
    ),
    Family(
        "drs_task_last_log_timestamp_seconds",
        "When the newest log entry of a level was written.",
        "logs",
        lambda task: tuple(((level,), at) for level, at in task.logs.newest) if task.logs else (),
        ("level",),
    ),
    Family(
        "drs_task_cutover_ready",
        "1: nothing known blocks a cut-over, which does not mean that it is safe. 0: see drs_task_cutover_blocker.",
        "derived",
        one(_ready),
        reads=("blockers",),
    ),
    Family(
        "drs_task_cutover_blocker",
        "A reason against a cut-over: 1 it holds, 0 it does not.",
        "derived",
        _blockers,
        ("reason",),
        reads=("blockers",),
    ),
)


def tag_labels(keys: Iterable[str]) -> dict[str, str]:
    """Label names for tag keys: `tag_` and the key, other characters than letters and digits as underscores.

    Keys that become the same name are numbered in their order, so that a name never changes its key.
    """
    labels: dict[str, str] = {}
    for key in dict.fromkeys(keys):
        name = tag_label(key)
        numbered = (f"{name}_{number}" for number in count(2))
        labels[key] = next(label for label in chain([name], numbered) if label not in labels.values())
    return labels


def task_families(tags: Mapping[str, str] | None = None) -> tuple[Family[Task], ...]:
    """All families of tasks; `tags` gives by tag key the label in which `drs_task_detail_info` shows it."""
    info, *others = _TASK_FAMILIES
    detail_info = Family(
        "drs_task_detail_info",
        "What the details say of a task, and the tags that are allowed as labels; the value is always 1.",
        "detail",
        _detail_info(tags or {}),
        (*_DETAIL_LABELS, *(tags or {}).values()),
    )
    return (info, detail_info, *others)


TASK_FAMILIES = task_families()
"""Those of an exporter without tag labels."""


def _counts(project: Project) -> Samples:
    return tuple(((job_type, phase), count) for (job_type, phase), count in project.counts.items())


def _quotas(project: Project, *, used: bool) -> Samples:
    resources = project.quota.resources if project.quota else ()
    numbers = ((name, taken if used else limit) for name, taken, limit in resources)
    return tuple(((name,), number) for name, number in numbers if number is not None)


def _collectors(value: Callable[..., float | None]) -> Callable[[Project], Samples]:
    def samples(project: Project) -> Samples:
        numbers = ((name, value(facts)) for name, facts in project.collectors.items())
        return tuple(((name,), number) for name, number in numbers if number is not None)

    return samples


PROJECT_FAMILIES: tuple[Family[Project], ...] = (
    Family(
        "drs_up",
        "1: an API generation is published, and the newest due list of each published one succeeded for every job "
        "type. 0: the project is unreadable. Absent before the first poll.",
        "tasks",
        one(lambda project: project.up),
    ),
    Family(
        "drs_tasks",
        "How many tasks (subtasks not counted), zeros included. Absent while the list of a job type is unknown.",
        "tasks",
        _counts,
        ("job_type", "phase"),
    ),
    Family(
        "drs_quota_used",
        "How much of a quota of the project is in use.",
        "quota",
        lambda project: _quotas(project, used=True),
        ("resource",),
    ),
    Family(
        "drs_quota_limit",
        "A quota of the project.",
        "quota",
        lambda project: _quotas(project, used=False),
        ("resource",),
    ),
    Family(
        "drs_async_jobs",
        "Batches of tasks created asynchronously, by status.",
        "async_jobs",
        lambda project: (
            tuple(((word,), count) for word, count in project.async_jobs.counts) if project.async_jobs else ()
        ),
        ("status",),
    ),
    Family(
        "drs_async_job_failed_timestamp_seconds",
        "When a failed asynchronous batch was created; the newest 20.",
        "async_jobs",
        lambda project: tuple(((job,), at) for job, at in project.async_jobs.failed) if project.async_jobs else (),
        ("async_job_id",),
    ),
    Family(
        "drs_exporter_collector_success",
        "Whether the newest poll of a collector succeeded: its calls did, or the lists say that there is nothing "
        "to ask. Absent where nothing could be asked: nothing that feeds it is published, or the lists are unknown.",
        "",
        _collectors(lambda facts: facts.success),
        ("collector",),
    ),
    Family(
        "drs_exporter_collector_duration_seconds",
        "How long the newest poll of a collector took.",
        "",
        _collectors(lambda facts: facts.duration_seconds),
        ("collector",),
    ),
    Family(
        "drs_exporter_collector_last_success_timestamp_seconds",
        "When a collector last succeeded for the project.",
        "",
        _collectors(lambda facts: facts.last_success_at),
        ("collector",),
    ),
    Family(
        "drs_exporter_collector_interval_seconds",
        "The effective interval of a collector.",
        "",
        _collectors(lambda facts: facts.interval_seconds),
        ("collector",),
    ),
    Family(
        "drs_exporter_list_success",
        "Whether the newest task list of a job type through an API generation succeeded.",
        "",
        lambda project: tuple((key, facts.success) for key, facts in project.lists.items()),
        ("api", "job_type"),
    ),
    Family(
        "drs_exporter_listed_tasks",
        "How many tasks and subtasks the newest successful list of a job type through an API generation had.",
        "",
        lambda project: tuple((key, facts.tasks) for key, facts in project.lists.items() if facts.tasks is not None),
        ("api", "job_type"),
    ),
    Family(
        "drs_exporter_list_complete",
        "1: every page of the newest successful task list of a job type through an API generation arrived, and its ids "
        "match the total. 0: they disagree, a page was refused or repeated, or tasks could not be decoded; drs_tasks "
        "of that job type is absent meanwhile. Unchanged while lists fail: see drs_exporter_list_success.",
        "",
        lambda project: tuple(
            (key, facts.gap is None) for key, facts in project.lists.items() if facts.tasks is not None
        ),
        ("api", "job_type"),
    ),
    Family(
        "drs_exporter_source_info",
        "A source that can feed a collector, found by asking: 1 published in this region, 0 not. Absent until asked.",
        "",
        lambda project: tuple((key, here) for key, here in project.sources.items() if here is not None),
        ("collector", "source"),
    ),
)


def family_names() -> set[str]:
    """The names of all families of tasks and projects."""
    return {family.name for family in TASK_FAMILIES} | {family.name for family in PROJECT_FAMILIES}
