"""`tasks --watch`: the tasks again and again, in place on a terminal."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from exporter.commands import tasks as tasks_command
from exporter.commands import watch as watching
from exporter.commands.outcome import Outcome
from exporter.commands.tasks import watch_cloud
from exporter.commands.watch import interval, watch
from exporter.config import NotReadyError
from exporter.runtime.terminal import Screen
from exporter.simulator import faults
from tests.lib.commands import WHERE, CommandLine, config_for, interrupted
from tests.lib.daemon import PROJECT_ID, cloud_of, sim_task
from tests.lib.transport import InProcess
from tests.lib.virtual_time import clock, now, simulate

TERMINAL = Screen(40, colour=True)
Capture = pytest.CaptureFixture[str]


def watched(outcomes: list[Outcome | Exception], **options: Any) -> None:
    """Watch these outcomes, five seconds apart; then it is cancelled."""
    left = list(outcomes)

    async def poll(_: Screen | None) -> Outcome:
        if not left:
            raise asyncio.CancelledError
        outcome = left.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def run() -> None:
        await watch(poll, 5, now=now, **options)

    with pytest.raises(asyncio.CancelledError):
        simulate(run())


@pytest.fixture
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(Screen, "of", lambda _: TERMINAL)
    monkeypatch.setattr(shutil, "get_terminal_size", lambda *_: os.terminal_size((40, 8)))


def test_a_pipe_gets_each_outcome_with_its_time(capsys: Capture) -> None:
    watched([Outcome(0, "one"), Outcome(1, "two", ("a", "b\nc"))])
    assert capsys.readouterr().out == (
        "2026-01-01 00:00:00Z, every 5s\n\none\n\n2026-01-01 00:00:05Z, every 5s\n\ntwo\n\na\nb\nc\n\n"
    )


@pytest.mark.usefixtures("_terminal")
def test_a_terminal_is_drawn_in_place(capsys: Capture) -> None:
    watched([Outcome(0, "one\ntwo"), Outcome(0, "three")])
    head = "\x1b[H2026-01-01 00:00:0{}Z, every 5s\x1b[K\n\x1b[K\n"
    first, second = head.format(0) + "one\x1b[K\ntwo\x1b[K", head.format(5) + "three\x1b[K"
    assert capsys.readouterr().out == f"\x1b[2J{first}\x1b[J\n{second}\x1b[J\n"


@pytest.mark.usefixtures("_terminal")
def test_a_terminal_never_scrolls(capsys: Capture) -> None:
    watched([Outcome(0, "\n".join("abcdefghijkl"), ("a note " * 20,))])
    lines = capsys.readouterr().out.removesuffix("\n").splitlines()
    assert (len(lines), lines[-1]) == (7, "13 more lines\x1b[K\x1b[J")


@pytest.mark.usefixtures("_terminal")
def test_a_terminal_that_cannot_move_its_cursor_gets_plain_text(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "dumb")
    watched([Outcome(0, "one")])
    assert capsys.readouterr().out == "2026-01-01 00:00:00Z, every 5s\n\none\n\n"


def test_json_is_a_line_for_each_outcome(capsys: Capture) -> None:
    watched([Outcome(0, "{}"), Outcome(0, '{"a": 1}')], as_json=True)
    assert capsys.readouterr().out == '{}\n{"a": 1}\n'


def test_an_exporter_that_restarts_does_not_end_it(capsys: Capture) -> None:
    watched([Outcome(0, "one"), NotReadyError("http://host: the connection is refused"), Outcome(0, "two")])
    shown = capsys.readouterr().out.split("\n\n")
    assert shown[1::2] == ["one", "http://host: the connection is refused", "two"]


def test_an_exporter_that_was_never_there_ends_it() -> None:
    async def poll(_: Screen | None) -> Outcome:
        raise NotReadyError("refused")

    with pytest.raises(NotReadyError, match="refused"):
        simulate(watch(poll, 5))


def test_without_a_url_the_cloud_is_polled_at_the_intervals_of_the_configuration(capsys: Capture) -> None:
    cloud = cloud_of(sim_task("orders", delay=7))

    async def run(seconds: float) -> int:
        transport = InProcess(cloud)
        running = asyncio.create_task(watch_cloud(config_for(), 1, transport=transport, clock=clock))
        await asyncio.sleep(seconds)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return sum("batch-progress" in call.path for call in cloud.calls)

    assert simulate(run(65)) == 3
    tables = capsys.readouterr().out.split(", every 1s\n\n")
    assert len(tables) > 60
    ages = [table.split()[12] for table in tables[1:]]
    assert {"0s", "1s", "29s"} <= {*ages} <= {f"{seconds}s" for seconds in range(32)}


def test_a_project_that_fails_is_shown_below_the_tasks(capsys: Capture) -> None:
    cloud = cloud_of(sim_task("orders"))
    cloud.faults = [faults.broken(PROJECT_ID)]

    async def run() -> None:
        async with asyncio.timeout(300):
            await watch_cloud(config_for(), 60, transport=InProcess(cloud), clock=clock)

    with pytest.raises(TimeoutError):
        simulate(run())
    assert (
        f"{WHERE}: failed, and so unknown or incomplete: tasks\n  v3_list_jobs failed, 500" in capsys.readouterr().out
    )


@pytest.mark.parametrize("error", [BrokenPipeError(), NotReadyError("standard output cannot be written")])
def test_output_that_cannot_be_written_ends_it(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def failing() -> Iterator[None]:
        yield
        raise error

    monkeypatch.setattr(watching, "writing_output", failing)
    with pytest.raises(type(error)):
        simulate(watch_cloud(config_for(), 1, transport=InProcess(cloud_of(sim_task("orders"))), clock=clock))


def test_ctrl_c_is_the_end(command_line: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks_command, "tasks_at", interrupted)
    assert command_line("tasks", "--url=http://host", "--watch") == (0, "", "")


def test_the_demo_as_json(command_line: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    real, number = watch, 0

    async def twice(poll: Any, seconds: float, **options: Any) -> None:
        async def counted(screen: Screen | None) -> Outcome:
            nonlocal number
            number += 1
            if number > 2:
                os.kill(os.getpid(), signal.SIGINT)
                await asyncio.sleep(60)
            found: Outcome = await poll(screen)
            return found

        await real(counted, seconds / 1000, **options)

    monkeypatch.setattr(tasks_command, "watch", twice)
    code, out, err = command_line("tasks", "--demo", "--watch", "--output=json")
    assert (code, err, len(out.splitlines())) == (0, "", 2)
    assert {task["task_name"] for task in json.loads(out.splitlines()[1])["tasks"]} >= {"orders-to-rds"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("500ms", "must be at least 1s"),
        ("0s", "expected a duration such as 5s or 1m"),
        ("5", "expected a duration such as 5s or 1m"),
        ("", "expected a duration such as 5s or 1m"),
    ],
)
def test_an_interval_that_cannot_be_used(text: str, message: str, command_line: CommandLine) -> None:
    assert command_line.error("tasks", "--demo", f"--watch={text}").startswith(f"argument --watch: {message}")
    with pytest.raises(argparse.ArgumentTypeError):
        interval(text)
    assert interval("1m30s") == 90
