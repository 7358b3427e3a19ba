"""A demo with TLS and a password, and clients for it."""

from __future__ import annotations

import re
import socket
import ssl
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from exporter.commands.main import main
from exporter.web import clients, server
from tests.e2e.programs import LISTEN, TIMEOUT, Exporter, Program
from tests.lib.certificates import hashed
from tests.lib.imports import imports

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lib.certificates import Authority

LOGIN = ("prometheus", "apple")
GET = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic cHJvbWV0aGV1czphcHBsZQ==\r\n\r\n"
"""A scrape, as it is on the wire."""


class Secured:
    """A demo with a web configuration, a client for it, and its certificate.

    Args:
        start: starts an exporter.
        folder: where the web configuration goes.
        authority: signs the exporter's certificate.
        keys: of tls_server_config.
        options: of the command line.
    """

    def __init__(
        self,
        start: Callable[..., Exporter],
        folder: Path,
        authority: Authority,
        keys: str = "",
        options: tuple[str, ...] = (),
    ) -> None:
        self._authority = authority
        self.pair = authority.issue(f"server-{folder.name}")
        self.file = folder / "web.yml"
        self.file.write_text(
            f"tls_server_config:\n  cert_file: {self.pair.cert}\n  key_file: {self.pair.key}\n{keys}"
            f"basic_auth_users: {{{LOGIN[0]}: {hashed(LOGIN[1])}}}\n"
            "http_server_config: {headers: {Strict-Transport-Security: max-age=5}}\n"
        )
        self.exporter = start("demo", LISTEN, f"--web.config.file={self.file}", *options)
        self.url = self.exporter.url
        assert self.url.startswith("https://")
        self._address = ("127.0.0.1", int(self.url.rpartition(":")[2]))
        self.context = ssl.create_default_context(cafile=authority.cert)

    def get(self, path: str = "/metrics", *, login: Any = LOGIN, **options: Any) -> httpx.Response:
        with httpx.Client(trust_env=False, timeout=TIMEOUT, verify=self.context) as http:
            return http.request(options.pop("method", "GET"), f"{self.url}{path}", auth=login, **options)

    def ready(self) -> Secured:
        self.exporter.until(lambda: self.get("/-/ready").status_code == 200, "it is ready")
        return self

    def value(self, family: str) -> float:
        return float(re.findall(rf"^{family} (\S+)$", self.get().text, re.MULTILINE)[0])

    def connections(self) -> int:
        """How many are open, as the kernel knows."""
        port = f":{self._address[1]:04X}"
        rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return sum(row[1].endswith(port) and row[3] == "01" for row in rows)

    def tcp(self) -> socket.socket:
        """A connection that has said nothing yet."""
        return socket.create_connection(self._address, timeout=TIMEOUT)

    def tls(self, context: ssl.SSLContext | None = None) -> ssl.SSLSocket:
        """A connection after the handshake."""
        return (context or self.context).wrap_socket(self.tcp(), server_hostname="localhost")


class Hasty(Exporter):
    """A demo whose server has less patience, or few places.

    Args:
        setting: of the server, as `server.HEADER_SECONDS = 0.5`.
        arguments: of the command line.
        folder: where it runs.
    """

    def __init__(self, setting: str, *arguments: str, folder: Path) -> None:
        code = f"import sys\n{imports(main, clients, server)}{setting}\nsys.exit(main())"
        Program.__init__(self, [sys.executable, "-c", code, *arguments], folder)
