"""The keys of responses about a task: which fact each becomes, and what its values mean."""

from __future__ import annotations

from typing import Any

import pytest

from exporter.model.details import Detail
from exporter.model.facts import Monitor, Node, Objects, Precheck, Recovery, TaskFacts
from tests.lib.facts import ABSENT, ID, nested, only_facts

DETAIL_V3, DETAIL_V5, PROGRESS_V5 = "v3_batch_detail", "v5_job_detail", "v5_job_progress"
MONITOR_V3, MONITOR_V5 = "v3_dr_monitoring", "v5_monitor_data"
MOMENT, DAY, MIB, GIB = 1_667_837_718.0, 86_400.0, 2**20, 2**30
Row = tuple[Any, Any, int]
"""The value of a key, the fact, and the number of decode errors."""
NULLS: list[Row] = [(null, None, 0) for null in (None, "", "-", "null", "N/A", "NA", "-1", -1)]
TIMES: list[Row] = [
    ("1667837718000", MOMENT, 0),
    (1_667_837_718_000, MOMENT, 0),
    ("2022-11-07T16:15:18Z", MOMENT, 0),
    ("2022-11-08 00:15:18", None, 0),  # without a zone: UTC+8 by observation only
    ("0", None, 0),
    *NULLS,
    ("soon", None, 1),
    (True, None, 1),
]
WORDS: list[Row] = [
    *[("high", "high", 0), (" high ", "high", 0), (7, "7", 0)],
    *NULLS[:6],
    *[({}, None, 1), (["failed"], None, 1), ("x" * 257, None, 1)],
]
LABELS: list[Row] = [
    *[("FROZEN_CAN_RENEW", "FROZEN_CAN_RENEW", 0), (" frozen-1 ", "frozen-1", 0), (7, "7", 0)],
    *NULLS[:6],
    *[("see 10.0.0.1", None, 1), ({}, None, 1), ("x" * 41, None, 1), (True, None, 1)],
]
SWITCHES: list[Row] = [
    *[(0, False, 0), (1, True, 0), ("0", False, 0), ("1", True, 0), (True, True, 0)],
    *NULLS[:6],
    *[("true", True, 0), ("false", False, 0), (2, None, 1), (-1, None, 1), ("yes", None, 1), ({}, None, 1)],
]
WORD_LISTS: list[Row] = [
    *[("tableData", "tableData", 0), ("tableData, tableStructure", "tableData,tableStructure", 0)],
    *NULLS[:6],
    *[("all of 10.0.0.1", None, 1), ("a,", None, 1), (["tableData"], None, 1)],
]
VERSIONS: list[Row] = [
    *[("2.0", "2.0", 0), ("2.0.1-beta", "2.0.1-beta", 0), (2, "2", 0)],
    *NULLS[:6],
    *[("10.0.0.1", None, 1), ("the second", None, 1), (2.5, None, 1)],
]
BOUND: list[Row] = [
    *[("SUCCESS", True, 0), ("success", True, 0), ("FAILED", False, 0), ("BINDING", None, 0)],
    *NULLS[:6],
    *[("bound to 10.0.0.1", None, 1), (True, None, 1)],
]
FLAGS: list[Row] = [(True, True, 0), (False, False, 0), (None, None, 0), ("", None, 0), ("true", None, 1), (1, None, 1)]
NUMBERS: list[Row] = [("150.5", 150.5, 0), (0, 0, 0), ("0", 0, 0), *NULLS, ({}, None, 1), ("fast", None, 1)]
PERCENT: list[Row] = [("12.5", 0.125, 0), ("12.5%", 0.125, 0), (50, 0.5, 0), *NULLS, ("low", None, 1)]
PASSED: list[Row] = [
    *[("100%", 1, 0), ("90%", 0.9, 0), ("90", 0.9, 0), (90, 0.9, 0), ("0%", 0, 0)],
    *NULLS,
    *[("101%", None, 1), ("all", None, 1), (True, None, 1)],
]
MEGABYTES: list[Row] = [
    ("16384", 16384 * MIB, 0),
    (16384, 16384 * MIB, 0),
    ("0.5", MIB // 2, 0),
    *NULLS,
    ("16 GB", None, 1),
]
GIGABYTES: list[Row] = [(100, 100 * GIB, 0), ("12.25", 12.25 * GIB, 0), (0, 0, 0), *NULLS, ("12.25GB", None, 1)]
MILLISECONDS: list[Row] = [
    *[("0", 0, 0), ("2500", 2.5, 0), (2500, 2.5, 0), ("1", 0.001, 0)],
    *NULLS,
    *[("2500 ms", None, 1), (True, None, 1), ([2500], None, 1)],
]
THRESHOLDS: list[Row] = [(60, 60, 0), ("60", 60, 0), (0, None, 0), ("0", None, 0), *NULLS, ("off", None, 1)]
DAYS: list[Row] = [
    (14, 14 * DAY, 0),  # a number in the example, a String in the table
    *[("14", 14 * DAY, 0), ("100", 100 * DAY, 0), (0, None, 0)],
    *NULLS,
    ("two weeks", None, 1),
]
TAGS: list[Row] = [
    ([{"key": "team", "value": "db"}], (("team", "db"),), 0),
    ([{"key": "team", "value": ""}], (("team", ""),), 0),
    ([{"key": "team"}, {"value": "x"}, {"key": ""}], (("team", ""),), 0),
    ([{"key": "NA", "value": "null"}, {"key": "-", "value": "N/A"}], (("NA", "null"), ("-", "N/A")), 0),  # typed so
    ([{"key": None, "value": "x"}, {"key": "team", "value": None}], (("team", ""),), 0),
    ([None, {"key": ["x"]}, {"key": "a", "value": 1}], (("a", "1"),), 2),
    ([], (), 0),
    ({"team": "db"}, (), 1),
]
KEYS: list[tuple[str, str, type[TaskFacts], str, list[Row]]] = [
    (DETAIL_V3, "create_time", Detail, "created_at", TIMES),
    (DETAIL_V3, "actual_start_time", Detail, "started_at", TIMES),
    (DETAIL_V3, "full_transfer_complete_time", Detail, "full_completed_at", TIMES),
    (DETAIL_V3, "update_time", Detail, "updated_at", TIMES),
    (DETAIL_V3, "inst_info.start_time", Detail, "scheduled_start_at", TIMES),
    (DETAIL_V3, "instInfo.start_time", Detail, "scheduled_start_at", TIMES),
    (DETAIL_V3, "period_order.exp_time", Detail, "order_expires_at", TIMES),
    (DETAIL_V3, "inst_info.inst_type", Detail, "node_type", LABELS),
    (DETAIL_V3, "instInfo.inst_type", Detail, "node_type", LABELS),
    (DETAIL_V3, "source_endpoint.db_type", Detail, "source_type", LABELS),
    (DETAIL_V3, "target_endpoint.db_type", Detail, "target_type", LABELS),
    (DETAIL_V3, "target_endpoint.inst_id", Detail, "target_instance_id", LABELS),
    (DETAIL_V3, "job_kernel_direction", Detail, "kernel_direction", LABELS),
    (DETAIL_V3, "node_role", Detail, "node_role", LABELS),
    (DETAIL_V3, "master_job_id", Detail, "master_task_id", LABELS),
    (DETAIL_V3, "period_order.status", Detail, "order_status", LABELS),
    (DETAIL_V3, "alarm_notify.alarm_to_user", Detail, "alarm_enabled", FLAGS),
    (DETAIL_V3, "period_order.is_auto_renew", Detail, "order_auto_renew", SWITCHES),
    (DETAIL_V3, "inst_info.status", Detail, "node_status", LABELS),
    (DETAIL_V3, "inst_info.volume_size", Detail, "disk_size_bytes", GIGABYTES),
    (DETAIL_V3, "is_target_readonly", Detail, "target_read_only", FLAGS),
    (DETAIL_V3, "need_restart", Detail, "restart_required", FLAGS),
    (DETAIL_V3, "conflict_policy", Detail, "conflict_policy", LABELS),
    (DETAIL_V3, "filter_ddl_policy", Detail, "filter_ddl_policy", LABELS),
    (DETAIL_V3, "index_trans", Detail, "index_trans", FLAGS),
    (DETAIL_V3, "bind_public_ip_state", Detail, "eip_bound", BOUND),
    (DETAIL_V3, "vpc_id", Detail, "vpc_id", LABELS),
    (DETAIL_V3, "subnet_id", Detail, "subnet_id", LABELS),
    (DETAIL_V3, "security_group_id", Detail, "security_group_id", LABELS),
    (DETAIL_V3, "az_code", Detail, "az", WORD_LISTS),
    (DETAIL_V3, "source_endpoint.ssl_link", Detail, "source_ssl", SWITCHES),
    (DETAIL_V3, "target_endpoint.ssl_link", Detail, "target_ssl", SWITCHES),
    (DETAIL_V3, "multi_write", Detail, "multi_write", FLAGS),
    (DETAIL_V3, "expired_days", Detail, "auto_stop_after_seconds", DAYS),
    (DETAIL_V3, "alarm_notify.delay_time", Detail, "delay_threshold_seconds", THRESHOLDS),
    (DETAIL_V3, "alarm_notify.rpo_delay", Detail, "rpo_threshold_seconds", THRESHOLDS),
    (DETAIL_V3, "alarm_notify.rto_delay", Detail, "rto_threshold_seconds", THRESHOLDS),
    (DETAIL_V3, "tags", Detail, "tags", TAGS),
    (DETAIL_V3, "source_endpoint.db_port", Detail, "source_type", [(3306, None, 0), ("3306", None, 0), ({}, None, 0)]),
    (DETAIL_V5, "create_time", Detail, "created_at", TIMES),
    (DETAIL_V5, "base_info.start_time", Detail, "scheduled_start_at", TIMES),
    (DETAIL_V5, "node_info.spec.node_type", Detail, "node_type", LABELS),
    (DETAIL_V5, "node_info.base_info.instance_type", Detail, "instance_type", LABELS),
    (DETAIL_V5, "node_info.base_info.role", Detail, "node_role", LABELS),
    (DETAIL_V5, "source_endpoint.0.db_type", Detail, "source_type", LABELS),
    (DETAIL_V5, "target_endpoint.0.db_type", Detail, "target_type", LABELS),
    (DETAIL_V5, "target_endpoint.0.endpoint.instance_id", Detail, "target_instance_id", LABELS),
    (DETAIL_V5, "base_info.charging_mode", Detail, "charging_mode", LABELS),
    (DETAIL_V5, "job_kernel_direction", Detail, "kernel_direction", LABELS),
    (DETAIL_V5, "master_job_id", Detail, "master_task_id", LABELS),
    (DETAIL_V5, "alarm_notify.alarm_to_user", Detail, "alarm_enabled", FLAGS),
    (DETAIL_V5, "period_order.is_auto_renew", Detail, "order_auto_renew", SWITCHES),
    (DETAIL_V5, "node_info.base_info.status", Detail, "node_status", LABELS),
    (DETAIL_V5, "target_endpoint.0.config.is_target_readonly", Detail, "target_read_only", FLAGS),
    (DETAIL_V5, "policy_config.conflict_policy", Detail, "conflict_policy", LABELS),
    (DETAIL_V5, "policy_config.filter_ddl_policy", Detail, "filter_ddl_policy", LABELS),
    (DETAIL_V5, "policy_config.ddl_trans", Detail, "ddl_trans", FLAGS),
    (DETAIL_V5, "policy_config.index_trans", Detail, "index_trans", FLAGS),
    (DETAIL_V5, "policy_config.sync_type_policy", Detail, "sync_type_policy", WORD_LISTS),
    (DETAIL_V5, "policy_config.data_sync_topology_type", Detail, "topology", LABELS),
    (DETAIL_V5, "task_version", Detail, "task_version", VERSIONS),
    (DETAIL_V5, "bind_public_ip_state", Detail, "eip_bound", BOUND),
    (DETAIL_V5, "node_info.vpc.vpc_id", Detail, "vpc_id", LABELS),
    (DETAIL_V5, "node_info.vpc.subnet_id", Detail, "subnet_id", LABELS),
    (DETAIL_V5, "node_info.vpc.security_group_id", Detail, "security_group_id", LABELS),
    (DETAIL_V5, "node_info.base_info.availability_zone", Detail, "az", WORD_LISTS),
    (DETAIL_V5, "source_endpoint.0.ssl.ssl_link", Detail, "source_ssl", SWITCHES),
    (DETAIL_V5, "target_endpoint.0.ssl.ssl_link", Detail, "target_ssl", SWITCHES),
    (DETAIL_V5, "base_info.multi_write", Detail, "multi_write", FLAGS),
    (DETAIL_V5, "base_info.expired_days", Detail, "auto_stop_after_seconds", DAYS),
    (DETAIL_V5, "alarm_notify.delay_time", Detail, "delay_threshold_seconds", THRESHOLDS),
    (DETAIL_V5, "alarm_notify.rpo_delay", Detail, "rpo_threshold_seconds", THRESHOLDS),
    (DETAIL_V5, "alarm_notify.rto_delay", Detail, "rto_threshold_seconds", THRESHOLDS),
    (DETAIL_V5, "base_info.tags", Detail, "tags", TAGS),
    (DETAIL_V5, "target_endpoint.0.endpoint.db_port", Detail, "target_type", [("3306", None, 0), ({}, None, 0)]),
    (MONITOR_V5, "update_time", Monitor, "reported_at", TIMES),
    (PROGRESS_V5, "metrics.time_stamp", Node, "reported_at", TIMES),
    (PROGRESS_V5, "metrics.cpu_util", Node, "cpu_ratio", PERCENT),
    (PROGRESS_V5, "metrics.mem_util", Node, "memory_ratio", PERCENT),
    (PROGRESS_V5, "metrics.network_incoming_bytes_rate", Node, "receive_bytes_per_second", NUMBERS),
    (PROGRESS_V5, "metrics.network_outgoing_bytes_rate", Node, "transmit_bytes_per_second", NUMBERS),
    (PROGRESS_V5, "metrics.disk_read_bytes_rate", Node, "disk_read_bytes_per_second", NUMBERS),
    (PROGRESS_V5, "metrics.disk_write_bytes_rate", Node, "disk_write_bytes_per_second", NUMBERS),
    (PROGRESS_V5, "metrics.apply_rows_rate", Node, "apply_rows_per_second", NUMBERS),
    (PROGRESS_V5, "metrics.apply_transactions_rate", Node, "apply_transactions_per_second", NUMBERS),
    (PROGRESS_V5, "metrics.apply_ddl_rate", Node, "apply_ddls_per_second", NUMBERS),
    (PROGRESS_V5, "metrics.apply_average_execute_time", Node, "apply_average_execute_seconds", MILLISECONDS),
    (PROGRESS_V5, "metrics.apply_average_commit_time", Node, "apply_average_commit_seconds", MILLISECONDS),
    (PROGRESS_V5, "metrics.apply_current_state", Node, "apply_state", WORDS),
    (PROGRESS_V5, "metrics.job_id", Node, "reported_at", [({}, None, 0)]),
    (PROGRESS_V5, "migration_object_progress_info.full_start_time", Objects, "started_at", TIMES),
    (PROGRESS_V5, "migration_object_progress_info.incr_start_time", Objects, "incremental_started_at", TIMES),
    (PROGRESS_V5, "migration_object_progress_info.full_complete_time", Objects, "full_completed_at", TIMES),
    ("v3_batch_rpo_and_rto", "rpo_info.delay", Recovery, "rpo_seconds", MILLISECONDS),
    ("v3_batch_rpo_and_rto", "rto_info.delay", Recovery, "rto_seconds", MILLISECONDS),
    ("v3_batch_precheck_result", "total_passed_rate", Precheck, "passed_ratio", [*PASSED, (ABSENT, None, 0)]),
    *(
        (source, key, Monitor, attribute, rows)
        for v5, v3, attribute, rows in (
            ("is_src_normal", "src_normal", "source_up", FLAGS),
            ("is_dst_normal", "dst_normal", "target_up", FLAGS),
            ("src_rps", "src_rps", "source_requests_per_second", NUMBERS),
            ("dst_rps", "dst_rps", "target_requests_per_second", NUMBERS),
            ("used_volumes", "volume_used_inGB", "disk_used_bytes", GIGABYTES),
            ("node_volume_size", "node_volume_inGB", "disk_size_bytes", GIGABYTES),
            ("used_memory", "mem_used_inMB", "memory_used_bytes", MEGABYTES),
            ("node_memory_size", "node_mem_inMB", "memory_size_bytes", MEGABYTES),
            ("used_cpu_percent", "cpuUsed_percent", "cpu_ratio", PERCENT),
            ("apply_rate", "migration_bytes_per_second", "apply_bytes_per_second", NUMBERS),
        )
        for source, key in ((MONITOR_V5, v5), (MONITOR_V3, f"data_guard_minitor.{v3}"))
    ),
]
"""Operation, path of the key, and the fact."""


@pytest.mark.parametrize(("source", "path", "kind", "attribute", "rows"), KEYS)
def test_a_key_becomes_a_fact(source: str, path: str, kind: type[TaskFacts], attribute: str, rows: list[Row]) -> None:
    for given, fact, errors in [*rows, *([(ABSENT, () if attribute == "tags" else None, 0)] if kind is Detail else ())]:
        fields = nested(path, given)
        body = {"results": [{"id": ID, **fields}]} if source.startswith("v3") else {"job": {"id": ID, **fields}}
        found, lost = only_facts(source, fields if source == MONITOR_V5 else body, kind=kind)
        assert (getattr(found, attribute), lost) == (fact, errors), given
