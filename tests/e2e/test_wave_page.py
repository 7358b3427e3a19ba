"""The page of a wave in Chromium: every state and stage, on a phone, on paper, and while it changes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import expect

from exporter.model.waves import Incomplete, IncompleteProject, Stage, WaveMember, WaveState, WaveStatus
from tests.e2e.browser import SCHEMES, Fleet, Open, assert_readable, serving
from tests.e2e.programs import until
from tests.lib.tools import needs
from tests.lib.virtual_time import EPOCH
from tests.lib.waves import StaticWaves

pytestmark = needs("chromium")

NOW = EPOCH + time.monotonic()
"""As the server has it: the time of its event loop, which is not simulated here."""
NAME, LONG = "weekend-1", "x" * 200
COLOURS = """[...new Set([...document.querySelectorAll("body *")].filter((part) => part.checkVisibility())
    .flatMap((part) => [getComputedStyle(part).color, getComputedStyle(part).backgroundColor]))].sort()"""
BLACK_ON_WHITE = ["rgb(0, 0, 0)", "rgb(255, 255, 255)", "rgba(0, 0, 0, 0)"]
A4 = 703
"""The width of A4 without its margins, in pixels."""


def status_of(fleet: Fleet, size: int, **status: Any) -> WaveStatus:
    """A wave of tasks of the fleet in each state in turn, of tasks that are gone, and of an id that was not found."""
    key, states = fleet.stores[0].key, (*WaveState,)
    members = [
        WaveMember(key, f"{number:032x}jb20", f"task {number:05}", states[number % len(states)])
        for number in range(size)
    ]
    gone = [WaveMember(key, f"id-{state}", f"{state}-{LONG}", state) for state in (WaveState.UNKNOWN, WaveState.READY)]
    known: dict[str, Any] = {
        "stage": Stage.RUNNING,
        "starts_at": NOW - 3600,
        "ends_at": NOW + 7200,
        "expected": size + 7,
        "missing_ids": ("0123456789abcdef0123456789abjb20",),
        "incomplete": (IncompleteProject(key, Incomplete.LISTS),),
        "ready": False,
    }
    return WaveStatus(NAME, members=(*members, *gone), **{**known, **status})


@contextmanager
def serving_wave(size: int, **status: Any) -> Iterator[tuple[str, Fleet]]:
    """The URL of the page of a wave, and the fleet that it shows."""
    fleet = Fleet(max(size, 12))
    fleet.waves = StaticWaves(status_of(fleet, size, **status))
    with serving(fleet) as address:
        yield f"{address}/waves/{NAME}", fleet


@pytest.mark.parametrize(
    "status",
    [
        {},
        {"ready": True, "ready_since": NOW - 60},
        {"stage": Stage.PLANNED, "ready": None, "starts_at": NOW + 60},
        {"stage": Stage.OVER, "ready": None, "ends_at": NOW - 60},
    ],
    ids=["running", "ready", "planned", "over"],
)
def test_it_is_readable_in_both_schemes_and_at_any_width(visit: Open, status: dict[str, Any]) -> None:
    with serving_wave(12, **status) as (address, _):
        page = visit(address)
        assert_readable(page, 320, 390, 768, 1400)
        assert page.locator("#tasks tbody tr").count() == 12 + 2 + 1
        page.goto(address.partition("/waves")[0])
        assert_readable(page, 390, 1400)


def test_it_needs_no_script(visit: Open) -> None:
    with serving_wave(12) as (address, _):
        page = visit(address, java_script_enabled=False)
        expect(page.get_by_role("heading", level=1)).to_have_text(f"Wave {NAME}")
        expect(page.locator("#state p").first).to_contain_text("Not ready: 3 of 19 ready")


def test_it_changes_in_place(visit: Open) -> None:
    with serving_wave(12, ready=False) as (address, fleet):
        page = visit(address)
        page.evaluate("window.kept = document.getElementById(`task-${'0'.repeat(31)}1jb20`)")
        link = page.locator("#tasks tbody th a").nth(3)
        link.focus()
        focused = page.evaluate("document.activeElement.textContent")
        before = status_of(fleet, 12)
        ready = tuple(member._replace(state=WaveState.READY) for member in before.members)
        after = replace(
            before, members=ready, ready=True, ready_since=NOW, expected=None, missing_ids=(), incomplete=()
        )
        fleet.waves = StaticWaves(after)
        verdict = page.locator("#state p").first

        def shown() -> bool:
            page.clock.run_for(5000)
            page.wait_for_load_state("networkidle")
            return ": 14 of 14 ready" in verdict.inner_text()

        until(shown, lambda: "the verdict is on the page")
        assert page.evaluate("window.kept.isConnected && window.kept.textContent.includes('ready')")
        assert page.evaluate("document.activeElement.textContent") == focused
        expect(page.locator("#announcement")).to_have_text(f"14 of 14 ready \u2013 {NAME} \u2013 DRS tasks")


def test_on_paper_all_rows_are_black_on_white_without_navigation(visit: Open) -> None:
    with serving_wave(300) as (address, _):
        page = visit(address)
        page.set_viewport_size({"width": A4, "height": 1000})
        for scheme in SCHEMES:
            page.emulate_media(media="print", color_scheme=scheme)
            assert page.evaluate("document.documentElement.scrollWidth") <= A4
            assert set(page.evaluate(COLOURS)) <= set(BLACK_ON_WHITE)
        rows = page.locator("#tasks tbody tr")
        assert (rows.count(), rows.last.is_visible()) == (300 + 2 + 1, True)
        assert [page.locator(part).first.is_visible() for part in (".top nav", ".crumbs", "#live")] == [False] * 3
        assert page.evaluate("getComputedStyle(document.querySelector('#tasks thead')).display") == "table-header-group"
        assert page.locator("#clock").is_visible()
