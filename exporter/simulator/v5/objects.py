"""v5 wire objects of one task: list item, and the progress blocks of the detail (Huawei Cloud, DRS API reference)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exporter.simulator.v3.objects import progress_map
from exporter.simulator.world import figures
from exporter.simulator.world.actions import current_action, job_action
from exporter.simulator.world.formats import millis, pick, utc, uuid

if TYPE_CHECKING:
    from exporter.simulator.protocol import Json
    from exporter.simulator.world.life import Moment
    from exporter.simulator.world.tasks import SimTask

_MODES = {"multi_to_single": "multi_to_single", "child": "sync_child"}
_METRICS = (
    *("cpu_util", "mem_util", "network_incoming_bytes_rate", "network_outgoing_bytes_rate", "disk_read_bytes_rate"),
    *("disk_write_bytes_rate", "apply_rows_rate", "apply_transactions_rate", "apply_ddl_rate"),
    *("apply_average_execute_time", "apply_average_commit_time", "apply_current_state"),
)
_OBJECTS = ("database", "table", "table_structure", "view", "procedure", "event")


def list_item(task: SimTask, now: float) -> Json:
    """An item of GET /v5/{project_id}/jobs, "Querying Tasks", Table 5."""
    moment = task.at(now)
    item: Json = {
        "id": moment.id,
        "name": task.name,
        "status": moment.status,
        "create_time": utc(moment.born),
        "engine_type": task.words.v5,
        "net_type": task.net_type,
        "charging_mode": task.charging,
        "billing_tag": task.charging == "period",
        "job_direction": task.direction,
        "job_type": task.scenario,
        "task_type": task.mode,
        "enterprise_project_id": task.enterprise_project,
        "job_mode": _MODES.get(task.relation, _MODES.get(task.role, "single")),
        "is_multi_az": task.relation == "multi_az" or task.role in {"master", "slave"},
        "node_role": task.role if task.role in {"master", "slave"} else "",
        "node_new_framework": True,
        "job_action": {**job_action(task, moment), "current_action": current_action(task, moment)},
    }
    role = "parent" if task.relation in {"multi_to_single", "cluster"} else task.role
    if role:
        item["job_mode_role"] = role
    if task.description:
        item["description"] = task.description
    if task.children:
        item["children"] = [list_item(child, now) for child in task.living_children(now)]
    wired: Json = task.wire("v5_list", item)
    return wired


def progress_info(task: SimTask, moment: Moment) -> Json:
    """Table 35: ``incr_`` where v3 has ``incre_``, and everything a string."""
    percent = int(figures.full_percent(task, moment))
    delay = figures.delay_seconds(task, moment)
    started = moment.status not in figures.BEFORE_FULL
    info: Json = {
        "progress": str(percent),
        "incr_trans_delay": "-1" if delay is None else str(int(delay)),
        "incr_trans_delay_millis": "-1" if delay is None else str(int(delay * 1000)),
        "task_mode": task.mode,
        "transfer_status": moment.status,
        "process_time": millis(moment.now - (moment.now - moment.born) % 10) if started else "0",
        "remaining_time": str(figures.remaining_seconds(task, moment)),
    }
    if started and percent < figures.DONE:
        info["progress_map"] = progress_map(percent, figures.remaining_seconds(task, moment))
    return info


def metrics(task: SimTask, moment: Moment) -> Json:
    """Table 39: every number a string, no unit anywhere; empty strings before the task has run."""
    values = dict.fromkeys(_METRICS, "") if moment.status in figures.BEFORE_FULL else _measured(task, moment)
    reported = utc(moment.now - (moment.now - moment.born) % 60)
    return {"job_id": moment.id, "node_id": uuid(task.seed, "node"), "time_stamp": reported, **values}


def _measured(task: SimTask, moment: Moment) -> Json:
    node = figures.node(task, moment)
    rows = figures.rows_rate(task, moment) or 0.0
    return {
        "cpu_util": f"{node.cpu:.2f}",
        "mem_util": f"{node.memory:.2f}",
        "network_incoming_bytes_rate": f"{node.received:.0f}",
        "network_outgoing_bytes_rate": f"{node.sent:.0f}",
        "disk_read_bytes_rate": f"{node.disk_read:.0f}",
        "disk_write_bytes_rate": f"{node.disk_written:.0f}",
        "apply_rows_rate": f"{rows:.0f}",
        "apply_transactions_rate": f"{rows / 8:.1f}",
        "apply_ddl_rate": "0",
        "apply_average_execute_time": f"{pick(task.seed, 1, 9):.2f}",
        "apply_average_commit_time": f"{pick(task.seed + 'c', 1, 4):.2f}",
        "apply_current_state": "failed" if figures.failed(moment) else "processing" if rows else "waiting",
    }


def object_progress(task: SimTask, moment: Moment) -> Json:
    """Table 37: counts of objects, as strings."""
    percent = figures.full_percent(task, moment)
    state = "NOT_START" if percent == 0 else "COMPLETED" if percent >= figures.DONE else "TRANSFERING"
    overview = []
    for kind in _OBJECTS:
        count = int(pick(task.seed + kind, 2, 400))
        done = count if state == "COMPLETED" else int(count * percent / figures.DONE)
        # Events and triggers move when the task ends.
        late = kind == "event"
        overview.append(
            {
                "type": kind,
                "src_count": str(count),
                "dst_count": "0" if late else str(done),
                "status": "TRANSFER_WHEN_END" if late else state,
                "start_time": _entered(moment, "FULL_TRANSFER_STARTED"),
                "end_time": "" if late else _entered(moment, "FULL_TRANSFER_COMPLETE"),
            }
        )
    info: Json = {"create_time": utc(moment.now), "migration_object_overview": overview}
    times = {
        "full_start_time": "FULL_TRANSFER_STARTED",
        "full_complete_time": "FULL_TRANSFER_COMPLETE",
        "incr_start_time": "INCRE_TRANSFER_STARTED",
        "end_time": "RELEASE_RESOURCE_COMPLETE",
    }
    info |= {key: utc(moment.entered[status]) for key, status in times.items() if status in moment.entered}
    return info


def _entered(moment: Moment, status: str) -> str:
    return utc(moment.entered[status]) if status in moment.entered else ""
