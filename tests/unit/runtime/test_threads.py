from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from concurrent.futures import Future
from functools import partial

import pytest

from exporter.commands.main import main
from exporter.runtime.threads import THREAD_PREFIX, DaemonPool
from tests.lib.imports import imports
from tests.lib.virtual_time import at_work, in_real_time


def _running(name: str) -> int:
    return sum(thread.name == f"{THREAD_PREFIX}{name}" for thread in threading.enumerate())


@in_real_time
async def test_returns_results_and_raises_errors_of_the_function_for_every_caller() -> None:
    pool = DaemonPool("plain", threads=2, timeout=10)
    assert await pool.run(divmod, 7, 2) == (3, 1)
    assert await pool.run(int, "ff", base=16) == 255
    with pytest.raises(ZeroDivisionError):
        await pool.run(divmod, 1, 0)
    shared = await asyncio.gather(*(pool.share("a", int, "x") for _ in range(3)), return_exceptions=True)
    assert [type(outcome) for outcome in shared] == [ValueError] * 3


async def test_virtual_time_does_not_pass_while_a_thread_works() -> None:
    await DaemonPool("virtual", threads=1, timeout=10).run(time.sleep, 0.05)
    assert asyncio.get_running_loop().time() == 0


@in_real_time
async def test_runs_no_more_calls_at_once_than_it_has_threads() -> None:
    pool, lock, counts = DaemonPool("bounded", threads=3, timeout=10), threading.Lock(), {"now": 0, "most": 0}

    def count() -> None:
        with lock:
            counts["now"] += 1
            counts["most"] = max(counts["most"], counts["now"])
        time.sleep(0.01)
        with lock:
            counts["now"] -= 1

    await asyncio.gather(*(pool.run(count) for _ in range(12)))
    assert counts == {"now": 0, "most": 3}


@in_real_time
async def test_a_call_that_hangs_times_out_and_blocks_no_other_thread() -> None:
    pool, release = DaemonPool("hangs", threads=2, timeout=0.1), threading.Event()
    with pytest.raises(TimeoutError):
        await pool.run(release.wait)
    pool.timeout = 30
    assert await pool.run(str, 1) == "1"
    release.set()


@in_real_time
async def test_calls_that_never_got_a_thread_are_not_kept_or_run() -> None:
    pool, release, calls = DaemonPool("full", threads=1, timeout=0.05), threading.Event(), list[int]()
    outcomes = await asyncio.gather(
        pool.run(release.wait), *(pool.run(calls.append, n) for n in range(5)), return_exceptions=True
    )
    assert all(isinstance(outcome, TimeoutError) for outcome in outcomes)
    release.set()
    pool.timeout = 10
    assert await pool.run(str, 2) == "2"
    assert calls == []


@in_real_time
async def test_calls_with_one_key_share_a_run() -> None:
    pool, release, runs = DaemonPool("shared", threads=4, timeout=10), threading.Event(), list[str]()

    def work(name: str) -> str:
        runs.append(name)
        release.wait()
        return name

    calls = [asyncio.create_task(pool.share(key, work, key)) for key in "aaab"]
    await asyncio.sleep(0)
    calls[0].cancel()  # the others still get their result
    release.set()
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert (outcomes[1:], sorted(runs)) == (["a", "a", "b"], ["a", "b"])
    assert await pool.share("a", work, "again") == "again"


@in_real_time
async def test_a_shared_run_that_hangs_keeps_one_thread_and_fails_further_calls_at_once() -> None:
    pool, release = DaemonPool("stuck", threads=4, timeout=0.1), threading.Event()
    outcomes = await asyncio.gather(*(pool.share("a", release.wait) for _ in range(3)), return_exceptions=True)
    assert all(isinstance(outcome, TimeoutError) for outcome in outcomes)
    began = time.monotonic()
    for _ in range(100):
        with pytest.raises(TimeoutError):
            await pool.share("a", release.wait)
    assert time.monotonic() < began + 5
    assert _running("stuck") == 1
    pool.timeout = 10
    assert await pool.share("b", str, 7) == "7"
    release.set()
    assert await pool.share("a", str, 8) in {"8", True}


