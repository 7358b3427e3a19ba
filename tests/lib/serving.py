"""Servers in a thread of the test's own process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

_PATIENCE = 180.0
"""Seconds for a start that takes a tenth of one, or one with thousands of tasks."""


@contextmanager
def served(application: Any, **options: Any) -> Iterator[str]:
    """The URL of an ASGI application that a thread serves; idle connections stay open for longer than any interval.

    Args:
        application: to serve.
        options: of `uvicorn.Config`, such as a certificate; the URL has the scheme http nevertheless.
    """
    config = uvicorn.Config(application, port=0, log_level="critical", lifespan="off", timeout_keep_alive=75, **options)
    with in_a_thread(uvicorn.Server(config)) as url:
        yield url


@contextmanager
def in_a_thread(server: uvicorn.Server, run: Callable[[], object] | None = None) -> Iterator[str]:
    """The URL of a server that a thread runs; the thread has ended afterwards, whatever happens.

    Args:
        server: not running yet.
        run: runs in the thread in place of `server.run`; it has to end when the server does.
    """
    thread = threading.Thread(target=run or server.run)
    thread.start()
    try:
        end = time.monotonic() + _PATIENCE
        while not server.started:
            assert thread.is_alive(), "the server has ended"
            assert time.monotonic() < end, "the server does not start"
            time.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = server.force_exit = True
        thread.join()
