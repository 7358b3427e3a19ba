"""The log: each event is a line on standard error, as logfmt or JSON. Logging never raises and never blocks."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

import structlog

from exporter.runtime.escape import printable
from exporter.runtime.line_writer import LineWriter

LEVELS = ("debug", "info", "warning", "error")
FORMATS = ("logfmt", "json")
_output: LineWriter | None = None
"""The output that `configure` has set."""


class _Logger:
    """Writes the lines that structlog has rendered."""

    def __init__(self, lines: LineWriter) -> None:
        self._lines = lines

    def msg(self, text: str) -> None:
        self._lines.write(f"{text}\n")

    debug = info = warning = error = critical = msg


class _Handler(logging.StreamHandler[LineWriter]):
    """Writes the records of the standard module."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802 - the standard module's interface
        """Count a line that can't be formatted; the default prints a traceback."""
        self.stream.drop()


def configure(level: str, output: str) -> None:
    """Set up structlog, and write the warnings and errors of libraries in the same format."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
    ]
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer()
        if output == "json"
        else structlog.processors.LogfmtRenderer(key_order=("ts", "level", "event"), drop_missing=True)
    )
    ending: list[structlog.types.Processor] = [_printable, renderer]

    def dropped_message(count: int) -> str:
        event: Any = {"event": "lines of the log were dropped: they could not be written", "lines": count}
        for step in (*shared, *ending):
            event = step(None, "warning", event)
        return f"{event}\n"

    global _output  # noqa: PLW0603 - a process has one log
    lines = _output = LineWriter(sys.stderr, dropped_message)
    structlog.configure(
        processors=[*shared, *ending],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=lambda *_: _Logger(lines),
        cache_logger_on_first_use=False,
    )
    handler = _Handler(lines)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _terse, *ending],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    # asyncio warns of each write to a closed connection, which may be many for one response.
    logging.getLogger("asyncio").setLevel(logging.ERROR)


def dropped() -> int:
    """The number of lines that were dropped so far."""
    return _output.dropped if _output else 0


def drain(seconds: float) -> None:
    """Wait until all lines are written or dropped, for at most `seconds`."""
    if _output:
        _output.drain(seconds)


def log_ignored_exceptions() -> None:
    """Log warnings and ignored exceptions, which Python would print to standard error itself, and might block."""
    logging.captureWarnings(capture=True)
    sys.unraisablehook = lambda ignored: _ignored(ignored.exc_value)
    threading.excepthook = lambda ended: _ignored(ended.exc_value)


def _ignored(error: BaseException | None) -> None:
    if error is not None:
        name = type(error).__name__
        structlog.get_logger().error("an exception was ignored", error=name, where=location(error))


def location(error: BaseException) -> str:
    """Return the file and line that raised an exception. Its message is left out: it may quote what the cloud sent."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""


def _terse(_logger: object, _name: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
    """Keep only the first line of a message, and the type of its exception.

    Tracebacks and further lines of libraries may quote their input, secrets included.
    """
    error = event.pop("exc_info", None)
    event.pop("stack_info", None)
    if isinstance(error, tuple) and error[0] is not None:
        event["error"] = error[0].__name__
    event["event"] = str(event["event"]).partition("\n")[0]
    return event


def _printable(_logger: object, _name: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
    """Escape control characters: the cloud may send them in names, and they would break a line or a terminal."""
    return {key: printable(value) if isinstance(value, str) else value for key, value in event.items()}
