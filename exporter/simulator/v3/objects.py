"""v3 wire objects of one task: list item (Open Telekom Cloud, drs_03_0138) and progress."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exporter.simulator.world import figures
from exporter.simulator.world.actions import current_action, job_action
from exporter.simulator.world.formats import address, instance_id, millis, naive, utc
from exporter.simulator.world.life import MINUTE

if TYPE_CHECKING:
    from exporter.simulator.protocol import Json
    from exporter.simulator.world.life import Moment
    from exporter.simulator.world.tasks import SimTask
    from exporter.simulator.world.world import World

DEFAULT_ERROR = (
    "service LOGMANAGER failed, cause by: Unable to connect to DBMS: "
    "url=jdbc:{source}://{ip}:{port}?useUnicode=true&allowLoadLocalInfile=false&characterEncoding=UTF-8"
    "&connectTimeout=5000&useSSL=false&allowPublicKeyRetrieval=true&verifyServerCertificate=false"
    "&serverTimezone=UTC user=root"
)
"""The error text of a failed task: hosts, ports and users in the middle of the text."""


def error_message(task: SimTask) -> str:
    """The failure as the cloud words it."""
    words = task.words
    return task.error or DEFAULT_ERROR.format(source=words.source, ip=source_ip(task), port=words.port)


def source_ip(task: SimTask) -> str:
    """Address of the source database."""
    return address(task.seed, "source")


def target_ip(task: SimTask) -> str:
    """Address of the target database."""
    return address(task.seed, "target")


def list_item(world: World, task: SimTask, now: float) -> Json:
    """An item of POST /v3/{project_id}/jobs."""
    moment = task.at(now)
    item: Json = {
        "id": moment.id,
        "name": task.name,
        "status": moment.status,
        "create_time": naive(moment.born) if world.naive_times else utc(moment.born),
        "engine_type": task.words.v3,
        "net_type": task.net_type,
        "billing_tag": task.charging == "period",
        "job_direction": task.direction,
        "db_use_type": task.scenario,
        "task_type": task.mode,
        "node_newFramework": not world.old_bodies,  # sic, camel case in the middle of snakes
    }
    # Left out when empty, but an empty string in the older form.
    if task.description or world.old_bodies:
        item["description"] = task.description
    if figures.failed(moment):
        item["error_msg"] = error_message(task)
    if not world.old_bodies:
        item |= _extras(task, moment)
    if task.children:
        item["children"] = [list_item(world, child, now) for child in task.living_children(now)]
    wired: Json = task.wire("v3_list", item)
    return wired


def _extras(task: SimTask, moment: Moment) -> Json:
    # No page documents these; real bodies have them. They lack current_action where the vendor's SDK has it as null.
    action = current_action(task, moment)
    return {
        "job_action": {**job_action(task, moment), **({"current_action": action} if action else {})},
        "restart_required": False,
        "is_multi_az": task.relation == "multi_az" or task.role in {"master", "slave"},
        "multi_write": task.relation == "multi_write",
        "source_ip": source_ip(task),
        "target_ip": target_ip(task),
        "target_inst_id": instance_id(task.seed),
        "target_inst_name": f"rds-{task.seed}",
        "node_type": task.node_type,
        "pay_mode": "1" if task.charging == "period" else "0",
        "public_ip": address(task.seed, "public"),
        "ip": address(task.seed, "node"),
        "task_version": "2.0",
    }


def progress_item(world: World, task: SimTask, moment: Moment) -> Json:
    """An item of POST /v3/{project_id}/jobs/batch-progress."""
    percent = int(figures.full_percent(task, moment))
    delay = figures.delay_seconds(task, moment)
    item: Json = {
        "job_id": moment.id,
        "progress": str(percent),  # no percent sign here, though there is one in progress_map
        "incre_trans_delay": "-1" if delay is None else str(int(delay)),
        "task_mode": task.mode,
        "transfer_status": moment.status,
        "process_time": _process_time(world, moment),
        "remaining_time": str(figures.remaining_seconds(task, moment)),
    }
    if not world.old_bodies:
        item |= _newer_progress(task, moment, delay)
    if percent < figures.DONE and moment.status not in figures.BEFORE_FULL:
        remaining = 0 if world.old_bodies else figures.remaining_seconds(task, moment)
        item["progress_map"] = progress_map(percent, remaining)
    elif _lagging(world, task, moment):
        # Seen in the documents: the status is ahead of the progress for a while.
        item |= {"progress": "0", "process_time": "0", "progress_map": _LAGGING}
    wired: Json = task.wire("v3_progress", item)
    return wired


def progress_map(percent: int, remaining: int) -> Json:
    """Structure first, then data, then indexes; with a percent sign. Only the data has an estimate, if there is one."""
    stages = {"struct": percent * 5, "data": percent, "index": max(2 * percent - 100, 0)}
    return {
        name: {
            "completed": f"{min(value, 100)}%",
            "remaining_time": str(remaining) if remaining and name == "data" else None,
        }
        for name, value in stages.items()
    }


_LAGGING: Json = {
    name: {"completed": done, "remaining_time": None}
    for name, done in (("struct", "94%"), ("data", "100%"), ("index", "100%"))
}


def _newer_progress(task: SimTask, moment: Moment, delay: float | None) -> Json:
    rows = figures.rows_rate(task, moment)
    return {
        "incre_trans_delay_millis": "-1" if delay is None else str(int(delay * 1000)),
        # JSON numbers, unlike everything around them.
        "apply_rows_rate": -1 if rows is None else int(rows),
        "apply_bytes_rate": -1 if rows is None else int(rows * 220),
    }


def _process_time(world: World, moment: Moment) -> str:
    if moment.status in figures.BEFORE_FULL:
        return "0" if world.old_bodies else "null"
    # The cloud looks at a task every ten seconds or so.
    return millis(max(moment.now - (moment.now - moment.born) % 10, moment.born))


def _lagging(world: World, task: SimTask, moment: Moment) -> bool:
    since = moment.since("FULL_TRANSFER_COMPLETE")
    early = since is not None and since < MINUTE / 2
    return world.old_bodies and early and task.progress is None and moment.status == "FULL_TRANSFER_COMPLETE"
