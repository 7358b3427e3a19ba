"""`tasks --url` on servers that do not speak HTTP, or not with this client."""

from __future__ import annotations

import asyncio
import json
import ssl
from pathlib import Path
from typing import Any

import pytest

from exporter.commands.outcome import Outcome
from exporter.commands.remote import Remote, RemoteError
from exporter.commands.tasks import tasks_at
from exporter.runtime.terminal import Screen
from tests.lib.certificates import Authority
from tests.lib.remote import page
from tests.lib.sockets import answer, saying, served
from tests.lib.tools import needs

PIPE = Screen()


async def real_fault(port: int, scheme: str = "http", file: Path | None = None) -> str:
    """The error of a command that reads from a port of this machine."""
    url = f"{scheme}://localhost:{port}"
    with pytest.raises(RemoteError) as caught:
        await tasks_at(Remote(url, file))
    return str(caught.value).removeprefix(f"{url}: ")


def test_nothing_listens() -> None:
    async def fault() -> str:
        async with served(saying()) as port:
            pass
        return await real_fault(port)

    assert asyncio.run(fault()) == "the connection is refused: check the port, and that the exporter runs"


def test_a_host_without_an_address() -> None:
    with pytest.raises(RemoteError, match="the host name has no address: check --url"):
        asyncio.run(tasks_at(Remote("http://nothing.invalid", None)))


@pytest.mark.parametrize(
    ("scheme", "said", "text"),
    [
        ("https", answer(b"{}"), "no TLS there: check the port, or write http:// in --url"),
        ("http", b"", "no HTTP there: check the port, or write https:// in --url"),
        ("http", b"\x15\x03\x01\x00\x02\x02\x28", "no HTTP there: check the port, or write https:// in --url"),
        ("http", answer(b"{}", headers=f"X: {'x' * 100_000}\r\n"), "no HTTP there: check the port, or write https:"),
        ("http", answer(b"{", length=100), "no usable response: check --url, firewall and proxy"),
    ],
)
def test_a_server_that_speaks_something_else(scheme: str, said: bytes, text: str) -> None:
    async def fault() -> str:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(10)
            writer.write(said)
            await writer.drain()

        async with served(serve) as port:
            return await real_fault(port, scheme)

    assert asyncio.run(fault()).startswith(text)


@needs("openssl")
def test_certificates(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca")
    pair, other = authority.issue("server"), authority.issue("other", "DNS:other.test")
    body = answer(json.dumps(page("one")).encode())

    async def outcome(tls: str, *, cert: Any = pair, demand: bool = False) -> str:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority.cert)
        context.verify_mode = ssl.CERT_REQUIRED if demand else ssl.CERT_NONE
        context.load_cert_chain(cert.cert, cert.key)
        file = tmp_path / "http.yml"
        file.write_text(f"tls_config: {{{tls}}}\n")
        async with served(saying(body), context) as port:
            try:
                return (await tasks_at(Remote(f"https://localhost:{port}", file), PIPE)).text.splitlines()[1].split()[0]
            except RemoteError as error:
                return str(error).split(": ", 1)[1]

    def found(tls: str, **options: Any) -> str:
        return asyncio.run(outcome(tls, **options))

    trusted = f"ca_file: {authority.cert}"
    untrusted = (
        "its TLS certificate is not trusted, or is for another name: write tls_config into the file of "
        "--http.config.file"
    )
    assert found("") == untrusted
    assert found(trusted) == "one"
    assert found(f"ca: {json.dumps(authority.cert.read_text())}") == "one"
    assert found("insecure_skip_verify: true") == "one"
    assert found(trusted, cert=other) == untrusted
    assert found(f"{trusted}, server_name: other.test", cert=other) == "one"
    assert found(f"{trusted}, min_version: TLS13") == "one"
    client = f"{trusted}, cert_file: {other.cert}, key_file: {other.key}"
    assert found(client, demand=True) == "one"
    assert found(trusted, demand=True).startswith(
        "it ends the connection without a response: if it requires a client certificate, "
    )


def test_a_proxy(tmp_path: Path) -> None:
    file, seen = tmp_path / "http.yml", bytearray()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.extend(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer(json.dumps(page("one")).encode()))
        await writer.drain()

    async def through() -> Outcome:
        async with served(serve) as port:
            file.write_text(f"proxy_url: http://bob:banana@localhost:{port}\n")
            return await tasks_at(Remote("http://exporter.test:10826", file), PIPE)

    assert asyncio.run(through()).code == 0
    assert seen.startswith(b"GET http://exporter.test:10826/api/v1/tasks?")
    assert b"proxy-authorization: Basic Ym9iOmJhbmFuYQ==" in seen

    async def without() -> str:
        async with served(saying()) as port:
            pass
        file.write_text(f"proxy_url: http://localhost:{port}\n")
        return await real_fault(1, file=file)

    assert asyncio.run(without()) == "the proxy is not reached: check proxy_url"


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (
            "407 Proxy Authentication Required",
            "407: the proxy needs a user and password: write them into proxy_url in ",
        ),
        ("502 Bad Gateway", "the proxy does not connect to it (502)"),
    ],
)
def test_a_proxy_that_does_not_connect(status: str, text: str, tmp_path: Path) -> None:
    file = tmp_path / "http.yml"

    async def fault() -> str:
        async with served(saying(answer(b"", status))) as port:
            file.write_text(f"proxy_url: http://localhost:{port}\n")
            return await real_fault(1, "https", file)

    assert asyncio.run(fault()).startswith(text)
