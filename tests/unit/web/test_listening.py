from __future__ import annotations

import errno
import socket
from contextlib import suppress
from typing import Any

import pytest

from exporter.config import ConfigError, NotReadyError
from exporter.web.listening import bind_all, url_of


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        *[(":0", ["127.0.0.1", "::1"]), ("[::]:0", ["127.0.0.1", "::1"]), ("*:0", ["127.0.0.1", "::1"])],
        *[("0.0.0.0:0", ["127.0.0.1"]), ("127.0.0.1:0", ["127.0.0.1"]), ("[::1]:0", ["::1"])],
        ("localhost:0", ["127.0.0.1"]),
    ],
)
def test_the_hosts_that_an_address_serves_and_the_url_that_is_announced(text: str, hosts: list[str]) -> None:
    (server,) = bind_all([text])
    with server:
        port, served = server.getsockname()[1], []
        for host in ("127.0.0.1", "::1"):
            with suppress(ConnectionRefusedError), socket.create_connection((host, port), timeout=10):
                served.append(host)
        assert (served, url_of(server)) == (hosts, f"http://{'[::1]' if hosts[0] == '::1' else hosts[0]}:{port}")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def test_every_ipv4_and_every_ipv6_address_can_be_given_apart() -> None:
    port = free_port()
    servers = bind_all([f"0.0.0.0:{port}", f"[::]:{port}"])
    assert [url_of(server) for server in servers] == [f"http://127.0.0.1:{port}", f"http://[::1]:{port}"]
    for server in servers:
        server.close()


@pytest.mark.parametrize("number", [errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL])
def test_without_dual_stack_sockets_it_listens_on_every_ipv4_address(
    number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.create_server

    def create(address: tuple[str, int], **options: Any) -> socket.socket:
        if options["family"] == socket.AF_INET6:
            raise OSError(number, "no IPv6 here")
        return real(address, **options)

    monkeypatch.setattr(socket, "create_server", create)
    (server,) = bind_all([":0"])
    with server:
        assert server.family == socket.AF_INET
    with pytest.raises(NotReadyError, match=r"can't listen on \[::\]:0: no IPv6 here"):
        bind_all(["[::]:0"])
    monkeypatch.setattr(socket, "create_server", real)
    monkeypatch.setattr(socket, "has_dualstack_ipv6", lambda: False)
    (server,) = bind_all([":0"])
    with server:
        assert server.family == socket.AF_INET


@pytest.mark.parametrize(
    "text", ["10826", "localhost:http", "localhost:65536", "::1:10826", "[::1:10826", "ä:0", "", "localhost"]
)
def test_what_is_no_address_is_a_fault_of_the_configuration(text: str) -> None:
    with pytest.raises(ConfigError, match=r"is not HOST:PORT or :PORT") as caught:
        bind_all([text])
    assert not isinstance(caught.value, NotReadyError)


def test_an_address_that_is_not_there_yet_is_no_fault_of_the_configuration() -> None:
    with pytest.raises(NotReadyError, match=r"can't listen on 192\.0\.2\.1:0: Cannot assign requested address$"):
        bind_all(["192.0.2.1:0"])
    with pytest.raises(NotReadyError, match=r"can't listen on no-such-host\.invalid:0: "):
        bind_all(["no-such-host.invalid:0"])


def test_a_port_that_needs_a_privilege_is_a_fault_of_the_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **_options: object) -> socket.socket:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket, "create_server", refuse)
    with pytest.raises(ConfigError, match=r"can't listen on :443: Permission denied; ports below 1024 need") as caught:
        bind_all([":443"])
    assert not isinstance(caught.value, NotReadyError)


def test_addresses_are_released_where_one_is_not_available() -> None:
    port = free_port()
    for bad in ("nonsense", "192.0.2.1:0", f"127.0.0.1:{port}"):
        with pytest.raises(ConfigError):
            bind_all([f"127.0.0.1:{port}", bad])
    (server,) = bind_all([f"127.0.0.1:{port}"])
    server.close()


@pytest.mark.parametrize("texts", [("127.0.0.1:9", "127.0.0.1:9"), (":9", "*:9")])
def test_an_address_that_is_given_twice_is_a_wrong_configuration(texts: tuple[str, str]) -> None:
    with pytest.raises(ConfigError, match=r"^--web\.listen-address: .*:9 is given twice: remove one$") as raised:
        bind_all(texts)
    assert not isinstance(raised.value, NotReadyError)
