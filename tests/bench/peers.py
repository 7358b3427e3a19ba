"""The simulated cloud, the exporter and nginx in processes of their own, and scrapers."""

from __future__ import annotations

import http.client
import json
import re
import shutil
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from tests.e2e.programs import LISTEN, Program, free_port
from tests.lib.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PATIENCE = 60.0
_BUFFER = 2**20
_ROOT = str(ROOT)
GZIP = {"Accept-Encoding": "gzip"}
PLAIN = {"Accept-Encoding": "identity"}
_NGINX = Template(Path(__file__).with_name("nginx.conf").read_text(encoding="utf-8"))


class Peer(Program):
    """A program that prints its URL, with measurements of its process."""

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return self.until(
            lambda: re.search(r"http://[\d.:]+\d(?=[\s/\"])", self.stdout + self.stderr), "it prints its address"
        )[0]

    def memory(self, name: str = "VmHWM") -> float:
        """Megabytes of resident memory: at its peak, or with `VmRSS` now."""
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        (size,) = re.findall(rf"{name}:\s+(\d+) kB", status)
        return int(size) * 1024 / 1e6

    def forget_peak(self) -> None:
        """Reset the peak."""
        Path(f"/proc/{self._process.pid}/clear_refs").write_text("5", encoding="ascii")

    def cpu(self) -> float:
        """Seconds of CPU so far."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / 100

    def serves(self, path: str, needle: bytes = b"") -> None:
        """Wait until a page is served and contains a text."""

        def found() -> bool:
            status, body = fetch(self.url + path)
            return status == 200 and needle in body

        self.until(found, path)

    def end(self) -> None:
        """End it with SIGTERM."""
        self.send_signal(signal.SIGTERM)
        self.exit_code(_PATIENCE)


def cloud(tasks: int, folder: Path) -> Peer:
    """The simulated cloud."""
    return _python("tests.bench.cloud", str(tasks), folder=folder / "cloud")


def exporter(folder: Path, settings: Mapping[str, Any], module: str = "exporter", *arguments: str) -> Peer:
    """The exporter, by itself or through a module of ours with its arguments."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "config.yaml"
    file.write_text(json.dumps(settings), encoding="utf-8")
    return _python(module, *arguments, f"--config.file={file}", LISTEN, folder=folder / "exporter")


def nginx(folder: Path, **bodies: bytes) -> tuple[Peer, str]:
    """nginx that serves these bytes from files of these names, and its URL."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    assert program, "nginx is not installed; it is in the Debian package nginx-light"
    folder.mkdir(parents=True, exist_ok=True)
    for name, body in bodies.items():
        (folder / name).write_bytes(body)
    port = free_port()
    file = folder / "nginx.conf"
    file.write_text(_NGINX.substitute(folder=folder, port=port), encoding="utf-8")
    folder.chmod(0o755)
    peer = Peer([program, "-c", file, "-p", folder, "-g", "user root;"], folder / "out")
    return peer, f"http://127.0.0.1:{port}"


def _python(module: str, *arguments: str, folder: Path) -> Peer:
    start = (
        "import runpy, sys; sys.modules.update(pygments=None, rich=None); "  # which are installed for the tools only
        f"sys.path.insert(0, {_ROOT!r}); runpy.run_module({module!r}, None, '__main__', True)"
    )
    return Peer([sys.executable, "-c", start, *arguments], folder)


class Scraped(NamedTuple):
    """One scrape: Unix time of its begin, seconds, bytes."""

    at: float
    seconds: float
    size: int


class Scraper:
    """Scrapes a page over one connection and discards it, with hardly any work of its own."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_PATIENCE)
        self._path = parts.path
        self._headers = dict(headers)
        self._buffer = bytearray(_BUFFER)

    def scrape(self) -> Scraped:
        """Scrape once."""
        at, started, size = time.time(), time.perf_counter(), 0
        self._connection.request("GET", self._path, headers=self._headers)
        response = self._connection.getresponse()
        while got := response.readinto(self._buffer):
            size += got
        assert response.status == 200, response.status
        return Scraped(at, time.perf_counter() - started, size)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def at_once(scrapers: Sequence[Scraper]) -> list[Scraped]:
    """One scrape of each, all at the same time."""
    with ThreadPoolExecutor(len(scrapers)) as pool:
        return list(pool.map(Scraper.scrape, scrapers))


def fetch(url: str, headers: Mapping[str, str] = PLAIN) -> tuple[int, bytes]:
    """A page as it is on the wire; the status is 0 if the connection fails."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_PATIENCE)
    try:
        connection.request("GET", f"{parts.path}?{parts.query}", headers=dict(headers))
        response = connection.getresponse()
        return response.status, response.read()
    except ConnectionError:
        return 0, b""
    finally:
        connection.close()
