"""`drs-exporter wait` on a cloud that a script changes, and on a running exporter."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, NamedTuple

from exporter.commands.outcome import Outcome
from exporter.commands.remote import Remote
from exporter.commands.wait import subject_of, wait, wait_for_cloud
from exporter.commands.wait_goals import GOALS
from exporter.commands.wait_sources import FromUrl
from exporter.config import Config
from exporter.simulator import SimulatedCloud
from exporter.web.app import application
from tests.lib.commands import config_for
from tests.lib.daemon import HOUR, polling
from tests.lib.remote import URL, WithPrefix
from tests.lib.transport import InProcess
from tests.lib.virtual_time import clock, simulate

Script = Callable[[], Coroutine[Any, Any, None]]
FAST: dict[str, Any] = {
    "poll": {"interval": "5s", "stale_after": "30s"},
    "cutover": {"stable_for": "20s", "max_age": "20s"},
}
"""Short times, for `config_for`."""


class End(NamedTuple):
    """How a wait ended, and after how many seconds."""

    outcome: Outcome
    seconds: float


def later(*steps: tuple[float, Callable[[], Any]]) -> Script:
    """Do something after some seconds each."""

    async def run() -> None:
        for seconds, step in steps:
            await asyncio.sleep(seconds)
            step()

    return run


class Waiter:
    """Waits for tasks, or for the wave of a name.

    Args:
        with_url: whether it reads from a running exporter; else it polls the cloud itself.
    """

    def __init__(self, *, with_url: bool) -> None:
        self._with_url = with_url

    def __call__(
        self,
        cloud: SimulatedCloud,
        goal: str,
        *wanted: str,
        wave: str = "",
        seconds: float = HOUR,
        script: Script | None = None,
        config: Config | None = None,
    ) -> End:
        config = config or config_for(**FAST)
        return simulate(self._timed(self._outcome(cloud, config, goal, wave or wanted, seconds), script))

    async def _timed(self, waiting: Coroutine[Any, Any, Outcome], script: Script | None) -> End:
        time = asyncio.get_running_loop().time
        running, start = asyncio.create_task(script()) if script else None, time()
        outcome = await waiting
        if running is not None and not running.cancel():
            running.result()  # raises what the script has raised
        return End(outcome, time() - start)

    async def _outcome(
        self, cloud: SimulatedCloud, config: Config, goal: str, wanted: Sequence[str] | str, seconds: float
    ) -> Outcome:
        if not self._with_url:
            transport = InProcess(cloud)
            return await wait_for_cloud(config, wanted, GOALS[goal], seconds, transport=transport, clock=clock)
        async with polling(cloud, config) as exporter:
            subject = subject_of(url_source(WithPrefix(application(exporter))), GOALS[goal], wanted)
            return await wait(subject, GOALS[goal], seconds)


def url_source(transport: Any) -> FromUrl:
    """The source of a wait on a running exporter."""
    return FromUrl(Remote(URL, None, transport))
