"""Clients that behave badly, over real TCP, do not keep others from being served."""

from __future__ import annotations

import re
import signal
import ssl
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

import pytest

from tests.e2e.programs import TIMEOUT, Exporter, until
from tests.e2e.secured import GET, Hasty, Secured
from tests.lib.tools import needs

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.lib.certificates import Authority

pytestmark = needs("openssl")


@pytest.fixture
def hasty(tmp_path: Path, authority: Authority) -> Iterator[Callable[[str], Secured]]:
    with ExitStack() as stack:

        def start(setting: str) -> Secured:
            def exporter(*arguments: str) -> Exporter:
                return stack.enter_context(Hasty(setting, *arguments, folder=tmp_path / "hasty"))

            return Secured(exporter, tmp_path, authority)

        yield start


def is_open(connection: socket.socket) -> bool:
    """Whether the exporter has neither closed it nor said anything."""
    connection.settimeout(0)
    try:
        return connection.recv(1) != b""
    except (BlockingIOError, ssl.SSLWantReadError):
        return True
    except OSError:
        return False


def rest_of(connection: socket.socket) -> bytes:
    """What comes until the exporter closes it, well or not."""
    received = bytearray()
    with suppress(ConnectionError, ssl.SSLError):
        while data := connection.recv(2**16):
            received += data
    return bytes(received)


def test_fifty_idle_connections_do_not_delay_a_scrape(secured: Secured) -> None:
    secured.ready()
    with ExitStack() as stack:
        idle = [stack.enter_context(secured.tcp() if number % 2 else secured.tls()) for number in range(50)]
        assert secured.get().text.endswith("\n")
        assert all(map(is_open, idle))  # it did not wait for the end of any


def test_more_idle_connections_than_slots_do_not_stop_a_scrape(hasty: Callable[[str], Secured]) -> None:
    secured = hasty("clients.MAX_CONNECTIONS = 20").ready()
    with ExitStack() as stack:
        idle = [stack.enter_context(secured.tcp()) for _ in range(25)]
        assert [secured.get().status_code for _ in range(5)] == [200] * 5
        left = [number for number, connection in enumerate(idle) if is_open(connection)]
        assert len(left) < 20
        assert min(left, default=25) >= 5  # the oldest ones were closed


@pytest.mark.parametrize("stage", ["tcp", "tls", "header"])
def test_slow_clients_are_cut_off(hasty: Callable[[str], Secured], stage: str) -> None:
    secured = hasty("server.HEADER_SECONDS = 1.0")
    with secured.tcp() if stage == "tcp" else secured.tls() as slow:
        sent = iter(GET)

        def gone() -> bool:
            if stage == "header":
                slow.settimeout(TIMEOUT)
                try:
                    slow.sendall(bytes([next(sent)]))
                except OSError:
                    return True
            return not is_open(slow)

        until(gone, lambda: f"it is cut off at {stage}")
        assert next(sent, None) is not None


def test_who_does_not_take_the_response_is_cut_off(hasty: Callable[[str], Secured]) -> None:
    secured = hasty("server.RESPONSE_SECONDS = 1.0").ready()
    with secured.tls() as greedy:
        greedy.sendall(GET * 1000)
        assert greedy.recv(1)  # its response has begun
        assert secured.connections() == 1
        secured.exporter.until(lambda: secured.connections() == 0, "it is cut off")
        assert rest_of(greedy).count(b"HTTP/1.1 200 ") < 1000


def test_where_all_connections_are_at_work_more_of_them_wait(hasty: Callable[[str], Secured]) -> None:
    secured = hasty("clients.MAX_CONNECTIONS = 2; server.RESPONSE_SECONDS = 2.0").ready()
    with secured.tls() as greedy:
        greedy.sendall(GET * 1000)
        assert greedy.recv(1)  # its response has begun; one of two slots is all that one address gets
        assert [secured.get().status_code for _ in range(3)] == [200] * 3
        assert rest_of(greedy).count(b"HTTP/1.1 200 ") < 1000


def test_clients_that_leave_during_a_response_are_not_logged_and_bad_requests_once_a_minute(secured: Secured) -> None:
    secured.ready()
    for _ in range(3):
        with secured.tls() as client:
            client.sendall(GET * 100)
    with secured.tcp():
        pass
    assert secured.get().status_code == 200
    assert secured.exporter.stderr == ""
    for _ in range(20):
        with secured.tcp() as nonsense:
            nonsense.sendall(GET)
            rest_of(nonsense)
        with secured.tls() as nonsense:
            nonsense.sendall(GET.replace(b"GET", b"\0"))
            assert rest_of(nonsense).startswith(b"HTTP/1.1 400 ")
        upgrade = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": ""}
        assert secured.get(headers=upgrade).status_code == 200
    text = secured.exporter.stderr
    assert sorted(re.findall("kind=([a-z]+)", text)) == ["malformed", "tls", "upgrade"]
    assert text.count("\n") == 3

    def counted() -> set[str]:
        found = re.findall(
            r'^drs_exporter_web_bad_requests_total{kind="(\w+)"} 20.0$', secured.get().text, re.MULTILINE
        )
        return set(found)

    secured.exporter.until(lambda: counted() == {"malformed", "tls", "upgrade"}, "all are counted")


def test_a_body_and_a_long_header_are_refused(secured: Secured) -> None:
    assert secured.get(method="POST", content=b"x" * 100_000).status_code == 413
    assert secured.get(headers={"X-Long": "x" * 60_000}).status_code == 200
    assert secured.get(headers={"X-Long": "x" * 70_000}).status_code in {400, 431}


def test_a_signal_ends_it_whatever_is_open(secured: Secured) -> None:
    secured.ready()
    with secured.tcp(), secured.tls(), secured.tls() as greedy:
        greedy.sendall(GET * 1000)
        code, seconds = secured.exporter.ends_on(signal.SIGTERM)
    assert code == 0
    assert seconds < 4
    assert "Traceback" not in secured.exporter.stderr
