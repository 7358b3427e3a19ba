"""Lets other tasks of the event loop run during long work."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import TypeVar

T = TypeVar("T")


class Turns:
    """Work that is done in turns with other tasks of the event loop."""

    def __init__(self) -> None:
        self._done = 0.0

    async def after(self, share: float = 1.0) -> None:
        """Let other tasks run once the work since they ran last, as shares of a turn, makes a whole one."""
        self._done += share
        if self._done >= 1:
            self._done = 0.0
            await asyncio.sleep(0)


async def in_turns(items: Iterable[T], per_turn: int) -> AsyncIterator[T]:
    """Yield the items; let other tasks run after every `per_turn` of them."""
    for number, item in enumerate(items, 1):
        yield item
        if number % per_turn == 0:
            await asyncio.sleep(0)
