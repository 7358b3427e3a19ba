"""v3 wire object of "Querying Task Details in Batches" (DRS API reference of Huawei Cloud and Open Telekom Cloud)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exporter.simulator.v3.objects import error_message, source_ip, target_ip
from exporter.simulator.world import figures
from exporter.simulator.world.formats import address, instance_id, millis, uuid
from exporter.simulator.world.life import DAY

if TYPE_CHECKING:
    from exporter.simulator.protocol import Json
    from exporter.simulator.world.life import Moment
    from exporter.simulator.world.tasks import SimTask
    from exporter.simulator.world.world import Found, World

FAILURE_CODE = "DRS.KE0002"


def detail_item(world: World, found: Found) -> Json:
    """An item of POST /v3/{project_id}/jobs/batch-detail; it has no net_type, and times as strings of ms."""
    task, parent, moment = found
    item: Json = {
        "id": moment.id,
        "name": task.name,
        "status": moment.status,
        "description": task.description,
        "create_time": millis(moment.born),
        "task_type": task.mode,
        "source_endpoint": _source(world, task),
        "target_endpoint": _target(world, task),
        "inst_info": _instance(task, moment),
        **_times(moment),
        "job_direction": task.direction,
        "db_use_type": task.scenario,
        **_SETTINGS,
        **{key: value for key, value in figures.policy(task).items() if key in _POLICY},
        "speed_limit": task.speed_limits,
        "need_restart": task.restart_required,
        "is_target_readonly": figures.read_only(task),
        "az_code": figures.zones(world.region, task),
        **_network(task.seed),
        "multi_write": task.relation == "multi_write",
    }
    if not world.old_bodies:
        item |= _newer(world, task, moment)
    if parent is not None:
        item["parent_id"] = parent.at(moment.now).id
        item |= _master(parent, moment)
    if figures.failed(moment):
        item |= {"error_code": FAILURE_CODE, "error_message": error_message(task), "failed_reason": "SOURCE_DB_DOWN"}
    wired: Json = task.wire("v3_detail", item)
    return wired


_POLICY = frozenset({"conflict_policy", "filter_ddl_policy", "index_trans"})
"""The parts of the policy that v3 has."""
_SETTINGS: Json = {
    "schema_type": "Tungsten",
    "object_switch": True,
    "replace_definer": True,
    "migrate_user": False,
    "support_ip_v6": False,
}


def _source(world: World, task: SimTask) -> Json:
    return {
        "ip": source_ip(task),
        "region": world.region,
        "db_type": task.words.source,
        "db_port": task.words.port,  # a number here, a string in v5
        "ssl_link": task.ssl,
        "project_id": world.project_id,
        "db_user": "root",
    }


def _target(world: World, task: SimTask) -> Json:
    return {
        **_source(world, task),
        "ip": target_ip(task),
        "db_type": task.words.target,
        "inst_id": instance_id(task.seed),
        "inst_name": f"rds-{task.seed}",
        "vpc_id": uuid(task.seed, "vpc"),
        "subnet_id": uuid(task.seed, "subnet"),
    }


def _instance(task: SimTask, moment: Moment) -> Json:
    scheduled = figures.scheduled_start(task, moment)
    return {
        "ip": address(task.seed, "node"),
        "public_ip": address(task.seed, "public"),
        "status": "DELETED" if moment.status in figures.RELEASED else "ACTIVE",
        "inst_type": task.node_type,
        "engine_type": task.words.v3,
        "volume_size": 100,
        "start_time": millis(scheduled) if scheduled else "0",  # "0" is unset
    }


def _times(moment: Moment) -> Json:
    statuses = {"actual_start_time": "STARTJOBING", "full_transfer_complete_time": "FULL_TRANSFER_COMPLETE"}
    known = {key: moment.entered[status] for key, status in statuses.items() if status in moment.entered}
    return {key: millis(epoch) for key, epoch in {**known, "update_time": moment.changed}.items()}


def _network(seed: str) -> Json:
    return {f"{part}_id": uuid(seed, part) for part in ("vpc", "subnet", "security_group")}


def _newer(world: World, task: SimTask, moment: Moment) -> Json:
    item: Json = {
        "is_multi_az": task.relation == "multi_az" or task.role in {"master", "slave"},
        "node_role": task.role,
        "original_job_direction": task.direction,
        "job_kernel_direction": figures.kernel_direction(task, moment),
        "tags": [{"key": key, "value": value} for key, value in task.tags.items()],
        "alarm_notify": _alarms(task),
    }
    if task.eip:
        item["bind_public_ip_state"] = task.eip
    if task.charging == "period":
        item["period_order"] = _order(world, task, moment)
    return item


def _alarms(task: SimTask) -> Json:
    # 0 is no threshold.
    thresholds = {"delay_time": 0, "rpo_delay": 0, "rto_delay": 0, **task.alarms}
    return {"alarm_to_user": bool(task.alarms), "topic_name": "drs", "subscriptions": [], **thresholds}


def _order(world: World, task: SimTask, moment: Moment) -> Json:
    # Only v3 tells when a prepaid task expires.
    return {
        "order_id": uuid(world.project_id, task.seed, "order"),
        "status": task.order_status,
        "charging_mode": 1,
        "period_type": 2,
        "period_num": 1,
        "is_auto_renew": int(task.auto_renew),
        "eff_time": millis(moment.born),
        "exp_time": millis(task.expires or moment.born + 30 * DAY),
    }


def _master(parent: SimTask, moment: Moment) -> Json:
    masters = [child for child in parent.children if child.role == "master"]
    return {"master_job_id": masters[0].at(moment.now).id} if masters else {}
