"""The contract of the design, section 4, word for word; and what every family has to be like."""

from __future__ import annotations

import re
from operator import attrgetter
from typing import TYPE_CHECKING

import pytest

from exporter.metrics.family import PROJECT_LABELS, TASK_LABELS
from exporter.metrics.own import OWN_FAMILIES
from exporter.metrics.projects import PROJECT_FAMILIES, family_names
from exporter.metrics.tasks import TASK_FAMILIES

if TYPE_CHECKING:
    from exporter.metrics.family import Family
    from exporter.metrics.page import FamilyHead
    from exporter.model.task import Task

ALL: tuple[FamilyHead, ...] = (*TASK_FAMILIES, *PROJECT_FAMILIES, *OWN_FAMILIES)
NAME = attrgetter("name")
FORBIDDEN = {"job", "instance", "endpoint", "service", "namespace", "pod", "container", "node", "cluster", "host"}
UNITS = ("seconds", "bytes", "ratio", "per_second", "total", "info")
WITHOUT_UNIT = {
    "drs_up",
    "drs_tasks",
    "drs_task_status",
    "drs_task_phase",
    "drs_task_action_available",
    "drs_task_switching",
    "drs_task_target_read_only_lifted",
    "drs_task_objects_source",
    "drs_task_objects_target",
    "drs_task_cutover_ready",
    "drs_task_cutover_blocker",
    "drs_apply_state",
    "drs_side_up",
    "drs_comparison_status",
    "drs_comparison_consistent",
    "drs_comparison_different_rows",
    "drs_comparison_objects_source",
    "drs_comparison_objects_target",
    "drs_comparison_results",
    "drs_precheck_items",
    "drs_quota_used",
    "drs_quota_limit",
    "drs_async_jobs",
    "drs_exporter_collector_success",
    "drs_exporter_list_success",
    "drs_exporter_list_complete",
    "drs_exporter_listed_tasks",
    "drs_exporter_config_last_reload_successful",
}
"""Counts, states and flags."""
INFO = ("job_type", "engine_type", "task_type", "direction", "net_type", "enterprise_project_id", "job_mode", "role")
DETAIL_INFO = (
    *("node_type", "instance_type", "source_type", "target_type", "target_instance_id", "charging_mode"),
    *("kernel_direction", "multi_write", "local_role"),
)
CONTRACT = {
    "drs_task_info": INFO,
    "drs_task_detail_info": DETAIL_INFO,
    "drs_task_status": ("status",),
    "drs_task_phase": ("phase",),
    "drs_task_failure_info": ("error_code",),
    "drs_task_action_available": ("action",),
    "drs_task_phase_changes_total": (),
    "drs_task_failures_total": (),
    "drs_task_created_timestamp_seconds": (),
    "drs_task_started_timestamp_seconds": (),
    "drs_task_full_completed_timestamp_seconds": (),
    "drs_task_updated_timestamp_seconds": (),
    "drs_task_scheduled_start_timestamp_seconds": (),
    "drs_task_order_expires_timestamp_seconds": (),
    "drs_task_phase_changed_timestamp_seconds": (),
    "drs_task_auto_stop_timestamp_seconds": (),
    "drs_task_auto_stop_after_seconds": (),
    "drs_task_incremental_delay_seconds": (),
    "drs_task_full_progress_ratio": (),
    "drs_task_full_remaining_seconds": (),
    "drs_task_stage_progress_ratio": ("stage",),
    "drs_task_progress_reported_timestamp_seconds": (),
    "drs_task_collected_timestamp_seconds": ("collector",),
    "drs_task_objects_source": ("object_type",),
    "drs_task_objects_target": ("object_type",),
    "drs_task_rpo_seconds": (),
    "drs_task_rto_seconds": (),
    "drs_task_switching": (),
    "drs_task_delay_threshold_seconds": (),
    "drs_task_rpo_threshold_seconds": (),
    "drs_task_rto_threshold_seconds": (),
    "drs_node_cpu_usage_ratio": (),
    "drs_node_memory_usage_ratio": (),
    "drs_node_memory_size_bytes": (),
    "drs_node_disk_used_bytes": (),
    "drs_node_disk_size_bytes": (),
    "drs_node_network_receive_bytes_per_second": (),
    "drs_node_network_transmit_bytes_per_second": (),
    "drs_node_disk_read_bytes_per_second": (),
    "drs_node_disk_write_bytes_per_second": (),
    "drs_node_report_timestamp_seconds": (),
    "drs_apply_rows_per_second": (),
    "drs_apply_transactions_per_second": (),
    "drs_apply_ddls_per_second": (),
    "drs_apply_bytes_per_second": (),
    "drs_apply_average_execute_seconds": (),
    "drs_apply_average_commit_seconds": (),
    "drs_apply_state": ("state",),
    "drs_side_up": ("side",),
    "drs_side_requests_per_second": ("side",),
    "drs_comparison_status": ("type", "status"),
    "drs_comparison_consistent": ("type",),
    "drs_comparison_finished_timestamp_seconds": ("type",),
    "drs_comparison_different_rows": ("type",),
    "drs_comparison_objects_source": ("object_type",),
    "drs_comparison_objects_target": ("object_type",),
    "drs_comparison_results": ("type", "result"),
    "drs_precheck_items": ("result",),
    "drs_precheck_passed_ratio": (),
    "drs_task_last_log_timestamp_seconds": ("level",),
    "drs_task_target_read_only_lifted": (),
    "drs_task_cutover_ready": (),
    "drs_task_cutover_blocker": ("reason",),
}
PROJECT_CONTRACT = {
    "drs_up": (),
    "drs_tasks": ("job_type", "phase"),
    "drs_quota_used": ("resource",),
    "drs_quota_limit": ("resource",),
    "drs_async_jobs": ("status",),
    "drs_async_job_failed_timestamp_seconds": ("async_job_id",),
    "drs_exporter_collector_success": ("collector",),
    "drs_exporter_collector_duration_seconds": ("collector",),
    "drs_exporter_collector_last_success_timestamp_seconds": ("collector",),
    "drs_exporter_collector_interval_seconds": ("collector",),
    "drs_exporter_list_success": ("api", "job_type"),
    "drs_exporter_list_complete": ("api", "job_type"),
    "drs_exporter_listed_tasks": ("api", "job_type"),
    "drs_exporter_source_info": ("collector", "source"),
}
OWN_CONTRACT = {
    "drs_exporter_build_info": ("version",),
    "drs_exporter_api_requests_total": ("account", "region", "operation", "code"),
    "drs_exporter_api_request_duration_seconds": ("operation",),
    "drs_exporter_api_retries_total": ("account", "region", "operation"),
    "drs_exporter_api_throttled_total": ("account", "region", "operation"),
    "drs_exporter_api_rate_limit_calls_per_second": ("account", "region"),
    "drs_exporter_poll_overruns_total": (*PROJECT_LABELS, "collector"),
    "drs_exporter_decode_errors_total": (*PROJECT_LABELS, "collector"),
    "drs_exporter_unknown_statuses_total": PROJECT_LABELS,
    "drs_exporter_series_dropped_total": PROJECT_LABELS,
}


