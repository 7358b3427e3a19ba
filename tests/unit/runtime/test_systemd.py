"""What systemd receives from the service through its notification socket."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from exporter.runtime.systemd import Systemd
from tests.lib.sockets import messages, supervisor
from tests.lib.virtual_time import simulated


@pytest.fixture
def address(tmp_path: Path) -> str:
    return str(tmp_path / "notify")


def test_states_are_reported_with_a_status(address: str) -> None:
    with supervisor(address) as received:
        systemd = Systemd({"NOTIFY_SOCKET": address})
        systemd.ready("projects polled: 2")
        systemd.reloading()
        systemd.stopping()
        ready, reloading, stopping = messages(received)
    assert ready.splitlines() == ["READY=1", "STATUS=projects polled: 2"]
    assert reloading.startswith("RELOADING=1\nMONOTONIC_USEC=")
    assert stopping.startswith("STOPPING=1\n")


def test_an_abstract_address_is_used(address: str) -> None:
    with supervisor("\0" + address) as received:
        Systemd({"NOTIFY_SOCKET": "@" + address}).stopping()
        assert len(messages(received)) == 1


def test_the_service_is_alive_three_times_within_the_timeout_while_it_is_healthy(address: str) -> None:
    healthy = True

    @simulated
    async def watch() -> None:
        nonlocal healthy
        watching = asyncio.create_task(
            Systemd({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "90000000"}).watch(lambda: healthy)
        )
        await asyncio.sleep(89)
        healthy = False
        await asyncio.sleep(500)
        watching.cancel()

    with supervisor(address) as received:
        watch()
        assert messages(received) == ["WATCHDOG=1"] * 3


def test_without_a_watchdog_nothing_is_reported(address: str) -> None:
    with supervisor(address) as received:
        simulated(Systemd({"NOTIFY_SOCKET": address}).watch)(lambda: True)
        assert messages(received) == []


def test_without_systemd_nothing_is_sent() -> None:
    Systemd({}).ready("projects polled: 1")


def test_a_supervisor_that_does_not_read_neither_blocks_nor_ends_the_service(address: str) -> None:
    systemd = Systemd({"NOTIFY_SOCKET": address})
    systemd.ready("there is no such socket")
    with supervisor(address) as received:
        for _ in range(1000):
            systemd.ready("projects polled: 1")
        assert 0 < len(messages(received)) < 1000
