"""Clients that misbehave, over real TCP, do not keep others from scraping."""

from __future__ import annotations

import re
import signal
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress

import pytest

from tests.e2e.programs import TIMEOUT, until
from tests.e2e.secured import GET, Secured
from tests.lib.certificates import Authority
from tests.lib.tools import needs

pytestmark = needs("openssl")
KINDS = ["malformed", "tls", "upgrade"]


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Secured]:
    """A server that waits for the header of a request for one second."""
    with Secured(tmp_path_factory.mktemp("impatient"), authority, limit="server.HEADER_SECONDS = 1.0") as exporter:
        yield exporter


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Secured]:
    """A server with two slots, which cuts off a client that reads no response for two seconds."""
    limit = "clients.MAX_CONNECTIONS = 2; server.RESPONSE_SECONDS = 2.0"
    with Secured(tmp_path_factory.mktemp("narrow"), authority, limit=limit) as exporter:
        yield exporter.ready()


def is_open(connection: socket.socket) -> bool:
    """Return whether the exporter has neither closed the connection nor sent anything."""
    connection.settimeout(0)
    try:
        return connection.recv(1) != b""
    except (BlockingIOError, ssl.SSLWantReadError):
        return True
    except OSError:
        return False


def rest_of(connection: socket.socket) -> bytes:
    """Read until the exporter closes the connection, cleanly or not."""
    received = bytearray()
    with suppress(ConnectionError, ssl.SSLError):
        while data := connection.recv(2**16):
            received += data
    return bytes(received)


def test_fifty_idle_connections_do_not_delay_a_scrape(secured: Secured) -> None:
    with ExitStack() as stack:
        idle = [stack.enter_context(secured.tcp() if number % 2 else secured.tls()) for number in range(50)]
        assert secured.get().text.endswith("\n")
        assert all(map(is_open, idle))


def test_more_idle_connections_than_slots_do_not_stop_a_scrape(start_secured: Callable[..., Secured]) -> None:
    secured = start_secured(limit="clients.MAX_CONNECTIONS = 20").ready()
    with ExitStack() as stack:
        idle = [stack.enter_context(secured.tcp()) for _ in range(25)]
        assert [secured.get().status_code for _ in range(5)] == [200] * 5
        left = [number for number, connection in enumerate(idle) if is_open(connection)]
        assert len(left) < 20
        assert min(left, default=25) >= 5  # the oldest ones were closed


@pytest.mark.parametrize("stage", ["tcp", "tls", "header"])
def test_slow_clients_are_cut_off(impatient: Secured, stage: str) -> None:
    with impatient.tcp() if stage == "tcp" else impatient.tls() as slow:
        sent = iter(GET)

        def closed() -> bool:
            if stage == "header":
                slow.settimeout(TIMEOUT)
                try:
                    slow.sendall(bytes([next(sent)]))
                except OSError:
                    return True
            return not is_open(slow)

        until(closed, lambda: f"the connection is closed at {stage}")
        assert next(sent, None) is not None


def test_a_client_that_does_not_read_the_response_is_cut_off(narrow: Secured) -> None:
    narrow.until(lambda: narrow.connections() == 0, "all earlier connections are closed")
    with narrow.tls() as greedy:
        greedy.sendall(GET * 1000)
        assert greedy.recv(1)  # its response has begun
        assert narrow.connections() == 1
        narrow.until(lambda: narrow.connections() == 0, "the connection is closed")
        assert rest_of(greedy).count(b"HTTP/1.1 200 ") < 1000


def test_new_connections_wait_while_all_slots_are_in_use(narrow: Secured) -> None:
    with narrow.tls() as greedy:
        greedy.sendall(GET * 1000)
        assert greedy.recv(1)  # its response has begun; one address gets one of the two slots
        assert [narrow.get().status_code for _ in range(3)] == [200] * 3
        assert rest_of(greedy).count(b"HTTP/1.1 200 ") < 1000


def test_a_bad_request_is_counted_and_its_kind_logged_once_a_minute(start_secured: Callable[..., Secured]) -> None:
    secured = start_secured("--log.level=warning").ready()  # without the changes of the tasks of the demo
    for _ in range(3):
        with secured.tls() as client:
            client.sendall(GET * 100)
    with secured.tcp():
        pass
    assert secured.get().status_code == 200
    assert secured.stderr == ""  # clients that close a connection during a response are not logged
    for _ in range(20):
        with secured.tcp() as nonsense:
            nonsense.sendall(GET)
            rest_of(nonsense)
        with secured.tls() as nonsense:
            nonsense.sendall(GET.replace(b"GET", b"\0"))
            assert rest_of(nonsense).startswith(b"HTTP/1.1 400 ")
        upgrade = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": ""}
        assert secured.get(headers=upgrade).status_code == 200
    assert (sorted(re.findall("kind=([a-z]+)", secured.stderr)), secured.stderr.count("\n")) == (KINDS, 3)
    counted = re.compile(r'^drs_exporter_web_bad_requests_total{kind="(\w+)"} 20.0$', re.MULTILINE)
    secured.until(lambda: sorted(counted.findall(secured.get().text)) == KINDS, "all are counted")


def test_a_body_and_a_long_header_are_refused(secured: Secured) -> None:
    assert secured.get(method="POST", content=b"x" * 100_000).status_code == 413
    assert secured.get(headers={"X-Long": "x" * 60_000}).status_code == 200
    assert secured.get(headers={"X-Long": "x" * 70_000}).status_code in {400, 431}


def test_a_signal_ends_it_whatever_connections_are_open(start_secured: Callable[..., Secured]) -> None:
    secured = start_secured().ready()
    with secured.tcp(), secured.tls(), secured.tls() as greedy:
        greedy.sendall(GET * 1000)
        secured.ends_on(signal.SIGTERM, seconds=4)
