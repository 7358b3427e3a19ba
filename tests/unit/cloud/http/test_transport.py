"""The network transport: renewed CAs, and DNS that does not respond."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from exporter.cloud.http import resolver
from exporter.cloud.http.errors import CloudError
from exporter.cloud.http.resolver import DnsTimeoutError, Resolver
from exporter.cloud.http.transport import Transport
from exporter.config import CaFile
from exporter.runtime.threads import DaemonPool
from tests.e2e.programs import until
from tests.lib.certificates import Authority
from tests.lib.sockets import answer, saying, served
from tests.lib.tools import needs
from tests.lib.virtual_time import in_real_time
from tests.unit.cloud.http.test_network import listed
from tests.unit.cloud.http.test_proxies import cloud


@needs("openssl")
@in_real_time
async def test_renewed_cas_are_used_for_new_connections(tmp_path: Path) -> None:
    old, new = Authority(tmp_path / "old"), Authority(tmp_path / "new")
    file = tmp_path / "ca.pem"
    file.write_bytes(old.cert.read_bytes())

    async with (
        cloud(old) as first,
        cloud(new) as second,
        httpx.AsyncClient(transport=Transport(CaFile(file)), trust_env=False) as http,
    ):
        assert (await http.get(f"https://127.0.0.1:{first}")).status_code == 200
        with pytest.raises(httpx.TransportError, match="CERTIFICATE_VERIFY_FAILED"):
            await http.get(f"https://127.0.0.1:{second}")
        file.write_bytes(new.cert.read_bytes()[:300])  # half of it
        assert (await http.get(f"https://127.0.0.1:{first}")).status_code == 200
        file.write_bytes(new.cert.read_bytes())
        assert (await http.get(f"https://127.0.0.1:{second}")).status_code == 200


@in_real_time
async def test_a_host_name_is_looked_up() -> None:
    async with (
        served(saying(answer(b"{}"))) as port,
        httpx.AsyncClient(transport=Transport(None), trust_env=False) as http,
    ):
        assert (await http.get(f"http://localhost:{port}")).content == b"{}"


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """DNS does not respond; the names that are looked up."""
    names, release = list[str](), threading.Event()

    def getaddrinfo(host: str, *_: Any) -> list[Any]:
        names.append(host)
        release.wait()
        return []

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(resolver, "DNS", DaemonPool("test-dns", threads=4, timeout=0.05))
    yield names
    release.set()


@in_real_time
async def test_a_lookup_without_a_response_is_an_error_and_keeps_a_thread_for_each_name(silent: list[str]) -> None:
    for name in ("a.example", "b.example"):
        for _ in range(3):
            with pytest.raises(DnsTimeoutError):
                await Resolver().resolve(name)
    until(lambda: len(silent) > 1, lambda: "both threads have started, which may take longer than the time-out")
    assert silent == ["a.example", "b.example"]


@pytest.mark.usefixtures("silent", "no_pause")
@in_real_time
async def test_dns_that_does_not_respond_is_named() -> None:
    with pytest.raises(CloudError) as raised:
        await listed("https://drs.cn-north-4.myhuaweicloud.com")
    assert raised.value.reason == "DNS does not respond: check the name servers of this machine"


@pytest.mark.parametrize(
    ("address", "host"),
    [
        (("192.0.2.1", 443), "192.0.2.1"),
        (("2001:db8::1", 443, 0, 0), "2001:db8::1"),
        (("fe80::1", 443, 0, 2), "fe80::1%2"),
    ],
)
def test_what_a_lookup_finds(address: tuple[Any, ...], host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = [(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", address)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: found)
    (result,) = asyncio.run(Resolver().resolve("drs.example", 443))
    assert (result["hostname"], result["host"], result["port"], result["family"]) == ("drs.example", host, 443, family)
