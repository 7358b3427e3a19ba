"""The start, the addresses, the log and the end of the daemon."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from exporter.commands.main import main
from exporter.polling.poller import Poller
from tests.e2e.programs import LISTEN, TIMEOUT, Exporter, Program, account, configuration, get
from tests.lib.imports import imports

PROMPT = 5.0
"""Seconds within which it ends: 2, and twice that on a busy machine."""
CRASHING = f"""
import sys
{imports(main, Poller)}
async def run(self):
    await self.poll_lists()
    raise ValueError("user root, password hunter2")

Poller.run = run
sys.exit(main(["demo", sys.argv[1], "--log.format=json"]))
"""


@pytest.fixture
def hanging(tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """The listening socket of a cloud that accepts calls and never responds, and the option with its configuration."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(TIMEOUT)
        endpoint = f"http://127.0.0.1:{listener.getsockname()[1]}"
        yield listener, configuration(tmp_path / "config.yaml", account("prod", endpoint, 0))


def connection(exporter: Exporter) -> socket.socket:
    host, _, port = exporter.url.removeprefix("http://").rpartition(":")
    return socket.create_connection((host.strip("[]"), int(port)), timeout=TIMEOUT)


def flood(client: socket.socket, request: bytes) -> None:
    """Send requests until the exporter reads no more of them, since its responses are not read."""
    client.settimeout(0.3)
    with contextlib.suppress(TimeoutError):
        for _ in range(1000):
            client.sendall(request * 1000)
        pytest.fail("the exporter reads without end")


def test_a_signal_ends_it(start: Callable[..., Exporter]) -> None:
    start("demo", LISTEN).ready().ends_on(signal.SIGINT, seconds=PROMPT)


def test_a_signal_before_the_end_of_the_first_poll_ends_it(start: Callable[..., Exporter]) -> None:
    exporter = start("demo", LISTEN)
    assert exporter.url
    exporter.ends_on(signal.SIGTERM, seconds=PROMPT)


def test_a_signal_ends_it_during_slow_scrapes(start: Callable[..., Exporter]) -> None:
    """One client sends half a request, another sends many requests and reads nothing."""
    exporter = start("demo", LISTEN).ready()
    request = b"GET /metrics HTTP/1.1\r\nHost: x\r\n"
    with connection(exporter) as half, connection(exporter) as greedy:
        half.sendall(request)
        flood(greedy, request + b"\r\n")
        exporter.ends_on(signal.SIGTERM, seconds=PROMPT)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_while_the_cloud_hangs(
    number: signal.Signals, start: Callable[..., Exporter], hanging: tuple[socket.socket, str]
) -> None:
    listener, option = hanging
    exporter = start(option, LISTEN)
    with listener.accept()[0] as call:
        assert call.recv(100).startswith(b"POST /v3/")
        assert (exporter.get("/-/ready").status_code, exporter.get("/-/healthy").status_code) == (503, 200)
        exporter.ends_on(number, seconds=PROMPT)


def test_an_interrupted_once_fails(start: Callable[..., Exporter], hanging: tuple[socket.socket, str]) -> None:
    listener, option = hanging
    once = start("once", option)
    with listener.accept()[0]:
        once.ends_on(signal.SIGINT, 130, seconds=PROMPT)  # as in a shell: 128 and the number of the signal
    assert once.stdout + once.stderr == ""


def test_a_crash_of_a_poller_ends_it_with_one_line(tmp_path: Path) -> None:
    with Program([sys.executable, "-c", CRASHING, LISTEN], tmp_path) as program:
        assert program.exit_code() == 1
        (line,) = map(json.loads, program.stderr.splitlines())
        assert (line["level"], line["error"], line["where"].startswith("<string>:")) == ("error", "ValueError", True)
        assert "hunter2" not in program.stdout + program.stderr


def test_it_listens_on_several_addresses(start: Callable[..., Exporter]) -> None:
    exporter = start("demo", LISTEN, "--web.listen-address=[::1]:0", LISTEN, "--web.listen-address=:0")
    urls = exporter.urls(4)
    assert (len(set(urls)), urls[1].startswith("http://[::1]:")) == (4, True)
    assert urls[3].startswith("http://127.0.0.1:")  # an address without a host is every address
    assert [get(f"{url}/-/healthy").status_code for url in urls] == [200] * 4


def test_the_log_of_an_unreadable_project_is_json_and_its_status_page_claims_no_number_of_tasks(
    start: Callable[..., Exporter], cloud: str, tmp_path: Path
) -> None:
    config = configuration(tmp_path / "config.yaml", account("prod", cloud, 0, secret_key="wrong"))
    exporter = start(config, LISTEN, "--log.format=json").ready()
    page = exporter.get("/").text
    assert [part for part in ("No tasks.", "0 tasks") if part in page] == []
    assert "returns no list for\nprod / cn-north-4." in page
    with connection(exporter) as client:
        client.sendall(b"no HTTP at all\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 400")
    exporter.ends_on(signal.SIGTERM, seconds=PROMPT)
    lines = [json.loads(line) for line in exporter.stderr.splitlines()]
    assert {line["event"] for line in lines} >= {
        *("serving", "the project is unreadable: every list fails", "a client sent a malformed HTTP request"),
        "stopping",
    }
    assert all(line.keys() >= {"ts", "level"} for line in lines)
    assert exporter.stdout == ""
    assert "wrong" not in exporter.stderr
