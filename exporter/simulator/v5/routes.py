"""v5: the list and the detail of one task (seeds 000 and 001; GET, record offsets, one task and type a call)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exporter.simulator.pages import page
from exporter.simulator.protocol import Answer, Refusal, Route
from exporter.simulator.v3.lists import SCENARIOS, named
from exporter.simulator.v3.objects import source_ip, target_ip
from exporter.simulator.v5 import detail as v5_detail
from exporter.simulator.v5 import objects as v5_wire
from exporter.simulator.v5.rules import failed, found_task, window
from exporter.simulator.world.formats import instance_id, utc

if TYPE_CHECKING:
    from collections.abc import Callable

    from exporter.simulator.protocol import Request
    from exporter.simulator.world.tasks import SimTask
    from exporter.simulator.world.world import World

SORT_KEYS = ("create_time", "name", "status", "net_type", "job_direction", "pay_mode")


def list_jobs(world: World, request: Request) -> Answer:
    """GET /v5/{project_id}/jobs, "Querying Tasks"."""
    query = request.query
    if query.get("job_type") not in SCENARIOS:
        raise failed()
    start, size = window(request)
    tasks = world.living(query["job_type"], "v5", request.now)
    for keep in _filters(request):
        tasks = [task for task in tasks if keep(task)]
    listed = page(
        request,
        _sorted(tasks, request),
        start=start,
        size=size,
        render=lambda task: v5_wire.list_item(task, request.now),
    )
    return Answer(200, world.wire("v5_list", listed))


def _filters(request: Request) -> list[Callable[[SimTask], bool]]:
    query, now = request.query, request.now
    if len(query.get("name", "").split(",")) > 10:  # noqa: PLR2004 - "a maximum of 10 task IDs"
        raise failed()
    instances, ip = request.every("instance_ids"), query.get("instance_ip")
    used: dict[str, Callable[[SimTask], bool]] = {
        "name": named(query.get("name", ""), now),
        "engine_type": lambda task: task.words.v5 == query["engine_type"],
        "status": lambda task: task.at(now).status == query["status"],
        "net_type": lambda task: task.net_type == query["net_type"],
        "enterprise_project_id": lambda task: task.enterprise_project == query["enterprise_project_id"],
        "instance_ids": lambda task: instance_id(task.seed) in instances,
        "instance_ip": lambda task: ip in {source_ip(task), target_ip(task)},
    }
    # An empty value is no filter.
    return [keep for key, keep in used.items() if query.get(key)]


def _sorted(tasks: list[SimTask], request: Request) -> list[SimTask]:
    key = request.query.get("sort_key") or "create_time"
    direction = request.query.get("sort_dir") or "desc"
    if key not in SORT_KEYS or direction not in {"asc", "desc"}:
        raise failed()
    if key == "create_time":
        return tasks if direction == "desc" else tasks[::-1]
    wire_key = "charging_mode" if key == "pay_mode" else key
    return sorted(
        tasks, key=lambda task: str(v5_wire.list_item(task, request.now)[wire_key]), reverse=direction == "desc"
    )


def show_job(world: World, request: Request) -> Answer:
    """GET /v5/{project_id}/jobs/{job_id}?type=..., "Querying Task Details"; wrapped in ``job``."""
    kind = request.query.get("type", "")
    if kind not in v5_detail.TYPES:
        raise failed()
    found = found_task(world, request, deleted=True)
    if found.task.is_virtual and kind != "detail":
        raise Refusal(400, "DRS.M00307", "Only subtasks can call this API.")
    if found.task.words.v5 not in world.v5_engines:
        # The pages: "available only for" four pairs of databases.
        raise failed()
    moment = found.moment
    job = {"id": moment.id, "status": moment.status, "create_time": utc(moment.born)}
    if moment.status != "DELETED":
        job |= v5_detail.TYPES[kind](world, found, request)
    return Answer(200, world.wire(f"v5_{kind}", {"job": found.task.wire(f"v5_{kind}", job)}))


ROUTES: tuple[Route[World], ...] = (
    Route("GET", "/v5/{project}/jobs", list_jobs),
    Route("GET", "/v5/{project}/jobs/{job}", show_job),
)
