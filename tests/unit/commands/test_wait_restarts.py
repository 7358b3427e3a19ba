"""`drs-exporter wait` beside an exporter that restarts, does not respond, or has other tasks than before."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from exporter.commands.outcome import Outcome
from exporter.commands.remote import RemoteError
from exporter.commands.wait import wait
from exporter.commands.wait_goals import GOALS
from exporter.commands.wait_sources import FromUrl
from exporter.commands.wait_tasks import NamedTasks
from exporter.simulator import SimulatedCloud
from exporter.web.app import application
from tests.lib.commands import config_for
from tests.lib.daemon import HOUR, cloud_of, exporter_on, polling, sim_task
from tests.lib.remote import Answering, WithPrefix, running
from tests.lib.virtual_time import simulate, simulated
from tests.lib.waiting import FAST, url_source


@simulated
async def test_an_exporter_that_restarts_is_waited_for_and_reported(capsys: pytest.CaptureFixture[str]) -> None:
    late = sim_task("late", delay=900)
    cloud, config = cloud_of(late), config_for(**FAST)
    exporters: list[httpx.AsyncBaseTransport] = []

    async def respond(request: httpx.Request) -> httpx.Response:
        if not exporters:
            raise httpx.ConnectError("refused")
        return await exporters[-1].handle_async_request(request)

    class Restarting(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            return await respond(request)

    async def life() -> None:
        async with polling(cloud, config) as exporter:
            exporters.append(WithPrefix(application(exporter)))
            await asyncio.sleep(20)
        exporters.clear()
        await asyncio.sleep(20)
        late.delay = 1
        async with polling(cloud, config) as exporter:
            exporters.append(WithPrefix(application(exporter)))
            await asyncio.sleep(HOUR)

    living = asyncio.create_task(life())
    await asyncio.sleep(1)
    source = url_source(Restarting())
    outcome = await wait(NamedTasks(source, GOALS["caught-up"], ["late"]), GOALS["caught-up"], HOUR)
    living.cancel()
    await asyncio.gather(living, return_exceptions=True)
    assert outcome == Outcome(0, "caught up: 1 of 1 task")
    lost, back = capsys.readouterr().err.splitlines()
    assert lost.startswith("drs-exporter: http://exporter.test:10826/drs: no usable response: ")
    assert lost.endswith("; trying again until the timeout")
    assert back == "drs-exporter: the exporter responds again"


@simulated
async def test_an_exporter_that_never_responds_again_is_named_at_the_timeout() -> None:
    async with exporter_on(cloud_of(sim_task("late", delay=900)), config_for(**FAST)) as exporter:
        await exporter.poll_once()
        inner, left = WithPrefix(application(exporter)), [2]

        async def respond(request: httpx.Request) -> Any:
            left[0] -= 1
            return await inner.handle_async_request(request) if left[0] >= 0 else httpx.Response(503)

        source = url_source(Answering(respond))
        outcome = await wait(NamedTasks(source, GOALS["ready"], ["late"]), GOALS["ready"], 60)
    assert (outcome.code, outcome.text) == (4, "ready to cut over: 0 of 1 task after 1m")
    assert outcome.notes == ("http://exporter.test:10826/drs: status 503: it, or a proxy before it, fails",)


def test_an_exporter_that_was_never_there_ends_it() -> None:
    source = url_source(Answering(lambda _: httpx.Response(503)))
    with pytest.raises(RemoteError, match="status 503"):
        simulate(wait(NamedTasks(source, GOALS["ready"], ["late"]), GOALS["ready"], 60))


@simulated
async def test_an_exporter_before_its_first_poll_is_waited_for() -> None:
    async with exporter_on(cloud_of(sim_task("orders")), config_for(**FAST)) as exporter:
        source = url_source(WithPrefix(application(exporter)))
        outcome = await wait(NamedTasks(source, GOALS["ended"], ["orders"]), GOALS["ended"], 60)
    assert (outcome.code, outcome.text) == (4, "ended: 0 of 1 task after 1m")
    assert outcome.notes[0] == "the first poll of the exporter has not ended: tasks may be missing"


async def source_of(before: SimulatedCloud, after: SimulatedCloud) -> FromUrl:
    """An exporter that has other tasks from the second request on."""
    transports = []
    for cloud in (before, after):
        exporter = exporter_on(cloud, config_for(**FAST))
        await exporter.poll_once()
        transports.append(WithPrefix(application(exporter)))
    requests = 0

    async def respond(request: httpx.Request) -> Any:
        nonlocal requests
        requests += 1
        return await transports[requests > 1].handle_async_request(request)

    return url_source(Answering(respond))


@simulated
async def test_what_is_there_already_takes_one_request() -> None:
    async with running(cloud_of(sim_task("orders"))) as transport:
        source, goal = url_source(transport), GOALS["full-load"]
        assert (await wait(NamedTasks(source, goal, ["orders"]), goal, 60)).code == 0
    assert [url.path for url in transport.requests] == ["/drs/api/v1/tasks"]


@simulated
async def test_a_task_that_another_configuration_lacks_is_unknown() -> None:
    source = await source_of(cloud_of(sim_task("orders")), cloud_of(sim_task("others")))
    outcome = await wait(NamedTasks(source, GOALS["ended"], ["orders"]), GOALS["ended"], 60)
    assert (outcome.code, outcome.notes) == (4, ("orders: not found any more, and not seen to be removed",))


@simulated
async def test_a_task_that_was_ready_and_is_not_listed_any_more_is_unknown() -> None:
    before, after = cloud_of(sim_task("orders"), sim_task("late", delay=900)), cloud_of(sim_task("late"))
    source, goal = await source_of(before, after), GOALS["ready"]
    outcome = await wait(NamedTasks(source, goal, ["orders", "late"]), goal, 10)
    assert (outcome.code, outcome.text) == (4, "ready to cut over: 1 of 2 tasks after 10s")
    assert outcome.notes == ("orders: not found any more, and not seen to be removed",)
