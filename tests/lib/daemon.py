"""A daemon on a simulated cloud in virtual time, and its pages."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from functools import cached_property
from typing import Any, NamedTuple

import httpx

from exporter.config import COLLECTORS, Config, from_mapping
from exporter.daemon.exporter import Exporter
from exporter.metrics.exposition import Exposition
from exporter.metrics.meters import ProjectMeter
from exporter.metrics.projects import PROJECT_FAMILIES
from exporter.metrics.self_metrics import SELF_METRICS, Telemetry
from exporter.metrics.tasks import TASK_FAMILIES
from exporter.metrics.waves import WAVE_FAMILIES, WaveSamples
from exporter.model.events import EventLog
from exporter.model.facts import Progress, TaskFacts
from exporter.model.task import Listed, ProjectKey
from exporter.model.task_lists import Gap
from exporter.simulator import Fault, SimTask, SimulatedCloud, World
from exporter.storage import Storage
from exporter.store.project_context import ProjectContext
from exporter.store.project_state import ProjectState
from exporter.store.store import Store
from exporter.store.waves import Waves
from exporter.web.app import application
from tests.lib.samples import parsed
from tests.lib.settings import account, settings
from tests.lib.transport import InProcess
from tests.lib.virtual_time import EPOCH, clock, now, simulated

PROJECT_ID = "054ba152d480d55b2f5dc0069e7ddef0"
PROJECT = {"account": "acme", "region": "cn-north-4", "project": "payments"}
_FAMILIES: tuple[Any, ...] = (*TASK_FAMILIES, *PROJECT_FAMILIES, *WAVE_FAMILIES, *SELF_METRICS)
FAMILY_NAMES = {family.name for family in _FAMILIES}
HOUR = 3600.0
DAY = 24 * HOUR
_ID_LENGTH = 36


def sim_task(name: str, **facts: Any) -> SimTask:
    """A task that was created 40 hours ago; without `status` it is in incremental replication."""
    status = facts.pop("status", None)
    task = SimTask(name=name, **{"born": EPOCH - 40 * HOUR, **facts})
    task.pin(status)
    return task


def cloud_of(*tasks: SimTask, **options: Any) -> SimulatedCloud:
    """A cloud with one project; options are those of World."""
    return SimulatedCloud(
        worlds=[World(project_id=PROJECT_ID, tasks=list(tasks), **options)], keys={"AK": "SK"}, now=now
    )


def config_of(
    api: str = "auto",
    collectors: Iterable[str] = ("tasks", "progress", "node"),
    intervals: Mapping[str, str] | None = None,
    *,
    audit: bool = False,
    **sections: Any,
) -> Config:
    """One project with these collectors, and a rate limit that delays no call.

    Args:
        api: of the project.
        collectors: those that are enabled.
        intervals: of the collectors that do not have their default interval.
        audit: whether the families for audits are shown.
        sections: further sections of the configuration.
    """
    project = {"region": PROJECT["region"], "name": PROJECT["project"], "project_id": PROJECT_ID, "api": api}
    given = settings(account(PROJECT["account"], project), collectors=set(collectors), **sections)
    given["collectors"]["detail"]["audit"] = audit
    for name, interval in (intervals or {}).items():
        given["collectors"][name]["interval"] = interval
    return from_mapping(given)


def exporter_on(cloud: SimulatedCloud, config: Config | None = None) -> Exporter:
    """The daemon, to be used as an async context."""
    return Exporter(config or config_of(), transport=InProcess(cloud), clock=clock, uses_storage=True)


@asynccontextmanager
async def polling(cloud: SimulatedCloud, config: Config | None = None) -> AsyncIterator[Exporter]:
    """The daemon while it polls; a crash of it is raised at the end."""
    async with exporter_on(cloud, config) as exporter:
        running = asyncio.create_task(exporter.run())
        try:
            yield exporter
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


class Scrape:
    """What Prometheus reads from a page. Only the families that a test reads are decompressed and parsed."""

    def __init__(self, source: Exporter | Exposition) -> None:
        self._page = (source.exposition if isinstance(source, Exporter) else source).page
        self._families = {family.name: family for family in self._page.families}
        self._samples: dict[str, list[tuple[dict[str, str], float]]] = {}

    @classmethod
    async def after(cls, seconds: float, exporter: Exporter) -> Scrape:
        """A page that is published after this time, whether or not the exporter would do so."""
        await asyncio.sleep(seconds)
        await exporter.publish()
        return cls(exporter)

    @cached_property
    def text(self) -> str:
        return b"".join(self._page.plain()).decode()

    def samples(self, name: str, **labels: str) -> list[tuple[dict[str, str], float]]:
        """The samples of a family that have these labels; an empty one is one that is not there."""
        if name not in self._samples:
            family = self._families.get(name) or self._families.get(name.rpartition("_")[0])  # that of a histogram
            lines = b"".join(block.text for block in family.samples).decode().splitlines() if family else ()
            self._samples[name] = parsed(line for line in lines if line.startswith((f"{name}{{", f"{name} ")))
        return [
            (found, value)
            for found, value in self._samples[name]
            if all(found.get(key, "") == wanted for key, wanted in labels.items())
        ]

    def names(self) -> set[str]:
        """Of all samples."""
        return set(re.findall(r"^\w+", self.text, re.MULTILINE))

    def value(self, name: str, **labels: str) -> float | None:
        """The value of the one sample with these labels, None where there is none."""
        found = self.samples(name, **labels)
        assert len(found) <= 1, found
        return found[0][1] if found else None

    def by(self, label: str, name: str, **labels: str) -> dict[str, float]:
        """The values of a family by one of its labels."""
        found = self.samples(name, **labels)
        values = {sample.get(label, ""): value for sample, value in found}
        assert len(values) == len(found), found
        return values

    def current(self, label: str, name: str, **labels: str) -> str | None:
        """The state of a state set, None where there is none."""
        states = self.by(label, name, **labels)
        assert not states or sorted(states.values()) == [0.0] * (len(states) - 1) + [1.0]
        return next((state for state, value in states.items() if value), None)

    def succeeded(self) -> bool:
        """Return whether the last poll of every collector succeeded."""
        return all(value for _, value in self.samples("drs_exporter_collector_success"))

    def tasks(self) -> set[str]:
        """The names of the tasks of which anything at all is shown."""
        names = set(re.findall(r'task_name="(?:[^"\\]|\\.)*"', self.text))
        return {labels["task_name"] for labels, _ in parsed(f"task{{{name}}} 1" for name in names)}


@simulated
async def polled(cloud: SimulatedCloud, api: str, *collectors: str) -> SimulatedCloud:
    """The cloud after one successful poll of the lists and of each of these collectors."""
    async with exporter_on(cloud, config_of(api, ("tasks", *collectors))) as exporter:
        assert await exporter.poll_once()
    return cloud


@simulated
async def scraped(*tasks: SimTask, config: Config | None = None, faults: Iterable[Fault] = (), **world: Any) -> Scrape:
    """The page after one poll of every collector; options are those of World."""
    cloud = cloud_of(*tasks, **world)
    cloud.faults = list(faults)
    async with exporter_on(cloud, config) as exporter:
        await exporter.poll_once()
        return Scrape(exporter)


def calls(cloud: SimulatedCloud) -> Counter[str]:
    """The number of calls by operation, as `v5 jobs/ID progress`: version, path and type."""
    return Counter(
        " ".join((*_path(call.path), *(call.query[key] for key in ("type",) if key in call.query)))
        for call in cloud.calls
    )


def _path(path: str) -> tuple[str, str]:
    _, version, _project, *rest = path.split("/")
    return version, "/".join("ID" if len(part) == _ID_LENGTH else part for part in rest)


class StoreFixture:
    """A store, and the exposition that shows it."""

    def __init__(
        self,
        stale_after: float = 300.0,
        cutover: Mapping[str, str] | None = None,
        storage: Storage | None = None,
        **intervals: float,
    ) -> None:
        self.exposition = Exposition((*PROJECT_FAMILIES, *WAVE_FAMILIES, *TASK_FAMILIES), lambda: ())
        self._wave_samples = WaveSamples(self.exposition)
        self.telemetry = Telemetry()
        self.events = EventLog(clock())
        meter = ProjectMeter(self.telemetry, **PROJECT, collectors=COLLECTORS)
        (settings,) = config_of(collectors=COLLECTORS, cutover=cutover or {}).accounts
        poll = settings.poll.model_copy(update={"stale_after": stale_after})
        state = ProjectState(ProjectKey(**PROJECT), clock(), stale_after)
        account = settings.model_copy(update={"poll": poll})
        keeps = storage or Storage()
        context = ProjectContext(account, state, meter, clock(), events=self.events, storage=keeps)
        defaults = {"tasks": 30, "v3": 30, "v5": 300, "progress": 30, "node": 60, "detail": 600}
        for name, interval in {**defaults, **intervals}.items():
            context.ages.set(name, interval)
        self.store = Store(context, self.exposition, TASK_FAMILIES)
        self.store.state.ready = True
        self.waves = Waves(lambda: [self.store], context.clock, events=self.events)

    @property
    def dropped(self) -> float | None:
        """The number of dropped series."""
        return self.telemetry.registry.get_sample_value("drs_exporter_series_dropped_total", PROJECT)

    async def lists(self, *tasks: Listed, api: str = "v3", job_type: str = "sync", complete: bool = True) -> None:
        await self.store.listed(api, job_type, tasks, gap=None if complete else Gap.TOTAL)

    async def page_of(self, *tasks: Listed, api: str = "v3", job_type: str = "sync") -> Scrape:
        """The page after a list of these tasks."""
        await self.lists(*tasks, api=api, job_type=job_type)
        return await self.scrape()

    async def page_with(
        self, facts: Mapping[str, Iterable[TaskFacts]], missing: Iterable[str] = (), *, virtual: Iterable[str] = ()
    ) -> Scrape:
        """The page after an update with these facts; of `virtual` parents the cloud has no progress."""
        await self.store.update(facts, missing, dict.fromkeys(virtual, (Progress,)))
        return await self.scrape()

    async def scrape(self, after: float = 0.0) -> Scrape:
        await asyncio.sleep(after)
        await self.store.sweep()
        await self.exposition.publish(lambda: self._wave_samples.show(self.waves.observe()))
        return Scrape(self.exposition)

    def run(self, *waves: Mapping[str, Any]) -> None:
        """Configure waves, each by its settings."""
        configured = config_of(collectors=COLLECTORS, waves=waves).waves
        self.store.context.waves.configure(configured)
        self.waves.configure(configured)


def listed_task(task_id: str = "a", status: str = "INCRE_TRANSFER_STARTED", **facts: object) -> Listed:
    """A task as a list shows it."""
    return Listed(**{"id": task_id, "name": f"task {task_id}", "status": status, "job_type": "sync", **facts})  # type: ignore[arg-type]


class RawResponse(NamedTuple):
    """A response as it was on the wire."""

    status: int
    headers: httpx.Headers
    body: bytes


async def get(
    exporter: Exporter, path: str, accept: str | None = "", method: str = "GET", accept_type: str = "*/*"
) -> RawResponse:
    transport = httpx.ASGITransport(app=application(exporter))
    async with httpx.AsyncClient(transport=transport, base_url="http://exporter.test") as client:
        request = client.build_request(method, path, headers={"Accept-Encoding": accept or "", "Accept": accept_type})
        if accept is None:
            del request.headers["Accept-Encoding"]
        response = await client.send(request, stream=True)
        return RawResponse(
            response.status_code, response.headers, b"".join([part async for part in response.aiter_raw()])
        )


@simulated
async def served(path: str, accept: str | None = "", method: str = "GET", *tasks: Any) -> RawResponse:
    """The response of an exporter that has polled once."""
    async with exporter_on(cloud_of(*(tasks or (sim_task("one"),)))) as exporter:
        await exporter.poll_once()
        return await get(exporter, path, accept, method)
