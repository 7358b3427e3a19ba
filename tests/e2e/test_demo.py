from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from exporter.metrics.self_metrics import SELF_METRICS
from tests.e2e.programs import COMMAND, Exporter, Program, free_port, run
from tests.lib.paths import ROOT
from tests.lib.tools import needs, tool

Chromium = Callable[[str], subprocess.CompletedProcess[str]]

README = ROOT / "README.md"
LAST_SAMPLE = re.compile(rf"^{SELF_METRICS[-1].name}\{{.+\}} [0-9.]+$")


def task_names(exporter: Exporter) -> set[str]:
    return set(re.findall('task_name="([^"]+)"', exporter.get(params={"name[]": "drs_task_info"}).text))


@pytest.fixture
def chromium(tmp_path: Path) -> Chromium:
    """Opens a page; the result has its document as Chromium parsed it, and what Chromium logs."""

    def dump(url: str) -> subprocess.CompletedProcess[str]:
        return run(
            tool("chromium"),
            *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
            *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-proxy-server"),
            *(f"--user-data-dir={tmp_path}", "--enable-logging=stderr", "--dump-dom", url),
        )

    return dump


def test_it_prints_both_addresses_logs_no_fault_and_is_ready(demo: Exporter) -> None:
    assert demo.stdout.splitlines()[:2] == [f"status page  {demo.url}/", f"metrics      {demo.url}/metrics"]
    assert "simulated" in demo.stdout
    # All other lines are about its tasks and its wave.
    faults = [line for line in demo.stderr.splitlines() if " kind=" not in line and " wave=" not in line]
    assert (faults, [demo.get(path).status_code for path in ("/-/ready", "/-/healthy")]) == ([], [200, 200])


def test_the_page_has_the_metrics_of_the_readme_and_the_self_metrics(demo: Exporter) -> None:
    shown = set(re.findall(r"^(drs_\w+)\{", README.read_text(), re.MULTILINE))
    wanted = shown | {metric.name for metric in SELF_METRICS if not metric.optional}
    assert len(shown) > 5
    demo.until(lambda: wanted <= demo.families(), f"the page has {sorted(wanted)}")


@needs("promtool")
def test_promtool_accepts_the_page(demo: Exporter) -> None:
    checked = run(tool("promtool"), "check", "metrics", stdin=demo.get().text)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_httpx_reads_the_last_family(demo: Exporter) -> None:
    page = demo.get()
    assert page.headers["Content-Encoding"] == "gzip"
    assert LAST_SAMPLE.match(page.text.splitlines()[-1])


@needs("curl")
def test_the_first_scrape_of_the_readme_waits_for_the_start(tmp_path: Path) -> None:
    (line,) = re.findall(r"^drs-exporter --config\.file=.* &.*\n(curl .*)$", README.read_text(), re.MULTILINE)
    port = free_port()
    options = shlex.split(line.replace("10826", str(port)))[1:]
    with Program([COMMAND, "demo", f"--web.listen-address=127.0.0.1:{port}"], tmp_path / "running"):
        scraped = run(tool("curl"), "--noproxy", "*", *options)
    assert (scraped.returncode, "drs_exporter_build_info" in scraped.stdout) == (0, True)


@needs("curl")
def test_curl_reads_the_last_family(demo: Exporter, tmp_path: Path) -> None:
    head = tmp_path / "head"
    page = run(tool("curl"), "--noproxy", "*", "--silent", "--compressed", "--dump-header", head, f"{demo.url}/metrics")
    assert "content-encoding: gzip" in head.read_text().lower()
    assert LAST_SAMPLE.match(page.stdout.splitlines()[-1])


@needs("chromium")
def test_chromium_reads_the_last_family(demo: Exporter, chromium: Chromium) -> None:
    document = chromium(f"{demo.url}/metrics").stdout
    assert LAST_SAMPLE.match(document.rpartition("</pre>")[0].splitlines()[-1])


@needs("chromium")
def test_chromium_shows_the_tasks_and_logs_no_error(demo: Exporter, chromium: Chromium) -> None:
    demo.until(lambda: len(task_names(demo)) > 20, "a page with its tasks")
    before = task_names(demo)
    page = chromium(f"{demo.url}/")
    lasting = before & task_names(demo)
    assert len(lasting) > 20
    assert lasting <= set(re.findall(r'<th scope="row"><a href="tasks/[^"]+">([^<\s]+)', page.stdout))
    assert "CONSOLE" not in page.stderr  # where it logs what the Content-Security-Policy forbids


def test_the_status_page_counts_as_drs_tasks_does(demo: Exporter) -> None:
    """A subtask is listed with its parent, and not counted as a task."""
    page = demo.get("/").text
    counted = re.search(r"<b>(\d+)</b>\s+<span>with (\d+) subtasks in 2 projects", page)
    assert counted
    tasks, subtasks = map(int, counted.groups())
    assert (page.count('class="sub"'), page.count('<th scope="row"><a href="tasks/')) == (subtasks, tasks + subtasks)
    assert re.search(r'class="sub">\s*<th scope="row"><a [^>]+>ledger-ha-slave</a>', page)
