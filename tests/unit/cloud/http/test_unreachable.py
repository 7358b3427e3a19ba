"""Each way of getting no answer has its own word, and says what to check."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import Any

import pytest

from exporter.cloud.http.errors import CloudError
from exporter.cloud.http.unreachable import reason_of
from tests.lib.certificates import Authority
from tests.lib.sockets import saying, served
from tests.lib.tools import needs
from tests.lib.virtual_time import in_real_time
from tests.unit.cloud.http.test_network import listed

pytestmark = pytest.mark.usefixtures("no_pause")


async def reason(endpoint: str, **account: Any) -> str:
    with pytest.raises(CloudError) as raised:
        await listed(endpoint, **account)
    assert (raised.value.code, raised.value.operation) == ("network", "v5_list_jobs")
    return raised.value.reason


async def closed_port() -> int:
    async with served(saying()) as port:
        return port


@in_real_time
async def test_a_connection_that_is_refused() -> None:
    port = await closed_port()
    proxied = await reason("https://drs.example", proxy=f"http://127.0.0.1:{port}")
    assert (await reason(f"https://127.0.0.1:{port}"), proxied) == (
        "the connection is refused: check the endpoint's host and port",
        "the proxy is not reached: check proxy",
    )


@in_real_time
async def test_a_name_that_does_not_exist() -> None:
    assert await reason("https://drs.cn-nowhere-4.invalid") == (
        "the host name has no address: check region, endpoint, proxy and DNS; "
        "a cloud with another domain, such as Swiss OTC, needs iam_endpoint and projects[].endpoint"
    )
    proxied = await reason("https://drs.example", proxy="http://proxy.invalid:3128")
    assert proxied == "the host name of the proxy has no address: check proxy"


@in_real_time
async def test_a_server_without_tls() -> None:
    async def plain(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()

    async with served(plain) as port:
        assert (await reason(f"https://127.0.0.1:{port}")) == "no TLS there: check the endpoint's port, and proxy"


@needs("openssl")
@in_real_time
async def test_a_certificate_of_an_unknown_authority(tmp_path: Path) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*Authority(tmp_path).issue("server"))
    async with served(saying(), context) as port:
        found = await reason(f"https://127.0.0.1:{port}")
    assert found == "the TLS certificate is not trusted: check the endpoint's host, and ca_file"


def test_anything_else_is_not_guessed_at() -> None:
    assert reason_of(ConnectionResetError()) == ""
    error = ValueError()
    error.__context__ = ConnectionRefusedError()
    assert reason_of(error).startswith("the connection is refused")
