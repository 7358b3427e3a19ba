"""`tasks --url` and `explain --url`: what a running exporter returns, and what other servers do."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from exporter.commands import remote
from exporter.commands.explain import Form, explain, explain_at
from exporter.commands.outcome import Outcome
from exporter.commands.remote import NoTaskError, Remote, RemoteError
from exporter.commands.tasks import tasks, tasks_at
from exporter.config import Config, ConfigError
from exporter.runtime.terminal import Screen
from exporter.simulator import SimulatedCloud, faults
from exporter.web.app import application
from tests.lib.commands import WHERE, CommandLine, config_for, group, shops, two_projects
from tests.lib.daemon import PROJECT_ID, cloud_of, exporter_on, polling, sim_task
from tests.lib.remote import Answering, Handler, WithPrefix, page, running
from tests.lib.transport import InProcess
from tests.lib.virtual_time import clock, simulate, simulated

URL = "http://exporter.test:10826/drs/"
PIPE = Screen()


@simulated
async def listed(cloud: SimulatedCloud, screen: Screen | None = PIPE, config: Config | None = None) -> Outcome:
    async with running(cloud, config) as transport:
        return await tasks_at(Remote(URL, None, transport), screen)


@simulated
async def explained(
    cloud: SimulatedCloud, wanted: str = "orders", form: Form | None = None, config: Config | None = None
) -> Outcome:
    async with running(cloud, config) as transport:
        return await explain_at(Remote(URL, None, transport), wanted, form or Form())


def fleet() -> SimulatedCloud:
    names: dict[str, dict[str, Any]] = {
        "plain": {},
        "or\x1b[2Jders": {},
        "late": {"delay": 1140},
        "broken": {"status": "INCRE_TRANSFER_FAILED"},
    }
    listed = (sim_task(name, overrides={"v3_list": {"name": name}}, **facts) for name, facts in names.items())
    return cloud_of(shops(), *listed, published={"v3"})


@pytest.mark.parametrize("screen", [PIPE, Screen(60), Screen(80), Screen(130, colour=True)])
def test_the_table_of_a_running_exporter_is_that_of_the_cloud(screen: Screen) -> None:
    polled = simulate(tasks(config_for(), screen, transport=InProcess(fleet()), clock=clock))
    assert listed(fleet(), screen) == polled
    assert "or\\x1b[2Jders" in polled.text


def test_the_json_of_a_running_exporter_has_the_keys_of_the_one_of_the_cloud() -> None:
    polled = json.loads(simulate(tasks(config_for(), None, transport=InProcess(fleet()), clock=clock)).text)
    found = json.loads(listed(fleet(), None).text)
    assert found.keys() == polled.keys()
    by_name = {task["task_name"]: task for task in polled["tasks"]}
    assert {task["task_name"] for task in found["tasks"]} == by_name.keys()
    assert found["tasks"][0].keys() == by_name["plain"].keys()


@pytest.mark.parametrize("form", [Form(), Form(as_json=True), Form(exit_code=True)])
@pytest.mark.parametrize("wanted", ["plain", "late", "broken", "shops", "north", "or\x1b[2Jders"])
def test_the_explanation_of_a_running_exporter_is_that_of_the_cloud(wanted: str, form: Form) -> None:
    polled = simulate(explain(config_for(), wanted, form, transport=InProcess(fleet()), clock=clock))
    assert explained(fleet(), wanted, form) == polled
    assert "\x1b" not in polled.text


def test_a_task_is_found_by_its_id_as_well() -> None:
    orders = sim_task("orders", delay=9)
    assert explained(cloud_of(orders, sim_task("orders-2")), orders.id).text.startswith("orders: blocked by delay_high")


def test_a_name_that_no_task_or_several_tasks_have() -> None:
    assert explained(cloud_of(sim_task("orders")), "oders") == Outcome(
        1, notes=("no task has the id or the name 'oders', did you mean orders?",)
    )
    cloud, config = two_projects(sim_task("orders", seed="others"))
    outcome = explained(cloud, "orders", config=config)
    assert (outcome.code, outcome.notes[0].splitlines()[0]) == (
        2,
        "2 tasks are called 'orders'; give the id of one of them:",
    )


def test_a_project_that_fails_is_named_and_the_task_of_another_one_is_explained() -> None:
    cloud, config = two_projects(sim_task("parcels"))
    cloud.faults = [faults.broken(PROJECT_ID)]
    outcome = listed(cloud, config=config)
    assert outcome.code == 1
    assert outcome.notes[0].startswith(f"{WHERE}: failed, and so unknown or incomplete: tasks")
    assert outcome.notes[1].startswith("  the newest error: ")
    assert explained(cloud, "parcels", config=config).code == 0
    missing = explained(cloud, "orders", config=config)
    assert (missing.code, missing.notes[0]) == (1, outcome.notes[0])
    assert missing.notes[-1] == "no task of the lists that could be read has the id or the name 'orders'"


@simulated
async def test_an_exporter_before_its_first_poll() -> None:
    async with exporter_on(cloud_of(sim_task("orders")), config_for()) as exporter:
        outcome = await tasks_at(Remote(URL, None, WithPrefix(application(exporter))), PIPE)
    note = "the first poll of the exporter has not ended: tasks may be missing"
    assert (outcome.code, outcome.notes) == (1, (note,))
    assert outcome.text == "0 tasks; those of 1 project unknown or incomplete"


@simulated
async def test_all_pages_are_read_and_each_task_is_shown_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "_PAGE", 3)
    names = [f"task-{number}" for number in range(7)]
    async with running(cloud_of(*map(sim_task, names))) as transport:
        outcome = await tasks_at(Remote(URL, None, transport), PIPE)
        requests = len(transport.requests)
    assert (outcome.code, outcome.notes, requests) == (0, (), 3)
    assert [line.split()[0] for line in outcome.text.splitlines()[1:]] == names


async def test_a_running_exporter_has_trend_history_and_events() -> None:
    late, calm = sim_task("late", delay=1000), sim_task("calm")
    async with polling(cloud_of(late, calm, published={"v3"}), config_for()) as exporter:
        for delay in range(1000, 300, -50):
            late.delay = delay
            await asyncio.sleep(60)
        transport = WithPrefix(application(exporter))
        table = (await tasks_at(Remote(URL, None, transport), PIPE)).text.splitlines()
        text = (await explain_at(Remote(URL, None, transport), "late")).text
        quiet = (await explain_at(Remote(URL, None, transport), calm.id)).text
        late.pin("INCRE_TRANSFER_FAILED")
        await asyncio.sleep(60)
        failed = (await explain_at(Remote(URL, None, transport), "late")).text
    cells = [re.split(r"  +", line) for line in table]
    assert cells[0] == ["TASK", "PROJECT", "PHASE", "PROGRESS", "DELAY", "TREND", "AGE", "CUT-OVER"]
    assert re.fullmatch(r"shrinking, caught up in [67]m\d*s?", cells[1][5])
    assert (cells[2][0], cells[2][5]) == ("calm", "steady")
    assert cells[2][7].startswith("ready for 11m")
    assert re.search(r"^The target is 5m50s behind .*; the delay is shrinking\. At$", text, re.MULTILINE)
    assert group(text, "history").splitlines() == [
        "history since 2026-01-01 00:00:00Z",
        "  Delay, last hour  5m50s to 15m50s, last 5m50s",
    ]
    assert "\n\nevents: none since 2026-01-01 00:00:00Z\n\n" in text
    assert re.match(r"calm: ready for 11m\S*\n", quiet)
    head, *_, event = group(failed, "events").splitlines()
    assert head == "events since 2026-01-01 00:00:00Z, the newest first"
    assert re.fullmatch(r"  2026-01-01 00:1\S+Z  Task late failed; it was in phase incremental before\.", event)


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

    with pytest.raises(NoTaskError, match="no task has this id"):
        simulate(explain_at(Remote(URL, None, Answering(handle)), "one"))


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


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("localhost:10826", "--url: expected http://HOST:PORT, or https://HOST:PORT/PREFIX, without a query"),
        ("", "--url: expected http://HOST:PORT"),
        ("ftp://host", "--url: expected http://HOST:PORT"),
        ("http://", "--url: expected http://HOST:PORT"),
        ("http://host:port", "--url: expected http://HOST:PORT"),
        ("http://host/?q=x", "--url: expected http://HOST:PORT"),
        ("http://host/#x", "--url: expected http://HOST:PORT"),
        ("http://bob:hunter2@host", "--url: write the user and password into the file of --http.config.file"),
    ],
)
def test_a_url_that_cannot_be_used(url: str, message: str, command_line: CommandLine) -> None:
    error = command_line.error("tasks", f"--url={url}")
    assert error.startswith(message)
    assert "hunter2" not in error


@pytest.mark.parametrize("command", ["tasks", "explain orders"])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--url=http://host --demo", "--url reads from a running exporter: leave --config.file, --demo, --cloud and "),
        ("--url=http://host --config.file=x", "--url reads from a running exporter: leave --config.file, --demo, "),
        ("--http.config.file=x --demo", "--http.config.file is about the exporter at --url, which is missing"),
    ],
)
def test_options_that_contradict_each_other(
    command: str, options: str, message: str, command_line: CommandLine
) -> None:
    assert command_line.error(*command.split(), *options.split()).startswith(message)


def test_a_file_that_cannot_be_used_is_an_error_of_the_configuration(tmp_path: Path, command_line: CommandLine) -> None:
    file = tmp_path / "http.yml"
    file.write_text("basic_auth: {user: bob}\n")
    error = command_line.error("tasks", "--url=http://host", f"--http.config.file={file}")
    assert error.startswith(f"{file}:1: basic_auth.user: unknown key; did you mean username? (allowed: password, ")
    with pytest.raises(ConfigError):
        simulate(tasks_at(Remote(URL, tmp_path / "none.yml", Answering(lambda _: httpx.Response(200)))))
