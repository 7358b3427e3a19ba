"""An event loop whose time passes only when nothing is left to do: hours in milliseconds, and the same every time."""

from __future__ import annotations

import asyncio
import selectors
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

from exporter.runtime.clock import Clock
from exporter.runtime.threads import THREAD_PREFIX

P = ParamSpec("P")
T = TypeVar("T")

_PATIENCE_TURNS = 5000
"""Of a millisecond: then a thread counts as one that hangs, and time jumps."""
EPOCH = 1_767_225_600.0  # 2026-01-01T00:00:00Z: Unix time where the loop's clock is 0


def at_work() -> bool:
    """Return whether a pool thread runs."""
    alone = threading.active_count() == 1  # a list of all threads takes ten times as long
    return not alone and any(thread.name.startswith(THREAD_PREFIX) for thread in threading.enumerate())


class _Selector(selectors.DefaultSelector):
    """Advances the time of the loop in place of waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.elapsed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            return super().select(None)
        # Looked at first: a thread that ends between the two has left its event.
        patience = _PATIENCE_TURNS if at_work() else 0
        events = super().select(0)
        while patience and not events:
            patience = patience - 1 if at_work() else 0
            events = super().select(0.001)  # threads need real time
        if not events and timeout:
            self.elapsed += timeout
        return events


class VirtualLoop(asyncio.SelectorEventLoop):
    """For tests only: nothing on it may wait for the real world."""

    def __init__(self) -> None:
        self._jumps = _Selector()
        super().__init__(self._jumps)
        self._clock_resolution = 1e-6  # after months, a float of seconds has no more digits

    def time(self) -> float:
        return self._jumps.elapsed


def now() -> float:
    """Unix time on the virtual loop that runs: the clock to inject."""
    return EPOCH + asyncio.get_running_loop().time()


def clock(wall: Callable[[], float] = now) -> Clock:
    """The clock of an exporter on the virtual loop that runs; `wall` may be set back or forward."""
    return Clock(wall, asyncio.get_running_loop().time)


def simulate(main: Coroutine[object, object, T]) -> T:
    """Run a coroutine in virtual time; tasks that it leaves behind are cancelled."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


def simulated(test: Callable[P, Coroutine[object, object, T]]) -> Callable[P, T]:
    """Run an async test in virtual time."""

    @wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        return simulate(test(*args, **kwargs))

    return run


def in_real_time(test: Callable[P, Coroutine[object, object, T]]) -> Callable[P, T]:
    """Run an async test that waits for threads or sockets."""

    @wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        return asyncio.run(test(*args, **kwargs))

    return run


@asynccontextmanager
async def other_task() -> AsyncIterator[Sequence[float]]:
    """Run another task beside the block; provides the times of its turns."""
    loop, turns = asyncio.get_running_loop(), list[float]()

    async def run() -> None:
        while True:
            turns.append(loop.time())
            await asyncio.sleep(0)

    running = asyncio.create_task(run())
    yield turns
    running.cancel()
