"""A process that hangs ends. A signal ends a process within five seconds, whatever it does."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from exporter import __main__
from exporter.commands.main import main
from exporter.runtime.watchdog import Watchdog
from exporter.simulator import SimTask
from exporter.simulator.faults import broken
from tests.e2e.programs import LISTEN, Exporter, Program, until
from tests.hostile.clouds import DAY, HostileCloud
from tests.hostile.outputs import never_read
from tests.lib.imports import imports

PROMPT = 5.0
WATCHED = """
import asyncio, re, sys, time
{imports}

def hold_the_lock():
    re.match("(a|aa)+b", "a" * 60)

async def main():
    watchdog = Watchdog(hang=1.0, stop=1.0)
    watchdog.on_signal({stop})
    watching = asyncio.create_task(watchdog.watch())
    await asyncio.sleep(0.2)
    print("ready", flush=True)
    {work}

asyncio.run(main())
"""


HANGS = ["hold_the_lock()", "time.sleep(30)"]


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    """Starts a process with a watchdog that does some work in its event loop; it ends with the test."""
    with ExitStack() as stack:

        def start(work: str, stop: str = "lambda: None", **options: Any) -> Program:
            code = WATCHED.format(imports=imports(Watchdog), work=work, stop=stop)
            folder = tmp_path / f"program{len(list(tmp_path.iterdir()))}"
            return stack.enter_context(Program([sys.executable, "-c", code], folder, **options))

        yield start


def started(program: Program) -> Program:
    program.until(lambda: "ready" in program.stdout, "its loop runs")
    return program


def state(program: Program) -> str:
    """R, S, T and so on, as ps shows it."""
    return Path(f"/proc/{program.pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_a_loop_that_makes_no_turn_ends_the_process_with_its_stack(watched: Callable[..., Program]) -> None:
    fine = watched("await asyncio.sleep(2.5)")
    with never_read() as number:
        unread = watched("hold_the_lock()", stderr=number)
        for program in [watched(work) for work in HANGS]:
            assert program.exit_code(10) == 1
            assert "Timeout" in program.stderr
            assert 'File "<string>", line' in program.stderr
            assert "in main" in program.stderr
        assert unread.exit_code(10) == 1  # although its stack is not read
    assert (fine.exit_code(10), fine.stderr) == (0, "")


def test_a_stopped_process_does_not_count_as_hanging(watched: Callable[..., Program]) -> None:
    program = started(watched("await asyncio.sleep(1)"))
    program.send_signal(signal.SIGTSTP)
    until(lambda: state(program) == "T", lambda: "it stops")
    time.sleep(1.5)
    program.send_signal(signal.SIGCONT)
    assert (program.exit_code(10), program.stderr) == (0, "")


def test_a_signal_ends_a_process_whatever_its_loop_does(watched: Callable[..., Program]) -> None:
    programs = [started(watched(work)) for work in (*HANGS, "await asyncio.sleep(30)")]
    for program in programs:
        program.send_signal(signal.SIGTERM)
    for program in programs:
        assert program.exit_code(PROMPT) == 1


def test_a_second_signal_ends_a_process_at_once(watched: Callable[..., Program]) -> None:
    work = "watching.cancel(); await asyncio.sleep(30)"
    program = started(watched(work, stop="lambda: print('stopping', flush=True)"))
    program.send_signal(signal.SIGTERM)
    program.until(lambda: "stopping" in program.stdout, "it handles the first signal")
    program.ends_on(signal.SIGINT, 128 + signal.SIGINT)


def test_a_signal_ends_it_during_retries_and_a_hanging_reload(
    start: Callable[..., Exporter], cloud: HostileCloud, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    config = cloud.config()
    credentials = config["accounts"][0]["credentials"]
    secret.write_text(credentials["secret_key"])
    credentials["secret_key"] = {"file": str(secret)}
    exporter = start(config=config).ready()
    cloud.faults.append(broken("/jobs"))
    secret.unlink()
    os.mkfifo(secret)  # opening it waits for a writer
    exporter.send_signal(signal.SIGHUP)
    time.sleep(0.5)
    exporter.ends_on(signal.SIGTERM, 0, 1, seconds=PROMPT)


def test_a_slow_regular_expression_does_not_block_the_loop(start: Callable[..., Exporter], cloud: HostileCloud) -> None:
    cloud.world.tasks += [SimTask(name=f"{'a' * 40}{number}", born=time.time() - DAY) for number in range(100)]
    exporter = start(config=cloud.config(tasks={"include": [{"name": "(a|aa)+b"}]})).ready()
    shown = exporter.until(lambda: re.findall('task_name="(a+[0-9]+)"', exporter.get().text), "the tasks are shown")
    assert len(set(shown)) == 100
    started = time.monotonic()
    assert exporter.get("/-/healthy").status_code == 200
    assert time.monotonic() - started < 2
    assert exporter.stderr.count("a regular expression takes too long") == 1
    exporter.ends_on(signal.SIGTERM, seconds=PROMPT)


FIRST_PROCESS = f"import os, sys; os.getpid = lambda: 1\n{imports(main)}sys.exit(main())"


def test_sigterm_ends_the_first_process_of_a_container_while_it_reads_a_file_that_hangs(tmp_path: Path) -> None:
    """The system ignores a signal to this process unless there is a handler."""
    pipe = tmp_path / "config.yaml"
    os.mkfifo(pipe)

    def writer() -> int | None:
        with suppress(OSError):  # it does not read yet
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        return None

    with Program([sys.executable, "-c", FIRST_PROCESS, f"--config.file={pipe}"], tmp_path) as program:
        number = program.until(writer, "it reads")
        program.ends_on(signal.SIGTERM, 128 + signal.SIGTERM, seconds=PROMPT)
        os.close(number)


SIGNALLED = """
import os, sys
{imports}

class Finder:
    def find_spec(self, name, *_):
        if name == "{module}":
            os.kill(os.getpid(), {number})

sys.meta_path.insert(0, Finder())
sys.exit(main())
"""


def signalled(number: signal.Signals, folder: Path, *arguments: str) -> Program:
    """The program, which gets a signal while it imports its modules."""
    text = SIGNALLED.format(imports=imports(__main__.main), module=main.__module__, number=int(number))
    return Program([sys.executable, "-c", text, *arguments], folder)


def test_a_signal_during_the_start_ends_a_command_without_a_traceback_and_a_reload_is_ignored(tmp_path: Path) -> None:
    with (
        signalled(signal.SIGHUP, tmp_path / "demo", "demo", LISTEN) as demo,
        signalled(signal.SIGINT, tmp_path / "interrupted", "metrics") as interrupted,
        signalled(signal.SIGHUP, tmp_path / "reloaded", "metrics") as reloaded,
    ):
        for program, code in (interrupted, 130), (reloaded, -signal.SIGHUP):
            assert (program.exit_code(), program.stdout + program.stderr) == (code, "")
        demo.until(lambda: "/metrics" in demo.stdout, "it serves")
        demo.ends_on(signal.SIGTERM)
