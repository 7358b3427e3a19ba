"""A store whose events are read."""

from __future__ import annotations

import asyncio
from typing import Any

from exporter.model.events import Event
from exporter.model.facts import Compared, Comparison, Progress
from exporter.model.task import Listed
from exporter.store.store import Store
from tests.lib.daemon import StoreFixture, listed_task

FAILED, FULL, ENDED = "INCRE_TRANSFER_FAILED", "FULL_TRANSFER_STARTED", "RELEASE_RESOURCE_COMPLETE"
RUNS = "INCRE_TRANSFER_STARTED"


class Bench(StoreFixture):
    """A store whose events are read, and whose lists are complete."""

    def __init__(self) -> None:
        super().__init__(cutover={"stable_for": "0s"}, recovery=30, comparison=300)
        self.store = Store(self.store.context, self.exposition, ())  # without families, which take time
        self.store.state.polls_on = True

    @property
    def found(self) -> list[Event]:
        return self.events.find()[::-1]

    @property
    def kinds(self) -> list[str]:
        return [event.kind.value for event in self.found]

    def details(self) -> list[tuple[str, str | None, dict[str, str]]]:
        """Kind, name and details of all events, the oldest first."""
        return [(event.kind.value, event.task_name, dict(event.detail)) for event in self.found]

    async def progress(self, delay: float | None = 1.0, *ids: str, **facts: Any) -> None:
        await self.store.update({key: [Progress(1.0, delay_seconds=delay, **facts)] for key in ids or ("a",)})

    async def compares(self, *types: Compared, earlier: tuple[Compared, ...] = ()) -> None:
        await self.store.update({"a": [Comparison(types, earlier=earlier)]})

    async def sweep(self, after: float) -> None:
        await asyncio.sleep(after)
        await self.store.sweep()


def done(kind: str, at: float, *, consistent: bool | None = True, status: str = "SUCCESSFUL") -> Compared:
    return Compared(kind, status, consistent, finished_at=at)


def family(*parts: tuple[str, str]) -> list[Listed]:
    parent = listed_task("p", is_parent=True)
    return [parent, *(listed_task(key, status, parent_id="p", root_id="p") for key, status in parts)]
