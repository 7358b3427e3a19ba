"""Fixtures and hooks for all tests."""

from __future__ import annotations

import gc
import inspect
import logging
import os
import signal
import threading
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from coverage import Coverage
from xdist.scheduler import LoadScopeScheduling

from tests.lib.processes import adopt_orphans, children, kill_children
from tests.lib.rendering import publish_every
from tests.lib.tools import look_for_tools
from tests.lib.virtual_time import simulate
from tests.stress import shuffle

_SHARED = (
    *("tests/e2e/", "tests/hostile/", "tests/install/"),
    *("tests/daemon/test_predictions.py", "tests/daemon/test_weekend.py", "tests/deploy/test_alertmanager.py"),
    "tests/deploy/test_systemd_boot.py",
    *("tests/faults/test_isolation.py", "tests/simulator/test_vendor_sdk.py", "tests/unit/runtime/test_clock.py"),
)
"""Folders and files in which the tests of a file share something that takes long to set up."""

_TRACED = (
    *("tests/unit/", "tests/simulator/"),
    *(f"tests/daemon/test_{name}.py" for name in ("families", "poller_faults", "reload", "reload_faults")),
)
"""Folders and files that reach what the coverage gate requires."""


def pytest_configure(config: pytest.Config) -> None:
    """Limit the log, and let SIGINT and SIGTERM interrupt a run. A shell starts background jobs with SIGINT ignored."""
    _log_from_info()
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if _starts_workers(config):
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        adopt_orphans()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Kill the processes of tests whose worker had to end before them, since the run was interrupted."""
    if _starts_workers(config):
        kill_children()


def _starts_workers(config: pytest.Config) -> bool:
    return bool(config.option.tx) and not hasattr(config, "workerinput")


class _Scheduling(LoadScopeScheduling):  # type: ignore[misc]
    """Gives the tests that share a set-up, and the cases of a quick test, to one worker.

    The scheduler starts with the largest of these groups. All other tests are given to the workers one by one.
    """

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(_SHARED):
            return nodeid.partition("::")[0]
        return nodeid.partition("[")[0] if nodeid.startswith(("tests/unit/", "tests/deploy/")) else nodeid

    def mark_test_complete(self, node: Any, item_index: int, duration: float = 0) -> None:
        """Forget a group when its tests have run: after each test, the scheduler counts those of all its groups."""
        super().mark_test_complete(node, item_index, duration)
        groups = self.assigned_work[node]
        group = self._split_scope(self.registered_collections[node][item_index])
        if all(groups[group].values()):
            del groups[group]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _Scheduling:
    return _Scheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Shuffle the files, and the tests of each, if TEST_ORDER has a seed."""
    if seed := os.environ.get("TEST_ORDER"):
        shuffle(items, seed)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect garbage seldom, and never that of modules and tests: each of the two saves a tenth of the time."""
    gc.disable()
    collected = yield
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    gc.enable()
    return collected


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    look_for_tools(item)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run async tests in virtual time."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    simulate(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


@pytest.fixture(scope="session", autouse=True)
def _nothing_is_left() -> Iterator[None]:
    """Fail if a test has left a process or a thread behind. It is torn down after every other fixture."""
    yield
    left = {pid: Path(f"/proc/{pid}/cmdline").read_text().replace(chr(0), " ") for pid in children()}
    assert left == {}, "processes that no test has ended, or not awaited; without a command line where they have ended"
    gc.collect()  # threads of a pool end with it
    threads = [
        thread for thread in threading.enumerate() if thread is not threading.main_thread() and not thread.daemon
    ]
    for thread in threads:
        thread.join(timeout=1)
    assert [thread.name for thread in threads if thread.is_alive()] == [], "threads that no test has ended"


def _log_from_info() -> None:
    """Log as the exporter does; the default of structlog prints each call of the API."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root, loop = logging.getLogger(), logging.getLogger("asyncio")
    handlers, level, of_loop = list(root.handlers), root.level, loop.level
    _log_from_info()
    yield
    structlog.reset_defaults()
    _log_from_info()  # also in fixtures that tests share
    root.handlers[:] = handlers
    root.setLevel(level)
    loop.setLevel(of_loop)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):  # a server of a test sets them up for itself
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(logging.NOTSET)


@pytest.fixture(autouse=True)
def _untraced(request: pytest.FixtureRequest) -> Iterator[None]:
    """Measure the coverage of some tests only: simulations would take twice as long, and reach hardly any more."""
    tracing: list[Coverage] = []
    if not request.node.nodeid.startswith(_TRACED):
        while (coverage := Coverage.current()) is not None:  # one inside another, in a worker
            coverage.stop()
            tracing.append(coverage)
    yield
    for coverage in reversed(tracing):
        coverage.start()


@pytest.fixture
def published_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    """Publish pages only where a test looks at them: in most tests rendering would take more time than polling."""
    publish_every(300.0, monkeypatch)


@pytest.fixture
def published_each_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for tests of what the exporter finds before each page: what has expired, and which waves run."""
    publish_every(60.0, monkeypatch)
