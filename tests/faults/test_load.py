"""Slow responses, throttling, and rate limits that are too low."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable

import pytest

from exporter.cloud import operations, v3, v5
from exporter.cloud.operations import Operation
from exporter.cloud.wire import paging
from exporter.config import Poll
from exporter.simulator import Fault, faults
from tests.faults.fleet import id_of, polling, until, view
from tests.faults.load import ACCOUNT, HOST, CountingTransport, collected, config, fleet, overruns
from tests.lib.virtual_time import EPOCH, now, simulate, simulated

P, Q = "one", "two"
COLLECTORS, IN_FLIGHT = 11, 8
pytestmark = pytest.mark.usefixtures("published_seldom")


def called(transport: CountingTransport, begin: float, end: float, *, project: str = "") -> Counter[Operation | None]:
    """How often each operation was called in a span of time."""
    return Counter(
        request.operation for request in transport.sent if begin <= request.at - EPOCH < end and project in request.text
    )


@pytest.mark.parametrize("patience", ["10s", "120s"])
async def test_polls_do_not_pile_up_when_responses_are_slow(patience: str) -> None:
    transport = fleet(60, P)
    transport.clouds[HOST].faults = [Fault(match="", kind="slow", seconds=60)]
    settings = config(P, rate_limit=1000.0, burst=1000, interval="1s", timeout=patience)
    most: list[int] = []
    async with polling(transport, settings) as exporter:
        for quarter in range(1, 5):
            await until(300 * quarter)
            most.append(len(asyncio.all_tasks()))
            assert exporter.ready
            assert exporter.healthy
        page = await view(exporter)
    assert transport.most <= 3 + COLLECTORS * IN_FLIGHT
    assert max(most) <= COLLECTORS * (IN_FLIGHT + 3)
    answered = patience == "120s"
    assert overruns(page, P)["tasks"] > 700
    assert (overruns(page, P)["progress"] > 700) is answered
    assert page.value(ACCOUNT, P, "drs_up") == answered
    assert bool(page.by("phase", ACCOUNT, P, "drs_tasks", job_type="sync")) is answered


@simulated
async def test_a_list_of_many_slow_pages_is_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list takes ten minutes: if a restart interrupted it, no list would ever be complete."""
    for module in (paging, v3, v5):
        monkeypatch.setattr(module, "PAGE", 1)
    transport = fleet(90, P)
    transport.clouds[HOST].faults = [Fault(match="/jobs$", kind="slow", seconds=18)]
    async with polling(transport, config(P, rate_limit=1000.0, burst=1000, timeout="20s")) as exporter:
        for minute in range(1, 24):
            await until(60 * minute)
            assert exporter.healthy, minute
        assert len(collected(await view(exporter), P)) == 90


@pytest.mark.parametrize("throttle", [faults.throttled, faults.too_frequent])
@pytest.mark.parametrize("offset", [0, 20, 40])
@simulated
async def test_ten_minutes_of_throttling(throttle: Callable[[str], Fault], offset: float) -> None:
    """Ten minutes in which the cloud refuses every call."""
    begin, end = 300.0, 900.0 + offset
    transport = fleet(20, P)
    simulated = transport.clouds[HOST]
    usual, pause = simulated.faults, 60 if throttle is faults.throttled else 30
    async with polling(transport, config(P)) as exporter:
        await until(begin)
        simulated.faults = [*usual, throttle("")]
        await until(end)
        simulated.faults = usual
        await until(end + pause + 45)  # what the cloud itself asked for, and an interval and a half
        page = await view(exporter)
    assert min(collected(page, P)) > EPOCH + end
    assert len(page.by("task_id", ACCOUNT, P, "drs_task_incremental_delay_seconds")) == 20
    assert page.value(ACCOUNT, P, "drs_up") == 1
    refused = called(transport, begin, end)
    assert refused.total() < 8 * (end - begin) / 60
    assert max(refused.values()) < 2 * (end - begin) / 30  # an operation is paused for half a minute


async def test_no_collector_starves_if_the_rate_limit_is_a_fifth_of_the_demand() -> None:
    """Half a call a second, where lists and progress of 200 tasks alone want three quarters of one."""
    transport = fleet(200, P)
    async with polling(transport, config(P, rate_limit=0.5)) as exporter:
        for minute in range(4, 33, 4):
            await until(60 * minute)
            page = await view(exporter)
            assert page.value(ACCOUNT, P, "drs_up") == 1
            assert now() - min(collected(page, P)) < 150
            assert len(page.by("task_id", ACCOUNT, P, "drs_task_incremental_delay_seconds")) == 200
    calls = called(transport, 0, 1920)
    assert calls.total() <= 970
    demand = page.value(ACCOUNT, "", "drs_exporter_api_demand_ratio")
    assert demand is not None
    assert calls[operations.LIST_V3] > 85  # three every minute, as progress
    assert calls[operations.PROGRESS_V3] > 500
    late = operations.MONITOR_V5, operations.MONITOR_V3, operations.DETAIL_V3, operations.PROGRESS_V5
    assert all(calls[operation] > 8 for operation in late)
    assert calls[operations.PROGRESS_V5] > 0.8 * 68 * 1920 / 120 / (4 * demand)  # 68 tasks, due every two minutes
    assert calls[operations.QUOTA_V3] == 1
    missed = overruns(page, P)
    assert missed["tasks"] < 32  # a list poll misses at most one interval each minute
    assert missed["quota"] == missed["async_jobs"] == 0


