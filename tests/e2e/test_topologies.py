"""Alerts of several exporters under a real Prometheus and Alertmanager: a pair of replicas, and three shards.

A second is a minute of the shipped rules. The pair is scraped every 30 seconds of them, the shards every 2 minutes.
"""

from __future__ import annotations

import json
import re
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from exporter.simulator import DEMO_ACCESS_KEY, DEMO_PROJECTS, DEMO_SECRET_KEY, SimTask, SimulatedCloud, World
from tests.deploy.test_alertmanager import Alertmanager
from tests.e2e.programs import Exporter, WebProgram, account, configuration, free_port, get
from tests.e2e.prometheus import Prometheus
from tests.e2e.test_alerting import Hook, listening
from tests.lib.paths import DEPLOY
from tests.lib.rules import RULE_FILES, load
from tests.lib.serving import served
from tests.lib.tools import needs, tool
from tests.lib.topologies import seconds

pytestmark = needs("prometheus", "prometheus-alertmanager")

SPEED = 60
OTHER_KEY = "KEYOFTHEOTHERREPLICA"
TASKS = 4
"""Of each project; the shards of the second one have some each."""


def scaled(duration: str) -> str:
    """A duration of the rules, in the time of the test."""
    return f"{1000 * seconds(duration) // SPEED}ms"


def scaled_rules(path: Path) -> Any:
    """A rule file whose windows, offsets and waits are scaled."""
    groups = load(path)["groups"]
    for group in groups:
        group["interval"] = "1s"
        for rule in group["rules"]:
            rule["expr"] = re.sub(r"(?<=\[)\d+[smhd](?=\])|(?<=offset )\d+[smhd]", lambda m: scaled(m[0]), rule["expr"])
            rule |= {key: scaled(rule[key]) for key in ("for", "keep_firing_for") if key in rule}
    return {"groups": groups}


class ScaledPrometheus(Prometheus):
    """Prometheus with scaled rules. It can be started again in the same folder, with the same address.

    Args:
        folder: for its files; the exporters are in `targets.json`.
        url: its address.
        alertmanager: the address of Alertmanager.
    """

    def __init__(self, folder: Path, url: str, alertmanager: str) -> None:
        config = load(DEPLOY / "prometheus" / "prometheus.yml")
        config["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
        config["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": [_address(alertmanager)]}]}]}
        config["scrape_configs"] = [
            {"job_name": "exporters", "honor_labels": True, "file_sd_configs": [{"files": ["targets.json"]}]}
        ]
        for path in RULE_FILES:
            (folder / path.name).write_text(yaml.dump(scaled_rules(path), Dumper=yaml.CSafeDumper))
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
        command = [
            tool("prometheus"),
            "--config.file=prometheus.yml",
            "--storage.tsdb.path=data",
            f"--query.lookback-delta={scaled('5m')}",
            f"--rules.alert.for-grace-period={scaled('10m')}",
            "--log.level=warn",
        ]
        WebProgram.__init__(self, command, folder, url)


def _address(url: str) -> str:
    return url.removeprefix("http://")


