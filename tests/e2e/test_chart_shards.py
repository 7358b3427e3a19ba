"""Real processes with the arguments and the configuration that the Helm chart renders for shards."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from exporter.simulator import DEMO_ACCESS_KEY, DEMO_SECRET_KEY
from tests.e2e.programs import Exporter, Simulator, account, get, run
from tests.lib.chart import AssembledChart, ci_values, container
from tests.lib.tools import needs

pytestmark = needs("make")

SHARDS = 3
KEYS = {"DEMO_AK": DEMO_ACCESS_KEY, "DEMO_SK": DEMO_SECRET_KEY}
LOCAL = {":10826": "127.0.0.1:0", ":10827": "127.0.0.1:0"}
TIMES = re.compile(r"drs_task_collected_timestamp_seconds\{")
"""Lines whose value is when a process polled."""


@pytest.fixture(scope="module")
def chart(tmp_path_factory: pytest.TempPathFactory) -> AssembledChart:
    return AssembledChart(tmp_path_factory.mktemp("chart") / "drs-exporter")


@pytest.fixture(scope="module")
def still_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a simulated cloud in which a second takes a day, so that all processes see the same."""
    with Simulator(tmp_path_factory.mktemp("cloud"), speed=1e-5) as simulator:
        yield simulator.url


def processes(chart: AssembledChart, shards: int, url: str, folder: Path) -> list[Exporter]:
    """Start a process for each shard, as a pod would, but on free ports of this machine."""
    demo: Any = account("demo", url, 0, 1)
    demo["credentials"] |= {"access_key": {"env": "DEMO_AK"}, "secret_key": {"env": "DEMO_SK"}}
    config = {"accounts": [demo], "poll": {"interval": "1s", "rate_limit": 1000, "burst": 1000}}
    release = chart.render({"image": {"repository": "drs-exporter"}, "config": config, "shards": shards})
    folder.mkdir()
    (file := folder / "config.yaml").write_text(release.one("ConfigMap")["data"]["config.yaml"])
    return [
        Exporter(*options_of(workload, file), folder=folder / str(number), env=KEYS)
        for number, workload in enumerate(release.workloads)
    ]


def options_of(workload: Any, config: Path) -> Iterator[str]:
    """The arguments of a container, with files and addresses of this machine."""
    for option in container(workload)["args"]:
        name, equals, value = option.partition("=")
        yield name + equals + LOCAL.get(value, str(config) if name == "--config.file" else value)


def series(exporters: Sequence[Exporter]) -> list[str]:
    """All lines about tasks and projects, without those that each shard has for its own calls."""
    lines = [line for exporter in exporters for line in exporter.get().text.splitlines()]
    kept = [line for line in lines if line.startswith("drs_") and not line.startswith(("drs_exporter_", "drs_up{"))]
    return sorted(line.rpartition(" ")[0] if TIMES.match(line) else line for line in kept)


def check_helm_test(chart: AssembledChart, url: str) -> None:
    """Run the command of `helm test`, which succeeds for a ready exporter and fails for all else."""
    *command, _ = container(chart.render(ci_values("minimal")).one("Pod"))["command"]
    assert run(sys.executable, *command[1:], url).stdout == "ready\n\n"
    assert run(sys.executable, *command[1:], f"{url}-not").returncode == 1


def until_ready(exporter: Exporter) -> str:
    """Wait until the probe of the pod would find it ready, and return the URL of the probe."""
    found = exporter.until(lambda: re.search(r'"health": ?"(http:[^"]+)/-/healthy"', exporter.stderr), "its address")
    url = f"{found[1]}/-/ready"
    exporter.until(lambda: get(url).status_code == 200, "it is ready")
    return url


def test_the_shards_of_the_chart_show_together_what_one_process_shows(
    chart: AssembledChart, still_cloud: str, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        single = [stack.enter_context(one) for one in processes(chart, 1, still_cloud, tmp_path / "one")]
        shards = [stack.enter_context(one) for one in processes(chart, SHARDS, still_cloud, tmp_path / "shards")]
        urls = [until_ready(exporter) for exporter in (*single, *shards)]
        check_helm_test(chart, urls[0])
        shards[0].until(lambda: series(shards) == series(single), "the series are the same")
        tasks = Counter(line.split('task_id="')[1][:36] for line in series(shards) if line.startswith("drs_task_info{"))
        assert len(tasks) > 10
        assert len(series(shards)) > 500
        assert set(tasks.values()) == {1}
        assert all("drs_task_info{" in exporter.get().text for exporter in shards)
