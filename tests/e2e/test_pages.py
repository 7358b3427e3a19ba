"""The pages in Chromium: few and many tasks, with and without script, small and large, light and dark."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser import HOSTILE, Fleet, Open, assert_readable, serving
from tests.e2e.programs import until
from tests.lib.tools import needs

pytestmark = needs("chromium")
SIZES = (3, 300, 10_000)


@pytest.fixture(scope="module")
def fleet() -> Iterator[str]:
    with serving(Fleet(300)) as address:
        yield address


def names(page: Page) -> list[str]:
    return page.locator("#tasks tbody th a").all_inner_texts()


@pytest.mark.parametrize("size", SIZES)
def test_any_number_of_tasks(visit: Open, size: int) -> None:
    with serving(Fleet(size)) as address:
        for script in (True, False):
            page = visit(address, java_script_enabled=script)
            assert (page.locator(".tiles dd b").first.inner_text(), len(names(page))) == (str(size), min(size, 100))
            page.goto(f"{address}/?sort=task_name")
            assert names(page)[0] == HOSTILE
            if size > 100:
                page.get_by_role("link", name="Next").click()
                expect(page.locator(".pager span")).to_have_text(f"Page 2 of {size // 100}")
            page.goto(f"{address}/?q={size - 1:05}")
            page.locator("#tasks tbody th a").click()
            expect(page.get_by_role("heading", level=1)).to_have_text(f"task {size - 1:05}")


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_searching_filtering_and_sorting(visit: Open, fleet: str, script: bool) -> None:  # noqa: FBT001
    page = visit(fleet, java_script_enabled=script)
    page.get_by_role("searchbox").fill("TASK 0001")
    page.get_by_role("combobox", name="Phase").select_option("incremental")
    page.get_by_role("button", name="Show").click()
    if script:
        page.clock.run_for(300)
    expect(page.locator(".matched")).to_contain_text("6 of 300 tasks and subtasks found.")
    page.get_by_role("columnheader", name="Delay").get_by_role("link").click()
    expect(page.get_by_role("columnheader", name="Delay")).to_have_attribute("aria-sort", "descending")
    assert names(page) == [f"task {number:05}" for number in (15, 14, 13, 12, 11, 10)]
    assert "sort=-delay" in page.url
    assert page.get_by_role("searchbox").input_value() == "TASK 0001"
    page.go_back()
    expect(page.get_by_role("columnheader", name="Delay")).to_have_attribute("aria-sort", "none")
    page.get_by_role("link", name="Show all").click()
    expect(page.locator(".matched")).to_have_count(0)
    assert page.get_by_role("combobox", name="Phase").input_value() == ""


def test_the_script_searches_while_the_user_types(visit: Open, fleet: str) -> None:
    page = visit(fleet)
    page.evaluate("window.kept = true")
    page.get_by_role("searchbox").press_sequentially("task 00123")
    page.clock.run_for(300)
    expect(page.locator(".matched")).to_contain_text("1 of 300 tasks and subtasks found.")
    expect(page.locator("#announcement")).to_contain_text("1 of 300 tasks and subtasks found.")
    assert page.evaluate("window.kept")
    assert (page.evaluate("document.activeElement.name"), page.url.endswith("?q=task+00123")) == ("q", True)


def test_an_update_keeps_focus_scroll_position_and_input(visit: Open) -> None:
    fleet = Fleet(120)
    with serving(fleet) as address:
        page = visit(f"{address}/?sort=task_name")
        page.evaluate("window.kept = document.querySelector('#tasks tbody tr')")
        link = page.locator("#tasks tbody th a").nth(60)
        link.focus()
        focused = page.evaluate("document.activeElement.textContent")
        scrolled = page.evaluate("scrollY")
        assert scrolled > 500
        page.evaluate("document.querySelector('[name=q]').value = 'half typ'")
        fleet.fail_first = True
        failed = page.locator("#tasks tbody tr").first.locator(".phase")

        def shown() -> bool:
            page.clock.run_for(5000)
            page.wait_for_load_state("networkidle")
            return failed.inner_text() == "failed"

        until(shown, lambda: "the failure is on the page")
        assert page.evaluate("window.kept === document.querySelector('#tasks tbody tr')")
        assert page.evaluate("document.activeElement.textContent") == focused
        assert (page.evaluate("scrollY"), page.get_by_role("searchbox").input_value()) == (scrolled, "half typ")
        expect(page.locator("#announcement")).to_have_text("13 failed \u2013 DRS tasks")
        assert page.title() == "13 failed \u2013 DRS tasks"
        expect(page.locator("#live")).to_have_text("live,")


def test_the_page_shows_that_the_exporter_does_not_respond(visit: Open) -> None:
    with serving(Fleet(3)) as address:
        page = visit(address)
        page.route("**/*", lambda route: route.abort())
        page.clock.run_for(5000)
        expect(page.locator("#live")).to_have_text("no response from the exporter,")
        expect(page.locator("#announcement")).to_have_text("no response from the exporter,")
        assert len(names(page)) == 3
        page.unroute_all()
        page.clock.run_for(5000)
        expect(page.locator("#live")).to_have_text("live,")


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/?phase=failed&limit=2", "/tasks/{0:032x}jb20", "/tasks/{9:032x}jb20", "/tasks/none"),
        "/runbooks/DrsTaskStuck?task_id={0:032x}jb20",
        "/errors",
    ],
)
def test_it_is_readable_in_both_schemes_and_at_any_width(visit: Open, fleet: str, path: str) -> None:
    page = visit(fleet + path.format(*range(10)))
    assert_readable(page, 320, 360, 768, 1280)


def test_all_controls_can_be_reached_with_the_keyboard_and_have_names(visit: Open, fleet: str) -> None:
    page = visit(fleet)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the tasks"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    seen = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        seen.add(page.evaluate("document.activeElement.closest('section, form')?.id"))
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") in {"solid", "auto"}
    assert {"fleet", "filter", "tasks"} <= seen
    unnamed = """[...document.querySelectorAll("a, button, input, select")].filter(
        (control) => !(control.textContent.trim() || control.labels?.length || control.type === "hidden")).length"""
    assert page.evaluate(unnamed) == 0
    for table in page.get_by_role("table").all():
        assert table.locator("caption").inner_text() or table.locator("caption").text_content()
        assert table.locator("thead th:not([scope=col])").count() == 0
