from __future__ import annotations

from contextlib import ExitStack
from itertools import count
from typing import TYPE_CHECKING

import pytest

from tests.e2e.programs import LISTEN, Exporter, Simulator
from tests.e2e.secured import Secured
from tests.lib.certificates import Authority

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exporter]:
    """`drs-exporter demo`, polled once."""
    with Exporter("demo", LISTEN, folder=tmp_path_factory.mktemp("demo")) as exporter:
        yield exporter.ready()


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[str]:
    """The URL of a simulated cloud in a process of its own."""
    with Simulator(tmp_path / "cloud") as simulator:
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


@pytest.fixture
def secured(start: Callable[..., Exporter], tmp_path: Path, authority: Authority) -> Secured:
    return Secured(start, tmp_path, authority)
