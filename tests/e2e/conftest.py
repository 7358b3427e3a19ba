from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest

from tests.e2e.programs import LISTEN, Exporter, Simulator
from tests.e2e.secured import Secured
from tests.lib.certificates import Authority


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