async def test_values_do_not_come_and_go_if_the_demand_exceeds_the_rate_limit() -> None:
    """Design, sections 5 and 6: ages follow the measured interval, which is exported."""
    transport = fleet(35, P)
    shown = []
    async with polling(transport, config(P, rate_limit=0.37)) as exporter:
        for minute in range(20, 42, 3):
            await until(60 * minute)
            page = await view(exporter)
            assert set(page.by("task_id", ACCOUNT, P, "drs_task_cutover_blocker", reason="stale").values()) == {0}
            shown.append(len(page.by("task_id", ACCOUNT, P, "drs_side_up", side="source")))
        interval = page.value(ACCOUNT, P, "drs_exporter_collector_interval_seconds", collector="node")
    assert interval is not None
    assert interval > 60
    assert min(shown) == max(shown) > 0


def test_a_failing_project_takes_no_calls_from_the_others() -> None:
    """Both share a budget that is short already; retries come last."""
    all_of_it = id_of(ACCOUNT, P)
    all_but_its_lists = f"{all_of_it}.*(batch|jobs/)"

    async def main(*broken: Fault) -> Counter[Operation | None]:
        transport = fleet(30, P, Q)
        transport.clouds[HOST].faults[:0] = broken
        oldest = []
        async with polling(transport, config(P, Q, rate_limit=1.0)) as exporter:
            for minute in range(2, 13):
                await until(60 * minute)
                oldest.append(now() - min(collected(await view(exporter), Q)))
        assert max(oldest) < 60
        return called(transport, 0, 720, project=id_of(ACCOUNT, Q))

    usual = simulate(main())
    for project in (all_of_it, all_but_its_lists):
        for fault in (faults.broken(project), Fault(match=project, kind="slow", seconds=60)):
            beside = simulate(main(fault))
            assert beside.total() >= 0.95 * usual.total(), fault
            # Of three calls in twelve minutes, the last one may come after the end.
            assert all(beside[operation] >= 0.75 * usual[operation] - 1 for operation in usual), (usual, beside)


async def test_intervals_and_ages_grow_if_progress_alone_exceeds_the_rate_limit() -> None:
    """Many times what a few calls a minute can bring: the interval grows, and the ages that are allowed with it."""
    transport = fleet(150, P)
    async with polling(transport, config(P, rate_limit=0.1)) as exporter:
        for minute in range(20, 61, 4):
            await until(60 * minute)
            page = await view(exporter)
            assert exporter.healthy
            assert len(page.by("task_id", ACCOUNT, P, "drs_task_incremental_delay_seconds")) == 150
            assert set(page.by("task_id", ACCOUNT, P, "drs_task_cutover_ready").values()) == {0}
        interval = page.value(ACCOUNT, P, "drs_exporter_collector_interval_seconds", collector="progress")
        demand = page.value(ACCOUNT, "", "drs_exporter_api_demand_ratio")
    assert interval is not None
    assert 200 < interval < 400
    assert demand is not None
    assert 15 < demand < 40


@simulated
async def test_the_rate_limit_spreads_the_polls_of_many_projects() -> None:
    """The lists of ten projects are due at the same time, and take thirty calls."""
    names = [f"p{number}" for number in range(10)]
    transport = fleet(3, *names)
    limits = Poll()
    async with polling(transport, config(*names)) as exporter:
        await until(245)
        page = await view(exporter)
    sent = sorted(request.at for request in transport.sent)
    for seconds in (1, 5, 10, 30):
        most = max(bisect_right(sent, at + seconds) - number for number, at in enumerate(sent))
        assert most <= limits.burst + limits.rate_limit * seconds + 1
    lists = Counter(
        int(request.at - EPOCH) % 30
        for request in transport.sent
        if request.at - EPOCH > 95
        if request.operation is operations.LIST_V3
    )
    assert len(lists) >= 7, lists
    for name in names:
        assert now() - min(collected(page, name)) < 40


def test_a_refused_project_does_not_stretch_the_intervals_of_others() -> None:
    """Calls that are not made are no demand."""

    async def main(*, refused: bool) -> tuple[dict[str, float], float | None]:
        transport = fleet(15, P, Q)
        if refused:
            transport.clouds[HOST].faults.insert(0, faults.forbidden(f"{id_of(ACCOUNT, P)}.*jobs/"))
        async with polling(transport, config(P, Q)) as exporter:
            await until(900)
            page = await view(exporter)
        name = "drs_exporter_collector_interval_seconds"
        return page.by("collector", ACCOUNT, Q, name), page.value(ACCOUNT, "", "drs_exporter_api_demand_ratio")

    (usual, all_of_it), (beside, less) = simulate(main(refused=False)), simulate(main(refused=True))
    assert all(beside[collector] <= usual[collector] for collector in usual)
    assert all_of_it is not None
    assert less is not None
    assert less < 0.7 * all_of_it
