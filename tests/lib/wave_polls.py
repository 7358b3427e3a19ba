"""How old the facts about the tasks of a wave are while a daemon polls them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from exporter.daemon.exporter import Exporter
    from exporter.store.task_state import TaskState

MEMBER, OTHER = "wave-", "other-"
"""How the names of tasks begin."""


class Ages(NamedTuple):
    """Seconds since the oldest status and the oldest progress of some tasks were received."""

    status: float
    progress: float


def stamp(at: float) -> str:
    """A Unix time as it is written in the configuration."""
    return datetime.fromtimestamp(at, UTC).isoformat()


def wave(name: str = "weekend", include: Any = None, **settings: Any) -> dict[str, Any]:
    """The settings of a wave of the tasks whose names begin with `wave-`."""
    return {"name": name, "include": include or [{"name": f"{MEMBER}.*"}], "interval": "10s", **settings}


def tasks_of(exporter: Exporter, prefix: str) -> dict[str, TaskState]:
    """The tasks of the only project whose names begin so, by id."""
    (store,) = exporter.stores
    return {key: task for key, task in store.state.tasks.items() if task.listed and task.listed.name.startswith(prefix)}


def ages(exporter: Exporter, prefix: str = MEMBER) -> Ages:
    """The ages of the facts about the tasks whose names begin so."""
    (store,) = exporter.stores
    now, inventory, tasks = store.context.clock.steady(), store.state.inventory, tasks_of(exporter, prefix)
    seen = [max(at for _, at in inventory.last_seen(key)) for key in tasks]
    return Ages(now - min(seen), now - min(task.received["progress"] for task in tasks.values()))


async def oldest(exporter: Exporter, seconds: int, prefix: str = MEMBER) -> Ages:
    """The highest ages within some time, at every half second."""
    found = []
    for _ in range(2 * seconds):
        await asyncio.sleep(0.5)
        found.append(ages(exporter, prefix))
    return Ages(max(each.status for each in found), max(each.progress for each in found))
