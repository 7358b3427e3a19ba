"""The page: rendering, compressing and serving it, against prometheus_client and nginx."""

from __future__ import annotations

import asyncio
import gzip
import tempfile
import time
from itertools import chain
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from tests.bench.fleet import Fleet, families_with_samples, identity, settings, value_of
from tests.bench.measure import Result, Row, Spent, cpus, interleaved, shares, spent_async, spread
from tests.bench.peers import GZIP, PLAIN, Scraper, at_once, exporter, fetch, nginx

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.bench.peers import Peer

_MANY = 10
_GZIP_LEVEL = 9
"""The one that prometheus_client uses."""
_OFTEN = 10
_TURNS, _EACH = 4, 3
_DELAYED_ACK = 0.04


class Library:
    """The same samples as gauges of prometheus_client."""

    def __init__(self, tasks: int) -> None:
        self.rendering: list[float] = []
        """Seconds that each page took, without gzip."""
        self._registry = CollectorRegistry()
        families = families_with_samples()
        for place, family in enumerate(families):
            gauge = Gauge(**family, registry=self._registry)
            more = ("x",) * (len(family["labelnames"]) - len(identity(0)))
            for number in range(tasks):
                gauge.labels(*identity(number), *more).set(value_of(0, place, number))

    async def page(self) -> None:
        """Render and compress a page, as each scrape does."""
        started = time.perf_counter()
        page = generate_latest(self._registry)
        self.rendering.append(time.perf_counter() - started)
        gzip.compress(page, _GZIP_LEVEL)


class Page:
    """The page of the exporter."""

    def __init__(self, tasks: int) -> None:
        self.fleet = Fleet(tasks)
        self.turn = 0

    async def change(self) -> None:
        """Change all values, as a poll does."""
        self.turn += 1
        self.fleet.change(self.turn)

    async def publish(self) -> None:
        """Publish the page."""
        await self.fleet.exposition.publish()


async def measure(tasks: int, rounds: int) -> Result:
    """Publishing, then serving."""
    rows, packed, plain = await publishing(tasks, rounds)
    served = await asyncio.to_thread(_serving, tasks, rounds, packed, plain)
    return Result([*rows, *served.rows], lines=served.lines)


async def publishing(tasks: int, rounds: int) -> tuple[list[Row], float, float]:
    """Against prometheus_client; with the seconds that it takes for a page with and without gzip."""
    page = Page(tasks)
    await page.publish()
    rows = [await _growth(page, tasks, rounds)]
    library = Library(tasks)
    rendered: dict[str, list[Spent]] = {"put": [], "changed": [], "library": [], "same": []}
    for _ in range(rounds):
        works = {"put": page.change, "changed": page.publish, "library": library.page, "same": page.publish}
        for name, taken in (await interleaved(1, works)).items():
            rendered[name] += taken
    await page.change()
    rows += _publishing(page, rendered, await shares(page.publish))
    return rows, median(spent.wall for spent in rendered["library"]), median(library.rendering)


def _publishing(page: Page, rendered: Mapping[str, list[Spent]], why: str) -> list[Row]:
    library, changed, same = (cpus(rendered[name]) for name in ("library", "changed", "same"))
    samples = f"{page.fleet.samples:,} samples"
    whole = [seconds + put for seconds, put in zip(changed, cpus(rendered["put"]), strict=True)]
    ours = f"ours {spread(changed, 1e3)} ms, prometheus_client {spread(library)} s, CPU"
    return [
        Row(
            f"publishing {samples}, all changed: CPU of prometheus_client's render and gzip over ours",
            "times",
            [theirs / seconds for theirs, seconds in zip(library, changed, strict=True)],
            30,
            least=True,
            figures=f"{ours}; with updating the samples ours is {spread(whole, 1e3)} ms",
            why=why,
        ),
        Row(
            f"the same when nothing changed ({samples})",
            "times",
            [theirs / seconds for theirs, seconds in zip(library, same, strict=True)],
            500,
            least=True,
            figures=f"ours {spread(same, 1e3)} ms of CPU",
            why=why,
        ),
    ]


