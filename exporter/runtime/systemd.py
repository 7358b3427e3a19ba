"""Notifies systemd, the supervisor of a unit with `Type=notify`, about the state of the service; see sd_notify(3)."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable, Mapping

_PER_TIMEOUT = 3
"""How many times the service reports that it is alive within systemd's timeout."""


class Systemd:
    """The notification socket of systemd. Without one, as in a container or a terminal, nothing is sent.

    Args:
        environment: variables of the process, among them those of systemd.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._timeout = int(environment.get("WATCHDOG_USEC") or 0) / 1e6

    def ready(self, status: str) -> None:
        """Report the end of a start or reload, and a status for `systemctl status`."""
        self._send(f"READY=1\nSTATUS={status}")

    def reloading(self) -> None:
        """Report the start of a reload, of which `ready` is the end."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}\nSTATUS=reloads the configuration")

    def stopping(self) -> None:
        """Report that the service ends by itself, or by a signal."""
        self._send("STOPPING=1\nSTATUS=stops")

    async def watch(self, healthy: Callable[[], bool]) -> None:
        """Report that the service is alive while it is healthy, if the unit has `WatchdogSec=`. Never ends then."""
        while self._timeout:
            if healthy():
                self._send("WATCHDOG=1")
            await asyncio.sleep(self._timeout / _PER_TIMEOUT)

    def _send(self, message: str) -> None:
        if not self._address:
            return
        # A supervisor that does not read must never block or end the service.
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notifications:
            notifications.settimeout(0)
            notifications.sendto(message.encode(), self._address)
