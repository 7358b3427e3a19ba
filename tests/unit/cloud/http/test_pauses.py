from __future__ import annotations

import asyncio

from exporter.cloud.http.pauses import Pauses


async def test_pauses_are_of_one_operation_and_end() -> None:
    pauses = Pauses()
    seen = [pauses.paused("list")]
    pauses.pause("list", None)
    pauses.pause("progress", 5)
    for _ in range(4):
        seen += [pauses.paused("list"), pauses.paused("progress")]
        await asyncio.sleep(10)
    assert seen == [False, True, True, True, False, True, False, False, False]


async def test_a_shorter_pause_does_not_end_a_longer_one() -> None:
    pauses = Pauses()
    pauses.pause("list", 60)
    pauses.pause("list", 1)
    await asyncio.sleep(59)
    early = pauses.paused("list")
    await asyncio.sleep(1)
    assert [early, pauses.paused("list")] == [True, False]
