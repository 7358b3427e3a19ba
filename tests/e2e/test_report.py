"""The report of a wave in Chromium: on a screen, on a phone, and printed; it needs no script and no other file."""

from __future__ import annotations

import re
from datetime import UTC, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from exporter.commands.report_page import report_html
from exporter.model.spans import Period
from exporter.model.waves import WaveState
from tests.e2e.browser import Open, assert_readable
from tests.lib.reports import HOUR, NIGHT, START, document, failed, moved, recorded, task_record, wave_record
from tests.lib.tools import needs

pytestmark = needs("chromium")

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
NAMES = ("orders", "x" * 200, HOSTILE)
DOWN = recorded(Period(START + 600, START + 6 * HOUR), Period(START + 6.5 * HOUR, NIGHT.end))


def written(folder: Path, size: int, zone: tzinfo = UTC) -> Path:
    """The file of a report of some tasks, of which some failed and some are unknown."""
    tasks = []
    for number in range(size):
        name, task_id = NAMES[number % 3], f"{number:032x}jb20"
        made = (
            (WaveState.ENDED, moved(task_id, name, DOWN)),
            (WaveState.BLOCKED, failed(task_id, name, DOWN)),
            (WaveState.UNKNOWN, task_record(task_id, name=name, at=DOWN)),
        )
        tasks.append(made[number % 3])
    path = folder / "report.html"
    report = document(wave_record(*tasks, at=DOWN, name=HOSTILE, expected=size + 1))
    path.write_text(report_html(report, zone))
    return path


@pytest.mark.parametrize("size", [0, 1, 12])
def test_nothing_is_cut_off_on_a_phone_and_on_a_screen(tmp_path: Path, visit: Open, size: int) -> None:
    page = visit(written(tmp_path, size, ZoneInfo("Europe/Berlin")).as_uri())
    assert_readable(page, 390, 1400)
    assert page.locator("article").count() == size


def test_the_report_requests_nothing_and_needs_no_script(tmp_path: Path, visit: Open) -> None:
    requests: list[str] = []
    path = written(tmp_path, 12)
    page = visit("about:blank", java_script_enabled=False)
    page.on("request", lambda request: requests.append(request.url))
    page.goto(path.as_uri())
    assert requests == [path.as_uri()]
    assert page.locator("article h2").nth(2).inner_text() == HOSTILE


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_report_is_light_in_each_scheme(tmp_path: Path, visit: Open, scheme: str) -> None:
    page = visit(written(tmp_path, 1).as_uri(), color_scheme=scheme)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_a_wave_of_60_tasks_prints_at_most_a_page_for_each_task(tmp_path: Path, visit: Open) -> None:
    page = visit(written(tmp_path, 60).as_uri())
    printed = page.pdf(prefer_css_page_size=True)
    sizes = set(re.findall(rb"/MediaBox \[([^\]]*)\]", printed))
    assert [round(float(side)) for side in sizes.pop().split()] == [0, 0, 595, 842]
    assert 20 < printed.count(b"/Type /Page\n") <= 68
