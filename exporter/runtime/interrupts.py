"""Ctrl-C while a command waits for the cloud."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run(command: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine and return its result; SIGINT cancels it, and a second SIGINT ends it at once.

    The handler of `asyncio.run` does not wake the event loop: a signal that arrives just before the loop waits takes
    effect only after the wait, which can be long.

    Raises:
        KeyboardInterrupt: the command was interrupted.
    """

    async def interruptible() -> T:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None  # noqa: S101 - this coroutine runs in one

        def interrupt() -> None:
            loop.remove_signal_handler(signal.SIGINT)
            task.cancel()

        loop.add_signal_handler(signal.SIGINT, interrupt)
        return await command

    try:
        return asyncio.run(interruptible())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
