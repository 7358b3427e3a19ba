"""v5: node data, timelines, and batches of tasks created asynchronously (Huawei Cloud, DRS API reference)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exporter.simulator.pages import page
from exporter.simulator.protocol import Answer, Json, Refusal, Route
from exporter.simulator.v5 import detail as v5_detail
from exporter.simulator.v5.rules import failed, found_task, window
from exporter.simulator.world import figures
from exporter.simulator.world.formats import utc
from exporter.simulator.world.world import Found

if TYPE_CHECKING:
    from exporter.simulator.protocol import Request
    from exporter.simulator.world.life import Moment
    from exporter.simulator.world.tasks import SimTask
    from exporter.simulator.world.world import AsyncJob, World

_NOTHING = ("bandwidth", "src_offset", "node_offset", "dst_offset", "src_rps", "src_io", "dst_rps", "dst_io")


def monitor_data(world: World, request: Request) -> Answer:
    """GET /v5/{project_id}/jobs/{job_id}/monitor-data, "Querying Monitoring Data"; no engine is excepted."""
    task, _, moment = found_task(world, request)
    if task.is_virtual:
        raise Refusal(400, "DRS.M00307", "Only subtasks can call this API.")
    if moment.status in figures.RELEASED:
        raise failed()
    data = _unreported(moment) if moment.status in figures.BEFORE_FULL else _monitored(task, moment)
    return Answer(200, world.wire("v5_monitor", task.wire("v5_monitor", data)))


def _monitored(task: SimTask, moment: Moment) -> Json:
    node = figures.node(task, moment)
    moved = moment.life * task.rows_rate
    return {
        "bandwidth": "300",
        "is_src_normal": task.source_up,
        "is_dst_normal": task.target_up,
        "src_offset": "mysql-bin-changelog.001731:544",
        "node_offset": "mysql-bin-changelog.001731:544",
        "dst_offset": "N/A",
        "src_delay": int(figures.rpo_seconds(task, moment) or 0),
        "dst_delay": int(figures.rto_seconds(task, moment) or 0),
        "src_rps": f"{task.rows_rate / 8:.1f}",
        "src_io": f"{node.disk_read:.0f}",
        "dst_rps": f"{task.rows_rate / 9:.1f}",
        "dst_io": f"{node.disk_written:.0f}",
        "trans_data": f"{moved * 220 / 1e6:.2f}",
        "trans_lines": str(int(moved)),
        "used_volumes": f"{node.disk_used_gb:.2f}",
        "used_memory": f"{node.memory / 100 * node.memory_mb:.0f}",
        "used_cpu_percent": f"{node.cpu:.2f}",
        "node_volume_size": node.disk_gb,
        "node_memory_size": node.memory_mb,
        "update_time": utc(moment.now - (moment.now - moment.born) % 60),
        "apply_rate": int((figures.rows_rate(task, moment) or 0) * 220),
    }


def _unreported(moment: Moment) -> Json:
    # A task that never ran has a node that never reported.
    return {**dict.fromkeys(_NOTHING, ""), "used_cpu_percent": "", "used_memory": None, "update_time": utc(moment.born)}


def timelines(world: World, request: Request) -> Answer:
    """GET /v5/{project_id}/jobs/{job_id}/timelines, "Querying the Operation Timeline"."""
    task, _, moment = found_task(world, request)
    start, size = window(request)
    steps = sorted(moment.entered.items(), key=lambda step: -step[1])
    body = page(
        request, steps, start=start, size=size, render=lambda step: _operation(*step), keys=("timelines", "count")
    )
    return Answer(200, world.wire("v5_timelines", task.wire("v5_timelines", body)))


def _operation(status: str, epoch: float) -> Json:
    outcome = "failed" if status.endswith("_FAILED") else "success"
    return {"name": status, "status": outcome, "operation_time": utc(epoch), "user_name": "demo-user"}


def async_jobs(world: World, request: Request) -> Answer:
    """GET /v5/{project_id}/batch-async-jobs, "Querying the List of Tasks Created Asynchronously in Batches"."""
    start, size = window(request)
    wanted = {key: value for key, value in request.query.items() if key in _ASYNC_FILTERS and value}
    items = [_async_item(job) for job in world.async_jobs]
    items = [item for item in items if all(item[key] == value for key, value in wanted.items())]
    items.sort(key=lambda item: str(item["create_time"]), reverse=request.query.get("sort_dir") != "asc")
    body = page(request, items, start=start, size=size, render=lambda item: item)
    return Answer(200, world.wire("v5_async_jobs", body))


_ASYNC_FILTERS = ("async_job_id", "status", "domain_name", "user_name")


def _async_item(job: AsyncJob) -> Json:
    return {
        "async_job_id": job.id,
        "status": job.status,
        "domain_name": job.domain,
        "user_name": job.user,
        "create_time": utc(job.created),
    }


def async_job(world: World, request: Request) -> Answer:
    """GET /v5/{project_id}/batch-async-jobs/{async_job_id}: the details of its tasks."""
    known = {job.id: job for job in world.async_jobs}
    job = known.get(request.args["async"])
    if job is None:
        raise failed()
    start, size = window(request)
    body = page(
        request,
        [task for task in world.everything() if task.name in job.tasks],
        start=start,
        size=size,
        render=lambda task: _created(world, task, request.now),
    )
    return Answer(200, world.wire("v5_async_job", body))


def _created(world: World, task: SimTask, now: float) -> Json:
    moment = task.at(now)
    return {
        "id": moment.id,
        "status": moment.status,
        "create_time": utc(moment.born),
        **v5_detail.detail(world, Found(task, None, moment)),
    }


ROUTES: tuple[Route[World], ...] = (
    Route("GET", "/v5/{project}/jobs/{job}/monitor-data", monitor_data),
    Route("GET", "/v5/{project}/jobs/{job}/timelines", timelines),
    Route("GET", "/v5/{project}/batch-async-jobs", async_jobs),
    Route("GET", "/v5/{project}/batch-async-jobs/{async}", async_job),
)
