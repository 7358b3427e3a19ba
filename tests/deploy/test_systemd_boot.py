"""The systemd unit in a machine that boots: start, reloads, hang, crash, missing files and stop."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest

from exporter.simulator import DEMO_ACCESS_KEY, DEMO_SECRET_KEY
from tests.e2e.programs import Simulator, account, free_port, get, until
from tests.lib.machine import Machine, booted, overlay
from tests.lib.paths import DEPLOY
from tests.lib.tools import needs

UNIT = "drs-exporter.service"
QUICK = """[Unit]
StartLimitIntervalSec=0
[Service]
RestartSec=100ms
WatchdogSec=5s
"""
"""What the tests cannot wait for: the unit waits 5 s and 90 s. Tests start it more often than systemd allows."""
UNUSABLE = "cannot use the new configuration, see the log: the old one stays in use"
PASSED = {name: {"credential": name} for name in ("access_key", "secret_key")}
LITERAL = {"access_key": DEMO_ACCESS_KEY, "secret_key": DEMO_SECRET_KEY}

pytestmark = needs("systemd-nspawn", "nsenter")


class Service:
    """drs-exporter.service in a machine, and its HTTP server."""

    def __init__(self, machine: Machine, url: str, cloud: str) -> None:
        self.machine = machine
        self.url = url
        self._cloud = cloud

    @property
    def properties(self) -> dict[str, str]:
        return self.machine.properties(UNIT)

    @property
    def status(self) -> str:
        return self.properties["StatusText"]

    def configure(self, *projects: int, credentials: Mapping[str, Any] = PASSED, **others: Any) -> None:
        """Write a configuration with these projects, and with the credentials that the unit passes."""
        prod = account("prod", self._cloud, *projects)
        prod["credentials"] = {"type": "ak_sk", **credentials}
        (self.machine.root / "etc/drs-exporter/config.yaml").write_text(json.dumps({"accounts": [prod], **others}))

    def call(self, verb: str) -> int:
        return self.machine.systemctl(verb, UNIT).returncode

    def polls(self, projects: int) -> None:
        """Wait until it is able to read this number of projects."""

        def read() -> bool:
            try:
                page = get(f"{self.url}/metrics").text
            except httpx.TransportError:
                return False
            return len(re.findall(r"^drs_up\{.*\} 1$", page, re.MULTILINE)) == projects

        until(read, lambda: self.machine.journal(UNIT))

    def becomes(self, **expected: str) -> None:
        """Wait until properties of the unit have these values."""
        until(
            lambda: expected.items() <= self.properties.items(), lambda: (self.properties, self.machine.journal(UNIT))
        )

    def restarts_after(self, number: signal.Signals) -> str:
        """Send a signal to its process, wait until systemd has started another, and return the log since then."""
        before = self.properties
        logged = self.machine.journal(UNIT)
        self.machine.run("kill", f"-{number.name.removeprefix('SIG')}", before["MainPID"])
        self.becomes(NRestarts=str(int(before["NRestarts"]) + 1), ActiveState="active")
        assert self.properties["MainPID"] != before["MainPID"]
        return self.machine.journal(UNIT).removeprefix(logged)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("systemd")
    if os.geteuid():
        pytest.skip("only root can boot a machine")
    (folder / "machine").mkdir()
    with Simulator(folder / "cloud") as cloud, overlay(folder / "machine") as root:
        port = free_port()
        units = root / "etc/systemd/system"
        unit = (DEPLOY / "systemd" / UNIT).read_text()
        assert " --web.listen-address=:10826" in unit
        (units / UNIT).write_text(unit.replace(":10826", f"127.0.0.1:{port}"))
        (units / f"{UNIT}.d").mkdir()
        (units / f"{UNIT}.d" / "quick.conf").write_text(QUICK)
        secrets = root / "etc/drs-exporter/secrets"
        secrets.mkdir(parents=True, mode=0o700)
        (secrets / "access_key").write_text(DEMO_ACCESS_KEY)
        (secrets / "secret_key").write_text(DEMO_SECRET_KEY)
        with booted(root, folder / "output") as machine:
            yield Service(machine, f"http://127.0.0.1:{port}", cloud.url)


@pytest.fixture
def running(service: Service) -> Service:
    """The service with one project."""
    service.configure(0)
    assert service.call("reload-or-restart") == 0, service.machine.journal(UNIT)
    service.becomes(ActiveState="active", StatusText="projects polled: 1")
    return service


def test_the_start_ends_when_it_serves(running: Service) -> None:
    assert get(f"{running.url}/-/healthy").status_code == 200
    assert running.properties["ActiveState"] == "active"
    assert running.status == "projects polled: 1"


def test_the_credentials_of_the_unit_authorise_it(running: Service) -> None:
    running.polls(1)


def test_a_reload_with_a_valid_configuration_is_polled(running: Service) -> None:
    before = running.properties["MainPID"]
    running.configure(0, 1)
    assert running.call("reload") == 0
    running.polls(2)
    running.becomes(StatusText="projects polled: 2", ActiveState="active", MainPID=before)


def test_a_reload_with_an_invalid_configuration_fails_and_the_old_one_stays_in_use(running: Service) -> None:
    before = running.properties["MainPID"]
    running.configure(0, 1, pol={})
    assert running.call("reload") != 0
    running.becomes(StatusText="projects polled: 1", ActiveState="active", MainPID=before)
    assert "unknown key" in running.machine.journal(UNIT)
    running.polls(1)


def test_an_invalid_configuration_after_a_signal_is_shown_in_the_status(running: Service) -> None:
    running.configure(0, 1, pol={})
    running.machine.systemctl("kill", "--signal=HUP", UNIT)
    running.becomes(StatusText=UNUSABLE, ActiveState="active")
    running.polls(1)


def test_a_process_that_is_stopped_is_ended_by_the_watchdog_and_started_again(running: Service) -> None:
    assert "Watchdog timeout" in running.restarts_after(signal.SIGSTOP)
    running.polls(1)


def test_a_process_that_crashes_is_started_again(running: Service) -> None:
    running.restarts_after(signal.SIGKILL)
    running.polls(1)


def test_an_invalid_configuration_at_the_start_is_not_tried_again(running: Service) -> None:
    running.configure(0, pol={})
    running.call("restart")
    running.becomes(ActiveState="failed", ExecMainStatus="2", NRestarts="0")


def test_a_missing_configuration_is_waited_for(running: Service) -> None:
    file = running.machine.root / "etc/drs-exporter/config.yaml"
    file.unlink()
    running.call("restart")
    until(lambda: int(running.properties["NRestarts"]) > 1, lambda: running.machine.journal(UNIT))
    running.configure(0)
    running.polls(1)


def test_it_starts_without_secret_files_that_the_configuration_does_not_name(running: Service) -> None:
    secrets = running.machine.root / "etc/drs-exporter/secrets"
    hidden = secrets.rename(secrets.with_name("hidden"))
    try:
        running.configure(0, credentials=LITERAL)
        assert running.call("restart") == 0
        running.polls(1)
        running.configure(0)  # names them
        running.call("restart")
        until(lambda: "access_key' is empty" in running.machine.journal(UNIT), lambda: running.machine.journal(UNIT))
    finally:
        hidden.rename(secrets)
    running.polls(1)  # systemd has started it again


def test_a_stop_ends_it_at_once_and_is_no_failure(running: Service) -> None:
    running.polls(1)
    assert running.call("stop") == 0
    assert (running.properties["ActiveState"], running.properties["Result"]) == ("inactive", "success")
    assert "stopping" in running.machine.journal(UNIT)
