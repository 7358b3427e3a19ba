"""The samples of each family of a task: unknown values have no series."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

import pytest

from exporter.metrics.tasks import ACTIONS, COMPARISON_STATUSES, TASK_FAMILIES, tag_labels, task_families
from exporter.model.details import Detail, Writable
from exporter.model.facts import (
    Compared,
    Comparison,
    Logs,
    Monitor,
    Node,
    ObjectCount,
    Objects,
    Precheck,
    Progress,
    Recovery,
    Switchover,
)
from exporter.model.prediction import Predicted
from exporter.model.task import History, Identity, Listed, Phase, Task

if TYPE_CHECKING:
    from exporter.metrics.family import Family

INFO = (
    *("job_type", "engine_type", "task_type", "direction", "net_type", "enterprise_project_id", "job_mode", "role"),
    *("node_role", "multi_az"),
)
STATUS_IN = {
    "preparing": "CREATING",
    "full": "FULL_TRANSFER_STARTED",
    "incremental": "INCRE_TRANSFER_STARTED",
    "paused": "PAUSING",
    "changing": "CHANGE_JOB_STARTED",
    "ending": "RELEASE_RESOURCE_STARTED",
    "ended": "RELEASE_RESOURCE_COMPLETE",
    "failed": "FROZEN",
    "other": "NEW",
}


def samples(task: Task, name: str) -> dict[tuple[str, ...], float]:
    [family] = [family for family in TASK_FAMILIES if family.name == name]
    shown = family.samples(task)
    assert all(len(labels) == len(family.labels) for labels, _ in shown)
    return dict(shown)


def listed(status: str = "INCRE_TRANSFER_STARTED", **facts: Any) -> Listed:
    return Listed(id="id", name="name", status=status, job_type="sync", **facts)


def of(*facts: Any, **fields: Any) -> Task:
    """A task with these facts, each in the field of its type, and with other fields."""
    names = {Listed: "listed", History: "history"}
    known = {names.get(type(each)) or each.name: each for each in facts if each is not None}
    return Task(Identity("a", "r", "p", "id", "name"), **known, **fields)


def only(state: str, *states: str) -> dict[tuple[str, ...], float]:
    """A state set: 1 for the current state, 0 for the others."""
    return {(name,): float(name == state) for name in states}


@pytest.mark.parametrize("family", TASK_FAMILIES, ids=attrgetter("name"))
def test_a_task_without_facts_has_only_its_counters(family: Family[Task]) -> None:
    assert dict(family.samples(of())) == ({(): 0} if family.type == "counter" else {})


APPLY_STATES = ("succeed", "failed", "processing", "waiting", "other")
FAILED = listed("FULL_TRANSFER_FAILED")
ACTING = listed(available_actions=frozenset({"RETRY", "CLONE"}), unavailable_actions=frozenset({"START", "DELETE"}))
DR = Listed(id="id", name="n", status="INCRE_TRANSFER_STARTED", job_type="cloudDataGuard")
STOPS, SEEN = Detail(auto_stop_after_seconds=100), History(1, 1, 1000.0)
COUNTS = (ObjectCount("table", 3, 1), ObjectCount("view", 2, None), ObjectCount("table", 9, 9))
NO, DATA = ("", "", ""), ("tableData", "one2one")
WITH_STATUS = (
    *(ObjectCount("view", 2, 2, "COMPLETED"), ObjectCount("table", 3, 1, "FAILED")),
    *(ObjectCount("event", 1, 0), ObjectCount("view", 2, 2, "TRANSFERING")),
)
BOTH_SIDES = Monitor(source_up=True, target_up=False, target_requests_per_second=0)


@pytest.mark.parametrize(
    ("name", "facts", "shown"),
    [
        *(("drs_task_phase", [listed(status)], only(phase, *Phase)) for phase, status in STATUS_IN.items()),
        ("drs_apply_state", [Node(apply_state="succeed")], only("succeed", *APPLY_STATES)),
        ("drs_apply_state", [Node(apply_state="waiting")], only("waiting", *APPLY_STATES)),
        ("drs_apply_state", [Node(apply_state="sleeping")], only("other", *APPLY_STATES)),
        # An error code only while the task is failed, of the progress or of the details.
        ("drs_task_failure_info", [FAILED, Progress(error_code="DRS.M1")], {("DRS.M1",): 1}),
        ("drs_task_failure_info", [listed(), Progress(error_code="DRS.M1")], {}),
        ("drs_task_failure_info", [listed("FROZEN"), Progress()], {}),
        ("drs_task_failure_info", [listed("FROZEN"), Progress(), Detail(error_code="DRS.K01")], {("DRS.K01",): 1}),
        # Actions of the contract that the cloud names.
        ("drs_task_action_available", [ACTING], {("RETRY",): 1, ("START",): 0}),
        # Labels in their order; unknown ones are empty.
        (
            "drs_task_info",
            [listed(engine_type="mysql", role="parent")],
            {tuple({"job_type": "sync", "engine_type": "mysql", "role": "parent"}.get(name, "") for name in INFO): 1},
        ),
        (
            "drs_task_info",
            [listed(node_role="slave", multi_az=False)],
            {tuple({"job_type": "sync", "node_role": "slave", "multi_az": "false"}.get(name, "") for name in INFO): 1},
        ),
        # The operation in progress; no series if there is none, or if it is unknown.
        ("drs_task_current_action", [listed(current_action="SWITCH_OVER")], {("SWITCH_OVER",): 1}),
        *(("drs_task_current_action", [listed(current_action=action)], {}) for action in ("", None)),
        # Rows are those of the progress if it has some.
        *(
            ("drs_apply_rows_per_second", [progress, Node(apply_rows_per_second=7)], {(): rows})
            for progress, rows in ((Progress(apply_rows_per_second=0), 0), (Progress(), 7), (None, 7))
        ),
        ("drs_side_up", [BOTH_SIDES], {("source",): 1, ("target",): 0}),
        ("drs_side_requests_per_second", [BOTH_SIDES], {("target",): 0}),
        # Objects that the cloud names twice are one series.
        ("drs_task_objects_source", [Objects(COUNTS)], {("table",): 3, ("view",): 2}),
        ("drs_task_objects_target", [Objects(COUNTS)], {("table",): 1}),
        ("drs_comparison_objects_source", [Comparison(objects=COUNTS)], {("table",): 3, ("view",): 2}),
        ("drs_comparison_objects_target", [Comparison(objects=COUNTS)], {("table",): 1}),
        # The time of an automatic stop, if the failure was observed.
        ("drs_task_auto_stop_timestamp_seconds", [listed("FROZEN"), STOPS, SEEN], {(): 1100}),
        ("drs_task_auto_stop_timestamp_seconds", [listed(), STOPS, SEEN], {}),
        ("drs_task_auto_stop_timestamp_seconds", [listed("FROZEN"), STOPS], {}),
        ("drs_task_auto_stop_timestamp_seconds", [listed("FROZEN"), SEEN], {}),
        # No RPO and RTO during a switchover.
        *(
            (f"drs_task_{name}", [DR, Recovery(rpo_seconds=1), Switchover(switching)], shown)
            for switching, rpo, known in ((False, {(): 1}, {(): 0}), (True, {}, {(): 1}), (None, {(): 1}, {}))
            for name, shown in (("rpo_seconds", rpo), ("rto_seconds", {}), ("switching", known))
        ),
        ("drs_precheck_items", [Precheck((("PASSED", 3),), 0.75)], {("PASSED",): 3}),
        ("drs_precheck_passed_ratio", [Precheck((("PASSED", 3),), 0.75)], {(): 0.75}),
        ("drs_task_last_log_timestamp_seconds", [Logs((("error", 7.0),))], {("error",): 7}),
        ("drs_task_target_read_only_lifted", [Writable(lifted=False)], {(): 0}),
        # The settings of a task; no series while all of them are unknown.
        (
            "drs_task_policy_info",
            [Detail(conflict_policy="ignore", ddl_trans=False)],
            {("ignore", "", "false", *NO): 1},
        ),
        ("drs_task_policy_info", [Detail(sync_type_policy="tableData", topology="one2one")], {(*NO, "", *DATA): 1}),
        ("drs_task_policy_info", [Detail(node_type="high")], {}),
        ("drs_node_status", [Detail(node_status="ACTIVE")], {("ACTIVE",): 1}),
        ("drs_task_order_status", [Detail(order_status="FROZEN_POLICE")], {("FROZEN_POLICE",): 1}),
        *(
            (f"drs_task_{name}", [Detail(**{name: value})], {(): value})  # type: ignore[arg-type]  # all are flags
            for name in ("target_read_only", "restart_required", "eip_bound", "alarm_enabled", "order_auto_renew")
            for value in (False, True)
        ),
        # The start is that of the details if they have one: the full load begins later.
        *(
            ("drs_task_started_timestamp_seconds", [Detail(started_at=at), Objects(started_at=9)], {(): at or 9})
            for at in (5, None)
        ),
        ("drs_task_stage_remaining_seconds", [Progress(stages_remaining=(("data", 90),))], {("data",): 90}),
        ("drs_task_objects_status", [Objects(WITH_STATUS)], {("table", "FAILED"): 1, ("view", "COMPLETED"): 1}),
        ("drs_task_stage_progress_ratio", [Progress(stages=(("data", 0.5),))], {("data",): 0.5}),
    ],
)
def test_the_samples_of_a_family(name: str, facts: list[Any], shown: dict[tuple[str, ...], float]) -> None:
    assert samples(of(*facts), name) == shown


@pytest.mark.parametrize("blocks", [False, True])
def test_a_task_is_ready_if_no_reason_blocks(*, blocks: bool) -> None:
    task = of(blockers=(("phase", False), ("stale", blocks)))
    assert samples(task, "drs_task_cutover_ready") == {(): not blocks}
    assert samples(task, "drs_task_cutover_blocker") == {("phase",): 0, ("stale",): blocks}


def test_actions_are_those_of_the_contract() -> None:
    assert set(ACTIONS) == {
        *("START", "START_INCR", "RETRY", "RESET", "CONTINUE_JOB", "CONTINUE_APPLY", "CONTINUE_CAPTURE"),
        *("SWITCH_OVER", "PAY_ORDER"),
    }


@pytest.mark.parametrize(
    ("node", "monitor", "ratio"),
    [
        (Node(memory_ratio=0.5), Monitor(memory_used_bytes=1, memory_size_bytes=4), 0.5),
        (Node(), Monitor(memory_used_bytes=1, memory_size_bytes=4), 0.25),
        (None, Monitor(memory_used_bytes=0, memory_size_bytes=4), 0),
        (None, Monitor(memory_used_bytes=1, memory_size_bytes=0), None),
        (None, Monitor(memory_used_bytes=1e18, memory_size_bytes=1e-300), None),
        (None, Monitor(memory_used_bytes=1), None),
        (None, Monitor(memory_size_bytes=4), None),
        (Node(), None, None),
    ],
)
def test_memory_usage_is_that_of_the_node_else_used_over_size(
    node: Node | None, monitor: Monitor | None, ratio: float | None
) -> None:
    shown = samples(of(node, monitor), "drs_node_memory_usage_ratio")
    assert shown == ({} if ratio is None else {(): ratio})


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        ("drs_node_cpu_usage_ratio", Node(cpu_ratio=0.1), Monitor(cpu_ratio=0.2)),
        ("drs_node_memory_usage_ratio", Node(memory_ratio=0.1), Monitor(memory_used_bytes=2, memory_size_bytes=10)),
        ("drs_node_report_timestamp_seconds", Node(reported_at=0.1), Monitor(reported_at=0.2)),
        ("drs_apply_rows_per_second", Progress(apply_rows_per_second=0.1), Node(apply_rows_per_second=0.2)),
        ("drs_apply_bytes_per_second", Progress(apply_bytes_per_second=0.1), Monitor(apply_bytes_per_second=0.2)),
        ("drs_node_disk_size_bytes", Monitor(disk_size_bytes=0.1), Detail(disk_size_bytes=0.2)),
        ("drs_task_full_completed_timestamp_seconds", Detail(full_completed_at=0.1), Objects(full_completed_at=0.2)),
    ],
)
def test_of_two_values_of_one_field_the_newer_is_shown(name: str, first: Any, second: Any) -> None:
    names = (first.name, second.name)
    assert samples(of(first, second, fresh=names), name) == {(): 0.1}
    assert samples(of(first, second, fresh=names[::-1]), name) == {(): 0.2}
    assert samples(of(first, type(second)(), fresh=names[::-1]), name) == {(): 0.1}


@pytest.mark.parametrize("known", [Predicted(0.0, 1.0), Predicted(7.0, None), Predicted(None, 2.0), Predicted()])
def test_predictions_that_are_unknown_have_no_series(known: Predicted) -> None:
    names = ("drs_task_predicted_catch_up_seconds", "drs_task_predicted_full_load_end_timestamp_seconds")
    shown = [samples(of(predicted=known), name) for name in names]
    assert shown == [{} if value is None else {(): value} for value in known[:2]]


def test_comparisons() -> None:
    done = Compared("objects", "SUCCESSFUL", True, 5.0, 0, (("equal", 2), ("different", 0)))  # noqa: FBT003
    task = of(comparison=Comparison((done, Compared("lines", "EXPLODED"))))
    shown = samples(task, "drs_comparison_status")
    assert [labels for labels, value in shown.items() if value] == [("objects", "SUCCESSFUL"), ("lines", "other")]
    assert len(shown) == 2 * len(COMPARISON_STATUSES)
    assert samples(task, "drs_comparison_consistent") == {("objects",): 1}
    assert samples(task, "drs_comparison_finished_timestamp_seconds") == {("objects",): 5}
    assert samples(task, "drs_comparison_different_rows") == {("objects",): 0}
    assert samples(task, "drs_comparison_results") == {("objects", "equal"): 2, ("objects", "different"): 0}


@pytest.mark.parametrize(
    ("job_type", "direction", "kernel", "role"),
    [
        ("cloudDataGuard", "up", None, "standby"),
        ("cloudDataGuard", "down", None, "active"),
        ("cloudDataGuard", "up", "down", "active"),
        ("cloudDataGuard", None, None, ""),
        ("sync", "up", None, ""),
    ],
)
def test_the_local_role_of_a_dr_pair(job_type: str, direction: str | None, kernel: str | None, role: str) -> None:
    pair = Listed(id="id", name="n", status="INCRE_TRANSFER_STARTED", job_type=job_type, direction=direction)
    detail = Detail(node_type="high", kernel_direction=kernel)
    [values] = samples(of(pair, detail), "drs_task_detail_info")
    assert (values[0], values[7:9]) == ("high", ("false", role))
    assert samples(of(pair), "drs_task_detail_info") == {}
    [values] = samples(of(Detail(multi_write=True)), "drs_task_detail_info")
    assert values[7:9] == ("true", "")


@pytest.mark.parametrize(("listed_mode", "mode"), [("on_demand", "on_demand"), (None, "period")])
def test_the_charging_mode_is_that_of_the_list_where_it_has_one(listed_mode: str | None, mode: str) -> None:
    task = of(listed(charging_mode=listed_mode), Detail(charging_mode="period"))
    (family,) = (family for family in TASK_FAMILIES if family.name == "drs_task_detail_info")
    ((values, _),) = family.samples(task)
    assert values[family.labels.index("charging_mode")] == mode


@pytest.mark.parametrize(
    ("keys", "labels"),
    [
        (["team", "cost center", "team"], ["tag_team", "tag_cost_center"]),
        (["a b", "a_b", "a-b"], ["tag_a_b", "tag_a_b_2", "tag_a_b_3"]),
        (["a_b_2", "a b", "a_b"], ["tag_a_b_2", "tag_a_b", "tag_a_b_3"]),
        (["a b", "a_b", "a_b_2"], ["tag_a_b", "tag_a_b_2", "tag_a_b_2_2"]),
        (["名"], ["tag__"]),
    ],
)
def test_each_tag_has_a_label_of_its_own(keys: list[str], labels: list[str]) -> None:
    given = tag_labels(keys)
    assert list(given) == list(dict.fromkeys(keys))
    assert list(given.values()) == labels


def test_allowed_tags_are_labels_of_the_details() -> None:
    _, family, *_ = task_families(tag_labels(["cost center", "team"]))
    assert family.labels[-2:] == ("tag_cost_center", "tag_team")
    [(values, _)] = family.samples(of(detail=Detail(tags=(("team", "db"), ("secret", "x")))))
    assert values[-2:] == ("", "db")
    assert "x" not in values
