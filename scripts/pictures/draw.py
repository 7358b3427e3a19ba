#!/usr/bin/env python3
"""Draws docs/pictures: the dashboard DRS fleet, the status page and a wave of the demo, and the report of a weekend.

`make pictures` runs it, in about ten minutes: most of it is waiting for the demo to have a past. It starts the demo
and a Prometheus with the rules in deploy/prometheus, both on this machine only. The dashboard is drawn by Grafana's own
panel components (scripts/pictures/grafana), without a Grafana. The weekend of the report is simulated in virtual time,
as in the tests; `make pictures PARTS=report` draws only the report, in two minutes.
"""

from __future__ import annotations

import contextlib
import functools
import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import yaml
from playwright.sync_api import sync_playwright

from exporter.commands.remote import Remote
from exporter.commands.report import html_in, report_at
from exporter.runtime import logs
from exporter.web.app import application
from tests.e2e.programs import LISTEN, Exporter, Program, free_port
from tests.lib.remote import URL, WithPrefix
from tests.lib.virtual_time import simulated
from tests.lib.weekend import STEPS, weekend
from tests.lib.weekend import WAVE as WEEKEND

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
PICTURES = ROOT / "docs" / "pictures"
RENDERER = Path(__file__).parent / "grafana"
NEEDS = {"node": "nodejs", "npm": "npm", "chromium": "chromium", "prometheus": "prometheus"}
"""Programs and the Debian packages that contain them."""
PAST = 420
"""Seconds until alerts with `for: 5m` have fired."""
SHOWN = "now-6m"
ENDS_BEFORE = "What is stale"
"""The first row of the dashboard that is not in the picture."""
LARGEST = 400_000
"""Bytes of a picture at most."""
STATUS_ROWS, WAVE_CHANGES = 13, 5
"""Tasks of the status page, and changes of the wave, in the picture."""
WAVE = "weekend-1"
"""The wave of the demo."""
REPORTED = "orders-invoices"
"""The task of the report that is in a picture: it fails, and is retried."""
ZONE = ZoneInfo("Asia/Shanghai")
"""Of the times in the report."""


class CannotDraw(Exception):  # noqa: N818 - it is no error of this program
    """A missing program or another fault, in one line."""


def main() -> None:
    """Draw all pictures, or only the report, or print the fault as one line."""
    PICTURES.mkdir(exist_ok=True)
    write_report(PICTURES / "report.html")
    with sync_playwright() as playwright, chromium(playwright) as browser:
        draw_report(browser)
    if sys.argv[1:] != ["report"]:
        draw_others()
    for picture in sorted(PICTURES.glob("*.png")):
        print(f"{picture.relative_to(ROOT)}: {picture.stat().st_size:,} bytes")
        if picture.stat().st_size > LARGEST:
            raise CannotDraw(f"{picture.name} has more than {LARGEST:,} bytes")


def draw_others() -> None:
    """The pictures of the demo."""
    missing = [f"{name} (Debian: {package})" for name, package in NEEDS.items() if shutil.which(name) is None]
    if missing:
        raise CannotDraw(f"missing: {', '.join(missing)}")
    build()
    with tempfile.TemporaryDirectory() as name, demo(Path(name)) as (exporter, prometheus):
        print(f"the demo is at {exporter}/, Prometheus at {prometheus}/; the pictures come in {PAST // 60} minutes")
        time.sleep(PAST)
        with sync_playwright() as playwright, chromium(playwright) as browser:
            draw_dashboard(browser, prometheus)
            for scheme in ("light", "dark"):
                draw_page(browser, f"{exporter}/", scheme, f"status-{scheme}", ("tbody tr", STATUS_ROWS))
                draw_page(browser, f"{exporter}/waves/{WAVE}", scheme, f"wave-{scheme}", ("#events li", WAVE_CHANGES))


def write_report(path: Path) -> None:
    """The report of the simulated weekend, as `drs-exporter report` writes it."""
    logs.configure("error", "logfmt")
    with tempfile.TemporaryDirectory() as name:
        path.write_text(after_weekend(Path(name)))


@simulated
async def after_weekend(folder: Path) -> str:
    """The report at the last step of the weekend."""
    async for _, step, exporter in weekend(folder):
        if step == STEPS[-1]:
            return (await report_at(Remote(URL, None, WithPrefix(application(exporter))), WEEKEND, html_in(ZONE))).text
    raise CannotDraw("the weekend has no end")


