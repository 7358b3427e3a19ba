"""The demo: the daemon's configuration for the simulated cloud, which runs in the same process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from exporter.config.load import from_mapping
from exporter.simulator import DEMO_ACCESS_KEY, DEMO_PROJECTS, DEMO_SECRET_KEY, demo_cloud

if TYPE_CHECKING:
    from exporter.config.load import Config

_SPEED = 60.0
"""A minute of a task's life passes in a second."""


def demo() -> tuple[Config, httpx.AsyncBaseTransport]:
    """A configuration for all its projects, and the way to it. Polls are quick, since life is."""
    config = from_mapping(
        {
            "accounts": [
                {
                    "name": "demo",
                    "cloud": "huaweicloud",
                    "credentials": {
                        "type": "ak_sk",
                        "access_key": DEMO_ACCESS_KEY,
                        "secret_key": DEMO_SECRET_KEY,
                    },
                    "projects": [
                        {"region": region, "name": name, "project_id": project_id}
                        for region, name, project_id in DEMO_PROJECTS
                    ],
                }
            ],
            "poll": {"interval": "5s", "rate_limit": 50, "burst": 50},
            "collectors": {
                **{name: {"interval": "10s"} for name in ("node", "objects")},
                **{name: {"interval": "15s"} for name in ("comparison", "detail", "precheck", "async_jobs")},
                "logs": {"enabled": True, "interval": "15s"},
            },
            "tasks": {"tag_labels": ["team"]},
        }
    )
    return config, httpx.ASGITransport(app=demo_cloud(speed=_SPEED))
