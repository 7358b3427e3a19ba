"""What strangers send is counted, and written to the log at most once a minute."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from exporter.web_noise import CROWD, KINDS, MALFORMED, TLS, UPGRADE, Noise
from tests.virtual import simulate

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping
    from typing import Any


def noise(story: Callable[[Noise], Awaitable[None]]) -> tuple[Counter[str], list[MutableMapping[str, Any]]]:
    """The counts, and what is logged."""
    counts: Counter[str] = Counter()

    async def main() -> None:
        heard = Noise({kind: lambda kind=kind: counts.update([kind]) for kind in KINDS})  # type: ignore[misc]
        with heard.filtering():
            await story(heard)

    with capture_logs() as logged:
        simulate(main())
    return counts, logged


def test_each_kind_is_counted_and_logged_once_a_minute() -> None:
    async def story(noise: Noise) -> None:
        for _ in range(1000):
            noise.note(TLS)
        noise.note(CROWD)
        await asyncio.sleep(60)
        for _ in range(2):
            noise.note(TLS)
        await asyncio.sleep(60)
        noise.note(TLS)

    counts, logged = noise(story)
    assert counts == {TLS: 1003, CROWD: 1}
    assert [(line["kind"], line["more_before"]) for line in logged] == [(TLS, 0), (CROWD, 0), (TLS, 999), (TLS, 1)]
    assert {line["event"] for line in logged} == {KINDS[TLS], KINDS[CROWD]}


def test_warnings_of_libraries_are_counted_too(caplog: pytest.LogCaptureFixture) -> None:
    uvicorn, asyncio_log = logging.getLogger("uvicorn.error"), logging.getLogger("asyncio")

    async def story(_: Noise) -> None:
        for number in range(100):
            uvicorn.warning("Invalid HTTP request received.")
            uvicorn.warning("Unsupported upgrade request.")
            uvicorn.warning("No supported WebSocket library detected.")
            uvicorn.error("Exception in ASGI application\n")
            uvicorn.error("Exception in ASGI application\n", exc_info=asyncio.CancelledError())
            uvicorn.error("Cancel %s running task(s), timeout graceful shutdown exceeded", number)
            asyncio_log.error("Fatal error: protocol.data_received() call failed.\nprotocol: %d", number)
        await asyncio.sleep(60)
        uvicorn.error("Exception in ASGI application\n")

    counts, logged = noise(story)
    assert counts == {MALFORMED: 100, UPGRADE: 100}
    assert [line["kind"] for line in logged] == [MALFORMED, UPGRADE]
    texts = [record.getMessage().partition("\n")[0] for record in caplog.records]
    fault = "Exception in ASGI application"
    assert texts == [fault, "Fatal error: protocol.data_received() call failed.", fault]


def test_the_loggers_are_as_before_afterwards() -> None:
    async def story(noise: Noise) -> None:
        assert noise in logging.getLogger("uvicorn.error").filters
        raise LookupError

    with pytest.raises(LookupError):
        noise(story)
    assert not any(isinstance(each, Noise) for each in logging.getLogger("uvicorn.error").filters)
    assert logging.getLogger("asyncio").filters == []