def test_threads_end_when_there_is_no_work_and_the_pool_serves_another_loop() -> None:
    pool = DaemonPool("idle", threads=4, timeout=10)
    for _ in range(2):
        assert asyncio.run(pool.run(str, 3)) == "3"
        deadline = time.monotonic() + 10
        while _running("idle"):
            assert time.monotonic() < deadline
            time.sleep(0.001)


def test_a_call_that_is_cancelled_before_a_thread_takes_it_is_not_run() -> None:
    pool, calls, future = DaemonPool("early", threads=1, timeout=10), list[int](), Future[None]()
    future.cancel()
    pool._submit((future, partial(calls.append, 1)))
    assert (asyncio.run(pool.run(str, 3)), calls) == ("3", [])


@in_real_time
async def test_a_call_that_is_cancelled_leaves_the_pool_usable() -> None:
    pool, release = DaemonPool("cancelled", threads=1, timeout=10), threading.Event()
    first = asyncio.create_task(pool.run(release.wait))
    second = asyncio.create_task(pool.run(release.wait))
    await asyncio.sleep(0)
    second.cancel()
    release.set()
    assert await first
    assert await pool.run(str, 4) == "4"


def _no_thread(thread: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


@in_real_time
async def test_without_a_further_thread_a_call_waits_for_a_running_one(monkeypatch: pytest.MonkeyPatch) -> None:
    pool, release = DaemonPool("few", threads=2, timeout=10), threading.Event()
    working = asyncio.create_task(pool.run(release.wait))
    await asyncio.sleep(0)
    monkeypatch.setattr(threading.Thread, "start", _no_thread)
    waiting = asyncio.create_task(pool.run(str, 5))
    await asyncio.sleep(0)
    release.set()
    assert await working
    assert await waiting == "5"


def test_where_the_system_starts_no_thread_the_call_fails_with_an_os_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading.Thread, "start", _no_thread)
    with pytest.raises(OSError, match="no thread"):
        asyncio.run(DaemonPool("none", threads=2, timeout=10).run(str, 6))


_HANGS = f"""
import asyncio, threading
{imports(DaemonPool)}
async def main():
    pool = DaemonPool("hangs", threads=1, timeout=0.1)
    try:
        await pool.run(threading.Event().wait)
    except TimeoutError:
        print("timed out")

asyncio.run(main())
"""


def test_a_thread_that_hangs_does_not_delay_the_exit_of_the_interpreter() -> None:
    done = subprocess.run([sys.executable, "-c", _HANGS], capture_output=True, text=True, timeout=30, check=True)
    assert (done.stdout, done.stderr) == ("timed out\n", "")


BUSY = """
import asyncio, atexit, sys, threading, time
{imports}
began = threading.Event()

def work():
    began.set()
    time.sleep({seconds})

async def work_in_a_thread():
    task = asyncio.create_task(DaemonPool("busy", threads=1, timeout=60).run(work))
    while not began.is_set():
        await asyncio.sleep(0.001)

asyncio.run(work_in_a_thread())
deadline = time.monotonic() + 20
while {seconds} == 0 and at_work():
    assert time.monotonic() < deadline
    time.sleep(0.001)
atexit.register(print, "cleanup")
sys.argv[1:] = ["metrics"]
sys.exit(main())
"""


@pytest.mark.parametrize("seconds", [60, 0])
def test_a_process_ends_without_cleanup_whether_or_not_threads_are_at_work(seconds: int) -> None:
    """The cleanup takes long; Rust code that returns during it, as a check of bcrypt, would abort the process."""
    command = [sys.executable, "-c", BUSY.format(imports=imports(main, DaemonPool, at_work), seconds=seconds)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    assert "| `drs_up` |" in done.stdout
    assert "cleanup" not in done.stdout
