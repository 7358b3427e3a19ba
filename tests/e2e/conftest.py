from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.e2e.browser import Open
from tests.e2e.programs import LISTEN, TIMEOUT, Exporter, Simulator
from tests.e2e.secured import Secured
from tests.lib.certificates import Authority
from tests.lib.tools import tool

expect.set_options(timeout=TIMEOUT * 1000)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-proxy-server"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=tool("chromium"), args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Open]:
    """Opens a page. At the end of the test the console must be empty, and no dialog may have opened."""
    contexts, messages = [], list[str]()

    def visit(address: str, **options: Any) -> Page:
        context = browser.new_context(**options)
        contexts.append(context)
        context.set_default_timeout(TIMEOUT * 1000)
        context.on("console", lambda message: messages.append(message.text))
        context.on("weberror", lambda error: messages.append(str(error.error)))
        context.on("dialog", lambda dialog: messages.append(dialog.message))
        page = context.new_page()
        if options.get("java_script_enabled", True):
            page.clock.install()
        page.goto(address)
        return page

    yield visit
    for context in contexts:
        context.close()
    assert [text for text in messages if not text.startswith("Failed to load resource")] == []


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exporter]:
    """`drs-exporter demo` after its first poll."""
    with Exporter("demo", LISTEN, folder=tmp_path_factory.mktemp("demo")) as exporter:
        yield exporter.ready()


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a simulated cloud in a process of its own."""
    with Simulator(tmp_path_factory.mktemp("cloud")) as simulator:
        yield simulator.url


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Exporter]]:
    """Starts `drs-exporter` with some arguments; it ends with the test."""
    numbers = count()
    with ExitStack() as stack:

        def exporter(*arguments: str) -> Exporter:
            return stack.enter_context(Exporter(*arguments, folder=tmp_path / f"exporter{next(numbers)}"))

        yield exporter


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Secured]:
    """A demo with TLS and a password, for the tests that do not change its files."""
    with Secured(tmp_path_factory.mktemp("secured"), authority) as exporter:
        yield exporter.ready()


@pytest.fixture
def start_secured(tmp_path: Path, authority: Authority) -> Iterator[Callable[..., Secured]]:
    """Starts a demo with TLS and a password and further arguments of `Secured`; it ends with the test."""
    with ExitStack() as stack:

        def exporter(*options: str, **more: str) -> Secured:
            return stack.enter_context(Secured(tmp_path, authority, *options, **more))

        yield exporter
