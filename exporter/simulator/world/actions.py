"""The operation commands that a task offers (v5 task list, Table 7 "job_action")."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from exporter.simulator.world import figures

if TYPE_CHECKING:
    from exporter.simulator.protocol import Json
    from exporter.simulator.world.life import Moment
    from exporter.simulator.world.tasks import SimTask

ALL = (
    *("CREATE", "CHOOSE_OBJECT", "PRE_CHECK", "CHANGE_MODE", "FREE_RESOURCE", "MODIFY_DB_CONFIG", "RESET_DB_PWD"),
    *("MODIFY_CONFIGURATION", "PAUSE", "START", "CHANGE", "RETRY", "RESET", "DELETE", "QUERY_PRE_CHECK"),
    *("SWITCH_OVER", "START_INCR", "MODIFY_TASK_NUMBER", "CONTINUE_JOB", "STOP_JOB", "CONTINUE_CAPTURE"),
    *("STOP_CAPTURE", "CONTINUE_APPLY", "STOP_APPLY", "JUMP_RETRY", "API_CONFIGURATION_ACTION", "PAY_ORDER"),
    *("UNSUBSCRIBE", "TO_PERIOD", "TO_RENEW", "ORDER_INFO", "CLONE", "NODE_FLAVOR_MODIFY"),
)

_RUNNING = ("FREE_RESOURCE", "PAUSE", "RESET_DB_PWD", "CLONE")
_BY_STATUS: dict[str, tuple[str, ...]] = {
    "CREATING": (),
    "CREATE_FAILED": ("DELETE",),
    "CONFIGURATION": ("FREE_RESOURCE", "PRE_CHECK", "MODIFY_CONFIGURATION", "CHANGE"),
    "WAITING_FOR_START": ("FREE_RESOURCE", "START", "MODIFY_CONFIGURATION"),
    "STARTJOBING": (),
    "FULL_TRANSFER_STARTED": _RUNNING,
    "FULL_TRANSFER_COMPLETE": _RUNNING,
    "INCRE_TRANSFER_STARTED": (*_RUNNING, "CHANGE", "MODIFY_TASK_NUMBER"),
    "PAUSING": ("FREE_RESOURCE", "RETRY", "RESET_DB_PWD", "CLONE"),
    "RELEASE_RESOURCE_COMPLETE": ("DELETE", "CLONE"),
    "RELEASE_RESOURCE_FAILED": ("FREE_RESOURCE",),
    "FROZEN": ("PAY_ORDER", "UNSUBSCRIBE"),
}
_CURRENT = {"CREATING": "CREATE", "STARTJOBING": "START", "RELEASE_RESOURCE_STARTED": "FREE_RESOURCE"}
_FAILED = ("FREE_RESOURCE", "RETRY", "RESET", "RESET_DB_PWD")
_PERIOD = ("ORDER_INFO", "TO_RENEW")


@cache
def _sets(status: str, added: tuple[str, ...]) -> tuple[list[str], list[str]]:
    usual = _BY_STATUS.get(status, _FAILED if status.endswith("_FAILED") else ())
    available = [action for action in ALL if action in usual or action in added]
    return available, [action for action in ALL if action not in available]


def current_action(task: SimTask, moment: Moment) -> str | None:
    """The operation in progress."""
    if figures.switching(task, moment):
        return "SWITCH_OVER"
    return task.action or _CURRENT.get(moment.status)


def job_action(task: SimTask, moment: Moment) -> Json:
    """Available and unavailable commands; the lists add ``current_action``."""
    added = task.extra_actions
    if task.charging == "period":
        added += _PERIOD
    if task.scenario == "cloudDataGuard" and moment.status == "INCRE_TRANSFER_STARTED":
        added += ("SWITCH_OVER",)
    available, unavailable = _sets(moment.status, added)
    return {"available_actions": available, "unavailable_actions": unavailable}
