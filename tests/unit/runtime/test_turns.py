"""Long work lets other tasks run, no more often than asked for."""

from __future__ import annotations

import asyncio

import pytest

from exporter.runtime.turns import Turns, in_turns


async def count(counts: list[int]) -> None:
    while True:
        counts[0] += 1
        await asyncio.sleep(0)


@pytest.mark.parametrize(("per_turn", "turns"), [(1, 10), (3, 3), (10, 1), (11, 0)])
async def test_other_tasks_run_after_every_so_many_items(per_turn: int, turns: int) -> None:
    counts = [0]
    counting = asyncio.create_task(count(counts))
    assert ([number async for number in in_turns(range(10), per_turn)], counts) == (list(range(10)), [turns])
    counting.cancel()


async def test_other_tasks_run_once_shares_make_a_whole_turn() -> None:
    counts, turns = [0], Turns()
    counting = asyncio.create_task(count(counts))
    seen = []
    for share in (0.5, 0.25, 0.25, 1, 0.75, 0.5):
        await turns.after(share)
        seen += counts
    assert seen == [0, 0, 1, 2, 2, 3]
    counting.cancel()
