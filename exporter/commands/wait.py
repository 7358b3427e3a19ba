"""Wait until tasks, or all of a wave, are ready, caught up, loaded or ended.

For scripts: the exit code shows how it ended, and one line on standard output
how far the tasks are. On a terminal, a line shows what is still missing. With
--url it reads from a running exporter, which may restart meanwhile; otherwise
it polls the cloud as the command run does.

  ready      nothing known blocks the cut-over, for stable_for
  caught-up  the delays are fresh and within max_delay, for stable_for
  full-load  the full load is complete
  ended      the task has ended, or was removed

Unknown or old data never counts. A task that was ready, caught up or loaded,
and then ended, counts. Of a wave, all that have ended count.

Examples:
  drs-exporter wait orders-to-rds --for=ready --url=http://localhost:10826 &&
    ./cut-over.sh
  drs-exporter wait orders-to-rds webshop-mysql --for=full-load --timeout=12h
    --config.file=config.yaml
  drs-exporter wait --wave=weekend-1 --for=ready --url=http://localhost:10826
  drs-exporter wait webshop-mysql --for=caught-up --demo

Exit codes: 0 all of them are, 1 no such task or wave, a wave that is over, or
no response at the start, 2 several tasks have that name, or bad usage or
configuration, 3 one failed, or ended before, 4 the timeout, 130 Ctrl-C.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from exporter.commands.live import while_polling
from exporter.commands.lookup import hints
from exporter.commands.options import Parser, add_cloud, add_url, add_wave, cloud_of
from exporter.commands.outcome import Outcome
from exporter.commands.output import report
from exporter.commands.remote import remote_of
from exporter.commands.wait_goals import GOALS, Goal, State, slowest
from exporter.commands.wait_sources import FromCloud, FromUrl, Source
from exporter.commands.wait_tasks import CannotWaitError, NamedTasks, Subject, Survey
from exporter.commands.wait_waves import WaveTasks
from exporter.commands.watch import interval
from exporter.config import NotReadyError
from exporter.daemon.exporter import Exporter
from exporter.runtime import interrupts
from exporter.runtime.clock import Clock
from exporter.runtime.terminal import ProgressLine
from exporter.views.text import duration, listing, plural

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Sequence

    import httpx

    from exporter.config import Config

_FAILED, _TIMEOUT = 3, 4
"""The exit codes."""
_PAUSE_SECONDS = 5.0
"""The time between two readings."""
_DEFAULT_TIMEOUT = "2h"


def add_options(parser: Parser) -> None:
    parser.add_argument("tasks", metavar="TASK", nargs="*", help="ids of tasks, or exact names that no other task has")
    add_wave(parser, "wait for all tasks of this wave, in place of TASK")
    parser.add_argument("--for", dest="goal", choices=[*GOALS], required=True, help="what to wait for")
    parser.add_argument(
        "--timeout",
        type=interval,
        default=interval(_DEFAULT_TIMEOUT),
        metavar="DURATION",
        help=f"the longest wait, such as 90s or 12h; default: {_DEFAULT_TIMEOUT}",
    )
    add_cloud(parser)
    add_url(parser)


def run(options: argparse.Namespace) -> Outcome:
    if bool(options.tasks) == (options.wave is not None):
        options.parser.error("expected TASK, or --wave=NAME")
    wanted = options.tasks or options.wave
    goal = GOALS[options.goal]
    if remote := remote_of(options):
        return interrupts.run(wait(subject_of(FromUrl(remote), goal, wanted), goal, options.timeout))
    config, transport = cloud_of(options)
    return interrupts.run(wait_for_cloud(config, wanted, goal, options.timeout, transport=transport))


async def wait_for_cloud(
    config: Config,
    wanted: Sequence[str] | str,
    goal: Goal,
    seconds: float,
    *,
    transport: httpx.AsyncBaseTransport | None = None,
    clock: Callable[[], Clock] = Clock,
) -> Outcome:
    """Do the same for tasks of the cloud, or for the wave with the name `wanted`; it polls as the command `run`."""
    async with Exporter(config, transport=transport, clock=clock) as exporter:
        subject = subject_of(FromCloud(exporter), goal, wanted, hints(config))
        return await while_polling(exporter, wait(subject, goal, seconds))


def subject_of(source: Source, goal: Goal, wanted: Sequence[str] | str, unfound: Sequence[str] = ()) -> Subject:
    """Return the tasks with these ids or names, or those of the wave with a name."""
    return WaveTasks(source, goal, wanted) if isinstance(wanted, str) else NamedTasks(source, goal, wanted, unfound)


async def wait(subject: Subject, goal: Goal, seconds: float) -> Outcome:
    """Wait until all tasks are there, one never gets there, or the time is up.

    Raises:
        ConfigError: the tasks cannot be read at the start.
    """
    waiting = _Waiting(subject, goal, seconds)
    async with ProgressLine(waiting.line) as progress:
        return await waiting.end(progress)


class _Waiting:
    """Reads how far the tasks are, again and again."""

    def __init__(self, subject: Subject, goal: Goal, seconds: float) -> None:
        self._subject = subject
        self._goal = goal
        self._seconds = seconds
        self._survey = Survey(holding=["no response yet"])
        """The newest."""
        self._error = ""
        """Why the newest reading failed."""

    def line(self) -> str:
        """Return what is missing, in a line."""
        missing = [self._error] if self._error else self._missing()[:1]
        return "; ".join([self._counts(), *missing])

    async def end(self, progress: ProgressLine) -> Outcome:
        """Return the end of the wait."""
        time, started = asyncio.get_running_loop().time, False
        end = time() + self._seconds
        try:
            async with asyncio.timeout_at(end):
                while True:
                    try:
                        self._survey = await self._subject.survey()
                    except NotReadyError as error:
                        if not started:
                            raise
                        self._failed(str(error), progress)
                    else:
                        started = True
                        self._failed("", progress)
                        if outcome := self._outcome():
                            return outcome
                    await asyncio.sleep(_PAUSE_SECONDS)
        except CannotWaitError as error:
            return error.outcome
        except TimeoutError:
            missing = [self._error] if self._error else [*self._missing(), *self._survey.notes]
            return Outcome(_TIMEOUT, f"{self._counts()} after {duration(self._seconds)}", tuple(missing))

    def _failed(self, error: str, progress: ProgressLine) -> None:
        """Store why a reading failed, or that it succeeded, and report the first one of several."""
        if bool(error) != bool(self._error):
            progress.wipe()
            report([f"{error}; trying again until the timeout" if error else "the exporter responds again"])
        self._error = error

    def _counts(self) -> str:
        reached = sum(step.state is State.REACHED for step in self._survey.steps)
        ended = f", {self._survey.ended} of them ended" if self._survey.ended else ""
        return f"{self._goal.words}: {reached} of {plural(self._subject.total, 'task')}{ended}"

    def _missing(self) -> list[str]:
        return [*self._survey.holding, *(f"{step.name}: {step.text}" for step in slowest(self._survey.steps))]

    def _outcome(self) -> Outcome | None:
        """Return the end of the wait; None if it goes on."""
        steps = self._survey.steps
        if never := [f"{step.name} {step.text}" for step in steps if step.state in {State.FAILED, State.OVER}]:
            return Outcome(_FAILED, f"{self._counts()}; {', '.join(never)}")
        if not steps or self._survey.holding or any(step.state is not State.REACHED for step in steps):
            return None
        return Outcome(0, self._counts(), tuple(_unchecked(self._survey)) if self._goal is GOALS["ready"] else ())


def _unchecked(survey: Survey) -> Iterable[str]:
    """Return what the verdicts on the tasks have not checked, in a line for each difference."""
    tasks: dict[str, list[str]] = {}
    for name, text in sorted(survey.unchecked.items()):
        tasks.setdefault(text, []).append(name)
    return [f"{listing(names)}: {text}" for text, names in tasks.items()]
