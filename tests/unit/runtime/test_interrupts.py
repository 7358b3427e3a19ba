"""Ctrl-C while a command waits."""

import asyncio
import os
import signal

import pytest

from exporter.runtime import interrupts


def test_a_command_returns_its_result() -> None:
    async def command() -> int:
        return 7

    assert interrupts.run(command()) == 7
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_interrupt_cancels_the_command_and_a_second_one_ends_its_cleanup() -> None:
    steps = []

    async def command() -> None:
        try:
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.Event().wait()
        finally:
            steps.append("cleanup")
            os.kill(os.getpid(), signal.SIGINT)
            steps.append("not reached")

    with pytest.raises(KeyboardInterrupt):
        interrupts.run(command())
    assert steps == ["cleanup"]
