"""A migration from its full load to its cut-over: dashboard, page, `explain` and alerts tell the same story."""

from __future__ import annotations

import json
import re
import threading
import time
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
import uvicorn
import yaml

from exporter.simulator import DEMO_ACCESS_KEY, DEMO_PROJECTS, DEMO_SECRET_KEY, SimTask, SimulatedCloud, World
from tests.deploy.test_alertmanager import CONFIG, Alertmanager
from tests.e2e.programs import COMMAND, LISTEN, Exporter, account, configuration, get, run
from tests.e2e.test_prometheus import Prometheus
from tests.lib.dashboards import dashboard_expressions
from tests.lib.paths import DEPLOY
from tests.lib.rules import load
from tests.lib.serving import in_a_thread
from tests.lib.tools import needs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PANELS = dict(dashboard_expressions(DEPLOY / "grafana" / "task.json")[:4])
"""The first queries of the dashboard of a task; where a panel has more than one, the last."""


class Hook:
    """A web hook, and the alerts that it was last told of: whether they fire, by name."""

    def __init__(self) -> None:
        self.firing: dict[str, bool] = {}
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                hook.firing |= {alert["labels"]["alertname"]: alert["status"] == "firing" for alert in told["alerts"]}
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"

    def configuration(self, folder: Path) -> Path:
        """Our example, with every receiver here and at once."""
        config = load(CONFIG)
        for receiver in config["receivers"]:
            receiver["webhook_configs"] = [{"url": self.url}]
        for route in (config["route"], *config["route"]["routes"]):
            route |= {"group_wait": "1s", "group_interval": "1s"}
        file = folder / "alertmanager.yml"
        file.write_text(yaml.safe_dump(config))
        return file


@contextmanager
def listening(hook: Hook) -> Iterator[Hook]:
    thread = threading.Thread(target=hook.server.serve_forever)
    thread.start()
    try:
        yield hook
    finally:
        hook.server.shutdown()
        thread.join()
        hook.server.server_close()


class Scene:
    """One task of a cloud, and every program that shows it.

    Args:
        programs: ends the programs, even those started before a failure of this constructor.
        folder: for their files.
        url: of the cloud.
        task: the only one of the cloud.
        hook: receives the notifications.
    """

    def __init__(self, programs: ExitStack, folder: Path, url: str, task: SimTask, hook: Hook) -> None:
        self.task = task
        self.hook = hook
        self.option = configuration(folder / "config.yaml", account("prod", url, 0))
        self.exporter = programs.enter_context(Exporter(self.option, LISTEN, folder=folder / "exporter"))
        self.alertmanager = programs.enter_context(Alertmanager(folder / "alertmanager", hook.configuration(folder)))
        target = self.exporter.ready().url.removeprefix("http://")
        self.alertmanager.until(self.alertmanager.ready, "Alertmanager is ready")
        (folder / "prometheus").mkdir()
        receiver = self.alertmanager.url.removeprefix("http://")
        self.prometheus = programs.enter_context(Prometheus(folder / "prometheus", target, receiver))
        self.prometheus.until(self.prometheus.ready, "Prometheus is ready")

    def tells(self, status: str, phase: str, *firing: str) -> None:
        """Wait until all of them tell of the status, these alerts are active and no others, and the web hook heard."""
        ask = self.prometheus
        ask.until(lambda: {series["metric"]["phase"] for series in ask.query(PANELS["Phase"])} == {phase}, phase)
        ask.until(lambda: {series["metric"]["status"] for series in ask.query(PANELS["Status"])} == {status}, status)
        ask.until(lambda: self.active() == set(firing), self.heard)
        ask.until(lambda: all(self.hook.firing.get(name) for name in firing), self.heard)
        row = rf"orders(?:(?!</tr>).)*\b{phase}\b"
        assert re.search(row, get(self.exporter.url + "/").text, re.DOTALL)
        explained = run(COMMAND, "explain", "orders", self.option)
        assert re.search(rf"\b{status}\b", explained.stdout), explained.stdout + explained.stderr

    def active(self) -> set[str]:
        """The alerts that fire, and that no other hides."""
        alerts = get(f"{self.alertmanager.url}/api/v2/alerts", active="true", inhibited="false").json()
        return {alert["labels"]["alertname"] for alert in alerts}

    def heard(self) -> str:
        """What is active, and what the web hook was told."""
        return f"{self.active()} {self.hook.firing}"


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    region, _, project_id = DEMO_PROJECTS[0]
    task = SimTask(name="orders", scenario="migration", born=time.time() - 7200, progress=40.0)
    task.pin("FULL_TRANSFER_STARTED")
    world = World(project_id=project_id, region=region, tasks=[task])
    cloud = SimulatedCloud(worlds=[world], keys={DEMO_ACCESS_KEY: DEMO_SECRET_KEY}, now=time.time)
    server = uvicorn.Server(uvicorn.Config(cloud, port=0, log_level="critical"))
    with in_a_thread(server) as url, listening(Hook()) as hook, ExitStack() as programs:
        yield Scene(programs, tmp_path, url, task, hook)


@needs("prometheus", "prometheus-alertmanager")
def test_a_migration_is_told_alike_by_all_and_alerts_arrive(scene: Scene) -> None:
    task, ask = scene.task, scene.prometheus
    scene.tells("FULL_TRANSFER_STARTED", "full")

    task.progress, task.delay = None, 1.0
    task.pin("INCRE_TRANSFER_STARTED")
    scene.tells("INCRE_TRANSFER_STARTED", "incremental")

    task.delay = 900.0
    ask.until(
        lambda: any(float(sample["value"][1]) == 900 for sample in ask.query("drs_task_incremental_delay_seconds")),
        "900",
    )
    scene.tells("INCRE_TRANSFER_STARTED", "incremental", "DrsTaskDelayHigh")
    assert "delay_high" in get(scene.exporter.url + "/metrics").text

    task.pin("INCRE_TRANSFER_FAILED")
    scene.tells("INCRE_TRANSFER_FAILED", "failed", "DrsTaskFailed")

    task.delay = 1.0
    task.pin("INCRE_TRANSFER_STARTED")
    scene.tells("INCRE_TRANSFER_STARTED", "incremental")
    ask.until(lambda: scene.hook.firing["DrsTaskFailed"] is False, scene.heard)
    ask.until(lambda: ask.query("drs_task_cutover_ready == 1"), "it is ready")
    assert "cut-over: nothing known blocks" in run(COMMAND, "explain", "orders", scene.option).stdout
