"""A process that hangs ends, and one that gets a signal to end does so within five seconds, whatever it is doing."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from exporter import __main__
from exporter.commands.main import main
from exporter.runtime.watchdog import Watchdog
from exporter.simulator import SimTask
from exporter.simulator.faults import broken
from tests.e2e.programs import LISTEN, Program, get, until
from tests.hostile.clouds import DAY
from tests.hostile.outputs import never_read
from tests.lib.imports import imports

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.programs import Exporter
    from tests.hostile.clouds import HostileCloud

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


def watched(folder: Path, work: str, stop: str = "lambda: None", **options: Any) -> Program:
    return Program(
        [sys.executable, "-c", WATCHED.format(imports=imports(Watchdog), work=work, stop=stop)], folder, **options
    )


def begun(program: Program) -> Program:
    program.until(lambda: "ready" in program.stdout, "it has begun")
    return program


def state(program: Program) -> str:
    """R, S, T and so on, as ps shows it."""
    return Path(f"/proc/{program.pid}/stat").read_text().rpartition(")")[2].split()[0]


@pytest.mark.parametrize("work", ["hold_the_lock()", "time.sleep(30)"])
def test_a_loop_that_makes_no_turn_ends_the_process_with_its_stack(work: str, tmp_path: Path) -> None:
    with watched(tmp_path, work) as program:
        assert program.exit_code(10) == 1
        assert "Timeout" in program.stderr
        assert 'File "<string>", line' in program.stderr
        assert "in main" in program.stderr


def test_a_hanging_process_ends_though_nobody_reads_its_stack(tmp_path: Path) -> None:
    with never_read() as number, watched(tmp_path, "hold_the_lock()", stderr=number) as program:
        assert program.exit_code(10) == 1


def test_a_loop_that_turns_is_left_alone(tmp_path: Path) -> None:
    with begun(watched(tmp_path, "await asyncio.sleep(2.5)")) as program:
        assert program.exit_code(10) == 0
        assert program.stderr == ""


def test_ctrl_z_is_no_hang(tmp_path: Path) -> None:
    with begun(watched(tmp_path, "await asyncio.sleep(1)")) as program:
        program.tell(signal.SIGTSTP)
        until(lambda: state(program) == "T", lambda: "it stops")
        time.sleep(1.5)
        program.tell(signal.SIGCONT)
        assert program.exit_code(10) == 0
        assert program.stderr == ""


@pytest.mark.parametrize("work", ["hold_the_lock()", "time.sleep(30)", "await asyncio.sleep(30)"])
def test_a_signal_ends_a_process_that_does_not_listen(work: str, tmp_path: Path) -> None:
    with begun(watched(tmp_path, work)) as program:
        code, seconds = program.ends_on(signal.SIGTERM)
        assert code == 1
        assert seconds < PROMPT


def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    work = "watching.cancel(); await asyncio.sleep(30)"
    with begun(watched(tmp_path, work, stop="lambda: print('told', flush=True)")) as program:
        program.tell(signal.SIGTERM)
        program.until(lambda: "told" in program.stdout, "it is told")
        assert program.ends_on(signal.SIGINT)[0] == 128 + signal.SIGINT


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
    os.mkfifo(secret)  # opening it waits for somebody who writes
    exporter.tell(signal.SIGHUP)
    time.sleep(0.5)
    code, seconds = exporter.ends_on(signal.SIGTERM)
    assert code in {0, 1}
    assert seconds < PROMPT


def test_a_slow_regular_expression_blocks_nothing(start: Callable[..., Exporter], cloud: HostileCloud) -> None:
    cloud.world.tasks += [SimTask(name=f"{'a' * 40}{number}", born=time.time() - DAY) for number in range(100)]
    exporter = start(config=cloud.config(tasks={"include": [{"name": "(a|aa)+b"}]})).ready()
    shown = exporter.until(
        lambda: re.findall('task_name="(a+[0-9]+)"', get(f"{exporter.url}/metrics").text), "it shows"
    )
    assert len(set(shown)) == 100
    started = time.monotonic()
    assert get(f"{exporter.url}/-/healthy").status_code == 200
    assert time.monotonic() - started < 2
    assert exporter.stderr.count("a regular expression takes too long") == 1
    code, seconds = exporter.ends_on(signal.SIGTERM)
    assert code == 0
    assert seconds < PROMPT


FIRST_PROCESS = f"import os, sys; os.getpid = lambda: 1\n{imports(main)}sys.exit(main())"


def test_sigterm_ends_the_first_process_of_a_container_while_it_reads_a_file_that_hangs(tmp_path: Path) -> None:
    """The system ignores a signal to this process unless there is a handler."""
    pipe = tmp_path / "config.yaml"
    os.mkfifo(pipe)

    def writer() -> int | None:
        with contextlib.suppress(OSError):  # nobody reads yet
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        return None

    with Program([sys.executable, "-c", FIRST_PROCESS, f"--config.file={pipe}"], tmp_path) as program:
        number = program.until(writer, "it reads")
        code, seconds = program.ends_on(signal.SIGTERM)
        os.close(number)
        assert code == 128 + signal.SIGTERM
        assert seconds < PROMPT


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


def test_a_reload_during_the_start_is_ignored(tmp_path: Path) -> None:
    with signalled(signal.SIGHUP, tmp_path, "demo", LISTEN) as program:
        program.until(lambda: "/metrics" in program.stdout, "it serves")
        assert program.ends_on(signal.SIGTERM)[0] == 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGHUP, -signal.SIGHUP)])
def test_a_signal_during_the_start_ends_a_command_without_a_traceback(
    number: signal.Signals, code: int, tmp_path: Path
) -> None:
    with signalled(number, tmp_path, "metrics") as program:
        assert program.exit_code() == code
        assert program.stdout + program.stderr == ""