def draw_report(browser: Browser) -> None:
    """The pictures report.png, up to the signatures, and report-task.png, one of the tasks."""
    page = browser.new_page(viewport={"width": 1100, "height": 1200})
    page.goto((PICTURES / "report.html").as_uri())
    end = page.locator(".signatures").bounding_box()
    if end is None:
        raise CannotDraw("the report has no signatures")
    clip: Any = {"x": 0, "y": 0, "width": 1100, "height": end["y"] + end["height"]}
    page.screenshot(path=PICTURES / "report.png", clip=clip, full_page=True)
    page.locator("article").filter(has=page.get_by_role("heading", name=REPORTED)).screenshot(
        path=PICTURES / "report-task.png"
    )


def build() -> None:
    """Bundle the renderer with the versions of npm's lock file."""
    lock, installed = RENDERER / "package-lock.json", RENDERER / "node_modules" / ".package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        install = ["npm", "ci", "--ignore-scripts", "--legacy-peer-deps", "--no-audit", "--no-fund"]
        subprocess.run(install, cwd=RENDERER, check=True)  # noqa: S603
    subprocess.run(["sh", "build.sh"], cwd=RENDERER, check=True)  # noqa: S607


@contextlib.contextmanager
def demo(folder: Path) -> Iterator[tuple[str, str]]:
    """The URLs of the demo and of a Prometheus that scrapes it with our rules."""
    port = free_port()
    command = [
        *("prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data", "--web.cors.origin=.*"),
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with Exporter("demo", LISTEN, folder=folder / "demo") as exporter:
        config: Any = yaml.safe_load((DEPLOY / "compose" / "prometheus.yml").read_text())
        config["scrape_configs"][0]["static_configs"] = [{"targets": [exporter.ready().url.removeprefix("http://")]}]
        config |= {"alerting": {}, "rule_files": [str(DEPLOY / "prometheus" / "drs-*.yml")]}
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
        with Program(command, folder) as prometheus:
            url = f"http://127.0.0.1:{port}"
            prometheus.until(lambda: "Server is ready" in prometheus.stderr, "Prometheus starts")
            yield exporter.url, url


@contextlib.contextmanager
def chromium(playwright: Any) -> Iterator[Browser]:
    """A browser that sends no requests of its own."""
    quiet = ("background-networking", "component-update", "sync", "quic", "gpu")
    arguments = ["--no-sandbox", "--no-proxy-server", *(f"--disable-{name}" for name in quiet)]
    browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=arguments)
    yield browser
    browser.close()


def top_of(dashboard: dict[str, Any]) -> dict[str, Any]:
    """A short time range of the dashboard, up to the first row that is not in the picture."""
    titles = [panel["title"] for panel in dashboard["panels"]]
    shown = {"from": SHOWN, "to": "now"}
    return dashboard | {"panels": dashboard["panels"][: titles.index(ENDS_BEFORE)], "time": shown}


def draw_dashboard(browser: Browser, prometheus: str) -> None:
    """The picture fleet.png."""
    dashboard = json.loads((DEPLOY / "grafana" / "fleet.json").read_text())
    (RENDERER / "web" / "dash.json").write_text(json.dumps(top_of(dashboard)))
    handler = functools.partial(QuietFiles, directory=RENDERER / "web")
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page = browser.new_page(viewport={"width": 1400, "height": 1400})
        page.goto(f"http://127.0.0.1:{server.server_port}/index.html?prom={prometheus}")
        page.wait_for_function("window.__done", timeout=60_000)
        if errors := page.evaluate("window.__errors"):
            raise CannotDraw("; ".join(errors))
        page.locator("#dashboard").screenshot(path=PICTURES / "fleet.png")
        server.shutdown()


def draw_page(browser: Browser, url: str, scheme: Any, name: str, rows: tuple[str, int]) -> None:
    """The picture of a page, light or dark, to the end of the last of some rows."""
    row, count = rows
    page = browser.new_page(viewport={"width": 1280, "height": 1200}, color_scheme=scheme)
    page.goto(url)
    last = page.locator(row).nth(count - 1).bounding_box()
    if last is None:
        raise CannotDraw(f"{url} shows too few rows")
    page.screenshot(
        path=PICTURES / f"{name}.png",
        clip={"x": 0, "y": 0, "width": 1280, "height": last["y"] + last["height"]},
        full_page=True,
    )


class QuietFiles(SimpleHTTPRequestHandler):
    """Serves files without a log."""

    def log_message(self, *_: object) -> None:
        """Log nothing."""


if __name__ == "__main__":
    try:
        main()
    except (CannotDraw, subprocess.CalledProcessError) as failure:
        sys.exit(f"no pictures: {failure}")
