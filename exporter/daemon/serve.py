"""Polls and serves until a signal ends it; reloads the configuration on SIGHUP."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from functools import partial

import structlog
from starlette.types import ASGIApp

from exporter.config import Config, ConfigError
from exporter.daemon.exporter import Exporter
from exporter.metrics.self_metrics import BAD_REQUESTS, LOGINS_FAILED
from exporter.runtime.systemd import Systemd
from exporter.runtime.watchdog import Watchdog
from exporter.web.app import application, health_application
from exporter.web.auth import AccessControl
from exporter.web.bad_requests import KINDS, BadRequests
from exporter.web.prefix import Prefix
from exporter.web.server import Server
from exporter.web.settings import WebFile

_GC_THRESHOLDS = (700, 10, 1000)
"""The garbage collector seldom looks at all objects, for which it stops everything for 100 to 200 ms where there are
10,000 tasks: hardly any object is ever in a cycle."""
_HEALTH_CONNECTIONS = 50
"""The most connections to the health listener at the same time. Only supervisors connect to it."""
_log = structlog.get_logger()


async def follow(requested: asyncio.Event, reload: Callable[[], Awaitable[None]]) -> None:
    """Reload each time that the event is set. A `ConfigError` has been logged: the old configuration stays in use."""
    while True:
        await requested.wait()
        requested.clear()
        with contextlib.suppress(ConfigError):
            await reload()


async def serve(
    exporter: Exporter,
    load: Callable[[], Config] | None,
    sockets: Sequence[socket.socket],
    started: Callable[[], None],
    web: WebFile,
    *,
    prefix: Prefix,
    health: Sequence[socket.socket],
    lifecycle: bool,
) -> None:
    """Poll and serve until SIGTERM or SIGINT; a crash of either part raises an ExceptionGroup.

    The process then ends within seconds, see `Watchdog`. SIGHUP reloads the configuration through `load`; with
    `lifecycle` so does a POST. The sockets of `health` serve only /-/healthy and /-/ready, over plain HTTP.
    """
    gc.set_threshold(*_GC_THRESHOLDS)
    systemd = Systemd(os.environ)
    reload = partial(reload_reported, exporter, load, systemd)
    app = application(exporter, reload if lifecycle else None, prefix)
    servers = [(_server(exporter, app, web), sockets)]
    servers += [(_health_server(exporter), health)] if health else []
    stop, requested = asyncio.Event(), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, requested.set)
    watchdog = Watchdog()
    watchdog.on_signal(stop.set)
    try:
        async with exporter, asyncio.TaskGroup() as group:
            watching = [group.create_task(watchdog.watch()), group.create_task(systemd.watch(lambda: exporter.healthy))]
            polling = group.create_task(exporter.run())
            serving = [group.create_task(server.serve(list(bound))) for server, bound in servers]
            following = group.create_task(follow(requested, reload))
            started()
            systemd.ready(_status(exporter))
            await stop.wait()
            systemd.stopping()
            await _end(exporter, [*watching, following, polling], [server for server, _ in servers], serving)
    finally:
        watchdog.end()  # also where the end was a crash


async def reload_reported(exporter: Exporter, load: Callable[[], Config] | None, systemd: Systemd) -> None:
    """Reload the configuration, and report to systemd when that begins, ends, and whether it fails.

    A reload that the end of the process interrupts has neither succeeded nor failed.
    """
    systemd.reloading()
    try:
        await exporter.reload(load)
    except Exception:
        systemd.ready("cannot use the new configuration, see the log: the old one stays in use")
        raise
    systemd.ready(_status(exporter))


def _status(exporter: Exporter) -> str:
    return f"projects polled: {len(exporter.pollers)}"


async def _end(
    exporter: Exporter,
    tasks: Iterable[asyncio.Task[None]],
    servers: Iterable[Server],
    serving: Collection[asyncio.Task[None]],
) -> None:
    """End all tasks but those that serve, which first send the responses that have begun."""
    _log.info("stopping")
    async with exporter.reloading:  # no project is added or removed from now on
        for task in tasks:
            task.cancel()
        for server in servers:
            server.should_exit = True
        await asyncio.wait(serving)


def _health_server(exporter: Exporter) -> Server:
    return _server(exporter, health_application(exporter), WebFile(), _HEALTH_CONNECTIONS)


def _server(exporter: Exporter, app: ASGIApp, web: WebFile, connections: int | None = None) -> Server:
    telemetry = exporter.telemetry
    bad_requests = BadRequests({kind: telemetry.series(BAD_REQUESTS, kind).inc for kind in KINDS})
    access_control = AccessControl(app, web, telemetry.series(LOGINS_FAILED).inc)
    return Server(access_control, web, bad_requests, connections=connections)
