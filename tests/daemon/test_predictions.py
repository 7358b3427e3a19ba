"""Predictions and history against the truth: the daemon on a simulated cloud whose delays are known in advance."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest

from exporter.daemon.exporter import Exporter
from exporter.model.timeline import Point
from exporter.simulator import SimTask
from exporter.simulator.faults import unavailable
from tests.lib.daemon import HOUR, Scrape, cloud_of, config_of, exporter_on, polling, sim_task
from tests.lib.rendering import publish_every
from tests.lib.virtual_time import EPOCH, now, simulate

MINUTE = 60.0
Shape = Callable[[float], float]
REPLICATING = (("FULL_TRANSFER_COMPLETE", HOUR), ("INCRE_TRANSFER_STARTED", 1e9))
LINEAR = ((3600, -0.7), (1500, -0.2), (86_400, -9.0), (40_000, -0.6))
CATCH_UP = "drs_task_predicted_catch_up_seconds"
LOAD_END = "drs_task_predicted_full_load_end_timestamp_seconds"


def line(start: float, slope: float) -> Shape:
    return lambda seconds: max(start + slope * seconds, 0.0)


def steps(start: float, slope: float, minutes: float) -> Shape:
    return lambda seconds: max(start + slope * (seconds // (minutes * MINUTE)) * minutes * MINUTE, 0.0)


def saw(high: float, low: float, minutes: float) -> Shape:
    return lambda seconds: high - (high - low) * (seconds / (minutes * MINUTE) % 1)


def load(minutes: float) -> Shape:
    return lambda seconds: min(seconds / (minutes * MINUTE), 1.0)


def wave(seconds: float) -> float:
    return 600 + 40 * math.sin(seconds / 90)


LINES = {f"line {start} {slope}": line(start, slope) for start, slope in LINEAR}
STEPS = {f"steps {minutes}": steps(14_400, -1.0, minutes) for minutes in (2, 3, 5, 7)}
UNSTEADY: dict[str, Shape] = {
    "diverging": line(1000, 0.5),
    "stalled": line(600, 0),
    "wavering": wave,
    "rare steps": steps(86_400, -1.0, 20),
    "over a day": line(9000, -0.05),
    "short saw": saw(600, 100, 4),
    "high saw": saw(9000, 8000, 3),
}
SAWS = {f"saw {minutes}": saw(900, 100, minutes) for minutes in (8, 12, 25)}
STALLS: dict[str, Shape] = {"stalls": lambda seconds: max(7200 - seconds, 5400)}
CATCHES_UP = {"catches up": line(600, -0.5)}
LOADS: dict[str, Shape] = {
    **{f"load {minutes}": load(minutes) for minutes in (40, 100, 300, 600)},
    "stalled load": lambda _: 0.5,
    "swinging load": lambda seconds: 0.5 + 0.1 * math.sin(seconds / 100),
    "load of over a day": lambda seconds: seconds / 180_000,
}
Curves = Mapping[str, list[tuple[float, float]]]
"""By task: what was predicted at which seconds since EPOCH."""


def delayed(shape: Shape, name: str = "orders") -> SimTask:
    """A task whose delay is a function of the seconds since EPOCH."""
    task = sim_task(name, born=EPOCH - 2 * HOUR, script=REPLICATING)
    task.delay_shape = lambda age: shape(age - HOUR)
    return task


@pytest.fixture(scope="module")
def few_pages() -> Iterator[None]:
    """A daemon publishes a page once a minute: most of the time of these tests is that of pages."""
    with pytest.MonkeyPatch.context() as patch:
        publish_every(MINUTE, patch)
        yield


@asynccontextmanager
async def replicating(*tasks: SimTask, interval: str = "30s", api: str = "v3") -> AsyncIterator[Exporter]:
    """A daemon that polls the progress of these tasks."""
    config = config_of(api, ("tasks", "progress"), {"progress": interval})
    async with polling(cloud_of(*tasks), config) as exporter:
        yield exporter


async def curves_of(shapes: Mapping[str, Shape], minutes: int, interval: str = "30s", api: str = "v3") -> Curves:
    """The time until the delay of each task is at most 5 s, as a daemon predicts it at each minute."""
    curves: dict[str, list[tuple[float, float]]] = {name: [] for name in shapes}
    tasks = [delayed(shape, name) for name, shape in shapes.items()]
    async with replicating(*tasks, interval=interval, api=api) as exporter:
        for minute in range(1, minutes + 1):
            for name, value in (await Scrape.after(MINUTE, exporter)).by("task_name", CATCH_UP).items():
                curves[name].append((minute * MINUTE, value))
    return curves


async def ends_of(shapes: Mapping[str, Shape], minutes: int) -> Curves:
    """The seconds since EPOCH at which each load ends, as a daemon predicts it at each minute."""
    ends: dict[str, list[tuple[float, float]]] = {name: [] for name in shapes}
    tasks = [sim_task(name, status="FULL_TRANSFER_STARTED", progress=0.0) for name in shapes]
    async with replicating(*tasks) as exporter:
        for half in range(2 * minutes):
            for task in tasks:
                task.progress = 100 * shapes[task.name](30.0 * half)
            page = await Scrape.after(30, exporter)
            for name, value in page.by("task_name", LOAD_END).items():
                ends[name].append((30.0 * (half + 1), value - EPOCH))
    return ends


@pytest.fixture(scope="module")
def curves(few_pages: None) -> Curves:
    return simulate(curves_of({**LINES, **STEPS, **UNSTEADY, **SAWS, **STALLS, **CATCHES_UP}, 60))


@pytest.fixture(scope="module")
def ends(few_pages: None) -> Curves:
    return simulate(ends_of(LOADS, 50))


def caught_up_at(shape: Shape) -> float:
    """The seconds since EPOCH at which a delay is within 5 s."""
    return next(second for second in range(200_000) if shape(second) <= 5)


def errors(shape: Shape, found: list[tuple[float, float]], *, until: float) -> list[float]:
    """The part by which each prediction is wrong that was made at least so many seconds before the end."""
    end = caught_up_at(shape)
    return [abs(value / (end - at) - 1) for at, value in found if end - at >= until]


@pytest.mark.parametrize("name", LINES)
def test_a_delay_that_shrinks_evenly_is_predicted_within_a_tenth(curves: Curves, name: str) -> None:
    assert curves[name][0][0] <= 7 * MINUTE
    assert len(curves[name]) >= 60 - 7
    assert max(errors(LINES[name], curves[name], until=5 * MINUTE)) <= 0.1


@pytest.mark.parametrize(("interval", "api"), [("5m", "v3"), ("30s", "v5")])
async def test_a_delay_is_predicted_at_any_interval_and_with_each_api(few_pages: None, interval: str, api: str) -> None:
    shape = line(7200, -1.0)
    found = (await curves_of({"orders": shape}, 32, interval, api))["orders"]
    assert len(found) >= 10
    assert max(errors(shape, found, until=30 * MINUTE)) <= 0.1


@pytest.mark.parametrize("name", STEPS)
def test_a_delay_that_shrinks_in_steps_is_predicted_within_a_quarter(curves: Curves, name: str) -> None:
    assert len(curves[name]) >= 60 - 30
    assert max(errors(STEPS[name], curves[name], until=30 * MINUTE)) <= 0.25


@pytest.mark.parametrize("name", UNSTEADY)
def test_no_catch_up_is_predicted_of_a_delay_that_does_not_shrink_steadily(curves: Curves, name: str) -> None:
    assert curves[name] == []


@pytest.mark.parametrize("name", SAWS)
def test_no_catch_up_is_predicted_once_a_sawtooth_has_swung(curves: Curves, name: str) -> None:
    first = float(name.removeprefix("saw "))
    assert all(seconds <= (first + 2) * MINUTE for seconds, _ in curves[name])


def test_a_delay_that_stalls_is_not_predicted_any_more_within_a_quarter_of_an_hour(curves: Curves) -> None:
    assert 30 * MINUTE < curves["stalls"][-1][0] <= 45 * MINUTE


def test_the_prediction_is_zero_exactly_while_the_delay_is_within_its_limit(curves: Curves) -> None:
    found = curves["catches up"]
    assert [seconds for seconds, value in found if value == 0] == [at for at, _ in found if at >= 20 * MINUTE]
    assert [value for _, value in found] == sorted((value for _, value in found), reverse=True)


@pytest.mark.parametrize(("minutes", "part"), [(40, 0.1), (100, 0.1), (300, 0.25), (600, 0.25)])
def test_the_end_of_a_load_whose_progress_is_whole_percent(ends: Curves, minutes: int, part: float) -> None:
    rests = [(end - at, minutes * MINUTE - at) for at, end in ends[f"load {minutes}"] if at < 0.75 * minutes * MINUTE]
    assert len(rests) > 20
    assert max(abs(rest / true - 1) for rest, true in rests) <= part


@pytest.mark.parametrize("name", ["stalled load", "swinging load", "load of over a day"])
def test_no_end_of_a_load_is_predicted_that_does_not_advance_steadily(ends: Curves, name: str) -> None:
    assert ends[name] == []


def test_the_end_of_a_load_is_absent_once_it_is_complete(ends: Curves) -> None:
    assert ends["load 40"][-1][0] <= 41 * MINUTE


async def test_the_limit_is_that_of_the_settings() -> None:
    config = config_of("v3", ("tasks", "progress"), cutover={"max_delay": "2m"})
    async with exporter_on(cloud_of(sim_task("orders", delay=120.0)), config) as exporter:
        await exporter.poll_once()
        assert Scrape(exporter).value(CATCH_UP) == 0


def history(exporter: Exporter) -> list[Point]:
    (store,) = exporter.stores
    (task,) = store.tasks()
    timeline = store.timeline(task.identity.task_id)
    return [] if timeline is None else list(timeline.points(HOUR))


async def test_a_gap_stays_a_gap_and_the_values_after_it_are_predicted_with_those_before_it(few_pages: None) -> None:
    shape = line(7200, -1.0)
    cloud = cloud_of(delayed(shape))
    async with polling(cloud, config_of("v3", ("tasks", "progress"))) as exporter:
        assert (await Scrape.after(15 * MINUTE, exporter)).value(CATCH_UP) is not None
        cloud.faults = [unavailable("")]
        failed = now()
        assert (await Scrape.after(6 * MINUTE, exporter)).value(CATCH_UP) is None
        await asyncio.sleep(4 * MINUTE)
        cloud.faults = []
        recovered = now()
        page = await Scrape.after(8 * MINUTE, exporter)
        points = [point for point in history(exporter) if point.delay_seconds is not None]
    assert [point for point in points if failed < point.at < recovered] == []
    assert len([point for point in points if point.at >= recovered]) >= 5
    distances = [later.at - earlier.at for earlier, later in pairwise(points)]
    assert sum(distance > 90 for distance in distances) == 1
    assert max(distances) >= 600
    value = page.value(CATCH_UP)
    assert value == pytest.approx(caught_up_at(shape) - (now() - EPOCH), rel=0.1)


@pytest.mark.parametrize(
    "change", [{"pin": "CHANGE_JOB_STARTED"}, {"action": "NODE_FLAVOR_MODIFY"}], ids=["phase", "action"]
)
async def test_a_change_of_phase_or_action_starts_the_prediction_again(few_pages: None, change: dict[str, str]) -> None:
    task = delayed(line(7200, -1.0))
    async with replicating(task) as exporter:
        assert (await Scrape.after(15 * MINUTE, exporter)).value(CATCH_UP) is not None
        if "pin" in change:
            task.pin(change["pin"])
        else:
            task.action = change["action"]
        for _ in range(4):
            assert (await Scrape.after(70, exporter)).value(CATCH_UP) is None
        assert (await Scrape.after(3 * MINUTE, exporter)).value(CATCH_UP) == pytest.approx(
            caught_up_at(line(7200, -1.0)) - (now() - EPOCH), rel=0.1
        )


async def test_commands_that_poll_once_predict_only_that_a_task_is_caught_up() -> None:
    cloud = cloud_of(sim_task("near", delay=5.0), sim_task("far", delay=6.0))
    async with exporter_on(cloud, config_of("v3")) as exporter:
        await exporter.poll_once()
        assert Scrape(exporter).by("task_name", CATCH_UP) == {"near": 0}
