"""`tasks --url` on servers that are newer, slower, hostile, or no exporters."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from exporter.commands.documents import EventRow
from exporter.commands.explain import explain_at
from exporter.commands.outcome import Outcome
from exporter.commands.remote import NotFoundError, Remote, RemoteError
from exporter.commands.tasks import tasks_at
from exporter.runtime.terminal import Screen
from tests.lib.remote import URL, Answering, Handler, page
from tests.lib.virtual_time import simulate

PIPE = Screen()


def tasks_from(handler: Handler, screen: Screen | None = PIPE, url: str = URL) -> Outcome:
    return simulate(tasks_at(Remote(url, None, Answering(handler)), screen))


def fault_of(handler: Handler, url: str = URL) -> str:
    with pytest.raises(RemoteError) as caught:
        tasks_from(handler, url=url)
    where, _, text = str(caught.value).partition(": ")
    assert where == url.rstrip("/")
    return text


def test_a_task_that_moves_between_two_pages_is_not_lost() -> None:
    number = 0

    def handle(request: httpx.Request) -> httpx.Response:
        nonlocal number
        number += 1
        first, moved = request.url.params["page"] == "1", number <= 2
        if moved:
            return httpx.Response(200, json=page(*("ab" if first else "d"), pages=2, matched=4 if first else 3))
        return httpx.Response(200, json=page(*("bc" if first else "d"), pages=2, matched=3))

    outcome = tasks_from(handle)
    assert [line.split()[0] for line in outcome.text.splitlines()[1:]] == ["b", "c", "d"]
    assert (number, outcome.code, outcome.notes) == (4, 0, ())


def test_tasks_that_may_be_missing_are_said() -> None:
    outcome = tasks_from(lambda _: httpx.Response(200, json=page("a", matched=2)))
    assert (outcome.code, outcome.notes) == (
        1,
        ("tasks appeared or ended while the list was read: some may be missing",),
    )


def test_keys_and_phases_of_a_newer_exporter_are_accepted() -> None:
    newer = page("one", phase="dreaming", mood="blue") | {"weather": "fine"}
    outcome = tasks_from(lambda _: httpx.Response(200, json=newer))
    assert "  dreaming  " in outcome.text
    assert json.loads(tasks_from(lambda _: httpx.Response(200, json=newer), None).text)["tasks"][0]["mood"] == "blue"


def test_the_end_of_a_full_load_is_in_the_column_of_trends() -> None:
    loading = page("one", phase="full", predicted_full_load_end_timestamp_seconds=7207.0)
    outcome = tasks_from(lambda _: httpx.Response(200, json=loading))
    assert "  TREND " in outcome.text.splitlines()[0]
    assert "  loaded in 2h  " in outcome.text


def test_control_characters_of_a_server_never_reach_the_terminal() -> None:
    hostile = "\x1b]0;pwned\x07\u202e\n"
    rows = page(hostile, phase=hostile, account=hostile, cutover_not_checked=hostile)
    project = {"account": hostile, "region": hostile, "project": hostile, "up": False, "last_error": hostile}
    lists = [{"api": hostile, "job_type": hostile, "incomplete_because": hostile}]
    rows["projects"] = [{**project, "lists": lists, "collectors": {hostile: {"success": False}}}]
    for screen in (PIPE, Screen(80), Screen(200), None):
        outcome = tasks_from(lambda _: httpx.Response(200, json=rows), screen)
        shown = outcome.text + "".join(outcome.notes)
        assert re.findall(r"[\x00-\x09\x0b-\x1f\x7f\u202e]", shown) == []
        assert len(outcome.notes) == 3


STATUSES = {
    400: "400: it does not know the parameters, and so is older than this program",
    401: "401: it needs a user and password, or refuses these: write basic_auth into the file of --http.config.file",
    403: "403: it refuses this client",
    404: "404: no drs-exporter there, or an older one; --url is the URL of its status page",
    429: "429: it has had too many requests, try again later",
    500: "status 500: it, or a proxy before it, fails",
    503: "status 503: it, or a proxy before it, fails",
    204: "status 204: it, or a proxy before it, fails",
}


@pytest.mark.parametrize(("status", "text"), STATUSES.items())
def test_a_status_other_than_200(status: int, text: str) -> None:
    assert fault_of(lambda _: httpx.Response(status, text="<html>\x1b[2J")) == text


HTML = "text/html; charset=utf-8"
NO_JSON = "the response is no JSON object{}: --url is the URL of the status page of drs-exporter"
OTHER = "not a drs-exporter, or an older one: {} is not as expected"
BODIES: list[tuple[dict[str, Any], str | None]] = [
    ({"content": b"<html>", "headers": {"content-type": HTML}}, NO_JSON.format(" (text/html)")),
    ({"content": b"\xff", "headers": {"content-type": "te\x1bxt"}}, NO_JSON.format(" (te\\x1bxt)")),
    ({"content": b""}, NO_JSON.format("")),
    ({"content": b'{"tasks": NaN}'}, NO_JSON.format("")),
    ({"content": b"[" * 200_000}, NO_JSON.format("")),
    ({"content": b'{"a": ' + b"9" * 5000 + b"}"}, NO_JSON.format("")),
    ({"json": []}, NO_JSON.format(" (application/json)")),
    ({"json": {"status": "success", "data": []}}, OTHER.format("now_timestamp_seconds")),
    ({"json": page("one") | {"tasks": {}}}, OTHER.format("tasks")),
    ({"json": page("one", incremental_delay_seconds="1s")}, OTHER.format("tasks.0.incremental_delay_seconds")),
    ({"json": page("one", collected_timestamp_seconds={"\x1b": None})}, None),
    ({"json": page("one", full_progress_ratio=1e308)}, OTHER.format("tasks.0.full_progress_ratio")),
    ({"json": page("one") | {"now_timestamp_seconds": 1e18}}, OTHER.format("now_timestamp_seconds")),
    (
        {"content": b"{}", "headers": {"content-encoding": "gzip"}},
        "the response is compressed, which was not requested",
    ),
]


@pytest.mark.parametrize(("response", "text"), BODIES)
def test_a_response_that_is_not_one_of_an_exporter(response: Mapping[str, Any], text: str | None) -> None:
    def handle(_: httpx.Request) -> httpx.Response:
        head = response.get("headers")
        if "content" in response:
            return httpx.Response(200, stream=httpx.ByteStream(response["content"]), headers=head)
        return httpx.Response(200, **response)

    found = fault_of(handle)
    assert found == text if text else "\x1b" not in found


def test_a_body_that_does_not_end_is_cut() -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield b"[" * 2**20

    assert fault_of(lambda _: httpx.Response(200, content=endless())) == "the response is larger than 16 MiB"
    assert sent == 17


def test_pages_that_do_not_end_are_cut() -> None:
    number = 0

    def handle(_: httpx.Request) -> httpx.Response:
        nonlocal number
        number += 1
        return httpx.Response(200, json=page(pages=10**9, matched=10**9) | {"filler": "x" * 2**23})

    assert fault_of(handle) == "the response is larger than 16 MiB"
    assert number == 32


@pytest.mark.parametrize("slow", ["response", "body"])
def test_a_slow_server_is_left_after_a_minute(slow: str) -> None:
    async def body() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(1)

    async def handle(_: httpx.Request) -> httpx.Response:
        if slow == "response":
            await asyncio.sleep(1e6)
        return httpx.Response(200, content=body())

    assert fault_of(handle) == "no response within 60 s: check --url, firewall and proxy"


REDIRECTIONS = {
    "https://exporter.test/api/v1/tasks": 200,
    "/other": 200,
    "http://other.test/": "it redirects to http://other.test: if you trust that, name it in --url",
    "http://exporter.test:10826/drs/api/v1/tasks": "it redirects again and again",
}


@pytest.mark.parametrize(("to", "end"), REDIRECTIONS.items())
def test_redirections_stay_on_the_host(to: str, end: object) -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/drs"):
            return httpx.Response(302, headers={"location": to})
        assert request.url.host == "exporter.test"
        return httpx.Response(200, json=page("one"))

    if end == 200:
        assert tasks_from(handle).code == 0
    else:
        assert fault_of(handle) == end


def test_a_redirection_from_tls_to_plain_http_is_refused() -> None:
    handle = lambda _: httpx.Response(302, headers={"location": "http://exporter.test/"})  # noqa: E731
    assert fault_of(handle, "https://exporter.test").startswith("it redirects to http://exporter.test: ")


def test_follow_redirects_false(tmp_path: Path) -> None:
    file = tmp_path / "http.yml"
    file.write_text("follow_redirects: false\n")
    moved = Answering(lambda _: httpx.Response(302, headers={"location": "/other"}))
    with pytest.raises(RemoteError, match="it redirects, and follow_redirects is false"):
        simulate(tasks_at(Remote(URL, file, moved)))


def test_a_task_that_ends_while_it_is_explained() -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/tasks"):
            return httpx.Response(200, json=page("one"))
        return httpx.Response(404, json={"errors": ["no task has this id"]})

    with pytest.raises(NotFoundError, match="no task has this id"):
        simulate(explain_at(Remote(URL, None, Answering(handle)), "one"))


def test_a_report_that_the_exporter_cannot_make_now_has_its_reason() -> None:
    def handle(_: httpx.Request) -> httpx.Response:
        return httpx.Response(503, json={"errors": ["The exporter computes other \x1b reports."]})

    async def read() -> None:
        async with Remote(URL, None, Answering(handle)) as remote:
            await remote.wave_report("weekend-1")

    with pytest.raises(RemoteError, match=r"drs: The exporter computes other \\x1b reports\."):
        simulate(read())


@pytest.mark.parametrize("seconds", [1e308, -1e308, 1e18, -1.0, 253_402_300_800])
def test_times_that_have_no_date_are_refused(seconds: float) -> None:
    remote, values = Remote(URL, None), {"at_timestamp_seconds": seconds, "sentence": "The task ended."}
    with pytest.raises(RemoteError, match="at_timestamp_seconds is not as expected"):
        remote.parsed(EventRow, values)
    last = 253_402_300_799.0
    assert remote.parsed(EventRow, values | {"at_timestamp_seconds": last}).at_timestamp_seconds == last


def test_the_file_is_read_for_each_connection_and_its_header_is_sent(tmp_path: Path) -> None:
    file, sent = tmp_path / "http.yml", []

    def handle(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers["authorization"])
        return httpx.Response(200, json=page("one"))

    exporter = Remote(URL, file, Answering(handle))
    for token in ("one", "two"):
        file.write_text(f"authorization: {{credentials: {token}}}\n")
        simulate(tasks_at(exporter))
    assert sent == ["Bearer one", "Bearer two"]