async def _growth(page: Page, tasks: int, rounds: int) -> Row:
    """Publishing by the task, many and few; few so often that the clock sees them."""
    few = max(1, tasks // 100)
    small = Page(few)
    many, less = [], []
    for _ in range(rounds):
        await page.change()
        many.append((await spent_async(page.publish)).cpu / tasks)
        less.append(await _often(small) / few)
    ratios = [big / little for big, little in zip(many, less, strict=True)]
    figures = f"{_us(less)} a task of {few}, {_us(many)} of {tasks:,}"
    return Row("growth: CPU to publish, a task", "times", ratios, 1.1, figures=figures, why=figures)


async def _often(page: Page) -> float:
    """CPU seconds of one publication."""
    seconds = 0.0
    for _ in range(_OFTEN):
        await page.change()
        started = time.process_time()
        await page.publish()
        seconds += time.process_time() - started
    return seconds / _OFTEN


def _us(seconds: Sequence[float]) -> str:
    return f"{spread(seconds, 1e6)} us"


def _serving(tasks: int, rounds: int, packed: float, plain: float) -> Result:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        with exporter(folder / "page", settings("v3", ("tasks",)), "tests.bench.ready", str(tasks)) as ours:
            ours.serves("/metrics", b"drs_task_info")
            url = f"{ours.url}/metrics"
            bodies = {"gzip": fetch(url, GZIP)[1], "plain": fetch(url, PLAIN)[1]}
            server, other = nginx(folder / "nginx", **bodies)
            with server:
                server.until(lambda: fetch(other + "/plain")[0] == 200, "nginx serves")
                scrapes = _Scrapes({"ours": ours, "nginx": server}, {"ours": url, "nginx": other}, rounds)
                single, ten = scrapes.compared("gzip", 1), scrapes.compared("gzip", _MANY)
                bare = scrapes.compared("plain", 1)
    sizes = {kind: f"{len(body) / 1e6:.1f} MB" for kind, body in bodies.items()}
    library = single.over_library("scrape, gzip: prometheus_client building the page, over ours", packed, 1000)
    rows = [
        single.against(f"scrape, gzip ({sizes['gzip']}), one scraper, over nginx", 1.25),
        ten.against(f"scrape, gzip, {_MANY} scrapers at once, over nginx", 1.75),
        bare.against(f"scrape, plain ({sizes['plain']}), one scraper, over nginx", 1.3),
        library,
        bare.over_library("scrape, plain: prometheus_client building the page, over ours", plain, 200),
    ]
    line = f"A scrape of {tasks:,} tasks ({sizes['gzip']}, gzip) takes {_ms(single.seconds['ours'])}, "
    line += f"{library.value:,.0f} times less than prometheus_client needs to build the page"
    return Result(rows, lines=[line])


class _Scrapes:
    """Of the two servers, in turn."""

    def __init__(self, servers: Mapping[str, Peer], urls: Mapping[str, str], rounds: int) -> None:
        self._servers, self._urls, self._rounds = servers, urls, rounds

    def compared(self, kind: str, scrapers: int) -> _Compared:
        """Of each round and server the median."""
        headers = GZIP if kind == "gzip" else PLAIN
        urls = {"ours": self._urls["ours"], "nginx": f"{self._urls['nginx']}/{kind}"}
        groups = {name: [Scraper(url, headers) for _ in range(scrapers)] for name, url in urls.items()}
        found = _Compared(scrapers)
        for group in groups.values():
            at_once(group)  # connect, and warm up
        for turn in range(_TURNS * self._rounds):
            for name in sorted(groups, reverse=bool(turn % 2)):
                cpu = self._servers[name].cpu()
                taken = [scraper.seconds for _ in range(_EACH) for scraper in at_once(groups[name])]
                found.cpu[name] += self._servers[name].cpu() - cpu
                found.seconds[name].append(median(taken))
                found.all[name] += taken
        for scraper in chain.from_iterable(groups.values()):
            scraper.close()
        return found


class _Compared:
    """Seconds of scrapes by server."""

    def __init__(self, scrapers: int) -> None:
        self.scrapers = scrapers
        self.seconds: dict[str, list[float]] = {"ours": [], "nginx": []}
        self.all: dict[str, list[float]] = {"ours": [], "nginx": []}
        self.cpu = {"ours": 0.0, "nginx": 0.0}

    def against(self, what: str, goal: float) -> Row:
        """Ours over nginx."""
        ours, theirs = self.seconds["ours"], self.seconds["nginx"]
        each = {name: 1e3 * self.cpu[name] / len(self.all[name]) for name in self.cpu}
        late = sum(seconds > _DELAYED_ACK for seconds in self.all["ours"]) / len(self.all["ours"])
        stalls = f"; {late:.0%} of our scrapes took over 40 ms, the time of a delayed ACK"
        why = f"CPU of the server for one scrape: ours {each['ours']:.2f} ms, nginx {each['nginx']:.2f} ms"
        return Row(
            what,
            "times",
            [our / their for our, their in zip(ours, theirs, strict=True)],
            goal,
            figures=f"ours {_ms(ours)}, nginx {_ms(theirs)}",
            why=why + (stalls if median(ours) < _DELAYED_ACK / 2 else ""),
        )

    def over_library(self, what: str, seconds: float, goal: float) -> Row:
        """prometheus_client's seconds over ours."""
        ratios = [seconds / ours for ours in self.seconds["ours"]]
        figures = f"prometheus_client {seconds:.3g} s, ours {_ms(self.seconds['ours'])}"
        nginx = median(seconds / ours for ours in self.seconds["nginx"])
        why = (
            f"nginx, which only copies the same bytes from a file, is {nginx:,.0f} times faster than prometheus_client"
        )
        return Row(what, "times", ratios, goal, least=True, figures=figures, why=why)


def _ms(seconds: Sequence[float]) -> str:
    return f"{spread(seconds, 1e3)} ms"
