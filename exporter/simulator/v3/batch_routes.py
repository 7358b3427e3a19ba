"""v3: details, pre-checks, comparisons and other operations that are seldom called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from exporter.simulator.protocol import Answer, Json, Refusal, Route
from exporter.simulator.v3 import batches
from exporter.simulator.v3 import compare as v3_compare
from exporter.simulator.v3.batches import Batch, Problem
from exporter.simulator.v3.detail import detail_item
from exporter.simulator.world import figures, prechecks
from exporter.simulator.world.formats import naive, utc

if TYPE_CHECKING:
    from exporter.simulator.protocol import Request
    from exporter.simulator.world.world import Found, World

DEFAULT_PAGE_SIZE = 5
LARGEST_PAGE = 100
NOT_FOUND = Problem("DRS.M05003", "The information is not found.")
WRONG_STATE = Problem("DRS.M00304", "The status of the task does not allow this operation.")


def batch_status(world: World, request: Request) -> Answer:
    """POST /v3/{project_id}/jobs/batch-status, "Querying Task Statuses in Batches"."""
    return _paged(world, request, _STATUS, "v3_status", "results")


def batch_detail(world: World, request: Request) -> Answer:
    """POST /v3/{project_id}/jobs/batch-detail, "Querying Task Details in Batches"; virtual IDs are refused."""
    return _paged(world, request, _DETAIL, "v3_detail", world.detail_key)


def _paged(world: World, request: Request, batch: Batch, endpoint: str, key: str) -> Answer:
    # The page size is 5 unless told: of a batch of ten, half is lost without a word.
    page: Any = request.json().get("page_req") or {}
    number, size = page.get("cur_page", 1), page.get("per_page", DEFAULT_PAGE_SIZE)
    if not isinstance(number, int) or not isinstance(size, int) or number < 1 or not 1 <= size <= LARGEST_PAGE:
        raise Refusal(400, "DRS.M00210", "Invalid page number or size.")
    items = batches.run(world, request, batch)
    body = {key: items[(number - 1) * size : number * size], "count": len(items)}
    return Answer(batch.success, world.wire(endpoint, body))


def batch_rpo_and_rto(world: World, request: Request) -> Answer:
    """POST /v3/{project_id}/jobs/batch-rpo-and-rto, "Querying the RPO and RTO in Batches" (drs_03_0117)."""
    return batches.answer(world, request, _RPO_RTO, "v3_rpo_rto")


def monitoring_data(world: World, request: Request) -> Answer:
    """POST /v3/{project_id}/jobs/disaster-recovery-monitoring-data, "Querying DR Monitoring Data"."""
    return batches.answer(world, request, _MONITOR, "v3_monitor")


def struct_process(world: World, request: Request) -> Answer:
    """POST /v3/{project_id}/jobs/batch-struct-process, "Querying the DR Initialization Progress"."""
    return batches.answer(world, request, _STRUCT, "v3_struct")


def precheck_result(world: World, request: Request) -> Answer:
    """POST /v3/{project_id}/jobs/batch-precheck-result, "Querying Pre-check Results in Batches"."""
    return batches.answer(world, request, _PRECHECK, "v3_precheck")


def query_compare_result(world: World, request: Request) -> Answer:
    """POST /v3/{project_id}/jobs/query-compare-result, "Querying Comparison Results"."""
    body = request.json()
    found = _found(world, str(body.get("job_id", "")), request.now)
    if found.task.is_virtual:
        raise Refusal(400, *batches.ONLY_SUBTASKS)
    return Answer(200, world.wire("v3_compare", v3_compare.compare_result(found.task, found.moment, body)))


def quotas(world: World, request: Request) -> Answer:
    """GET /v3/{project_id}/quotas, "Querying Quotas": ``resource`` is an object where other services have a list."""
    living = [task for task in world.tasks if task.at(request.now).status not in {"DELETED", "GONE"}]
    resource = {"type": "instances", "min": 0, "max": 9999, "quota": world.quota, "used": len(living)}
    return Answer(200, world.wire("v3_quotas", {"quotas": {"resource": resource}}))


def switch_vip_status(world: World, request: Request) -> Answer:
    """GET /v3/{project_id}/jobs/{job_id}/get-switch-vip-status, "Querying the Primary/Standby Switchover Status"."""
    found = _found(world, request.args["job"], request.now)
    task, _, moment = found
    if task.scenario == "migration":
        raise Refusal(400, *WRONG_STATE)
    status = "SWITCH_VIP_START" if figures.switching(task, moment) else "SWITCH_VIP_COMPLETE"
    body = task.wire("v3_switch_vip", {"id": moment.id, "status": status})
    return Answer(200, world.wire("v3_switch_vip", body))


def _found(world: World, identity: str, now: float) -> Found:
    found = world.find(identity, now)
    if found is None or not found.task.words.v3 or found.moment.status == "DELETED":
        raise Refusal(400, *batches.MISSING)
    return found


def _status(_world: World, found: Found) -> Json:
    item: Json = found.task.wire("v3_status", {"id": found.moment.id, "status": found.moment.status})
    return item


def _rpo_and_rto(_world: World, found: Found) -> Json:
    task, _, moment = found
    item: Json = {"job_id": moment.id}
    rpo, rto = figures.rpo_seconds(task, moment), figures.rto_seconds(task, moment)
    if rpo is not None and rto is not None:
        item |= {"rpo_info": _lag(rpo, moment.now), "rto_info": _lag(rto, moment.now)}
    wired: Json = task.wire("v3_rpo_rto", item)
    return wired


def _lag(seconds: float, now: float) -> Json:
    # Milliseconds, while incre_trans_delay of the same task is in seconds; the time is UTC+8 everywhere.
    position = f"mysql-bin-changelog.{int(now) // 3600 % 1_000_000:06d}:{int(now) % 3600}"
    return {"delay": str(int(seconds * 1000)), "time": naive(now), "gtid_set": "NA", "check_point": position}


def _monitor(_world: World, found: Found) -> Json | Problem:
    task, _, moment = found
    if task.scenario != "cloudDataGuard":
        return WRONG_STATE
    node = figures.node(task, moment)
    moved = moment.life * task.rows_rate
    data: Json = {
        "bandwidth": "300",
        "src_normal": task.source_up,
        "dst_normal": task.target_up,
        "sr_offset": "mysql-bin-changelog.001731:544",  # sic, and sr_delay below
        "node_offset": "mysql-bin-changelog.001731:544",
        "dst_offset": "N/A",
        "sr_delay": int(figures.rpo_seconds(task, moment) or 0),
        "dst_delay": int(figures.rto_seconds(task, moment) or 0),
        "src_rps": f"{task.rows_rate / 8:.1f}",
        "dst_rps": f"{task.rows_rate / 9:.1f}",
        "src_io": f"{node.disk_read:.0f}",
        "dst_io": f"{node.disk_written:.0f}",
        "trans_inMB": f"{moved * 220 / 1e6:.2f}",
        "trans_lines": str(int(moved)),
        "volume_used_inGB": f"{node.disk_used_gb:.2f}",
        "node_volume_inGB": node.disk_gb,
        "mem_used_inMB": f"{node.memory / 100 * node.memory_mb:.0f}",
        "node_mem_inMB": node.memory_mb,
        "cpuUsed_percent": f"{node.cpu:.2f}",
        "migration_bytes_per_second": int(node.received),
    }
    wired: Json = task.wire("v3_monitor", {"id": moment.id, "data_guard_minitor": data})  # sic
    return wired


def _structure(_world: World, found: Found) -> Json:
    task, _, moment = found
    percent = figures.full_percent(task, moment)
    done = percent >= figures.DONE
    result = [
        {
            "type": kind,
            "status": 2 if done else 1,
            "src_count": count,
            "dst_count": count if done else int(count * percent / figures.DONE),
            "start_time": int(moment.entered.get("FULL_TRANSFER_STARTED", 0) * 1000),
            "end_time": int(moment.entered.get("FULL_TRANSFER_COMPLETE", 0) * 1000),
        }
        for kind, count in (("DATABASE", 2), ("TABLE", 120), ("VIEW", 8))
    ]
    item = {"job_id": moment.id, "struct_process": {"create_time": utc(moment.now), "result": result}}
    wired: Json = task.wire("v3_struct", item)
    return wired


def _precheck(_world: World, found: Found) -> Json | Problem:
    task, _, moment = found
    if moment.status not in prechecks.STATUSES:
        return WRONG_STATE
    return prechecks.v3_result(task, moment) if task.precheck else NOT_FOUND


_STATUS = Batch(200, "id", "error_message", _status, parents=True, released=True, deleted=True)
_DETAIL = Batch(200, "id", "error_message", detail_item, released=True)
_RPO_RTO = Batch(202, "job_id", "error_msg", _rpo_and_rto)
_MONITOR = Batch(200, "id", "error_msg", _monitor)
_STRUCT = Batch(200, "job_id", "error_message", _structure)
_PRECHECK = Batch(200, "precheck_id", "error_msg", _precheck, parents=True)

ROUTES: tuple[Route[World], ...] = (
    Route("POST", "/v3/{project}/jobs/batch-status", batch_status),
    Route("POST", "/v3/{project}/jobs/batch-detail", batch_detail),
    Route("POST", "/v3/{project}/jobs/batch-rpo-and-rto", batch_rpo_and_rto),
    Route("POST", "/v3/{project}/jobs/disaster-recovery-monitoring-data", monitoring_data),
    Route("POST", "/v3/{project}/jobs/batch-struct-process", struct_process),
    Route("POST", "/v3/{project}/jobs/batch-precheck-result", precheck_result),
    Route("POST", "/v3/{project}/jobs/query-compare-result", query_compare_result),
    Route("GET", "/v3/{project}/quotas", quotas),
    Route("GET", "/v3/{project}/jobs/{job}/get-switch-vip-status", switch_vip_status),
)
