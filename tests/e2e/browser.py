"""A server with any number of tasks, for tests in a browser."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Literal

import uvicorn
from playwright.sync_api import Page

from exporter.config import Links
from exporter.metrics.self_metrics import RATE_LIMIT, Telemetry
from exporter.model.facts import Progress
from exporter.model.task import Listed
from exporter.storage import Storage
from exporter.web.app import application
from tests.lib.daemon import StoreFixture
from tests.lib.serving import in_a_thread
from tests.lib.virtual_time import now

Open = Callable[..., Page]
"""Opens the page at a URL, with options of Playwright's context."""

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>\"'&amp;{{ 7 * 7 }}"
_CUT_OFF = """[...document.querySelectorAll(".tiles > div, .plot, .card, #state, .events, .scroll, .waves li")]
    .filter((part) => part.scrollWidth > part.clientWidth).map((part) => part.textContent)"""
_CONTRASTS = Path(__file__).with_name("contrasts.js").read_text()
_RUNS, _FAILED = "INCRE_TRANSFER_STARTED", "INCRE_TRANSFER_FAILED"
_STATUSES = (*[_RUNS] * 6, "FULL_TRANSFER_STARTED", "PAUSING", "CONFIGURATION", _FAILED)


class Fleet:
    """Some tasks of one project, the first with a hostile name, in place of an `Exporter` for the pages."""

    links = Links()
    ready = True
    healthy = True

    def __init__(self, size: int) -> None:
        self._bench = StoreFixture(float("inf"))
        self.exposition = self._bench.exposition
        self.stores = [self._bench.store]
        self.events = self._bench.events
        self.waves = self._bench.waves
        self.storage = Storage()
        self.telemetry = Telemetry()
        self.telemetry.series(RATE_LIMIT, *self.stores[0].key[:2]).set(3)
        self.size = size
        self.fail_first = False

    def now(self) -> float:
        return now()

    async def poll(self) -> None:
        """Update the store with all tasks, as a poll does."""
        (store,) = self.stores
        listed = [self._listed(number) for number in range(self.size)]
        for job_type in ("migration", "sync", "cloudDataGuard"):
            await store.listed("v3", job_type, listed if job_type == "sync" else ())
        facts = {task.id: [Progress(full_ratio=0.5, delay_seconds=number)] for number, task in enumerate(listed)}
        await store.update(facts)

    def _listed(self, number: int) -> Listed:
        status = _FAILED if self.fail_first and not number else _STATUSES[number % len(_STATUSES)]
        name = HOSTILE if number == 0 else f"task {number:05}"
        return Listed(f"{number:032x}jb20", name, status, "sync", engine_type="mysql")


@contextmanager
def serving(fleet: Fleet) -> Iterator[str]:
    """Serve the pages in a thread that polls the fleet every second, or a large one less often; provides the URL."""
    server = uvicorn.Server(uvicorn.Config(application(fleet), port=0, lifespan="off", log_config=None))

    async def main() -> None:
        await fleet.poll()
        polling = asyncio.create_task(poll())
        try:
            await server.serve()
        finally:
            polling.cancel()

    async def poll() -> None:
        while True:
            await asyncio.sleep(max(1, fleet.size / 100))
            await fleet.poll()

    with in_a_thread(server, lambda: asyncio.run(main())) as url:
        yield url


def assert_readable(page: Page, *widths: int) -> None:
    """Check in both colour schemes that no part is cut off at these widths, and that all text has enough contrast."""
    for width, scheme in product(widths, SCHEMES):
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(_CUT_OFF) == []
        contrasts = page.evaluate(_CONTRASTS)
        assert len(contrasts) > 5
        assert contrasts[0][0] >= 4.5, contrasts[:5]
