"""What is served over HTTP: ready bytes, negotiated; health without the cloud; a page that no task name breaks."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.metrics.page import Block, FamilyText, Format, Page, heads_of
from exporter.metrics.self_metrics import Telemetry
from exporter.simulator import faults
from exporter.web import app
from exporter.web.app import Served, accepts_gzip, application, wanted_format
from exporter.web.pages import Pages
from tests.lib.daemon import cloud_of, exporter_on, get, polling, served, sim_task
from tests.lib.virtual_time import other_task


def test_metrics_are_text_0_0_4() -> None:
    got = served("/metrics")
    assert (got.status, got.headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert (got.headers["vary"], int(got.headers["content-length"])) == ("Accept, Accept-Encoding", len(got.body))
    assert "content-encoding" not in got.headers
    assert got.body.startswith(b"# HELP drs_up ")
    assert got.body.endswith(b"\n")


ACCEPTED = {
    "gzip": True,
    "gzip, deflate, br": True,
    "br;q=1.0, gzip;q=0.8, *;q=0.1": True,
    "GZIP": True,
    "*": True,
    "identity, *;q=0.5": True,
    "*;q=0, gzip": True,
    "*;q=0, gzip;q=0.5": True,
    "gzip;q=0.001": True,
    "": False,
    "identity": False,
    "deflate, br": False,
    "gzip;q=0": False,
    "gzip; q=0.000": False,
    "gzip;q=0, *": False,
    "*, gzip;q=0": False,
    "*;q=0": False,
    "identity;q=1, *;q=0": False,
    "xgzip": False,
}


@pytest.mark.parametrize("header", ACCEPTED)
def test_gzip_by_negotiation(header: str) -> None:
    assert accepts_gzip(header) is ACCEPTED[header]
    got = served("/metrics", header)
    assert got.headers.get("content-encoding") == ("gzip" if ACCEPTED[header] else None)
    assert (got.headers["vary"], int(got.headers["content-length"])) == ("Accept, Accept-Encoding", len(got.body))
    assert (gzip.decompress(got.body) if ACCEPTED[header] else got.body).startswith(b"# HELP drs_up ")


def test_without_the_header_the_text_is_plain() -> None:
    assert "content-encoding" not in served("/metrics", None).headers


@pytest.mark.parametrize("accept", ["", "gzip"])
@pytest.mark.parametrize(
    ("query", "families"),
    [
        ("name[]=drs_up", ["drs_up"]),
        ("name[]=drs_tasks&name[]=drs_up", ["drs_up", "drs_tasks"]),
        ("name%5B%5D=drs_task_phase", ["drs_task_phase"]),
        ("name[]=drs_exporter_api_requests_total", ["drs_exporter_api_requests_total"]),
        ("name[]=drs_exporter_api_request_duration_seconds", ["drs_exporter_api_request_duration_seconds"]),
        ("name[]=python_info&name[]=unknown", ["python_info"]),
        ("name[]=unknown", []),
        ("name[]=", []),
    ],
)
def test_families_by_name(query: str, families: list[str], accept: str) -> None:
    got = served(f"/metrics?{query}", accept)
    assert (got.status, int(got.headers["content-length"])) == (200, len(got.body))
    text = got.body
    if accept:
        reader = zlib.decompressobj(wbits=31)
        text = reader.decompress(got.body)
        assert (reader.eof, reader.unused_data) == (True, b"")
    assert [line.split()[2].decode() for line in text.splitlines() if line.startswith(b"# HELP")] == families


@pytest.mark.parametrize("path", ["/metrics", "/", "/-/healthy", "/-/ready"])
def test_head_returns_the_headers_of_get(path: str) -> None:
    asked, headers = served(path, "gzip"), served(path, "gzip", "HEAD")
    assert headers.status == asked.status == 200
    kept = ("content-type", "content-encoding", "vary", "content-security-policy")
    assert [headers.headers.get(key) for key in kept] == [asked.headers.get(key) for key in kept]
    assert "content-length" in headers.headers


@pytest.mark.parametrize("path", ["/nothing", "/metrics/", "/-/", "/static/../../etc/passwd"])
def test_what_is_not_there_is_404(path: str) -> None:
    got = served(path)
    assert got.status == 404
    assert "location" not in got.headers
    assert b"Traceback" not in got.body


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", ["/metrics", "/", "/-/healthy", "/-/ready"])
def test_nothing_takes_a_write(path: str, method: str) -> None:
    got = served(path, "", method)
    assert (got.status, set(got.headers["allow"].split(", "))) == (405, {"GET", "HEAD"})


async def test_a_body_is_sent_in_chunks_of_64_kib_and_others_run_after_every_fourth() -> None:
    sent, seen = list[bytes](), list[int]()

    async def receive() -> dict[str, Any]:
        raise AssertionError

    async def send(message: Any) -> None:
        sent.append(message.get("body", b""))
        seen.append(len(turns))

    async with exporter_on(cloud_of()) as exporter:
        blocks = [Block.of(text) for text in (b"x", b"y" * (3 * 2**18 + 5), b"z" * 2**17)]
        exporter.exposition.page = Page([FamilyText("a", heads_of("a", "gauge", ""), tuple(blocks))])
        scope = {"type": "http", "method": "GET", "path": "/metrics", "headers": [], "query_string": b""}
        async with other_task() as turns:
            await application(exporter)(scope, receive, send)
        assert b"".join(sent) == b"".join(exporter.exposition.page.plain())
    *full, last = (len(part) for part in sent if part)
    assert full == [2**16] * 14
    assert last < 2**16
    assert max(Counter(seen).values()) <= 5  # with the header, or with the end
    assert seen[-1] - seen[0] >= len(full) // 4


@pytest.mark.parametrize("overlap", [True, False], ids=["during the load", "right after the load"])
async def test_all_requests_of_pages_share_those_that_the_first_one_loads(
    *, overlap: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads = list[Served]()

    async def share_nothing(_key: object, function: Callable[[], Pages]) -> Pages:
        await asyncio.sleep(0)
        return function()

    def load(exporter: Served) -> Pages:
        loads.append(exporter)
        return Pages(exporter)

    monkeypatch.setattr(app, "_load_pages", load)
    if not overlap:
        monkeypatch.setattr(app._LOADER, "share", share_nothing)
    async with exporter_on(cloud_of(sim_task("one"))) as exporter:
        transport = httpx.ASGITransport(app=application(exporter))
        async with httpx.AsyncClient(transport=transport, base_url="http://exporter.test") as client:
            await client.get("/metrics")
            assert loads == []
            found = await asyncio.gather(*(client.get(path) for path in ("/", "/errors", "/")))
            found.append(await client.get("/errors"))
    assert [response.status_code for response in found] == [200] * 4
    assert loads == [exporter]


async def test_a_scrape_makes_no_call_and_renders_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = cloud_of(sim_task("one"))
    async with exporter_on(cloud) as exporter:
        await exporter.poll_once()
        made, calls, page = [0], len(cloud.calls), exporter.exposition.page
        for owner, name in ((Block, "of"), (Telemetry, "render")):
            monkeypatch.setattr(owner, name, lambda *_: made.append(1))
        for accept in ("", "gzip"):
            for path in ("/metrics", "/metrics?name[]=drs_up", "/", "/-/healthy", "/-/ready"):
                assert (await get(exporter, path, accept)).status == 200
        assert (len(cloud.calls), made, exporter.exposition.page) == (calls, [0], page)


async def test_ready_once_the_first_poll_has_ended_well_or_not() -> None:
    cloud = cloud_of(sim_task("one"))
    cloud.faults = [faults.broken("")]
    async with polling(cloud) as exporter:
        got = await get(exporter, "/-/ready")
        assert (got.status, got.body) == (503, b"the first poll has not ended\n")
        await asyncio.sleep(20)
        got = await get(exporter, "/-/ready")
        assert (got.status, got.body) == (200, b"ready\n")


async def test_it_is_healthy_while_the_loops_make_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = cloud_of(sim_task("one"))
    async with polling(cloud) as exporter:
        cloud.faults = [faults.broken("")]
        await asyncio.sleep(1000)
        calls = len(cloud.calls)
        got = await get(exporter, "/-/healthy")
        assert (got.status, got.body, len(cloud.calls)) == (200, b"healthy\n", calls)
        await exporter.exposition.lock.acquire()  # nobody ever lets go: every loop is stuck
        await asyncio.sleep(400)
        cloud.faults = []
        await asyncio.sleep(400)
        got = await get(exporter, "/-/healthy")
        assert (got.status, got.body) == (503, b"a poll loop makes no progress\n")


T, O = Format.TEXT, Format.OPENMETRICS  # noqa: E741
OM = "application/openmetrics-text"
PROTO = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
PROMETHEUS_3 = (
    f"{OM};version=1.0.0;escaping=allow-utf-8;q=0.5,{OM};version=0.0.1;q=0.4,"
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
)
CLIENTS = {
    "Prometheus 2.42": (f"{OM};version=1.0.0,{OM};version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", O),
    "Prometheus 2.26": (f"{OM}; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", T),
    "Prometheus 2.4": ("text/plain;version=0.0.4;q=1,*/*;q=0.1", T),
    "Prometheus 3": (PROMETHEUS_3, O),
    "Prometheus 3, native histograms": (f"{PROTO};escaping=allow-utf-8;q=0.6,{PROMETHEUS_3}", O),
    "Prometheus 3, text only": (
        "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
        T,
    ),
    "curl": ("*/*", T),
    "none": ("", T),
    "Chromium": ("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", T),
    "Firefox": ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", T),
    "Telegraf": (f"{OM};version=1.0.0;q=0.5,text/plain;version=0.0.4", T),
}
OTHERS = {
    OM: O,
    OM.upper(): O,
    f'{OM}; version="1.0.0"; charset=utf-8': O,
    f"{OM};version=0.0.1": T,
    f"{OM};version=2.0.0": T,
    f"{OM};q=0": T,
    f"{OM};q=0, */*": T,
    f"{OM}, */*": O,
    f"{OM}, text/plain": T,
    f"{OM};q=0.5, text/plain;q=0.4": O,
    f"{OM};q=0.4, text/plain;q=0.5": T,
    f"{OM};q=0.5, */*;q=0.9": T,
    "application/*": O,
    "application/*, text/*": T,
    "application/json": T,
    "text/plain;q=0, */*": O,
    "text/plain;version=1.0.0": T,
    f"{OM};q=x, text/plain;q=0.1": T,
    f"{OM};q=9, text/plain": T,
    ",;,=;;q": T,
}


@pytest.mark.parametrize(("header", "wanted"), [*CLIENTS.values(), *OTHERS.items()], ids=[*CLIENTS, *OTHERS])
def test_clients_get_the_format_that_they_prefer(header: str, wanted: Format) -> None:
    assert wanted_format(header) is wanted


@given(st.text())
def test_no_header_is_too_odd(header: str) -> None:
    assert wanted_format(header) in Format