def test_task_families_are_those_of_the_contract() -> None:
    assert {family.name: family.labels for family in TASK_FAMILIES} == CONTRACT
    assert TASK_LABELS == ("account", "region", "project", "task_id", "task_name", "parent_id")


def test_project_families_are_those_of_the_contract() -> None:
    assert {family.name: family.labels for family in PROJECT_FAMILIES} == PROJECT_CONTRACT
    assert PROJECT_LABELS == ("account", "region", "project")


def test_our_own_families_are_those_of_the_contract_and_some_more() -> None:
    assert OWN_CONTRACT.items() <= {own.name: own.labels for own in OWN_FAMILIES}.items()


def test_the_help_names_every_code_that_is_no_status() -> None:
    (requests,) = (own for own in OWN_FAMILIES if own.name == "drs_exporter_api_requests_total")
    assert all(word in requests.help for word in ("timeout", "network", "decode", "credentials", "cancelled", "paused"))


def test_names_are_unique() -> None:
    names = [family.name for family in ALL]
    assert len(names) == len(set(names))
    assert family_names() == CONTRACT.keys() | PROJECT_CONTRACT.keys()


@pytest.mark.parametrize("family", ALL, ids=NAME)
def test_each_family_is_well_formed(family: FamilyHead) -> None:
    assert re.fullmatch(r"drs_[a-z]+(_[a-z]+)*", family.name)
    assert family.type in {"gauge", "counter", "histogram"}
    assert (family.type == "counter") == family.name.endswith("_total")
    assert family.name.endswith(UNITS) != (family.name in WITHOUT_UNIT)
    assert not re.search(r"milli|micro|mega|giga|percent|minutes|hours|_ms\b|_mb\b", family.name)
    assert re.fullmatch(r"[A-Z1].*\.", family.help)
    assert "\n" not in family.help
    assert "|" not in family.help  # it becomes a cell of a table
    words = family.name.removeprefix("drs_").replace("_", " ")
    assert words not in family.help.lower().removesuffix(".").split(" of ")[:1]
    assert not FORBIDDEN.intersection(family.labels)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", label) for label in family.labels)


@pytest.mark.parametrize("family", TASK_FAMILIES, ids=NAME)
def test_no_own_label_hides_one_of_the_identity(family: Family[Task]) -> None:
    assert not set(TASK_LABELS).intersection(family.labels)
    assert not FORBIDDEN.intersection(TASK_LABELS)


def test_units_that_the_cloud_does_not_document_are_called_inferred() -> None:
    helps = {family.name: family.help for family in TASK_FAMILIES}
    for name in ("network_receive", "network_transmit", "disk_read", "disk_write"):
        assert "inferred" in helps[f"drs_node_{name}_bytes_per_second"]
    for name in ("execute", "commit"):
        assert "inferred" in helps[f"drs_apply_average_{name}_seconds"]
    for name in ("rows", "transactions", "ddls"):
        assert "inferred" in helps[f"drs_apply_{name}_per_second"]
    for name in ("cpu", "memory"):
        assert "inferred" in helps[f"drs_node_{name}_usage_ratio"]
