"""v5 "Querying Task Details" (Huawei Cloud, DRS API reference): each type fills its own block and no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exporter.simulator.v3.objects import error_message, source_ip
from exporter.simulator.v5 import compare as v5_compare
from exporter.simulator.v5 import objects as v5_wire
from exporter.simulator.v5.rules import failed, window
from exporter.simulator.world import figures, prechecks
from exporter.simulator.world.formats import instance_id, utc, uuid
from exporter.simulator.world.life import HOUR

if TYPE_CHECKING:
    from collections.abc import Callable

    from exporter.simulator.protocol import Json, Request
    from exporter.simulator.world.life import Moment
    from exporter.simulator.world.tasks import SimTask
    from exporter.simulator.world.world import Found, World

EXPIRED_DAYS = 14


def query_id(task: SimTask, kind: str) -> str:
    """The id that the write which started a test would have returned; kind: network, precheck, cloud_connection."""
    return uuid(task.seed, "query", kind)


def detail(world: World, found: Found, _request: Request | None = None) -> Json:
    """type=detail, Table 6 and on."""
    task, parent, moment = found
    block: Json = {
        "base_info": _base_info(task, moment),
        "source_endpoint": [_source(task)],
        "target_endpoint": [_target(world, task)],
        "alarm_notify": {
            "alarm_to_user": bool(task.alarms),
            "topic_urn": f"urn:smn:{world.region}:{world.project_id}:drs",
            **task.alarms,
        },
        "speed_limit": task.speed_limits,
        "policy_config": figures.policy(task),
        "node_info": _node_info(world, task, moment),
        "task_version": "2.0",
        "job_kernel_direction": figures.kernel_direction(task, moment),
    }
    if task.charging == "period":
        # No expiry here: only v3 has it.
        block["period_order"] = {"period_type": 2, "period_num": 1, "is_auto_renew": int(task.auto_renew)}
    if task.eip:
        block["bind_public_ip_state"] = task.eip
    masters = [child for child in (parent.children if parent else task.children) if child.role == "master"]
    if masters:
        block["master_job_id"] = masters[0].at(moment.now).id
    return block


def _base_info(task: SimTask, moment: Moment) -> Json:
    info: Json = {
        "name": task.name,
        "job_type": task.scenario,
        "multi_write": task.relation == "multi_write",
        "engine_type": task.words.v5,
        "job_direction": task.direction,
        "task_type": task.mode,
        "net_type": task.net_type,
        "charging_mode": task.charging,
        "enterprise_project_id": task.enterprise_project,
        "description": task.description,
        "expired_days": EXPIRED_DAYS,  # the table says String, the example has a number
        "tags": [{"key": key, "value": value} for key, value in task.tags.items()],
    }
    scheduled = figures.scheduled_start(task, moment)
    if scheduled:
        info["start_time"] = utc(scheduled)
    return info


def _source(task: SimTask) -> Json:
    return {
        "db_type": task.words.source,
        "endpoint_type": "offline",
        "endpoint_role": "so",
        "endpoint": {
            "id": uuid(task.seed, "source"),
            "endpoint_name": task.words.source,
            "ip": source_ip(task),
            "db_port": str(task.words.port),  # a string here, a number in v3
            "db_user": "root",
        },
        "ssl": {"ssl_link": task.ssl},
    }


def _target(world: World, task: SimTask) -> Json:
    return {
        "db_type": task.words.target,
        "endpoint_type": "cloud",
        "endpoint_role": "ta",
        "endpoint": {
            "id": uuid(task.seed, "target"),
            "endpoint_name": f"cloud_{task.words.target}",
            "instance_id": instance_id(task.seed),
            "instance_name": f"rds-{task.seed}",
            "db_user": "root",
        },
        "ssl": {"ssl_link": task.ssl},
        "cloud": {"region": world.region, "project_id": world.project_id, "az_code": f"{world.region}a"},
        "vpc": {f"{part}_id": uuid(task.seed, part) for part in ("vpc", "subnet", "security_group")},
        "config": {"is_target_readonly": figures.read_only(task)},
    }


def _node_info(world: World, task: SimTask, moment: Moment) -> Json:
    paired = task.relation == "multi_az" or task.role in {"master", "slave"}
    return {
        "spec": {"node_type": task.node_type},
        "vpc": {f"{part}_id": uuid(task.seed, part) for part in ("vpc", "subnet", "security_group")},
        "base_info": {
            "instance_type": "ha" if paired else "single",
            "arch": "x86",
            "availability_zone": figures.zones(world.region, task),
            "status": "DELETED" if moment.status in figures.RELEASED else "ACTIVE",
            "role": task.role,
        },
    }


def _progress(_world: World, found: Found, _request: Request) -> Json:
    task, _, moment = found
    return {
        "progress_info": v5_wire.progress_info(task, moment),
        "migration_object_progress_info": v5_wire.object_progress(task, moment),
        "metrics": v5_wire.metrics(task, moment),
    }


def _log(_world: World, found: Found, request: Request) -> Json:
    start, size = window(request)
    level = request.query.get("log_level")
    entries = [entry for entry in logs(found) if level in {None, "", entry["level"]}]
    return {"total_count": len(entries), "logs": entries[start : start + size]}


def logs(found: Found) -> list[Json]:
    """The log of a task, the newest entry first."""
    task, _, moment = found
    entries = [(epoch, "Info", f"The task status changes to {status}.") for status, epoch in moment.entered.items()]
    delay = figures.delay_seconds(task, moment) or 0.0
    if delay > 100:  # noqa: PLR2004 - seconds
        hourly = moment.now - moment.life % HOUR / moment.speed
        entries.append((hourly, "Warn", f"The replication delay is {int(delay)} s."))
    if figures.failed(moment):
        entries.append((moment.changed, "Error", error_message(task)))
    entries.sort(key=lambda entry: -entry[0])
    return [{"level": level, "message": message, "create_time": utc(epoch)} for epoch, level, message in entries]


def _file(_world: World, _found: Found, _request: Request) -> Json:
    return {"support_import_file_resp": {"file_size": "2", "previous_select": "manual"}}


def _is_writable(_world: World, found: Found, _request: Request) -> Json:
    return {"is_writable": found.task.writable} if found.task.writable else {}


def _queried(kind: str, build: Callable[[SimTask], Json]) -> Callable[[World, Found, Request], Json]:
    """A type that is read with the query id of the write that started it, and not without."""

    def block(_world: World, found: Found, request: Request) -> Json:
        if request.query.get("query_id") != query_id(found.task, kind):
            raise failed()
        return build(found.task)

    return block


def _network(task: SimTask) -> Json:
    sides = ((source_ip(task), task.source_up), (instance_id(task.seed), task.target_up))
    return {
        "network_results": [
            {
                "ip": address,
                "success": up,
                "result": "success" if up else "connection refused",
                "status": "success" if up else "failed",
                **({} if up else {"error_code": "DRS.M0601", "error_msg": "Connection refused."}),
            }
            for address, up in sides
        ]
    }


TYPES: dict[str, Callable[[World, Found, Request], Json]] = {
    "detail": detail,
    "progress": _progress,
    "overview": _progress,
    "log": _log,
    "compare": v5_compare.compare,
    "file": _file,
    "is_writable": _is_writable,
    "network": _queried("network", _network),
    "cloud_connection": _queried("cloud_connection", _network),
    "precheck": _queried("precheck", lambda task: {"precheck_result": prechecks.v5_result(task)}),
}
"""The values of ``type``."""
