"""How long a refusal of the cloud holds."""

from __future__ import annotations

import asyncio

import pytest

from exporter.cloud.http.errors import AccessDeniedError, CloudError, UnavailableError
from exporter.polling.backoff import Backoff

FORBIDDEN = AccessDeniedError("operation", "403", "DRS.M00102")


async def test_what_is_refused_is_queried_again_at_once_and_then_at_growing_intervals() -> None:
    backoff, sent = Backoff(), list[float]()

    async def refuse() -> None:
        sent.append(asyncio.get_running_loop().time())
        raise FORBIDDEN

    for _ in range(1800 // 30):
        with pytest.raises(AccessDeniedError):
            await backoff.call("list", refuse)
        await asyncio.sleep(30)
    assert sent == [0, 30, 60, 120, 240, 480, 780, 1080, 1380, 1680]


@pytest.mark.parametrize(
    "outcome", [None, UnavailableError("operation", "500"), AccessDeniedError("operation", "credentials")]
)
async def test_any_other_outcome_ends_the_refusal(outcome: CloudError | None) -> None:
    backoff = Backoff()
    for _ in range(5):
        backoff.record("list", FORBIDDEN)
    assert backoff.refusal("list") is FORBIDDEN
    assert backoff.refusal("another list") is None
    backoff.record("list", outcome)
    assert backoff.refusal("list") is None
    backoff.record("list", FORBIDDEN)
    await asyncio.sleep(16)
    assert backoff.refusal("list") is None  # the first refusal of a new row

    async def good() -> int:
        return 1

    assert await backoff.call("list", good) == 1
