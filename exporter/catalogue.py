"""Every family of tasks and projects, as data. A metric is added here, and only here.

Docs, tests and lint are derived from these entries. `drs_exporter_*` counters and histograms that belong to no
project live in `telemetry`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from exporter.model import Phase, Project, Task

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
_DELAYED = frozenset({Phase.INCREMENTAL, Phase.CHANGING})


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
    """

    name: str
    help: str
    collector: str
    samples: Callable[[T], Samples]
    labels: tuple[str, ...] = ()
    type: str = "gauge"


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
    listed = task.tasks
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


def _failure(task: Task) -> Samples:
    code = task.progress.error_code if task.progress else None
    return (((code,), 1),) if code and task.phase is Phase.FAILED else ()


def _actions(task: Task) -> Samples:
    listed = task.tasks
    if listed is None:
        return ()
    known = listed.available_actions | listed.unavailable_actions
    return tuple(((action,), float(action in listed.available_actions)) for action in ACTIONS if action in known)


def _delay(task: Task) -> float | None:
    return task.progress.delay_seconds if task.progress and task.phase in _DELAYED else None


def _stages(task: Task) -> Samples:
    return tuple(((stage,), ratio) for stage, ratio in task.progress.stages) if task.progress else ()


def _progress(name: str) -> Callable[[Task], Samples]:
    return one(lambda task: getattr(task.progress, name, None))


def _node(name: str) -> Callable[[Task], Samples]:
    return one(lambda task: getattr(task.node, name, None))


def _apply_rows(task: Task) -> float | None:
    rows = task.progress.apply_rows_per_second if task.progress else None
    return task.node.apply_rows_per_second if rows is None and task.node else rows


TASK_FAMILIES: tuple[Family[Task], ...] = (
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
        lambda task: (((task.tasks.status,), 1),) if task.tasks else (),
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
        "progress",
        _failure,
        ("error_code",),
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
        "tasks",
        one(lambda task: task.tasks.created_at if task.tasks else None),
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
        one(_delay),
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
        "When a collector last succeeded for this task; the age of its values.",
        "derived",
        lambda task: tuple(((collector,), at) for collector, at in task.collected),
        ("collector",),
    ),
    Family(
        "drs_node_cpu_usage_ratio",
        "CPU use of the node that runs the task, from 0 to 1.",
        "node",
        _node("cpu_ratio"),
    ),
    Family(
        "drs_node_memory_usage_ratio",
        "Memory use of the node that runs the task, from 0 to 1.",
        "node",
        _node("memory_ratio"),
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
        "When the node reported its figures to the cloud.",
        "node",
        _node("reported_at"),
    ),
    Family(
        "drs_apply_rows_per_second",
        "Rows written into the target per second.",
        "derived",
        one(_apply_rows),
    ),
    Family(
        "drs_apply_transactions_per_second",
        "Transactions applied to the target per second.",
        "node",
        _node("apply_transactions_per_second"),
    ),
    Family(
        "drs_apply_ddls_per_second",
        "DDL statements applied to the target per second.",
        "node",
        _node("apply_ddls_per_second"),
    ),
    Family(
        "drs_apply_bytes_per_second",
        "Bytes written into the target per second.",
        "progress",
        _progress("apply_bytes_per_second"),
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
)


def _counts(project: Project) -> Samples:
    return tuple(((job_type, phase), count) for (job_type, phase), count in project.counts.items())


def _collectors(value: Callable[..., float | None]) -> Callable[[Project], Samples]:
    def samples(project: Project) -> Samples:
        numbers = ((name, value(facts)) for name, facts in project.collectors.items())
        return tuple(((name,), number) for name, number in numbers if number is not None)

    return samples


PROJECT_FAMILIES: tuple[Family[Project], ...] = (
    Family(
        "drs_up",
        "1: an API generation is published, and the newest due list of each published one succeeded for every job "
        "type. 0: the project is blind. Absent before the first poll.",
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
        "drs_exporter_collector_success",
        "Whether the newest poll of a collector succeeded for the project.",
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
        "drs_exporter_source_info",
        "A source that can feed a collector: 1 where it is published in this region, 0 where it is not.",
        "",
        lambda project: tuple((key, published) for key, published in project.sources.items()),
        ("collector", "source"),
    ),
)


def family_names() -> set[str]:
    """The names of all families of tasks and projects."""
    return {family.name for family in TASK_FAMILIES} | {family.name for family in PROJECT_FAMILIES}
