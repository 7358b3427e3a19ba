"""When the end of the process is postponed, and when it is set; tests/hostile has real ends."""

from __future__ import annotations

import asyncio
import faulthandler
import os
import signal
from collections.abc import Callable, Iterator

import pytest

from exporter.runtime import watchdog
from exporter.runtime.watchdog import HANG_SECONDS, STOP_SECONDS, Watchdog
from tests.lib.virtual_time import simulated


@pytest.fixture
def armed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float | None]]:
    """The seconds after which the process was to end, None where that was cancelled."""
    times: list[float | None] = []
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def arm(seconds: float, *, exit: bool, file: int) -> None:  # noqa: A002 - its name there
        assert exit
        assert file > 0
        times.append(seconds)

    monkeypatch.setattr(faulthandler, "dump_traceback_later", arm)
    monkeypatch.setattr(faulthandler, "cancel_dump_traceback_later", lambda: times.append(None))
    yield times
    for number, handler in handlers.items():
        signal.signal(number, handler)


@simulated
async def watch(*steps: tuple[float, Callable[[Watchdog], object]]) -> None:
    """Watch an event loop in which something happens after some seconds each."""
    dog = Watchdog()
    watching = asyncio.create_task(dog.watch())
    for seconds, step in steps:
        await asyncio.sleep(seconds)
        step(dog)
    watching.cancel()


def nothing(_dog: Watchdog) -> None:
    """Let time pass."""


def send(number: signal.Signals) -> Callable[[Watchdog], None]:
    return lambda _: os.kill(os.getpid(), number)


def test_the_end_is_postponed_while_the_loop_runs(armed: list[float | None]) -> None:
    watch((2 * HANG_SECONDS + 1, nothing))
    assert armed == [HANG_SECONDS] * 25


def test_a_signal_sets_the_end_and_nothing_postpones_it(armed: list[float | None]) -> None:
    stopped: list[bool] = []
    watch(
        (0, lambda dog: dog.on_signal(lambda: stopped.append(True))),
        (1, send(signal.SIGTERM)),
        (1, Watchdog.end),
        (HANG_SECONDS, nothing),
    )
    assert (stopped, armed) == ([True], [HANG_SECONDS, STOP_SECONDS])


async def test_a_second_signal_ends_the_process(armed: list[float | None], monkeypatch: pytest.MonkeyPatch) -> None:
    codes: list[int] = []
    monkeypatch.setattr(os, "_exit", codes.append)
    Watchdog().on_signal(lambda: None)
    for _ in range(2):
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(0)
    assert (codes, armed) == ([130], [STOP_SECONDS])


@pytest.mark.parametrize(
    ("before", "times"),
    [(nothing, [HANG_SECONDS, None, HANG_SECONDS]), (Watchdog.end, [HANG_SECONDS, STOP_SECONDS, None, STOP_SECONDS])],
    ids=["running", "ending"],
)
def test_a_stop_by_the_terminal_is_no_hang_and_does_not_cancel_an_end(
    armed: list[float | None],
    monkeypatch: pytest.MonkeyPatch,
    before: Callable[[Watchdog], None],
    times: list[float | None],
) -> None:
    sent: list[int] = []

    def pause(_dog: Watchdog) -> None:
        os.kill(os.getpid(), signal.SIGTSTP)
        monkeypatch.setattr(os, "kill", lambda _, number: sent.append(number))

    watch((1, before), (0, pause), (1, nothing))
    assert (sent, armed) == ([signal.SIGSTOP], times)


def test_stacks_are_written_to_standard_error_if_it_cannot_be_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise OSError(6, "No such device or address")

    monkeypatch.setattr(os, "open", refuse)
    assert watchdog._standard_error() == 2
