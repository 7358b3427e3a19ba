"""The catalogue of task families. A metric of a field that the model has is one entry.

docs/metrics.md and tests are derived from the entries.
"""

from __future__ import annotations

from itertools import chain, count
from operator import attrgetter
from typing import TYPE_CHECKING

from exporter.config import COLLECTORS, Scope, tag_label
from exporter.metrics.family import (
    Family,
    Samples,
    by_label,
    by_word,
    counter,
    gauge,
    info,
    label_value,
    single,
    split,
    state_set,
)
from exporter.model.cutover import REASONS
from exporter.model.facts import APPLY_STATES
from exporter.model.task import Phase, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

ACTIONS = (
    "START",
    "START_INCR",
    "RETRY",
    "RESET",
    "CONTINUE_JOB",
    "CONTINUE_APPLY",
    "CONTINUE_CAPTURE",
    "SWITCH_OVER",
    "PAY_ORDER",
)
_APPLY_STATES = (*APPLY_STATES, "other")
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
_INFO_LABELS = (
    "job_type",
    "engine_type",
    "task_type",
    "direction",
    "net_type",
    "enterprise_project_id",
    "job_mode",
    "role",
    "node_role",
    "multi_az",
)
"""Labels of drs_task_info, named as the fields of the list."""
_DETAIL_LABELS = (
    "node_type",
    "instance_type",
    "source_type",
    "target_type",
    "target_instance_id",
    "charging_mode",
    "kernel_direction",
)
"""Labels of drs_task_detail_info that are named as the fields of the details."""
_MORE_DETAIL_LABELS = ("task_version", "master_task_id")
"""The same; they follow those that are not named so."""
_POLICY_LABELS = ("conflict_policy", "filter_ddl_policy", "ddl_trans", "index_trans", "sync_type_policy", "topology")
"""Labels of drs_task_policy_info, named as the fields of the details."""
_FACTS = tuple(
    facts
    for collector in COLLECTORS.values()
    if collector.scope not in {Scope.LISTS, Scope.PROJECT}
    for facts in collector.facts
)
"""All facts about tasks but those of the lists."""
_JUDGED = tuple(dict.fromkeys((*(reason.source for reason in REASONS), "detail")))
"""The facts that the reasons against a cut-over read; the details contain thresholds, and who is a standby."""


