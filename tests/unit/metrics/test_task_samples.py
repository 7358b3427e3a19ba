"""What each family shows of a task or a project: no series where nothing is known, and never a guess."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

import pytest

from exporter.metrics.projects import PROJECT_FAMILIES
from exporter.metrics.tasks import ACTIONS, COMPARISON_STATUSES, TASK_FAMILIES, tag_labels, task_families
from exporter.model.facts import (
    AsyncJobs,
    Compared,
    Comparison,
    Detail,
    Logs,
    Monitor,
    Node,
    ObjectCount,
    Objects,
    Precheck,
    Progress,
    Quota,
    Recovery,
    Switchover,
    Writable,
)
from exporter.model.task import CollectorFacts, Gap, History, Identity, Listed, ListFacts, Phase, Project, Task

if TYPE_CHECKING:
    from exporter.metrics.family import Family

NAME = attrgetter("name")
INFO = ("job_type", "engine_type", "task_type", "direction", "net_type", "enterprise_project_id", "job_mode", "role")
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


def samples(task: Task | Project, name: str) -> dict[tuple[str, ...], float]:
    families = TASK_FAMILIES if isinstance(task, Task) else PROJECT_FAMILIES
    [family] = [family for family in families if family.name == name]
    shown = family.samples(task)  # type: ignore[arg-type]
    assert all(len(labels) == len(family.labels) for labels, _ in shown)
    return dict(shown)


def listed(status: str = "INCRE_TRANSFER_STARTED", **facts: Any) -> Listed:
    return Listed(id="id", name="name", status=status, job_type="sync", **facts)


def of(**parts: Any) -> Task:
    return Task(Identity("a", "r", "p", "id", "name"), **parts)


@pytest.mark.parametrize("family", TASK_FAMILIES, ids=NAME)
def test_nothing_known_is_no_series_but_for_what_we_count(family: Family[Task]) -> None:
    assert dict(family.samples(of())) == ({(): 0} if family.type == "counter" else {})


@pytest.mark.parametrize("family", PROJECT_FAMILIES, ids=NAME)
def test_a_project_before_its_first_poll_has_no_series(family: Family[Project]) -> None:
    assert len(family.samples(Project("a", "r", "p"))) == 0


@pytest.mark.parametrize("phase", Phase)
def test_a_state_set_has_one_series_a_state(phase: Phase) -> None:
    shown = samples(of(listed=listed(STATUS_IN[phase])), "drs_task_phase")
    assert shown == {(state,): float(state == phase) for state in Phase}


@pytest.mark.parametrize(("word", "state"), [("succeed", "succeed"), ("waiting", "waiting"), ("sleeping", "other")])
def test_the_state_of_the_applier(word: str, state: str) -> None:
    states = ("succeed", "failed", "processing", "waiting", "other")
    assert samples(of(node=Node(apply_state=word)), "drs_apply_state") == {
        (one,): float(one == state) for one in states
    }


def test_an_error_code_is_shown_while_failed_only() -> None:
    progress = Progress(error_code="DRS.M05004")
    assert samples(of(listed=listed("FULL_TRANSFER_FAILED"), progress=progress), "drs_task_failure_info") == {
        ("DRS.M05004",): 1
    }
    assert samples(of(listed=listed(), progress=progress), "drs_task_failure_info") == {}
    assert samples(of(listed=listed("FROZEN"), progress=Progress()), "drs_task_failure_info") == {}
    by_detail = of(listed=listed("FROZEN"), progress=Progress(), detail=Detail(error_code="DRS.K01"))
    assert samples(by_detail, "drs_task_failure_info") == {("DRS.K01",): 1}


def test_actions_are_those_of_the_contract_that_the_cloud_names() -> None:
    assert set(ACTIONS) == {
        *("START", "RETRY", "RESET", "CONTINUE_JOB", "CONTINUE_APPLY", "CONTINUE_CAPTURE", "SWITCH_OVER", "PAY_ORDER")
    }
    known = listed(available_actions=frozenset({"RETRY", "CLONE"}), unavailable_actions=frozenset({"START", "DELETE"}))
    assert samples(of(listed=known), "drs_task_action_available") == {("RETRY",): 1, ("START",): 0}


def test_info_labels_stand_in_their_order_and_unknown_ones_are_empty() -> None:
    shown = samples(of(listed=listed(engine_type="mysql", role="parent")), "drs_task_info")
    [values] = shown
    assert dict(zip(INFO, values, strict=True)) == {
        **dict.fromkeys(INFO, ""),
        "job_type": "sync",
        "engine_type": "mysql",
        "role": "parent",
    }


def test_rows_are_those_of_the_progress_where_it_has_some() -> None:
    node = Node(apply_rows_per_second=7)
    for progress, rows in ((Progress(apply_rows_per_second=0), 0), (Progress(), 7), (None, 7)):
        assert samples(of(progress=progress, node=node), "drs_apply_rows_per_second") == {(): rows}


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
def test_memory_is_the_node_s_word_else_used_over_size(
    node: Node | None, monitor: Monitor | None, ratio: float | None
) -> None:
    shown = samples(of(node=node, monitor=monitor), "drs_node_memory_usage_ratio")
    assert shown == ({} if ratio is None else {(): ratio})


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        ("drs_node_cpu_usage_ratio", Node(cpu_ratio=0.1), Monitor(cpu_ratio=0.2)),
        (
            "drs_node_memory_usage_ratio",
            Node(memory_ratio=0.1),
            Monitor(memory_used_bytes=2 * 2**30, memory_size_bytes=10 * 2**30),
        ),
        ("drs_node_report_timestamp_seconds", Node(reported_at=0.1), Monitor(reported_at=0.2)),
        ("drs_apply_rows_per_second", Progress(apply_rows_per_second=0.1), Node(apply_rows_per_second=0.2)),
        ("drs_apply_bytes_per_second", Progress(apply_bytes_per_second=0.1), Monitor(apply_bytes_per_second=0.2)),
        ("drs_task_full_completed_timestamp_seconds", Detail(full_completed_at=0.1), Objects(full_completed_at=0.2)),
    ],
)
def test_of_two_parts_that_tell_the_same_the_newer_one_is_shown(name: str, first: Any, second: Any) -> None:
    both = {first.name: first, second.name: second}
    for order, shown in (((first, second), 0.1), ((second, first), 0.2)):
        assert samples(of(**both, newest=tuple(part.name for part in order)), name) == {(): shown}
    silent = {**both, second.name: type(second)()}
    assert samples(of(**silent, newest=(second.name, first.name)), name) == {(): 0.1}


def test_a_side_is_shown_where_it_is_known() -> None:
    task = of(monitor=Monitor(source_up=True, target_up=False, target_requests_per_second=0))
    assert samples(task, "drs_side_up") == {("source",): 1, ("target",): 0}
    assert samples(task, "drs_side_requests_per_second") == {("target",): 0}


def test_rpo_and_rto_are_absent_during_a_switchover() -> None:
    pair = Listed(id="id", name="n", status="INCRE_TRANSFER_STARTED", job_type="cloudDataGuard")
    for known, rpo, switching in ((False, {(): 1}, {(): 0}), (True, {}, {(): 1}), (None, {(): 1}, {})):
        task = of(listed=pair, recovery=Recovery(rpo_seconds=1), switchover=Switchover(known))
        assert samples(task, "drs_task_rpo_seconds") == rpo
        assert samples(task, "drs_task_rto_seconds") == {}
        assert samples(task, "drs_task_switching") == switching


def test_objects_that_the_cloud_names_twice_are_one_series() -> None:
    counts = (ObjectCount("table", 3, 1), ObjectCount("view", 2, None), ObjectCount("table", 9, 9))
    task = of(objects=Objects(counts), comparison=Comparison(objects=counts))
    for prefix in ("drs_task_objects", "drs_comparison_objects"):
        assert samples(task, f"{prefix}_source") == {("table",): 3, ("view",): 2}
        assert samples(task, f"{prefix}_target") == {("table",): 1}


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


def test_the_time_of_an_automatic_stop_is_known_where_the_failure_was_witnessed() -> None:
    detail, seen = Detail(auto_stop_after_seconds=100), History(1, 1, 1000.0)
    family = "drs_task_auto_stop_timestamp_seconds"
    assert samples(of(listed=listed("FROZEN"), detail=detail, history=seen), family) == {(): 1100}
    assert samples(of(listed=listed(), detail=detail, history=seen), family) == {}
    assert samples(of(listed=listed("FROZEN"), detail=detail), family) == {}
    assert samples(of(listed=listed("FROZEN"), history=seen), family) == {}


def test_ready_is_that_nothing_blocks() -> None:
    for blocks in (False, True):
        task = of(blockers=(("phase", False), ("stale", blocks)))
        assert samples(task, "drs_task_cutover_ready") == {(): not blocks}
        assert samples(task, "drs_task_cutover_blocker") == {("phase",): 0, ("stale",): blocks}


def test_facts_that_stand_for_themselves() -> None:
    task = of(precheck=Precheck((("PASSED", 3),), 0.75), logs=Logs((("error", 7.0),)), writable=Writable(lifted=False))
    assert samples(task, "drs_precheck_items") == {("PASSED",): 3}
    assert samples(task, "drs_precheck_passed_ratio") == {(): 0.75}
    assert samples(task, "drs_task_last_log_timestamp_seconds") == {("error",): 7}
    assert samples(task, "drs_task_target_read_only_lifted") == {(): 0}
    assert samples(of(progress=Progress(stages=(("data", 0.5),))), "drs_task_stage_progress_ratio") == {("data",): 0.5}


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
    [values] = samples(of(listed=pair, detail=detail), "drs_task_detail_info")
    assert (values[0], values[-2:]) == ("high", ("false", role))
    assert samples(of(listed=pair), "drs_task_detail_info") == {}
    [values] = samples(of(detail=Detail(multi_write=True)), "drs_task_detail_info")
    assert values[-2:] == ("true", "")


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


def test_a_project() -> None:
    project = Project(
        "a",
        "r",
        "p",
        up=False,
        counts={("sync", Phase.FULL): 0},
        lists={
            ("v3", "sync"): ListFacts(success=False),
            ("v5", "sync"): ListFacts(success=True, tasks=0),
            ("v5", "migration"): ListFacts(success=False, tasks=1, gap=Gap.TOTAL, incomplete_since=7.0),
        },
        collectors={"node": CollectorFacts(60.0), "tasks": CollectorFacts(30.0, True, 0.5, 9.0)},  # noqa: FBT003
        sources={("node", "v5_monitor"): False},
        quota=Quota((("tasks", 3, None), ("nodes", None, 5))),
        async_jobs=AsyncJobs((("FAILED", 1),), (("id", 4.0),)),
    )
    shown = {family.name: samples(project, family.name) for family in PROJECT_FAMILIES}
    assert shown == {
        "drs_up": {(): 0},
        "drs_tasks": {("sync", "full"): 0},
        "drs_exporter_collector_success": {("tasks",): 1},
        "drs_exporter_collector_duration_seconds": {("tasks",): 0.5},
        "drs_exporter_collector_last_success_timestamp_seconds": {("tasks",): 9},
        "drs_exporter_collector_interval_seconds": {("node",): 60, ("tasks",): 30},
        "drs_exporter_list_success": {("v3", "sync"): 0, ("v5", "sync"): 1, ("v5", "migration"): 0},
        "drs_exporter_listed_tasks": {("v5", "sync"): 0, ("v5", "migration"): 1},
        "drs_exporter_list_complete": {("v5", "sync"): 1, ("v5", "migration"): 0},
        "drs_exporter_source_info": {("node", "v5_monitor"): 0},
        "drs_quota_used": {("tasks",): 3},
        "drs_quota_limit": {("nodes",): 5},
        "drs_async_jobs": {("FAILED",): 1},
        "drs_async_job_failed_timestamp_seconds": {("id",): 4},
    }
