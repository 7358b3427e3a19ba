"""Ends a process that hangs, without the event loop and without Python's lock."""

from __future__ import annotations

import asyncio
import faulthandler
import os
import signal
from collections.abc import Callable
from typing import NoReturn

HANG_SECONDS = 60.0
"""An event loop that runs no callback for this time hangs."""
STOP_SECONDS = 4.5
"""The longest time from a signal, or a crash, to the end of the process."""
_POSTPONED = 12
"""How many times the end is postponed within `hang` seconds."""
_STANDARD_ERROR = 2


class Watchdog:
    """Ends the process with exit code 1, and the stack of every thread on standard error, when it hangs.

    A thread of `faulthandler`, which runs no Python code, ends it. Its clock continues while the process is stopped
    (SIGSTOP, a frozen container) but not while the whole machine is suspended: a process that is stopped for longer
    than `hang` seconds ends when it is continued, and its supervisor starts it again. Ctrl-Z (SIGTSTP) stops it
    without this effect.

    Args:
        hang: seconds in which the event loop runs no callback.
        stop: seconds for an orderly end.
    """

    def __init__(self, hang: float = HANG_SECONDS, stop: float = STOP_SECONDS) -> None:
        self._hang = hang
        self._stop = stop
        self._output = _standard_error()
        self._ending = False

    async def watch(self) -> NoReturn:
        """Postpone the end while the event loop runs."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGTSTP, self._pause)
        while True:
            if not self._ending:
                self._arm()
            await asyncio.sleep(self._hang / _POSTPONED)

    def end(self) -> None:
        """End the process `stop` seconds after the first call, unless it has ended by then."""
        if not self._ending:
            self._ending = True
            self._arm()

    def on_signal(self, stop: Callable[[], None]) -> None:
        """Call `stop` in the event loop on the first SIGTERM or SIGINT, and end the process at once on the second."""
        loop = asyncio.get_running_loop()

        def end(number: int, _frame: object) -> None:
            if self._ending:
                os._exit(128 + number)
            self.end()
            loop.call_soon_threadsafe(stop)

        # Not the handlers of the event loop, which may hang; these also run while a system call blocks it.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, end)

    def _arm(self) -> None:
        seconds = self._stop if self._ending else self._hang
        faulthandler.dump_traceback_later(seconds, exit=True, file=self._output)

    def _pause(self) -> None:
        """Stop the process on Ctrl-Z; the time until it is continued does not count."""
        faulthandler.cancel_dump_traceback_later()
        os.kill(os.getpid(), signal.SIGSTOP)
        self._arm()


def _standard_error() -> int:
    """A file descriptor for the stacks; where possible one that never blocks, since nobody may read a pipe."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    try:
        return os.open(f"/proc/self/fd/{_STANDARD_ERROR}", flags)
    except OSError:  # a socket, or another user's file
        return _STANDARD_ERROR
