"""Name servers and files that do not respond do not keep the daemon from serving or ending."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.programs import COMMAND, Exporter, until
from tests.hostile.clouds import HostileCloud
from tests.lib.tools import lacking

SOON = 5.0
"""Seconds for a response, and for the end of the daemon."""
NAME_SERVERS = ("127.0.0.77", "127.0.0.78", "127.0.0.79")


@pytest.fixture
def silent_dns(tmp_path: Path) -> Iterator[Sequence[str]]:
    """The command for an exporter whose three name servers receive queries and never respond."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        lacking("only root can give a process name servers of its own")
    conf = tmp_path / "resolv.conf"
    conf.write_text("".join(f"nameserver {server}\n" for server in NAME_SERVERS))
    inside = ("unshare", "--mount", "sh", "-c", f'mount --bind {conf} /etc/resolv.conf && exec "$0" "$@"')
    tried = subprocess.run([*inside, "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        lacking(f"on this machine no process can have name servers of its own: {tried.stderr.strip()}")
    servers = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in NAME_SERVERS]
    try:
        for server, host in zip(servers, NAME_SERVERS, strict=True):
            server.bind((host, 53))
        yield (*inside, COMMAND)
    except OSError as error:
        lacking(f"port 53 is taken on this machine: {error.strerror}")
    finally:
        for server in servers:
            server.close()


def responds_quickly(exporter: Exporter) -> None:
    for path in ("/-/healthy", "/metrics"):
        began = time.monotonic()
        assert exporter.get(path).status_code == 200
        assert time.monotonic() < began + SOON


def test_silent_name_servers_delay_neither_scrapes_nor_the_end(
    start: Callable[..., Exporter], silent_dns: Sequence[str]
) -> None:
    credentials = {"type": "ak_sk", "access_key": "AK", "secret_key": "SK"}
    projects = [{"region": f"r{n}", "project_id": f"{n:032x}"} for n in range(30)]
    account = {"name": "a", "cloud": "huaweicloud", "credentials": credentials, "projects": projects}
    exporter = start(config={"accounts": [account]}, command=silent_dns)
    until(lambda: exporter.url, lambda: "it serves")
    time.sleep(2)  # all lookups hang
    responds_quickly(exporter)
    exporter.ends_on(signal.SIGTERM, seconds=SOON)


def with_secret(cloud: HostileCloud, file: Path) -> dict[str, Any]:
    config = cloud.config()
    credentials = config["accounts"][0]["credentials"]
    file.write_text(credentials["secret_key"])
    credentials["secret_key"] = {"file": str(file)}
    return config


def drs_up(exporter: Exporter) -> str:
    """The value, or nothing before the first page with one."""
    return "".join(re.findall(r"^drs_up\{.*\} (\d)$", exporter.get().text, re.MULTILINE))


def test_the_last_secret_stays_in_use_without_its_file_and_a_pipe_makes_the_project_unreadable(
    start: Callable[..., Exporter], cloud: HostileCloud, tmp_path: Path
) -> None:
    file = tmp_path / "sk"
    exporter = start(config=with_secret(cloud, file)).ready()
    exporter.until(lambda: drs_up(exporter) == "1", "it is up")
    secret = file.read_text()
    file.unlink()
    exporter.until(lambda: "the last secret stays in use" in exporter.stderr, "the missing file is logged")
    time.sleep(2)  # at least one more poll
    assert (drs_up(exporter), exporter.stderr.count("the last secret stays in use")) == ("1", 1)
    os.mkfifo(file)
    exporter.until(lambda: drs_up(exporter) == "0", "it is down")
    assert "is a pipe or a device, not a file" in exporter.stderr
    responds_quickly(exporter)
    file.unlink()
    file.write_text(secret)
    exporter.until(lambda: drs_up(exporter) == "1", "it is up again")
    exporter.ends_on(signal.SIGTERM, seconds=SOON)


def test_a_hanging_reload_delays_nothing(start: Callable[..., Exporter], cloud: HostileCloud, tmp_path: Path) -> None:
    exporter = start(config=cloud.config()).ready()
    file = next(tmp_path.glob("exporter*/config.yaml"))
    file.unlink()
    os.mkfifo(file)
    exporter.send_signal(signal.SIGHUP)
    exporter.until(lambda: drs_up(exporter) == "1", "it is up")
    exporter.until(lambda: "can't be used" in exporter.stderr, "the reload fails")
    responds_quickly(exporter)
    assert drs_up(exporter) == "1"
    exporter.ends_on(signal.SIGTERM, seconds=SOON)
