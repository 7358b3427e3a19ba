"""Poll and serve a simulated cloud: needs no account and no file; Ctrl-C ends it.

Examples:
  drs-exporter demo
  drs-exporter demo --web.listen-address=127.0.0.1:0     takes a free port
"""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime
from typing import Any

import httpx

from exporter.commands.options import Parser, add_log
from exporter.commands.outcome import Outcome
from exporter.commands.run import add_web, run_daemon
from exporter.config import Config, from_mapping
from exporter.simulator import DEMO_ACCESS_KEY, DEMO_PROJECTS, DEMO_SECRET_KEY, demo_cloud

_SPEED = 60.0
"""A minute of a task's life passes in a second."""
_WAVE_TASKS = (
    "orders-to-rds",
    "(analytics|invoices)-taurus",
    "erp-.*",
    ".*-mongodb",
    "(webshop|tickets)-mysql",
    "partner-feed",
)
_WAVE_SIZE, _WAVE_SECONDS = 9, 12 * 3600.0


def add_options(parser: Parser) -> None:
    add_web(parser)
    add_log(parser)


def run(options: argparse.Namespace) -> Outcome:
    config, transport = simulated()
    return run_daemon(options, config, None, transport)


def simulated() -> tuple[Config, httpx.AsyncBaseTransport]:
    """Return a configuration of all projects of the simulated cloud, and the transport to it.

    Polls are frequent, since time passes quickly there.
    """
    projects = [
        # Each has an endpoint, since one account has regions of two clouds.
        {"region": region, "name": name, "project_id": project_id, "endpoint": f"https://drs.{region}.example.com"}
        for region, name, project_id in DEMO_PROJECTS
    ]
    credentials = {"type": "ak_sk", "access_key": DEMO_ACCESS_KEY, "secret_key": DEMO_SECRET_KEY}
    config = from_mapping(
        {
            "accounts": [{"name": "demo", "cloud": "huaweicloud", "credentials": credentials, "projects": projects}],
            "poll": {"interval": "5s", "rate_limit": 50, "burst": 50},
            "collectors": {
                **{name: {"interval": "10s"} for name in ("node", "objects")},
                **{name: {"interval": "15s"} for name in ("comparison", "detail", "precheck", "async_jobs")},
                "logs": {"enabled": True, "interval": "15s"},
            },
            "tasks": {"tag_labels": ["team"]},
            "cutover": {"max_age": "15s", "stable_for": "10s"},
            "waves": [_wave(time.time())],
        }
    )
    return config, httpx.ASGITransport(app=demo_cloud(speed=_SPEED))


def _wave(now: float) -> dict[str, Any]:
    """Return a wave of some tasks of both regions, which runs from now on."""
    begin, end = (datetime.fromtimestamp(at, UTC).isoformat() for at in (now, now + _WAVE_SECONDS))
    return {
        "name": "weekend-1",
        "include": [{"name": name} for name in _WAVE_TASKS],
        "expected": _WAVE_SIZE,
        "from": begin,
        "until": end,
        "cutover": {"max_delay": "3s"},
    }
