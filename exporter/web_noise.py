"""Counts and logs what strangers do to the web server, each kind at most once a minute."""

from __future__ import annotations

import asyncio
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

MALFORMED, UPGRADE, TLS, CROWD, NO_DESCRIPTOR = "malformed", "upgrade", "tls", "crowd", "no_descriptor"
KINDS: Mapping[str, str] = {
    MALFORMED: "a client sent a malformed HTTP request",
    UPGRADE: "a client requested another protocol; the exporter serves HTTP/1.1 only",
    TLS: "a TLS handshake failed",
    CROWD: "the exporter closed a new connection: too many clients wait already",
    NO_DESCRIPTOR: "the exporter cannot accept a connection: no file descriptor is free",
}
"""Kinds of bad requests, and how the log describes each."""
SECONDS = 60.0
"""Between two log lines of one kind."""
_LIBRARIES = ("uvicorn.error", "asyncio")
_UVICORN = {
    "Invalid HTTP request": MALFORMED,
    "Unsupported upgrade request": UPGRADE,
    "No supported WebSocket": None,  # follows each of those
    "Cancel %s running task": None,  # at the end
}
"""How uvicorn's messages start, and the kind of bad request that they report."""
_KEY_LETTERS = 24
_log = structlog.get_logger()


class Noise(logging.Filter):
    """Counts bad requests by kind, and logs each kind at most once a minute.

    As a filter of the logging module, it does the same for the warnings of uvicorn and asyncio.

    Args:
        counters: by kind, called for each bad request.
    """

    def __init__(self, counters: Mapping[str, Callable[[], None]]) -> None:
        super().__init__()
        self._counters = counters
        self._logged_at: dict[str, float] = {}
        self._left_out: dict[str, int] = {}

    def note(self, kind: str) -> None:
        """Count one event of a kind, and log it unless one was logged in the last minute."""
        self._counters[kind]()
        if self._is_due(kind):
            _log.warning(KINDS[kind], kind=kind, more_before=self._left_out.pop(kind, 0))
        else:
            self._left_out[kind] = self._left_out.get(kind, 0) + 1

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a library's log record is written: equal ones at most once a minute."""
        text = str(record.msg)
        for start, kind in _UVICORN.items():
            if text.startswith(start):
                if kind:
                    self.note(kind)
                return False
        if record.exc_info and record.exc_info[0] is asyncio.CancelledError:  # a response that the end cut off
            return False
        return self._is_due(f"{record.name} {text[:_KEY_LETTERS]}")

    @contextmanager
    def filtering(self) -> Iterator[None]:
        """Filter the log records of uvicorn and asyncio meanwhile."""
        loggers = [logging.getLogger(name) for name in _LIBRARIES]
        for logger in loggers:
            logger.addFilter(self)
        try:
            yield
        finally:
            for logger in loggers:
                logger.removeFilter(self)

    def _is_due(self, key: str) -> bool:
        now = asyncio.get_running_loop().time()
        due = now - self._logged_at.get(key, -SECONDS) >= SECONDS
        if due:
            self._logged_at[key] = now
        return due