def _paths(facts: str, names: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{facts}.{name}" for name in names)


def _detail_info(tag_labels: Mapping[str, str]) -> Callable[[Task], Samples]:
    def samples(task: Task) -> Samples:
        detail, listed = task.detail, task.listed
        if detail is None:
            return ()
        tags = dict(detail.tags)
        dual = detail.multi_write if detail.multi_write is not None else listed.multi_write if listed else None
        values = (
            *(_charging_mode(task) if name == "charging_mode" else getattr(detail, name) for name in _DETAIL_LABELS),
            dual,
            _local_role(task),
            *(getattr(detail, name) for name in _MORE_DETAIL_LABELS),
            *(tags.get(key) for key in tag_labels),
        )
        return ((tuple(map(label_value, values)), 1),)

    return samples


def _charging_mode(task: Task) -> str | None:
    listed = task.listed.charging_mode if task.listed else None
    return listed or (task.detail.charging_mode if task.detail else None)


def _local_role(task: Task) -> str | None:
    """The side of a DR pair that this cloud is: data flows up to the standby, and down from the active side."""
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


def _collected(task: Task) -> Samples:
    return tuple(((collector,), at) for collector, at in task.collected)


def _by_side(name: str, help_text: str, source: str, target: str) -> Family[Task]:
    def samples(task: Task) -> Samples:
        sides = (("source", getattr(task.monitor, source, None)), ("target", getattr(task.monitor, target, None)))
        return tuple(((side,), value) for side, value in sides if value is not None)

    return Family(name, help_text, _paths("monitor", (source, target)), samples, ("side",))


def _recovery(name: str, help_text: str, field: str) -> Family[Task]:
    """A family of a DR task that is absent during a switchover."""

    def value(task: Task) -> float | None:
        return getattr(task.recovery_now, field, None)

    return Family(name, help_text, (f"recovery.{field}",), single(value), reads=("recovery", "switchover", "listed"))


def _objects(name: str, help_text: str, field: str, side: str) -> Family[Task]:
    """Object counts of one side, by type; the first of a type that the cloud names twice."""
    facts, counts = split(field)

    def samples(task: Task) -> Samples:
        numbers = {count.type: getattr(count, side) for count in reversed(getattr(getattr(task, facts), counts, ()))}
        return tuple(((name,), number) for name, number in sorted(numbers.items()) if number is not None)

    return Family(name, help_text, (field,), samples, ("object_type",))


def _objects_status(task: Task) -> Samples:
    counts = reversed(task.objects.counts if task.objects else ())
    statuses = {count.type: count.status for count in counts}
    return tuple(((kind, status), 1) for kind, status in sorted(statuses.items()) if status)


def _compared(name: str, help_text: str, attribute: str) -> Family[Task]:
    """An attribute of the newest comparison of each type."""

    def samples(task: Task) -> Samples:
        compared = task.comparison.types if task.comparison else ()
        values = ((comparison.type, getattr(comparison, attribute)) for comparison in compared)
        return tuple(((kind,), value) for kind, value in values if value is not None)

    return Family(name, help_text, ("comparison.types",), samples, ("type",))


def _comparison_status(task: Task) -> Samples:
    types = task.comparison.types if task.comparison else ()
    current = ((newest.type, newest.status if newest.status in COMPARISON_STATUSES else "other") for newest in types)
    return tuple(((kind, name), float(name == status)) for kind, status in current for name in COMPARISON_STATUSES)


def _comparison_results(task: Task) -> Samples:
    types = task.comparison.types if task.comparison else ()
    return tuple(((newest.type, word), number) for newest in types for word, number in newest.results)


def _started_at(task: Task) -> float | None:
    """Always the first known of two times that differ by minutes, so that the value does not jump with their ages."""
    known = (facts.started_at for facts in (task.detail, task.objects) if facts)
    return next((at for at in known if at is not None), None)


def _auto_stop_at(task: Task) -> float | None:
    """Only for a failure that this exporter observed: the start of an older one is unknown."""
    after = task.detail.auto_stop_after_seconds if task.detail else None
    since = task.history.phase_changed_at
    return since + after if after is not None and since is not None and task.phase is Phase.FAILED else None


_TASK_FAMILIES: tuple[Family[Task], ...] = (
    info(
        "drs_task_info",
        "Properties of a task from the task list; the value is always 1.",
        "listed",
        _INFO_LABELS,
    ),
    by_word(
        "drs_task_status",
        "The status of a task as the cloud reports it; one series, always 1.",
        "listed.status",
        "status",
    ),
    Family(
        "drs_task_phase",
        "Phase of a task: 1 for the current one, 0 for the others.",
        ("listed.status",),
        state_set(tuple(Phase), lambda task: task.phase),
        ("phase",),
        words=tuple(Phase),
    ),
    Family(
        "drs_task_failure_info",
        "Error code of a failed task, if the cloud reports one; the value is always 1.",
        ("progress.error_code", "detail.error_code"),
        _failure,
        ("error_code",),
    ),
    Family(
        "drs_task_action_available",
        "Whether an action such as RETRY or CONTINUE_APPLY is available to the user.",
        ("listed.available_actions", "listed.unavailable_actions"),
        _actions,
        ("action",),
        words=ACTIONS,
    ),
    by_word(
        "drs_task_current_action",
        "The operation in progress on the task, such as SWITCH_OVER; the value is always 1. Absent if there is none.",
        "listed.current_action",
        "action",
    ),
    counter(
        "drs_task_phase_changes_total",
        "Phase changes observed since this exporter discovered the task.",
        "history.phase_changes",
    ),
    counter(
        "drs_task_failures_total",
        "Changes into phase failed observed since this exporter discovered the task.",
        "history.failures",
    ),
    gauge(
        "drs_task_created_timestamp_seconds",
        "When the task was created. Absent if the cloud reports the time without a time zone.",
        "listed.created_at",
        "detail.created_at",
    ),
    Family(
        "drs_task_started_timestamp_seconds",
        "When the task was started. If only v5 lists it: when its full load began.",
        ("detail.started_at", "objects.started_at"),
        single(_started_at),
    ),
    gauge(
        "drs_task_incremental_started_timestamp_seconds",
        "When the incremental phase began.",
        "objects.incremental_started_at",
    ),
    gauge(
        "drs_task_full_completed_timestamp_seconds",
        "When the full load was complete.",
        "detail.full_completed_at",
        "objects.full_completed_at",
    ),
    gauge("drs_task_updated_timestamp_seconds", "When the task was last configured.", "detail.updated_at"),
    gauge(
        "drs_task_scheduled_start_timestamp_seconds",
        "When the task is to start by itself; absent if no time is set.",
        "detail.scheduled_start_at",
    ),
    gauge(
        "drs_task_order_expires_timestamp_seconds",
        "When the yearly or monthly order of the task ends.",
        "detail.order_expires_at",
    ),
    by_word(
        "drs_task_order_status",
        "Status of the yearly or monthly order; one series, always 1. FROZEN_* means that the task is frozen.",
        "detail.order_status",
        "status",
    ),
    gauge(
        "drs_task_order_auto_renew",
        "Whether the yearly or monthly order is renewed when it ends.",
        "detail.order_auto_renew",
    ),
    info(
        "drs_task_policy_info",
        "What the task ignores or leaves out: conflicts, DDL, indexes; the value is always 1. conflict_policy: ignore "
        "(a conflicting row is skipped), overwrite, or stop (the task fails). A label is absent if the cloud reports "
        "no such setting.",
        "detail",
        _POLICY_LABELS,
    ),
    Family(
        "drs_task_speed_limit_bytes_per_second",
        "The speed limit of the task that is in force now. Absent if none is. MB are read as 2^20 bytes.",
        ("detail.speed_limits",),
        single(lambda task: task.speed_limit),
        reads=("speed_limit",),
    ),
    gauge(
        "drs_task_target_read_only",
        "Whether the task was configured to set the target database read-only. Not the state of the target.",
        "detail.target_read_only",
    ),
    gauge(
        "drs_task_restart_required",
        "Whether the instance of the task has to be restarted, as the cloud reports it.",
        "detail.restart_required",
    ),
    gauge(
        "drs_task_eip_bound",
        "Whether the elastic IP address was bound to the node: 0 if that failed.",
        "detail.eip_bound",
    ),
    gauge(
        "drs_task_auto_stop_after_seconds",
        "Time in failure after which the cloud stops the task for good.",
        "detail.auto_stop_after_seconds",
    ),
    Family(
        "drs_task_auto_stop_timestamp_seconds",
        "When the cloud will stop the failed task; only if this exporter observed the failure.",
        ("detail.auto_stop_after_seconds",),
        single(_auto_stop_at),
    ),
    gauge(
        "drs_task_phase_changed_timestamp_seconds",
        "When this exporter last observed a change of the phase; absent before the first one.",
        "history.phase_changed_at",
    ),
    Family(
        "drs_task_incremental_delay_seconds",
        "How far the target is behind the source. Only in phases incremental and changing.",
        ("progress.delay_seconds",),
        single(lambda task: task.delay_seconds),
    ),
    gauge(
        "drs_task_full_progress_ratio",
        "Completed part of the full load, or of the initialisation of a DR task, from 0 to 1.",
        "progress.full_ratio",
    ),
    Family(
        "drs_task_full_remaining_seconds",
        "Remaining time of the full load as the cloud estimates it. Only in phase full, while its progress is between "
        "0 and 1.",
        ("progress.full_remaining_seconds",),
        single(lambda task: task.full_remaining_seconds),
    ),
    by_label(
        "drs_task_stage_progress_ratio",
        "Completed part of each stage of the full load (struct, data, index and so on), from 0 to 1.",
        "progress.stages",
        "stage",
    ),
    by_label(
        "drs_task_stage_remaining_seconds",
        "Remaining time of each stage of the full load as the cloud estimates it; only while load and stage run.",
        "progress.stages_remaining",
        "stage",
    ),
    Family(
        "drs_task_predicted_catch_up_seconds",
        "Time until the delay is within cutover.max_delay, predicted from at most 30 minutes since the last change of "
        "phase or action; 0 while it is. Absent if the delay does not shrink steadily, or the time is over 24 hours; "
        "without a newer delay, once this time and cutover.max_age have passed.",
        ("progress.delay_seconds",),
        single(lambda task: task.predicted.catch_up_seconds),
        reads=("predicted",),
    ),
    Family(
        "drs_task_predicted_full_load_end_timestamp_seconds",
        "When the full load ends, predicted from at most 30 minutes since the last change of phase or action. Absent "
        "if its progress does not advance steadily, or the end is over 24 hours away.",
        ("progress.full_ratio",),
        single(lambda task: task.predicted.full_load_end_at),
        reads=("predicted",),
    ),
    gauge(
        "drs_task_progress_reported_timestamp_seconds",
        "When the cloud last computed the progress of the task.",
        "progress.reported_at",
    ),
    Family(
        "drs_task_collected_timestamp_seconds",
        "When a collector last received facts about the task; the oldest of those that are shown.",
        _FACTS,
        _collected,
        ("collector",),
        reads=("collected",),
    ),
    gauge(
        "drs_node_cpu_usage_ratio",
        "CPU use of the node that runs the task, from 0 to 1. For v5, percent as unit is inferred from Cloud Eye.",
        "node.cpu_ratio",
        "monitor.cpu_ratio",
    ),
    gauge(
        "drs_node_memory_usage_ratio",
        "Memory use of the node that runs the task, from 0 to 1. For v5, percent as unit is inferred from Cloud Eye.",
        "node.memory_ratio",
        "monitor.memory_ratio",
    ),
    gauge("drs_node_memory_size_bytes", "Memory of the node.", "monitor.memory_size_bytes"),
    gauge("drs_node_disk_used_bytes", "Disk space in use on the node.", "monitor.disk_used_bytes"),
    gauge("drs_node_disk_size_bytes", "Disk space of the node.", "monitor.disk_size_bytes", "detail.disk_size_bytes"),
    by_word(
        "drs_node_status",
        "Status of the node that runs the task, such as ACTIVE or DELETED; one series, always 1.",
        "detail.node_status",
        "status",
    ),
    gauge(
        "drs_node_network_receive_bytes_per_second",
        "Network input of the node. The cloud documents no unit; inferred from its Cloud Eye metric of that name.",
        "node.receive_bytes_per_second",
    ),
    gauge(
        "drs_node_network_transmit_bytes_per_second",
        "Network output of the node. The cloud documents no unit; inferred from its Cloud Eye metric of that name.",
        "node.transmit_bytes_per_second",
    ),
    gauge(
        "drs_node_disk_read_bytes_per_second",
        "Disk reads of the node. The cloud documents no unit; inferred from its Cloud Eye metric of that name.",
        "node.disk_read_bytes_per_second",
    ),
    gauge(
        "drs_node_disk_write_bytes_per_second",
        "Disk writes of the node. The cloud documents no unit; inferred from its Cloud Eye metric of that name.",
        "node.disk_write_bytes_per_second",
    ),
    gauge(
        "drs_node_report_timestamp_seconds",
        "When the node reported its figures to the cloud; of two reports, the one that missed no poll.",
        "node.reported_at",
        "monitor.reported_at",
    ),
    gauge(
        "drs_apply_rows_per_second",
        "Rows written into the target per second. The unit is inferred from Cloud Eye's metric.",
        "progress.apply_rows_per_second",
        "node.apply_rows_per_second",
    ),
    gauge(
        "drs_apply_transactions_per_second",
        "Transactions applied to the target per second. The unit is inferred from Cloud Eye's metric.",
        "node.apply_transactions_per_second",
    ),
    gauge(
        "drs_apply_ddls_per_second",
        "DDL statements applied to the target per second. The unit is inferred from Cloud Eye's metric.",
        "node.apply_ddls_per_second",
    ),
    gauge(
        "drs_apply_bytes_per_second",
        "Bytes written into the target per second.",
        "progress.apply_bytes_per_second",
        "monitor.apply_bytes_per_second",
    ),
    gauge(
        "drs_apply_average_execute_seconds",
        "Average time to execute a transaction on the target. Milliseconds inferred from Cloud Eye's metric.",
        "node.apply_average_execute_seconds",
    ),
    gauge(
        "drs_apply_average_commit_seconds",
        "Average time to commit a transaction on the target. Milliseconds inferred from Cloud Eye's metric.",
        "node.apply_average_commit_seconds",
    ),
    Family(
        "drs_apply_state",
        "What the applier does: 1 for the current state, 0 for the others.",
        ("node.apply_state",),
        state_set(_APPLY_STATES, lambda task: task.node.apply_state if task.node else None),
        ("state",),
        words=_APPLY_STATES,
    ),
    _by_side("drs_side_up", "Whether the node reaches the database on this side.", "source_up", "target_up"),
    _by_side(
        "drs_side_requests_per_second",
        "Requests of the node that the database on this side serves.",
        "source_requests_per_second",
        "target_requests_per_second",
    ),
    _recovery(
        "drs_task_rpo_seconds",
        "Recovery point: how far the DRS node is behind the service database. Absent during a switchover.",
        "rpo_seconds",
    ),
    _recovery(
        "drs_task_rto_seconds",
        "Recovery time: how far the disaster-recovery database is behind the DRS node. Absent during a switchover.",
        "rto_seconds",
    ),
    Family(
        "drs_task_switching",
        "Whether a switchover of a DR task is in progress: the direction of its kernel is opposite to its own.",
        ("switchover.switching",),
        single(lambda task: task.switching),
        reads=("switchover", "listed"),
    ),
    gauge(
        "drs_task_alarm_enabled",
        "Whether the cloud notifies users of alarms of the task.",
        "detail.alarm_enabled",
    ),
    gauge(
        "drs_task_delay_threshold_seconds",
        "The delay at which the cloud alarms; absent if none is set or the alarm is off.",
        "detail.delay_threshold_seconds",
    ),
    gauge(
        "drs_task_rpo_threshold_seconds",
        "The RPO at which the cloud alarms; absent if none is set or the alarm is off.",
        "detail.rpo_threshold_seconds",
    ),
    gauge(
        "drs_task_rto_threshold_seconds",
        "The RTO at which the cloud alarms; absent if none is set or the alarm is off.",
        "detail.rto_threshold_seconds",
    ),
    gauge(
        "drs_task_target_read_only_lifted",
        "Whether the target was made writable again: 1 done, 0 pending. Absent if it was not requested.",
        "writable.lifted",
    ),
    _objects("drs_task_objects_source", "Objects of a type to move.", "objects.counts", "source"),
    _objects("drs_task_objects_target", "Objects of a type that reached the target.", "objects.counts", "target"),
    Family(
        "drs_task_objects_status",
        "How far the objects of a type are, such as FAILED or TRANSFER_WHEN_END; one series for each type, always 1.",
        ("objects.counts",),
        _objects_status,
        ("object_type", "status"),
    ),
    Family(
        "drs_comparison_status",
        "Status of the newest comparison of a type: 1 for the current one, 0 for the others.",
        ("comparison.types",),
        _comparison_status,
        ("type", "status"),
        words=COMPARISON_STATUSES,
    ),
    _compared(
        "drs_comparison_consistent",
        "The newest comparison: 1 all equal, 0 anything inconsistent or missing on the target. Absent while it runs, "
        "and if it failed.",
        "consistent",
    ),
    _compared("drs_comparison_finished_timestamp_seconds", "When the newest comparison ended.", "finished_at"),
    _compared(
        "drs_comparison_different_rows",
        "Rows that differ in the newest comparison, if the cloud counts them.",
        "different_rows",
    ),
    _compared(
        "drs_comparison_missing_rows",
        "Rows that only the source has by the newest comparison of contents, if the cloud counts them.",
        "missing_rows",
    ),
    _compared(
        "drs_comparison_extra_rows",
        "Rows that only the target has by the newest comparison of contents, if the cloud counts them.",
        "extra_rows",
    ),
    _compared(
        "drs_comparison_rows_source",
        "Rows of the source in the newest comparison, if the cloud counts them for all tables.",
        "rows_source",
    ),
    _compared(
        "drs_comparison_rows_target",
        "Rows of the target in the newest comparison, if the cloud counts them for all tables.",
        "rows_target",
    ),
    _objects(
        "drs_comparison_objects_source",
        "Objects of a type that the newest object comparison found in the source.",
        "comparison.objects",
        "source",
    ),
    _objects(
        "drs_comparison_objects_target",
        "Objects of a type that the newest object comparison found in the target.",
        "comparison.objects",
        "target",
    ),
    Family(
        "drs_comparison_results",
        "Databases or object types by result in the newest comparison.",
        ("comparison.types",),
        _comparison_results,
        ("type", "result"),
    ),
    by_label(
        "drs_precheck_items",
        "Checks of the newest pre-check by result; ALARM counts as passed in the ratio.",
        "precheck.items",
        "result",
    ),
    gauge(
        "drs_precheck_passed_ratio",
        "Part of the checks that passed in the newest pre-check, from 0 to 1.",
        "precheck.passed_ratio",
    ),
    by_label(
        "drs_task_last_log_timestamp_seconds",
        "When the newest log entry of a level was written.",
        "logs.newest",
        "level",
    ),
    Family(
        "drs_task_cutover_ready",
        "1: no known fact blocks the cut-over, which does not mean that it is safe: see drs_task_cutover_unchecked. "
        "0: see drs_task_cutover_blocker. A parent shows it for its subtasks.",
        _JUDGED,
        single(lambda task: None if task.ready is None else float(task.ready)),
        reads=("blockers",),
    ),
    Family(
        "drs_task_cutover_blocker",
        "A reason against a cut-over that was checked: 1 it blocks, 0 it does not.",
        _JUDGED,
        lambda task: tuple(((reason,), blocks) for reason, blocks in task.blockers or ()),
        ("reason",),
        reads=("blockers",),
    ),
    Family(
        "drs_task_cutover_unchecked",
        "A reason against a cut-over that was not checked, always 1. cause: unknown (the cloud reports no value, or it "
        "is too old), unpublished (no operation in the region provides it), ignored (by the configuration). A parent "
        "also shows those of its living subtasks.",
        _JUDGED,
        lambda task: tuple((pair, 1) for pair in task.unchecked),
        ("reason", "cause"),
        reads=("unchecked",),
    ),
    Family(
        "drs_task_cutover_ready_since_timestamp_seconds",
        "Since when this exporter has seen the task ready; absent while it is not.",
        _JUDGED,
        single(attrgetter("ready_since")),
        reads=("ready_since",),
    ),
    Family(
        "drs_task_wave_info",
        "The running waves that contain the task, one series each, always 1. Not of subtasks.",
        ("listed.id", "listed.name"),
        lambda task: tuple(((wave,), 1) for wave in task.waves),
        ("wave",),
        reads=("waves",),
    ),
)


_NETWORK_INFO = info(
    "drs_task_network_info",
    "Network and availability zone of the node, and whether the connections use SSL; the value is always 1. Only with "
    "collectors.detail.audit.",
    "detail",
    ("vpc_id", "subnet_id", "security_group_id", "source_ssl", "target_ssl", "az"),
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


def task_families(tags: Mapping[str, str] | None = None, *, audit: bool = True) -> tuple[Family[Task], ...]:
    """All families of tasks, without those for audits if not `audit`.

    `tags` gives by tag key the label in which `drs_task_detail_info` shows it.
    """
    list_info, *others = _TASK_FAMILIES
    detail_info = Family(
        "drs_task_detail_info",
        "Properties of a task from its details, and the tags of tasks.tag_labels; the value is always 1.",
        (*_paths("detail", (*_DETAIL_LABELS, "multi_write", *_MORE_DETAIL_LABELS, "tags")), "listed.charging_mode"),
        _detail_info(tags or {}),
        (*_DETAIL_LABELS, "multi_write", "local_role", *_MORE_DETAIL_LABELS, *(tags or {}).values()),
        reads=("detail", "listed"),
    )
    return (list_info, detail_info, *others, *([_NETWORK_INFO] if audit else ()))


TASK_FAMILIES = task_families()
"""Those of an exporter without tag labels."""
