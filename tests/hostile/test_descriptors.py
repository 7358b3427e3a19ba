"""Clients that use up all file descriptors stop no poll and fill no log; scrapes work again once they have closed."""

from __future__ import annotations

import contextlib
import signal
import socket
from collections.abc import Callable

from tests.e2e.programs import COMMAND, Exporter, until
from tests.hostile.clouds import HostileCloud

LIMIT = 40


def test_idle_clients_do_not_stop_the_polls(start: Callable[..., Exporter], cloud: HostileCloud) -> None:
    exporter = start(config=cloud.config(), command=("sh", "-c", f'ulimit -n {LIMIT}; exec "$0" "$@"', COMMAND)).ready()
    host, port = exporter.url.removeprefix("http://").split(":")
    before = len(exporter.stderr.splitlines())
    with contextlib.ExitStack() as stack:
        for _ in range(2 * LIMIT):
            stack.enter_context(socket.create_connection((host, int(port)), timeout=5))
        calls = len(cloud.simulated.calls)
        until(lambda: len(cloud.simulated.calls) > calls + 12, lambda: "polls go on")
        assert {call.status for call in list(cloud.simulated.calls)[calls:]} <= {200, 202}
    until(lambda: exporter.get().status_code == 200, lambda: "scrapes work")
    lines = exporter.stderr.splitlines()[before:]
    assert len(lines) <= 4, lines
    exporter.ends_on(signal.SIGTERM)
