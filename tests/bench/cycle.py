"""A whole cycle: lists, progress, node, page and gzip, against a loop with the vendor's SDK."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from exporter.daemon.exporter import Exporter
from tests.bench.fleet import config_of
from tests.bench.measure import Result, Row, interleaved, number, shares, spent_async, spread
from tests.bench.peers import cloud
from tests.bench.vendor import Vendor

_COLLECTORS = ("tasks", "progress", "node")
_INTERVAL = 1.0
"""Seconds, the least that is allowed: a cycle waits until everything is due again, which takes no processor time."""


async def measure(tasks: int, rounds: int) -> Result:
    """`tasks` is the large number of tasks; a hundredth of it is measured as well."""
    few = max(1, tasks // 100)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = await _against_vendor(max(6, tasks // 50), folder, rounds)
        with cloud(few, folder / "few") as small, cloud(tasks, folder / "many") as large:
            async with _polled(small.url, "v3") as little, _polled(large.url, "v3") as big:
                await asyncio.gather(little.poll_once(), big.poll_once())
                rows.append(await _growth((few, little), (tasks, big), rounds))
    single, batched, _ = rows
    line = f"A poll takes {number(batched.value)} times less CPU than a loop with the vendor's SDK where API v3 serves "
    line += f"ten tasks a call, and {number(single.value)} times less over API v5, with the same calls as that loop"
    return Result(rows, lines=[line])


def _polled(url: str, api: str) -> Exporter:
    return Exporter(config_of(api, _COLLECTORS, endpoint=url, interval=_INTERVAL))


async def _cycle(exporter: Exporter) -> None:
    await asyncio.sleep(_INTERVAL)
    await exporter.poll_once()


def calls_of(exporter: Exporter) -> float:
    """Return how many calls have ended."""
    metrics = text_string_to_metric_families(b"".join(exporter.telemetry.render()).decode())
    samples = [sample for metric in metrics for sample in metric.samples]
    return sum(sample.value for sample in samples if sample.name == "drs_exporter_api_requests_total")


async def _against_vendor(tasks: int, folder: Path, rounds: int) -> list[Row]:
    with cloud(tasks, folder / "vendor") as server:
        vendor = await asyncio.to_thread(Vendor, server.url, folder)
        async with _polled(server.url, "v5") as single, _polled(server.url, "v3") as batched:
            works: dict[str, Callable[[], Awaitable[object]]] = {
                "vendor": lambda: asyncio.to_thread(vendor.cycle),
                "single": partial(_cycle, single),
                "batched": partial(_cycle, batched),
            }
            await interleaved(1, works)  # connect, and see all tasks for the first time
            before = calls_of(single), calls_of(batched)
            taken = await interleaved(rounds, works)
            made = [calls_of(exporter) - calls for exporter, calls in zip((single, batched), before, strict=True)]
            if made[0] < 2 * tasks * rounds or made[1] < tasks // 10 * rounds:
                raise RuntimeError(f"cycles that poll nothing: {made} calls for {tasks} tasks in {rounds} rounds")
            why = {name: await shares(works[name]) for name in ("single", "batched")}
    theirs, single_us, batched_us = ([1e6 * run.cpu / tasks for run in taken[name]] for name in works)
    vendors = f"the vendor's SDK {spread(theirs)} us a task, {tasks} tasks"
    return [
        Row(
            "whole cycle at the same calls (v5, two a task): CPU of the vendor's SDK loop over ours",
            "times",
            [theirs_us / ours_us for theirs_us, ours_us in zip(theirs, single_us, strict=True)],
            2.3,
            least=True,
            figures=f"ours {spread(single_us)} us a task, {vendors}",
            why=why["single"],
        ),
        Row(
            "whole cycle where batches serve (v3, ten a call): CPU of the vendor's SDK loop over ours",
            "times",
            [theirs_us / ours_us for theirs_us, ours_us in zip(theirs, batched_us, strict=True)],
            18,
            least=True,
            figures=f"ours {spread(batched_us)} us a task, {vendors}",
            why=why["batched"],
        ),
    ]


async def _growth(few: tuple[int, Exporter], many: tuple[int, Exporter], rounds: int) -> Row:
    """A cycle by the task; of few tasks as many cycles as make the same number."""
    (less, little), (more, big) = few, many
    small, large = [], []
    for _ in range(rounds):
        large.append((await spent_async(partial(_cycle, big))).cpu / more)
        small.append(sum([(await spent_async(partial(_cycle, little))).cpu for _ in range(_CYCLES)]) / _CYCLES / less)
    return Row(
        "growth: CPU of a whole cycle (v3), a task",
        "times",
        [of_many / of_few for of_many, of_few in zip(large, small, strict=True)],
        1.1,
        figures=f"{spread(small, 1e6)} us a task of {less}, {spread(large, 1e6)} of {more:,}",
        why=f"{more:,} tasks: {await shares(partial(_cycle, big))}. {less}: {await shares(partial(_cycle, little))}",
    )


_CYCLES = 10
