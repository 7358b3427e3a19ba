"""The reasons against a cut-over as sentences for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from exporter.model.cutover_actions import NEEDED_ACTIONS, RUNNING_ACTIONS


class Advice(NamedTuple):
    """A reason in words.

    Args:
        subject: the thing that it checks, as a noun; several reasons can check the same thing.
        means: what it means that it blocks.
        remedy: what to do then.
        scope: when it applies or blocks, for the documentation; empty if that is clear.
    """

    subject: str
    means: str
    remedy: str
    scope: str = ""


_DR_ONLY = "Only for DR tasks."
_MOVES_OBJECTS = "Only for tasks with a full load whose target is not Kafka."
_IF_REQUIRED = "It blocks only where the setting is required."


ADVICE: Mapping[str, Advice] = {
    "phase": Advice(
        "phase",
        "The status is not INCRE_TRANSFER_STARTED (of a task with a full load alone: not FULL_TRANSFER_COMPLETE), its "
        "progress reports a failure, or lists and newer responses contradict each other about it.",
        "Wait until the task replicates. If it has failed or is paused, see its error in the console, and resume it.",
    ),
    "stale": Advice(
        "age of the data",
        "The status, the progress or, for DR tasks, the RPO is older than cutover.max_age; or the cloud's own report "
        "of the progress, which it renews, is over an hour old.",
        "Check whether the polls of the project fail, or whether its rate limit is too low.",
    ),
    "delay_unknown": Advice(
        "delay",
        "The cloud reports no delay of the target.",
        "Wait for the next poll. If it stays unknown, see the replication of the task in the console.",
        "Only for tasks with an incremental phase. DR tasks with an RPO are not blocked.",
    ),
    "delay_high": Advice(
        "delay",
        "The target is behind the source by more than cutover.max_delay. A delay of a parent counts as well as those "
        "of its subtasks.",
        "Wait until the target has caught up, and stop writing to the source only when the cut-over begins. If the "
        "delay grows, see the load of the node and of the target.",
        "Only for tasks with an incremental phase.",
    ),
    "full_incomplete": Advice(
        "full load",
        "The full load is not complete.",
        "Wait until the full load is complete.",
        "Only for tasks with a full load.",
    ),
    "full_unknown": Advice(
        "full load",
        "Neither the status nor the progress shows how much of the full load is complete.",
        "Wait for the next poll. If it stays unknown, see the task in the console.",
        "Only for tasks with a full load alone.",
    ),
    "action_needed": Advice(
        "available actions",
        "The replication waits until a user starts an action that is available.",
        "Start the action in the console.",
        f"Actions: {', '.join(sorted(NEEDED_ACTIONS))}.",
    ),
    "action_running": Advice(
        "current operation",
        "An operation that stops, restarts, changes or reverses the replication is in progress.",
        "Wait until the operation has ended.",
        f"Operations: {', '.join(sorted(RUNNING_ACTIONS))}. An unknown operation, and one that is shown for over an "
        "hour while the task replicates, is not checked.",
    ),
    "apply_failed": Advice(
        "apply state",
        "The node cannot write changes into the target: drs_apply_state is failed.",
        "See the log of the task in the console, and remove the cause.",
    ),
    "report_old": Advice(
        "age of the report",
        "The cloud computed the progress over 10 minutes before it was read, so that its delay may be outdated.",
        "See in the console whether the node of the task still works.",
        "Only for tasks whose report has advanced in this phase.",
    ),
    "subtask": Advice(
        "subtasks",
        "A subtask is blocked or unknown, or no subtask is alive and the task has no delay of its own. Ended subtasks "
        "and standbys do not count.",
        "See the reasons of the subtasks that it names.",
        "Only for tasks with subtasks.",
    ),
    "switching": Advice(
        "switchover",
        "A switchover is in progress, by the operation or by the direction of the kernel.",
        "Wait until the switchover has ended.",
        _DR_ONLY,
    ),
    "rpo_unknown": Advice(
        "RPO",
        "The cloud reports no RPO now.",
        "Wait for the next poll. If it stays unknown, see the task in the console.",
        _DR_ONLY,
    ),
    "rpo_high": Advice(
        "RPO",
        "The node is behind the service database by more than cutover.max_delay.",
        "Wait until the node has caught up, and stop writing to the service database only when the cut-over begins.",
        _DR_ONLY,
    ),
    "rto_unknown": Advice(
        "RTO",
        "The cloud reports no RTO now.",
        "Wait for the next poll. If it stays unknown, see the task in the console.",
        _DR_ONLY,
    ),
    "rto_high": Advice(
        "RTO",
        "The disaster-recovery database is behind the node by more than cutover.max_delay.",
        "Wait until the database has caught up, and stop writing to the service database only when the cut-over "
        "begins.",
        _DR_ONLY,
    ),
    "order_frozen": Advice(
        "order",
        "The yearly or monthly order of the task is frozen: the cloud may stop the task.",
        "Renew the order.",
        "Only for tasks with a yearly or monthly order.",
    ),
    "side_down": Advice(
        "connections",
        "The node does not reach the source or the target.",
        "Check the database, its network and the user of DRS.",
    ),
    "objects_missing": Advice(
        "objects",
        "The target lacks objects of a type that is neither complete nor moved at the end.",
        "Wait until the objects are moved, or see in the console which of them are missing.",
        _MOVES_OBJECTS,
    ),
    "object_failed": Advice(
        "objects",
        "Objects of a type failed to move.",
        "See in the console which objects failed and why, and move them again.",
        _MOVES_OBJECTS,
    ),
    "comparison_missing": Advice(
        "comparison",
        "No comparison has finished with a result.",
        "Start a comparison in the console, and wait for its result.",
        _IF_REQUIRED,
    ),
    "comparison_running": Advice(
        "comparison",
        "A comparison runs.",
        "Wait for its result.",
        _IF_REQUIRED,
    ),
    "comparison_inconsistent": Advice(
        "comparison",
        "The newest finished comparison of a type found a difference between source and target. It blocks until a "
        "later one finds none.",
        "Repair the difference, and compare again.",
    ),
    "comparison_old": Advice(
        "comparison",
        "The newest finished comparison of a type is older than cutover.comparison_max_age, or from before the last "
        "edit of the task or the end of its full load.",
        "Start a new comparison in the console.",
        _IF_REQUIRED,
    ),
    "log_error": Advice(
        "log",
        "The newest entry of the task's log is an error.",
        "See the log of the task in the console.",
    ),
    "not_stable": Advice(
        "time without a blocker",
        "Nothing else blocks, but for less than cutover.stable_for.",
        "Wait: the task is ready if nothing else blocks until then.",
    ),
}
"""By the label `reason`, in the order in which they are shown."""
