"""Two shards of an exporter, with a cloud in which the demo's rarer states last."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from exporter.commands.main import main
from exporter.model import prediction, timeline
from exporter.simulator import (
    DEMO_DOMAIN,
    DEMO_PASSWORD,
    DEMO_PROJECTS,
    DEMO_USER,
    Fault,
    SimTask,
    SimulatedCloud,
    World,
)
from tests.e2e.programs import LISTEN, Exporter, configuration
from tests.lib.certificates import Authority
from tests.lib.imports import imports
from tests.lib.serving import served
from tests.lib.tunnels import tunnelling

HOUR = 3600.0
SHARDS = 2
QUICK = f"""
import sys
{imports(main, prediction, timeline)}
prediction._LEAST_SECONDS = 5.0
timeline._JITTER_SECONDS = 59.0
sys.exit(main())
"""
"""The exporter with a history in steps of a second instead of a minute, and predictions after 5 s instead of 5 min."""
REFUSED: dict[str, Any] = {"error_code": "DRS.M00004", "error_msg": "Failed."}


class Troubles:
    """The cloud, which the exporters reach at its own host names: through a proxy, with HTTPS and a CA of the test.

    In the first project, a task is loaded, one loads, and one has an operation in progress. In the second one, the
    details of all tasks are refused, and so is the progress of one.

    Args:
        programs: ends the programs.
        folder: for their files.
        authority: issues the certificate of the cloud.
    """

    def __init__(self, programs: ExitStack, folder: Path, authority: Authority) -> None:
        self.fails = _replicating("sessions", engine="redis-to-gaussredis")  # listed by v5, which has the auto-stop
        worlds = [
            World(project_id=project_id, region=region, tasks=tasks, published=published)
            for (region, _, project_id), tasks, published in zip(
                DEMO_PROJECTS,
                ([self.fails, *_first_project()], _second_project()),
                ({"v3", "v5"}, {"v3"}),
                strict=True,
            )
        ]
        cloud = SimulatedCloud(worlds=worlds, keys={}, now=time.time)
        cloud.faults.append(Fault(match=f"{DEMO_PROJECTS[1][2]}/jobs/batch-detail", status=403, body=REFUSED))
        names = ",".join(f"DNS:*.{region}.myhuaweicloud.com" for region, *_ in DEMO_PROJECTS)
        pair = authority.issue("cloud", names)
        url = programs.enter_context(served(cloud, ssl_certfile=pair.cert, ssl_keyfile=pair.key))
        proxy = programs.enter_context(tunnelling(urlsplit(url).port or 0))
        self.exporters = [
            programs.enter_context(_shard(number, folder / f"shard{number}", proxy, authority))
            for number in range(SHARDS)
        ]

    def begin(self) -> None:
        """Let a task fail that the exporters have observed before."""
        for exporter in self.exporters:
            exporter.ready()
        self.fails.pin("INCRE_TRANSFER_FAILED")


def _replicating(name: str, **facts: Any) -> SimTask:
    return SimTask(name=name, born=time.time() - 2 * HOUR, **facts)


def _first_project() -> list[SimTask]:
    loaded = _replicating("catalog", mode="FULL_TRANS")
    loaded.pin("FULL_TRANSFER_COMPLETE")
    loads = SimTask(name="archive", born=time.time(), script=(("FULL_TRANSFER_STARTED", 300.0),))
    return [loaded, loads, _replicating("ledger", action="RESET_DB_PWD")]


def _second_project() -> list[SimTask]:
    refused = {"v3_progress": {**REFUSED, "transfer_status": None}}
    return [_replicating("tickets"), _replicating("invoices", overrides=refused)]


def _shard(number: int, folder: Path, proxy: str, authority: Authority) -> Exporter:
    folder.mkdir()
    account = {
        "name": "prod",
        "cloud": "huaweicloud",
        "credentials": {"type": "password", "domain": DEMO_DOMAIN, "user": DEMO_USER, "password": DEMO_PASSWORD},
        "projects": [{"region": region, "name": name, "project_id": key} for region, name, key in DEMO_PROJECTS],
        "proxy": proxy,
        "ca_file": str(authority.cert),
    }
    option = configuration(
        folder / "config.yaml",
        account,
        collectors={"detail": {"interval": "1s"}},
        storage={"path": str(folder / "storage")},
    )
    shard = f"--shard={number}/{SHARDS}"
    return Exporter(option, LISTEN, shard, folder=folder, command=(sys.executable, "-c", QUICK))


@contextmanager
def troubled(folder: Path, authority: Authority) -> Iterator[Troubles]:
    """The cloud and its exporters."""
    with ExitStack() as programs:
        yield Troubles(programs, folder, authority)
