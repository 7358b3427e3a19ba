"""A pool of daemon threads for calls that may block: DNS, files, password hashes.

The threads of `concurrent.futures`, and so asyncio's default executor, are joined when the interpreter exits: one
`getaddrinfo` without a name server would delay the exit by minutes. Nothing waits for these threads.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any, NoReturn, TypeVar

T = TypeVar("T")

THREAD_PREFIX = "drs-"
"""The names of all pool threads start with this."""


class DaemonPool:
    """Runs blocking functions in at most `threads` threads, which exist while there is work.

    A call that hangs keeps its thread, so each kind of blocking call has a pool of its own. Several event loops may
    call `run` at the same time; `share` is for one event loop at a time.

    Args:
        name: names the threads.
        threads: the limit; further calls wait for a thread.
        timeout: seconds for one call, including the wait for a thread.
    """

    def __init__(self, name: str, *, threads: int, timeout: float) -> None:
        self.timeout = timeout
        self._name = f"{THREAD_PREFIX}{name}"
        self._threads = threads
        self._lock = threading.Lock()
        self._waiting: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._shared: dict[Hashable, tuple[float, Future[Any]]] = {}
        """Start and result of each run, by key."""
        self._running = 0

    async def share(self, key: Hashable, function: Callable[..., T], *arguments: Any) -> T:
        """The result of the function, which runs once for all calls with the same key that overlap.

        While a run hangs, further calls with its key fail at once: a file or host that hangs keeps one thread.

        Raises:
            TimeoutError: the run has no result `timeout` seconds after its start.
            OSError: the system can start no thread.
            Exception: what the function raises.
        """
        began, future = self._shared.get(key, (time.monotonic(), None))
        if future is None:
            future = Future()
            future.set_running_or_notify_cancel()  # so that no caller who gives up cancels it for the others
            self._submit((future, partial(function, *arguments)))
            self._shared[key] = began, future
            future.add_done_callback(lambda _: self._shared.pop(key, None))
        if time.monotonic() >= began + self.timeout:
            raise TimeoutError
        async with asyncio.timeout(began + self.timeout - time.monotonic()):
            result: T = await asyncio.wrap_future(future)
            return result

    async def run(self, function: Callable[..., T], *arguments: Any, **options: Any) -> T:
        """The result of the function.

        Raises:
            TimeoutError: the function has no result after `timeout` seconds. It may still run; its result is dropped.
            OSError: the system can start no thread.
            Exception: what the function raises.
        """
        future: Future[T] = Future()
        call = future, partial(function, *arguments, **options)
        try:
            self._submit(call)
            async with asyncio.timeout(self.timeout):
                return await asyncio.wrap_future(future)
        finally:
            with self._lock:
                if call in self._waiting:  # no thread became free in time
                    self._waiting.remove(call)

    def _submit(self, call: tuple[Future[Any], Callable[[], Any]]) -> None:
        with self._lock:
            self._waiting.append(call)
            if self._running == self._threads:
                return
            try:
                threading.Thread(target=self._work, name=self._name, daemon=True).start()
            except RuntimeError as error:
                if not self._running:
                    self._waiting.pop()
                    raise OSError("the system can start no thread") from error
            else:
                self._running += 1

    def _work(self) -> None:
        """Run calls until none waits."""
        while True:
            with self._lock:
                if not self._waiting:
                    self._running -= 1
                    return
                future, function = self._waiting.popleft()
            _settle(future, function)


def _settle(future: Future[Any], function: Callable[[], Any]) -> None:
    """Run a function, unless its future is cancelled, and set the result of the future."""
    if future.running() or future.set_running_or_notify_cancel():
        try:
            result = function()
        except BaseException as error:  # noqa: BLE001 - the caller raises it
            future.set_exception(error)
        else:
            future.set_result(result)


def end_process(code: int) -> NoReturn:
    """End the process without the interpreter's cleanup.

    The cleanup takes a quarter of a second of processor time, so that a busy machine might not end the daemon within
    the time that a signal allows. It also ends each thread that returns from native code. Where Rust code is on its
    stack, such as bcrypt's, that aborts the process.
    """
    for stream in filter(None, (sys.stdout, sys.stderr)):  # None: a file that was closed at the start
        with suppress(OSError, ValueError):  # a closed pipe, or file
            stream.flush()
    os._exit(code)
