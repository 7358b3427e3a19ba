"""A migration from its full load to its cut-over: dashboard, page, `explain` and alerts show the same state."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from exporter.simulator import DEMO_ACCESS_KEY, DEMO_PROJECTS, DEMO_SECRET_KEY, SimTask, SimulatedCloud, World
from tests.deploy.test_alertmanager import CONFIG, Alertmanager
from tests.e2e.programs import COMMAND, LISTEN, Exporter, account, configuration, get, run
from tests.e2e.prometheus import Prometheus
from tests.lib.dashboards import dashboard_expressions
from tests.lib.paths import DEPLOY
from tests.lib.rules import load
from tests.lib.serving import served
from tests.lib.tools import needs

PANELS = dict(dashboard_expressions(DEPLOY / "grafana" / "task.json")[:4])
"""The first four queries of the dashboard of a task, by panel."""


class Hook:
    """A web hook. `firing` and `annotations` contain those of each alert in its last notification, by name."""

    def __init__(self) -> None:
        self.firing: dict[str, bool] = {}
        self.annotations: dict[str, dict[str, str]] = {}
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                alerts = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["alerts"]
                hook.annotations |= {alert["labels"]["alertname"]: alert["annotations"] for alert in alerts}
                hook.firing |= {alert["labels"]["alertname"]: alert["status"] == "firing" for alert in alerts}
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"

    def configuration(self, folder: Path) -> Path:
        """Write the shipped example with this hook as every receiver and no waits, and return its path."""
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
        programs: ends the programs, also those started before a failure of this constructor.
        folder: for their files.
        url: of the cloud.
        task: the only task of the cloud.
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
        self.prometheus = programs.enter_context(Prometheus(folder / "prometheus", target, alertmanager=receiver))
        self.prometheus.until(self.prometheus.ready, "Prometheus is ready")

    def shows(self, status: str, phase: str, *firing: str) -> None:
        """Wait until all programs show the status, only these alerts are active, and the hook has received them."""
        prometheus = self.prometheus
        prometheus.until(lambda: prometheus.labels(PANELS["Phase"], "phase") == {phase}, phase)
        prometheus.until(lambda: prometheus.labels(PANELS["Status"], "status") == {status}, status)
        prometheus.until(lambda: self.active() == set(firing), self.alerts)
        prometheus.until(lambda: all(self.hook.firing.get(name) for name in firing), self.alerts)
        for name in firing:
            self.links_lead_to_pages_about_the_task(name)
        assert re.search(rf"orders(?:(?!</tr>).)*\b{phase}\b", self.exporter.get("/").text, re.DOTALL)
        explained = run(COMMAND, "explain", "orders", self.option)
        assert re.search(rf"\b{status}\b", explained.stdout), explained.stdout + explained.stderr

    def links_lead_to_pages_about_the_task(self, name: str) -> None:
        """Follow the links of a notification to the exporter, which has another port than the shipped rules."""
        for link in ("runbook_url", "exporter_url"):
            path = self.hook.annotations[name][link].removeprefix("http://localhost:10826")
            page = self.exporter.get(path)
            assert page.status_code == 200
            assert self.task.id in page.text
            assert (f"<h1>{name}</h1>" in page.text) == (link == "runbook_url")

    def active(self) -> set[str]:
        """The alerts that fire and are not inhibited."""
        alerts = get(f"{self.alertmanager.url}/api/v2/alerts", params={"active": "true", "inhibited": "false"}).json()
        return {alert["labels"]["alertname"] for alert in alerts}

    def alerts(self) -> str:
        """The active alerts, and those of the last notifications."""
        return f"{self.active()} {self.hook.firing}"


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    region, _, project_id = DEMO_PROJECTS[0]
    task = SimTask(name="orders", scenario="migration", born=time.time() - 7200, progress=40.0)
    task.pin("FULL_TRANSFER_STARTED")
    world = World(project_id=project_id, region=region, tasks=[task])
    cloud = SimulatedCloud(worlds=[world], keys={DEMO_ACCESS_KEY: DEMO_SECRET_KEY}, now=time.time)
    with served(cloud) as url, listening(Hook()) as hook, ExitStack() as programs:
        yield Scene(programs, tmp_path, url, task, hook)


@needs("prometheus", "prometheus-alertmanager")
def test_all_programs_show_the_same_state_of_a_migration_and_its_alerts_arrive(scene: Scene) -> None:
    task, prometheus = scene.task, scene.prometheus
    scene.shows("FULL_TRANSFER_STARTED", "full")

    task.progress, task.delay = None, 1.0
    task.pin("INCRE_TRANSFER_STARTED")
    scene.shows("INCRE_TRANSFER_STARTED", "incremental")

    task.delay = 900.0
    prometheus.until(lambda: prometheus.query("drs_task_incremental_delay_seconds == 900"), "900")
    scene.shows("INCRE_TRANSFER_STARTED", "incremental", "DrsTaskDelayHigh")
    assert "delay_high" in scene.exporter.get().text

    task.pin("INCRE_TRANSFER_FAILED")
    scene.shows("INCRE_TRANSFER_FAILED", "failed", "DrsTaskFailed")

    task.delay = 1.0
    task.pin("INCRE_TRANSFER_STARTED")
    scene.shows("INCRE_TRANSFER_STARTED", "incremental")
    prometheus.until(lambda: scene.hook.firing["DrsTaskFailed"] is False, scene.alerts)
    prometheus.until(lambda: prometheus.query("drs_task_cutover_ready == 1"), "it is ready")
    assert "cut-over: ready\n" in run(COMMAND, "explain", "orders", scene.option).stdout
