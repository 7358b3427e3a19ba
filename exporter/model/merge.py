"""Merges several list entries about one task, from one list or from the lists of several job types."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from exporter.model.cutover_actions import RUNNING_ACTIONS
from exporter.model.task import DELETED, Listed, Phase

_WORST_FIRST = (
    Phase.FAILED,
    Phase.OTHER,
    Phase.PAUSED,
    Phase.CHANGING,
    Phase.PREPARING,
    Phase.FULL,
    Phase.INCREMENTAL,
    Phase.ENDING,
    Phase.ENDED,
)
"""Of two running phases the less advanced is the worse. The status page sorts by urgency instead."""
_DECISIVE = ("status", "task_type", "role", "node_role")
"""Fields that decide whether a task can be cut over. A missing one contradicts nothing."""
_COMPLETED = ("task_type", "role", "node_role", "multi_az", "charging_mode")
"""Fields that other entries complete where the one with the worst status lacks them."""


def contradict(entries: Sequence[Listed]) -> bool:
    """Return whether entries about one task differ in a field that the cut-over depends on."""
    return any(len(_values(entries, name)) > 1 for name in _DECISIVE)


def merge(entries: Sequence[Listed]) -> Listed:
    """Merge entries into one: the entry with the worst status, the first of equals, nested where any entry is.

    The order of the entries, not the times at which they arrived, decides between equals: the result must not change
    from list to list. DELETED ranks last: the other entries show that the task exists.
    """
    if len(entries) == 1:
        return entries[0]
    worst = min(entries, key=_rank)
    nested = next((entry for entry in entries if entry.parent_id is not None), worst)
    completed: dict[str, Any] = {name: next(iter(_values((worst, *entries), name)), None) for name in _COMPLETED}
    return replace(
        worst,
        parent_id=nested.parent_id,
        root_id=nested.root_id,
        other_parents=frozenset(entry.parent_id for entry in entries if entry.parent_id) - {nested.parent_id},
        is_parent=any(entry.is_parent for entry in entries),
        unknown_children=max(entry.unknown_children for entry in entries),
        contradicted=contradict(entries) or any(entry.contradicted for entry in entries),
        available_actions=frozenset().union(*(entry.available_actions for entry in entries)),
        current_action=max(_values((worst, *entries), "current_action"), key=_disturbs, default=None),
        multi_write=any(entry.multi_write for entry in entries),
        **completed,
    )


def _values(entries: Sequence[Listed], name: str) -> dict[Any, None]:
    """The different values of a field, in the order of the entries."""
    return dict.fromkeys(value for entry in entries if (value := getattr(entry, name)) is not None)


def _disturbs(action: str) -> tuple[bool, bool]:
    """Return the order of operations: one that disturbs the replication last, after others and none."""
    return action in RUNNING_ACTIONS, bool(action)


def _rank(entry: Listed) -> int:
    return len(_WORST_FIRST) if entry.status == DELETED else _WORST_FIRST.index(entry.phase)
