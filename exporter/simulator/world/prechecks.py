"""Pre-check results: the same items in both generations, under slightly different names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exporter.simulator.world.formats import instance_id

if TYPE_CHECKING:
    from exporter.simulator.protocol import Json
    from exporter.simulator.world.life import Moment
    from exporter.simulator.world.tasks import SimTask

_ITEMS: tuple[Json, ...] = (
    {
        "item": "dstDbDiskSize",
        "result": "PASSED",
        # Meant as JSON, written by Python: single quotes.
        "data": "{'size': '5263360', 'dstVolumeSize':'19089431762', 'diskSizeTimes':'1.5'}",
        "group": "db_disk_size",
    },
    {"item": "dbCharacterSetConsistency", "result": "PASSED", "group": "db_params"},
    {"item": "srcBinlogFormatCheck", "result": "PASSED", "group": "db_params"},
    {
        "item": "srcHasNoPkTable",
        "result": "ALARM",
        "data": '{"tables":"shop.audit_log,shop.tmp"}',
        "group": "db_params",
        "failed_reason": "SRC_HAS_NO_PK_TABLES",
    },
    {"item": "sqlModeConsistency", "result": "ALARM", "group": "db_params", "failed_reason": "SQL_MODE_DIFFERS"},
    {"item": "srcDbBinlogExpireLogsDays", "result": "ALARM", "data": "3", "group": "db_params"},
    # A reason, although it passed.
    {"item": "dstStatusCheck", "result": "PASSED", "data": "", "group": "db_target_status", "failed_reason": ""},
    {"item": "dstDbPrivilegesIsEnough", "result": "PASSED", "group": "db_user_privilege"},
    {"item": "dstDbConnection", "result": "PASSED", "group": "network"},
    {"item": "srcDbConnection", "result": "PASSED", "group": "network"},
)

_REFUSED_SOURCE: Json = {
    "item": "srcDbConnection",
    "result": "FAILED",
    "group": "network",
    "failed_reason": "CONNECT_FAILED",
    "raw_error_msg": "Access denied for user 'root'@'192.168.0.1' (using password: YES)",
}

_SUMMARIES: dict[str, Json] = {
    # Alarms count as passed.
    "passed": {"result": True, "process": "100%", "total_passed_rate": "100%"},
    "failed": {"result": False, "process": "100%", "total_passed_rate": "90%"},
    "running": {"result": False, "process": "40%", "total_passed_rate": "40%"},
}

STATUSES = frozenset({"CONFIGURATION", "WAITING_FOR_START"})
"""Asked for in any other status, v3 says that the status does not allow it."""


def v3_result(task: SimTask, moment: Moment) -> Json:
    """An item of POST /v3/{project_id}/jobs/batch-precheck-result."""
    result = {"precheck_id": moment.id, **_summary(task), "precheck_result": _items(task)}
    wired: Json = task.wire("v3_precheck", result)
    return wired


def v5_result(task: SimTask) -> Json:
    """Table 32 of the v5 detail: ``precheck_results`` in the plural, and more keys in every item."""
    extra: Json = {"raw_error_msg": "", "is_support_skip": False, "is_skipped": False, "failed_sub_jobs": []}
    return {**_summary(task), "precheck_results": [{**extra, **item} for item in _items(task)]}


def _summary(task: SimTask) -> Json:
    return {**_SUMMARIES[task.precheck], "rds_instance_id": instance_id(task.seed), "job_direction": task.direction}


def _items(task: SimTask) -> list[Json]:
    if task.precheck == "running":
        return [dict(item) for item in _ITEMS[:4]]
    if task.precheck == "failed":
        return [dict(item) for item in (*_ITEMS[:-1], _REFUSED_SOURCE)]
    return [dict(item) for item in _ITEMS]
