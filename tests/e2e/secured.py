"""A demo with TLS and a password, and clients for it."""

from __future__ import annotations

import re
import socket
import ssl
import sys
from pathlib import Path
from typing import Any

import httpx

from exporter.commands.main import main
from exporter.web import clients, server
from tests.e2e.programs import COMMAND, LISTEN, TIMEOUT, Exporter
from tests.lib.certificates import Authority, hashed
from tests.lib.imports import imports

LOGIN = ("prometheus", "apple")
GET = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic cHJvbWV0aGV1czphcHBsZQ==\r\n\r\n"
"""A scrape, as it is on the wire."""


class Secured(Exporter):
    """A demo with a web configuration file, and a client that trusts its certificate.

    Args:
        folder: for its files.
        authority: signs its certificate.
        options: of the command line.
        tls: further lines of tls_server_config.
        limit: a statement that changes a limit of the server, such as `server.HEADER_SECONDS = 0.5`.
    """

    def __init__(self, folder: Path, authority: Authority, *options: str, tls: str = "", limit: str = "") -> None:
        self.pair = authority.issue(f"server-{folder.name}")
        self.file = folder / "web.yml"
        self.file.write_text(
            f"tls_server_config:\n  cert_file: {self.pair.cert}\n  key_file: {self.pair.key}\n{tls}"
            f"basic_auth_users: {{{LOGIN[0]}: {hashed(LOGIN[1])}}}\n"
            "http_server_config: {headers: {Strict-Transport-Security: max-age=5}}\n"
        )
        self.context = ssl.create_default_context(cafile=authority.cert)
        code = f"import sys\n{imports(main, clients, server)}{limit}\nsys.exit(main())"
        command = (sys.executable, "-c", code) if limit else (COMMAND,)
        super().__init__(
            "demo", LISTEN, f"--web.config.file={self.file}", *options, folder=folder / "demo", command=command
        )

    def get(self, path: str = "/metrics", **options: Any) -> httpx.Response:
        """A response to the user with the password, unless `auth` is given."""
        return super().get(path, **{"auth": LOGIN, "verify": self.context, **options})

    def value(self, family: str) -> float:
        return float(re.findall(rf"^{family} (\S+)$", self.get().text, re.MULTILINE)[0])

    @property
    def _port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def connections(self) -> int:
        """The number of open connections, from the kernel."""
        rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return sum(row[1].endswith(f":{self._port:04X}") and row[3] == "01" for row in rows)

    def tcp(self) -> socket.socket:
        """A connection on which nothing has been sent."""
        return socket.create_connection(("127.0.0.1", self._port), timeout=TIMEOUT)

    def tls(self) -> ssl.SSLSocket:
        """A connection after the handshake."""
        return self.context.wrap_socket(self.tcp(), server_hostname="localhost")
