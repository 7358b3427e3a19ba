"""v3: the list, and the batches that are called at each interval; they read with POST."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from exporter.simulator.pages import page
from exporter.simulator.protocol import Answer, Json, Refusal, Route
from exporter.simulator.v3 import batches
from exporter.simulator.v3 import objects as v3_wire
from exporter.simulator.v3.batches import Batch
from exporter.simulator.world.formats import instance_id

if TYPE_CHECKING:
    from exporter.simulator.protocol import Request
    from exporter.simulator.world.tasks import SimTask
    from exporter.simulator.world.world import Found, World

SCENARIOS = ("migration", "sync", "cloudDataGuard")
LARGEST_PAGE = 100


def list_jobs(world: World, request: Request) -> Answer:
    """POST /v3/{project_id}/jobs, "Querying Tasks of a Tenant" (drs_03_0138)."""
    body = request.json()
    start, size = _page_of(body)
    scenario = body.get("db_use_type")
    if scenario not in SCENARIOS:
        raise Refusal(400, "DRS.M00202", f"Parameter error: db_use_type must be one of {', '.join(SCENARIOS)}.")
    tasks = world.living(scenario, "v3", request.now)
    for keep in _filters(body, request.now):
        tasks = [task for task in tasks if keep(task)]
    listed = page(
        request,
        tasks,
        start=start,
        size=size or max(len(tasks), 1),
        render=lambda task: v3_wire.list_item(world, task, request.now),
        keys=("jobs", "total_record"),
    )
    return Answer(200, world.wire("v3_list", listed))


def _page_of(body: Json) -> tuple[int, int]:
    """First record and size; size 0 for everything, which page 0 asks for."""
    number: Any = body.get("cur_page")
    size: Any = body.get("per_page")
    if not _is_int(number) or not _is_int(size):
        raise Refusal(400, "DRS.M00200", "Parameter error: cur_page and per_page are mandatory integers.")
    if number < 0 or (size == 0 and number > 1):
        raise Refusal(400, "DRS.M00210", "Invalid page number.")
    if not 0 <= size <= LARGEST_PAGE:
        raise Refusal(400, "DRS.M00211", f"Invalid page size: 0 to {LARGEST_PAGE}.")
    return (0, 0) if number == 0 or size == 0 else ((number - 1) * size, size)


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _filters(body: Json, now: float) -> list[Any]:
    """Predicates on a task, one for each filter of the body that is in use."""
    # The documented default: without the key only MySQL comes, and "" is what asks for everything.
    engine = body.get("engine_type", "mysql")
    project = body.get("enterprise_project_id")
    if project == "":
        raise Refusal(400, "DRS.M00202", "Parameter error: enterprise_project_id cannot be left blank.")
    name, status, net_type = body.get("name"), body.get("status"), body.get("net_type")
    instances, ip, tags = body.get("instance_ids"), body.get("instance_ip"), _tags(body.get("tags"))
    used = {
        "engine": engine and (lambda task: task.words.v3_filter == engine),
        "project": project and (lambda task: task.enterprise_project == project),
        "name": name and named(name, now),
        "status": status and (lambda task: task.at(now).status == status),
        "net_type": net_type and (lambda task: task.net_type == net_type),
        "instances": instances and (lambda task: instance_id(task.seed) in instances),
        "ip": ip and (lambda task: ip in {v3_wire.source_ip(task), v3_wire.target_ip(task)}),
        "tags": tags and (lambda task: tags.items() <= task.tags.items()),
    }
    return [keep for keep in used.values() if keep]


def named(wanted: str, now: float) -> Any:
    """A predicate: part of the name, or one of the comma-separated ids."""
    ids = {part.strip() for part in wanted.split(",")}

    def keep(task: SimTask) -> bool:
        return wanted in task.name or task.at(now).id in ids

    return keep


def _tags(tags: Any) -> dict[str, str]:
    # A map in the SDK, an array of key and value in the pages of Open Telekom Cloud.
    if isinstance(tags, list):
        return {tag["key"]: tag["value"] for tag in tags}
    return tags or {}


def _progress(world: World, found: Found) -> Json:
    return v3_wire.progress_item(world, found.task, found.moment)


# 202 in the older pages and on Open Telekom Cloud, 200 in the newest: success is any 2xx.
PROGRESS = Batch(202, "job_id", "error_msg", _progress)


def batch_progress(world: World, request: Request) -> Answer:
    """POST /v3/{project_id}/jobs/batch-progress, "Querying the Task Progress"."""
    return batches.answer(world, request, PROGRESS, "v3_progress")


ROUTES: tuple[Route[World], ...] = (
    Route("POST", "/v3/{project}/jobs", list_jobs),
    Route("POST", "/v3/{project}/jobs/batch-progress", batch_progress),
)
