from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from exporter.metrics.self_metrics import SELF_METRICS
from tests.e2e.programs import Exporter, get, run
from tests.lib.paths import ROOT
from tests.lib.tools import needs, tool

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    Chromium = Callable[[str], subprocess.CompletedProcess[str]]

README = ROOT / "README.md"
LAST_SAMPLE = re.compile(rf"^{SELF_METRICS[-1].name}\{{.+\}} [0-9.]+$")


def task_names(exporter: Exporter) -> set[str]:
    page = get(f"{exporter.url}/metrics", **{"name[]": "drs_task_info"}).text
    return set(re.findall('task_name="([^"]+)"', page))


@pytest.fixture
def chromium(tmp_path: Path) -> Chromium:
    """Opens a page, and gives its document as Chromium understood it, and what it logs."""

    def dump(url: str) -> subprocess.CompletedProcess[str]:
        return run(
            tool("chromium"),
            *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
            *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-proxy-server"),
            *(f"--user-data-dir={tmp_path}", "--enable-logging=stderr", "--dump-dom", url),
        )

    return dump


def test_it_prints_both_addresses_and_what_it_is(demo: Exporter) -> None:
    assert demo.stdout.splitlines()[:2] == [
        f"status page  {demo.url}/",
        f"metrics      {demo.url}/metrics",
    ]
    assert "simulated" in demo.stdout


def test_it_has_no_fault_to_log(demo: Exporter) -> None:
    assert demo.stderr == ""


def test_it_is_ready_and_healthy(demo: Exporter) -> None:
    assert get(f"{demo.url}/-/ready").status_code == 200
    assert get(f"{demo.url}/-/healthy").status_code == 200


def test_the_page_has_what_the_readme_shows_and_our_own_families(demo: Exporter) -> None:
    shown = set(re.findall(r"^(drs_\w+)\{", README.read_text(), re.MULTILINE))
    wanted = shown | {metric.name for metric in SELF_METRICS}
    assert len(shown) > 5
    demo.until(lambda: wanted <= demo.families(), f"the page has {sorted(wanted)}")


@needs("promtool")
def test_promtool_finds_nothing_to_complain_about(demo: Exporter) -> None:
    checked = run(tool("promtool"), "check", "metrics", stdin=get(f"{demo.url}/metrics").text)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_httpx_reads_the_last_family(demo: Exporter) -> None:
    page = get(f"{demo.url}/metrics")
    assert page.headers["Content-Encoding"] == "gzip"
    assert LAST_SAMPLE.match(page.text.splitlines()[-1])


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
def test_chromium_shows_the_tasks_and_has_no_complaint(demo: Exporter, chromium: Chromium) -> None:
    before = task_names(demo)
    page = chromium(f"{demo.url}/")
    lasting = before & task_names(demo)
    assert len(lasting) > 20
    assert lasting <= set(re.findall(r'<th scope="row"><a href="tasks/[^"]+">([^<\s]+)', page.stdout))
    assert "CONSOLE" not in page.stderr  # where it logs what the Content-Security-Policy forbids


def test_the_status_page_counts_as_drs_tasks_does(demo: Exporter) -> None:
    """A subtask is named beside its parent, not counted as a task."""
    page = get(f"{demo.url}/").text
    counted = re.search(r"<b>(\d+)</b>\s+<span>with (\d+) subtasks in 2 projects", page)
    assert counted
    tasks, subtasks = map(int, counted.groups())
    assert page.count(">subtask of ") == subtasks
    assert page.count('<th scope="row"><a href="tasks/') == tasks + subtasks
    assert re.search(r'>ledger-ha-slave</a> <span class="raw">subtask of ledger-ha<', page)
