"""Malformed requests and failed connections are counted, and logged at most once a minute for each kind."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import Counter
from functools import partial

import pytest
from structlog.testing import capture_logs

from exporter.web.bad_requests import CROWD, KINDS, MALFORMED, TLS, UPGRADE, BadRequests


class Heard(BadRequests):
    """Counts of bad requests, under a clock that a test sets."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.seconds = 0.0
        super().__init__({kind: partial(self.counts.update, [kind]) for kind in KINDS}, now=lambda: self.seconds)


def test_each_kind_is_counted_and_logged_once_a_minute() -> None:
    heard = Heard()
    with capture_logs() as logged:
        for _ in range(1000):
            heard.note(TLS)
        heard.note(CROWD)
        heard.seconds = 60
        for _ in range(2):
            heard.note(TLS)
        heard.seconds = 120
        heard.note(TLS)
    assert heard.counts == {TLS: 1003, CROWD: 1}
    assert [(line["kind"], line["more_before"]) for line in logged] == [(TLS, 0), (CROWD, 0), (TLS, 999), (TLS, 1)]
    assert {line["event"] for line in logged} == {KINDS[TLS], KINDS[CROWD]}


def test_messages_of_uvicorn_about_bad_requests_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    heard, uvicorn = Heard(), logging.getLogger("uvicorn.error")
    with capture_logs() as logged, heard.filtering():
        for _ in range(100):
            uvicorn.warning("Invalid HTTP request received.")
            uvicorn.warning("Unsupported upgrade request.")
            uvicorn.warning("No supported WebSocket library detected.")
    assert heard.counts == {MALFORMED: 100, UPGRADE: 100}
    assert ([line["kind"] for line in logged], caplog.records) == ([MALFORMED, UPGRADE], [])


def test_every_other_error_of_a_library_is_written(caplog: pytest.LogCaptureFixture) -> None:
    """Each of them is a fault of the exporter; only the end of the exporter is none."""
    heard, uvicorn, asyncio_log = Heard(), logging.getLogger("uvicorn.error"), logging.getLogger("asyncio")
    with heard.filtering():
        for _ in range(2):
            uvicorn.error("Exception in ASGI application\n")
            asyncio_log.error("Task exception was never retrieved")
            asyncio_log.error("Task exception of another task was never retrieved")
        uvicorn.error("Exception in ASGI application\n", exc_info=asyncio.CancelledError())
        uvicorn.error("Cancel %s running task(s), timeout graceful shutdown exceeded", 3)
    assert (len(caplog.records), heard.counts) == (6, {})


def test_a_thread_without_an_event_loop_can_log(caplog: pytest.LogCaptureFixture) -> None:
    """A garbage collection in any thread may let asyncio and uvicorn log."""
    heard, raised = Heard(), list[BaseException]()

    def log() -> None:
        try:
            logging.getLogger("asyncio").error("Task was destroyed but it is pending!")
            logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")
        except RuntimeError as error:
            raised.append(error)

    with capture_logs() as logged, heard.filtering():
        thread = threading.Thread(target=log)
        thread.start()
        thread.join()
    assert raised == []
    assert [record.getMessage() for record in caplog.records] == ["Task was destroyed but it is pending!"]
    assert [line["kind"] for line in logged] == [MALFORMED]


def fail_while_filtering(heard: BadRequests) -> None:
    with heard.filtering():
        assert heard in logging.getLogger("uvicorn.error").filters
        raise LookupError


def test_the_logger_is_as_before_afterwards() -> None:
    heard = Heard()
    with pytest.raises(LookupError):
        fail_while_filtering(heard)
    assert heard not in logging.getLogger("uvicorn.error").filters
