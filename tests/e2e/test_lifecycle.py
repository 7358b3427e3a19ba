"""How the daemon starts, listens, logs and ends."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import sys
from typing import TYPE_CHECKING

import pytest

from exporter.commands.main import main
from exporter.polling.poller import Poller
from tests.e2e.programs import LISTEN, TIMEOUT, Exporter, Program, account, configuration, get
from tests.lib.imports import imports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SIGNALS = (signal.SIGTERM, signal.SIGINT)
PROMPT = 4.0
"""Seconds in which it has to end: 2, and twice that on a busy machine."""
CRASHING = f"""
import sys
{imports(main, Poller)}
async def run(self):
    await self.poll("tasks")
    raise ValueError("user root, password hunter2")

Poller.run = run
sys.exit(main(["demo", sys.argv[1], "--log.format=json"]))
"""


@pytest.fixture
def deaf() -> Iterator[socket.socket]:
    """The listening socket of a cloud that takes calls and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(TIMEOUT)
        yield listener


def connection(exporter: Exporter) -> socket.socket:
    host, _, port = exporter.url.removeprefix("http://").rpartition(":")
    return socket.create_connection((host.strip("[]"), int(port)), timeout=TIMEOUT)


def flood(client: socket.socket, request: bytes) -> None:
    """Send requests until the exporter reads no more of them, since its answers don't get out."""
    client.settimeout(0.3)
    with contextlib.suppress(TimeoutError):
        for _ in range(1000):
            client.sendall(request * 1000)
        pytest.fail("the exporter reads without end")


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_ends_it(number: signal.Signals, start: Callable[..., Exporter]) -> None:
    exporter = start("demo", LISTEN).ready()
    code, seconds = exporter.ends_on(number)
    assert code == 0
    assert seconds < PROMPT
    assert "Traceback" not in exporter.stderr


def test_a_signal_before_the_first_poll_has_ended_ends_it(start: Callable[..., Exporter]) -> None:
    exporter = start("demo", LISTEN)
    assert exporter.url
    assert exporter.ends_on(signal.SIGTERM)[0] == 0


def test_a_signal_ends_it_during_slow_scrapes(start: Callable[..., Exporter]) -> None:
    """One client sends half a request, another asks for much and reads nothing."""
    exporter = start("demo", LISTEN).ready()
    request = b"GET /metrics HTTP/1.1\r\nHost: x\r\n"
    with connection(exporter) as half, connection(exporter) as greedy:
        half.sendall(request)
        flood(greedy, request + b"\r\n")
        code, seconds = exporter.ends_on(signal.SIGTERM)
    assert code == 0
    assert seconds < PROMPT


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_ends_it_while_the_cloud_hangs(
    number: signal.Signals, start: Callable[..., Exporter], deaf: socket.socket, tmp_path: Path
) -> None:
    endpoint = f"http://127.0.0.1:{deaf.getsockname()[1]}"
    exporter = start(configuration(tmp_path / "config.yaml", account("prod", endpoint, 0)), LISTEN)
    with deaf.accept()[0] as call:
        assert call.recv(100).startswith(b"POST /v3/")
        assert get(f"{exporter.url}/-/ready").status_code == 503
        assert get(f"{exporter.url}/-/healthy").status_code == 200
        code, seconds = exporter.ends_on(number)
    assert code == 0
    assert seconds < PROMPT


def test_an_interrupted_once_does_not_count_as_done(
    start: Callable[..., Exporter], deaf: socket.socket, tmp_path: Path
) -> None:
    endpoint = f"http://127.0.0.1:{deaf.getsockname()[1]}"
    once = start("once", configuration(tmp_path / "config.yaml", account("prod", endpoint, 0)))
    with deaf.accept()[0]:
        code, seconds = once.ends_on(signal.SIGINT)
    assert code == 130  # as shells have it: 128 and the number of the signal
    assert seconds < PROMPT
    assert once.stdout + once.stderr == ""


def test_a_crash_of_a_poller_ends_it_with_one_line(tmp_path: Path) -> None:
    with Program([sys.executable, "-c", CRASHING, LISTEN], tmp_path) as program:
        assert program.exit_code() == 1
        (line,) = map(json.loads, program.stderr.splitlines())
        assert (line["level"], line["error"]) == ("error", "ValueError")
        assert line["where"].startswith("<string>:")
        assert "hunter2" not in program.stdout + program.stderr


def test_it_listens_on_several_addresses(start: Callable[..., Exporter]) -> None:
    exporter = start("demo", LISTEN, "--web.listen-address=[::1]:0", LISTEN)
    urls = exporter.urls(3)
    assert len(set(urls)) == 3
    assert urls[1].startswith("http://[::1]:")
    assert [get(f"{url}/-/healthy").status_code for url in urls] == [200] * 3


def test_an_address_without_host_is_every_address(start: Callable[..., Exporter]) -> None:
    exporter = start("demo", "--web.listen-address=:0")
    assert exporter.url.startswith("http://127.0.0.1:")
    assert get(f"{exporter.url}/-/healthy").status_code == 200


def test_every_line_of_the_log_is_json(start: Callable[..., Exporter], cloud: str, tmp_path: Path) -> None:
    config = configuration(tmp_path / "config.yaml", account("prod", cloud, 0, secret_key="wrong"))
    exporter = start(config, LISTEN, "--log.format=json").ready()
    with connection(exporter) as client:
        client.sendall(b"no HTTP at all\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 400")
    assert exporter.ends_on(signal.SIGTERM)[0] == 0
    lines = [json.loads(line) for line in exporter.stderr.splitlines()]
    assert {line["event"] for line in lines} >= {
        "serving",
        "the project is unreadable: every list fails",
        "a client sent a malformed HTTP request",
        "stopping",
    }
    assert all(line.keys() >= {"ts", "level"} for line in lines)
    assert exporter.stdout == ""
    assert "wrong" not in exporter.stderr


def test_the_status_page_does_not_take_an_error_for_no_tasks(
    start: Callable[..., Exporter], cloud: str, tmp_path: Path
) -> None:
    config = configuration(tmp_path / "config.yaml", account("prod", cloud, 0, secret_key="wrong"))
    page = get(start(config, LISTEN).ready().url).text
    assert "No tasks." not in page
    assert "0 tasks" not in page
    assert "returns no list for\nprod / cn-north-4." in page
