"""Polls the projects of a configuration as the command `run` does, while a command works with what is known."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from exporter.daemon.exporter import Exporter

T = TypeVar("T")

_LOOK_SECONDS = 0.2
"""The time between two checks whether the first poll has ended."""


async def while_polling(exporter: Exporter, work: Coroutine[Any, Any, T]) -> T:
    """Return the result of a coroutine, during which the exporter polls; a crash of the exporter is raised."""
    polling, working = asyncio.create_task(exporter.run()), asyncio.create_task(work)
    try:
        ended, _ = await asyncio.wait((polling, working), return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            task.result()
        return working.result()
    finally:
        for task in (polling, working):
            task.cancel()
        await asyncio.gather(polling, working, return_exceptions=True)


async def first_poll(exporter: Exporter) -> None:
    """Wait for the end of the first poll of every project."""
    while not exporter.ready:  # noqa: ASYNC110 - no event exists for it
        await asyncio.sleep(_LOOK_SECONDS)
