"""Counts and logs malformed requests and failed connections, each kind at most once a minute."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import structlog

MALFORMED, UPGRADE, TLS, CROWD, NO_DESCRIPTOR = "malformed", "upgrade", "tls", "crowd", "no_descriptor"
KINDS: Mapping[str, str] = {
    MALFORMED: "a client sent a malformed HTTP request",
    UPGRADE: "a client requested another protocol; the exporter serves HTTP/1.1 only",
    TLS: "a TLS handshake failed",
    CROWD: "the exporter closed a new connection: too many clients wait already",
    NO_DESCRIPTOR: "the exporter cannot accept a connection: no file descriptor is free",
}
"""Kinds of bad requests and failed connections, and how the log describes each."""
SECONDS = 60.0
"""The shortest time between two log lines of one kind."""
_UVICORN = {
    "Invalid HTTP request": MALFORMED,
    "Unsupported upgrade request": UPGRADE,
    "No supported WebSocket": None,  # follows each message about an upgrade
    "Cancel %s running task": None,  # the exporter ends
}
"""How uvicorn's messages about bad requests start, and the kind that each reports. None: not written, not counted."""
_log = structlog.get_logger()


class BadRequests(logging.Filter):
    """Counts bad requests and failed connections by kind, and logs each kind at most once a minute.

    As a filter of uvicorn's log, it also counts uvicorn's warnings about bad requests; all other records pass.

    Args:
        counters: by kind, called for each event.
        now: seconds that only grow.
    """

    def __init__(
        self, counters: Mapping[str, Callable[[], None]], *, now: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self._counters = counters
        self._now = now
        self._logged_at: dict[str, float] = {}
        self._left_out: dict[str, int] = {}

    def note(self, kind: str) -> None:
        """Count one event of a kind, and log it unless one was logged in the last minute."""
        self._counters[kind]()
        now = self._now()
        if now - self._logged_at.get(kind, -math.inf) >= SECONDS:
            self._logged_at[kind] = now
            _log.warning(KINDS[kind], kind=kind, more_before=self._left_out.pop(kind, 0))
        else:
            self._left_out[kind] = self._left_out.get(kind, 0) + 1

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a record is written; one about a bad request is counted instead."""
        text = str(record.msg)
        for start, kind in _UVICORN.items():
            if text.startswith(start):
                if kind:
                    self.note(kind)
                return False
        # A response that was cut off because the exporter ends is no error.
        return not (record.exc_info and record.exc_info[0] is asyncio.CancelledError)

    @contextmanager
    def filtering(self) -> Iterator[None]:
        """Filter uvicorn's log inside the `with` block."""
        logger = logging.getLogger("uvicorn.error")
        logger.addFilter(self)
        try:
            yield
        finally:
            logger.removeFilter(self)