class Scene:
    """A pair of replicas, three shards, and the programs that watch them.

    Args:
        programs: ends the programs.
        folder: for their files.
        url: of the cloud.
        hook: receives the notifications.
    """

    def __init__(self, programs: ExitStack, folder: Path, url: str, hook: Hook) -> None:
        self.programs, self.folder, self.hook = programs, folder, hook
        self.targets: dict[str, dict[str, str]] = {}
        self.exporters: dict[str, Exporter] = {}
        self.urls: dict[str, str] = {}
        self.options = {}
        for name, project, key in (("a", 0, DEMO_ACCESS_KEY), ("b", 0, OTHER_KEY), ("s", 1, DEMO_ACCESS_KEY)):
            chosen = account("prod" if name != "s" else "lab", url, project)
            chosen["credentials"]["access_key"] = key
            self.options[name] = configuration(folder / f"{name}.yaml", chosen, collectors={})
        for name in "ab":
            self.start(name)
            self.target(name, "30s", job=f"drs-{name}", replica=name, host=f"host-{name}")
        for number in range(3):
            self.start(f"s{number}", f"--shard={number}/3")
            self.target(f"s{number}", "2m", job="drs-shards", pod=f"drs-{number}")
        for exporter in self.exporters.values():
            exporter.ready()
        self.alertmanager = programs.enter_context(Alertmanager(folder / "alertmanager", hook.configuration(folder)))
        self.alertmanager.until(self.alertmanager.ready, "Alertmanager is ready")
        self.url = f"http://127.0.0.1:{free_port()}"
        self.start_prometheus()

    def start(self, name: str, *options: str) -> None:
        """Start an exporter, again at the address that it had."""
        url = self.urls.setdefault(name, f"http://127.0.0.1:{free_port()}")
        arguments = (self.options[name[0]], f"--web.listen-address={_address(url)}", *options)
        started = Exporter(*arguments, folder=self.folder / f"{name} {time.monotonic_ns()}")
        self.exporters[name] = self.programs.enter_context(started)

    def target(self, name: str, interval: str, **labels: str) -> None:
        """Make an exporter a target of Prometheus, with labels of the target."""
        every = {"__scrape_interval__": scaled(interval), "__scrape_timeout__": scaled(interval)}
        self.targets[name] = {**labels, **every}
        self.write_targets()

    def remove(self, name: str) -> None:
        """Remove a target, and end its exporter."""
        del self.targets[name]
        self.write_targets()
        self.exporters[name].ends_on(signal.SIGTERM)

    def write_targets(self) -> None:
        """Write the targets; Prometheus notices a new file."""
        groups = [{"targets": [_address(self.urls[name])], "labels": labels} for name, labels in self.targets.items()]
        file = self.folder / "prometheus" / "targets.json"
        file.parent.mkdir(exist_ok=True)
        (new := file.with_suffix(".new")).write_text(json.dumps(groups))
        new.rename(file)

    def start_prometheus(self) -> None:
        """Start Prometheus, or start it again."""
        started = ScaledPrometheus(self.folder / "prometheus", self.url, self.alertmanager.url)
        self.prometheus = self.programs.enter_context(started)
        self.prometheus.until(self.prometheus.ready, "Prometheus is ready")

    def change_shards(self) -> None:
        """Replace the three shards by two, one by one."""
        for number in range(2):
            self.start(f"s{number} of 2", f"--shard={number}/2")
            self.exporters[f"s{number} of 2"].ready()
        for number in range(3):
            if number < 2:
                self.target(f"s{number} of 2", "2m", job="drs-shards", pod=f"new-{number}")
            self.remove(f"s{number}")

    def active(self) -> set[tuple[str, str]]:
        """The name and the subject of each alert that is sent: an exporter, a number of shards, or a task."""
        alerts = get(f"{self.alertmanager.url}/api/v2/alerts", params={"active": "true", "inhibited": "false"}).json()
        names = {_address(url): name for name, url in self.urls.items()}
        found = [alert["labels"] for alert in alerts]
        subjects = [
            names.get(each.get("instance", "")) or each.get("shards") or each.get("task_name") for each in found
        ]
        pairs = [(each["alertname"], subject or "") for each, subject in zip(found, subjects, strict=True)]
        assert len(set(pairs)) == len(pairs), f"sent twice: {sorted(pairs)}"
        return set(pairs)

    def sends(self, *alerts: tuple[str, str]) -> None:
        """Wait until these alerts are sent, and no others."""
        self.prometheus.until(lambda: self.active() == set(alerts), lambda: sorted(self.active()))
        self.sends_also(*alerts)

    def sends_also(self, *alerts: tuple[str, str]) -> None:
        """Wait until these alerts are sent, and the hook has received them."""
        self.prometheus.until(lambda: self.active() >= set(alerts), lambda: sorted(self.active()))
        self.prometheus.until(lambda: all(self.hook.firing.get(name) for name, _ in alerts), lambda: self.hook.firing)

    def until(self, expression: str) -> None:
        """Wait until a query has a result."""
        self.prometheus.until(lambda: self.prometheus.query(expression), expression)

    def firing(self) -> set[str]:
        """The names of the alerts that fire in the Prometheus that runs now."""
        alerts = self.prometheus.request("alerts")["alerts"]
        return {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"}

    def fired_since_restart(self, firing: set[str]) -> set[str]:
        """Start Prometheus again, wait until these alerts fire and no others, and return those that have fired."""
        self.prometheus.ends_on(signal.SIGTERM)
        restarted = time.time()
        self.start_prometheus()
        self.prometheus.until(lambda: self.firing() == firing, self.firing)
        return self.fired(restarted)

    def fired(self, since: float) -> set[str]:
        """The names of the alerts that have fired since a time, but for those of tasks."""
        window = f"{1000 * (time.time() - since):.0f}ms"
        return self.prometheus.labels(f'max_over_time(ALERTS{{alertstate="firing",task_id=""}}[{window}])', "alertname")


@pytest.fixture
def cloud() -> SimulatedCloud:
    worlds = []
    for region, name, project_id in DEMO_PROJECTS:
        tasks = [SimTask(name=f"{name}-{n}", scenario="migration", born=time.time() - 7200) for n in range(TASKS)]
        for task in tasks:
            task.delay = 1.0
            task.pin("INCRE_TRANSFER_STARTED")
        worlds.append(World(project_id=project_id, region=region, tasks=tasks))
    keys = {DEMO_ACCESS_KEY: DEMO_SECRET_KEY, OTHER_KEY: DEMO_SECRET_KEY}
    return SimulatedCloud(worlds=worlds, keys=keys, now=time.time)


@pytest.fixture
def scene(cloud: SimulatedCloud, tmp_path: Path) -> Iterator[Scene]:
    with served(cloud) as url, listening(Hook()) as hook, ExitStack() as programs:
        yield Scene(programs, tmp_path, url, hook)


def test_alerts_of_replicas_and_shards_name_the_one_cause(scene: Scene, cloud: SimulatedCloud) -> None:
    complete = "count(drs:exporter_project == 1) == 5 and on () count(drs:project_up == 1) == 2"
    scene.until(complete)
    began = time.time()

    # A blind replica is a warning, and hides nothing that the other one reads.
    scene.exporters["s1"].kill()
    del cloud.keys[OTHER_KEY]
    failed = cloud.worlds[0].tasks[0]
    failed.pin("INCRE_TRANSFER_FAILED")
    scene.sends_also(("DrsReplicaBlind", "b"), ("DrsTaskFailed", failed.name))
    failed.pin("INCRE_TRANSFER_STARTED")

    # It dies. The shard that vanished is one alert.
    scene.exporters["b"].kill()
    scene.sends(("DrsReplicaDown", "b"), ("DrsShardMissing", "3"))
    assert scene.fired(began) == {"DrsReplicaBlind", "DrsReplicaDown", "DrsShardMissing"}

    # A restart of Prometheus ends no alert and raises no other.
    still = {"DrsReplicaDown", "DrsShardMissing"}
    assert scene.fired_since_restart(still) == still
    assert all(scene.hook.firing[name] for name in still)

    # Both come back.
    cloud.keys[OTHER_KEY] = DEMO_SECRET_KEY
    scene.start("b")
    scene.start("s1", "--shard=1/3")
    scene.sends()
    scene.until(complete)

    # The number of shards changes from 3 to 2, one by one.
    changed = time.time()
    scene.change_shards()
    scene.until('count_over_time(drs:project_shards_complete{shards="2"}[10s]) >= 7')
    assert scene.fired(changed) == set()

    # The whole pair is down.
    for name in "ab":
        scene.exporters[name].kill()
    scene.sends(("DrsExporterDown", "a"), ("DrsExporterDown", "b"))
