"""Findings about waves: whether their tasks exist, what they cost while they run, and how old delays will be."""

from __future__ import annotations

import math
from collections import Counter
from math import ceil
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from exporter.commands.findings import Finding
from exporter.model.filters import TaskFilter
from exporter.model.task import Phase
from exporter.model.waves import Stage, listed_ids, matches_wave, stage_of, strictest
from exporter.polling.demand import WAVE_SHARE, WavePolls, delay_growth, wave_stretch
from exporter.views.errors import Level
from exporter.views.text import duration, moment, plural

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from exporter.commands.check_project import ProjectCheck
    from exporter.config import Account, Config, Wave
    from exporter.model.task import ProjectKey

_PLACE = "waves"
_SHARDED = Finding(
    Level.OK,
    _PLACE,
    "with --shard, no process knows a whole wave: there is no drs_wave_ready, no page, report or wait --wave; the "
    "recording rule drs:wave_ready adds up the shards",
)
"""What holds for all waves."""
_NO_STORAGE = Finding(
    Level.WARN,
    _PLACE,
    "without storage, a restart of the exporter loses the history of waves, their ended tasks and their report",
    "set storage.path to a directory",
)


class _Tasks(NamedTuple):
    """The tasks of a wave in one project.

    Args:
        roots: without subtasks.
        ids: with subtasks.
    """

    roots: frozenset[str]
    ids: frozenset[str]


_TasksOf: TypeAlias = "Mapping[tuple[str, ProjectKey], _Tasks]"
"""By wave and project."""


def wave_findings(config: Config, checks: Sequence[ProjectCheck], now: float) -> Iterator[Finding]:
    """Report when each wave runs, and on those that are not over at this Unix time."""
    yield from common_findings(config, now)
    waves = [wave for wave in config.waves if stage_of(wave, now) is not Stage.OVER]
    tasks = {(wave.name, check.key): _tasks_of(wave, check) for wave in waves for check in checks}
    for wave in waves:
        yield from _task_findings(wave, checks, tasks)
        together = [other for other in waves if _overlap(wave, other)]
        for account in config.accounts:
            for region in dict.fromkeys(check.region for check in checks if check.account is account):
                here = [check for check in checks if check.account is account and check.region == region]
                yield from _cost_findings(wave, together, here, tasks)


def common_findings(config: Config, now: float) -> Iterator[Finding]:
    """Report what the configuration alone shows: when each wave runs, and what holds for all that are not over."""
    stages = [stage_of(wave, now) for wave in config.waves]
    for wave, stage in zip(config.waves, stages, strict=True):
        yield Finding(Level.OK, _PLACE, _times(wave, stage))
        if stage is not Stage.OVER:
            yield from _interval_findings(wave, config.accounts)
    if {*stages} - {Stage.OVER}:
        yield _SHARDED
        if config.storage.path is None:
            yield _NO_STORAGE


def _times(wave: Wave, stage: Stage) -> str:
    """Return when a wave runs, in UTC: a wrong year or zone is seen here."""
    begin = "without a beginning" if wave.starts_at is None else f"from {moment(wave.starts_at)}"
    end = "without an end" if wave.ends_at is None else f"until {moment(wave.ends_at)}"
    over = "; it changes nothing any more" if stage is Stage.OVER else ""
    return f"wave {wave.name} is {stage}: {begin}, {end}{over}"


def _interval_findings(wave: Wave, accounts: Iterable[Account]) -> Iterator[Finding]:
    """Report the accounts whose tasks are polled more often without the wave."""
    for account in accounts:
        usual = account.interval("progress")
        named = any(rule.account in {None, account.name} for rule in wave.include)
        if named and wave.interval is not None and wave.interval > usual:
            what = (
                f"wave {wave.name}: its interval of {duration(wave.interval)} has no effect, since the tasks of "
                f"account {account.name} are polled every {duration(usual)} without it"
            )
            yield Finding(Level.WARN, _PLACE, what, "shorten the interval of the wave, or remove it")


def _overlap(wave: Wave, other: Wave) -> bool:
    """Return whether two waves run at the same time."""
    begin = max(each.starts_at or -math.inf for each in (wave, other))
    return begin < min(each.ends_at or math.inf for each in (wave, other))


def _tasks_of(wave: Wave, check: ProjectCheck) -> _Tasks:
    """Return the tasks of a wave that have not ended; also those whose tags may match."""
    listed = TaskFilter(check.account.tasks).select(check.listed or ())
    living = (task for task in listed if task.parent_id is None and task.phase is not Phase.ENDED)
    roots = frozenset(task.id for task in living if matches_wave(wave, check.key, task, None) is not False)
    return _Tasks(roots, frozenset(task.id for task in check.listed or () if (task.root_id or task.id) in roots))


def _task_findings(wave: Wave, checks: Iterable[ProjectCheck], tasks: _TasksOf) -> Iterator[Finding]:
    """Report a wave that lacks tasks; nothing if the tasks of a project are not known."""
    checks = [check for check in checks if any(rule.of_project(*check.key) for rule in wave.include)]
    if any(check.listed is None for check in checks):
        return
    found = sum(len(tasks[wave.name, check.key].roots) for check in checks)
    listed = {task.id for check in checks for task in check.listed or ()}
    missing = [task_id for task_id in listed_ids(wave) if task_id not in listed]
    if found < (wave.expected or 1):
        expected = "" if wave.expected is None else f", {wave.expected} are expected"
        what = f"wave {wave.name} has {plural(found, 'task')} that have not ended{expected}"
        yield Finding(Level.WARN, _PLACE, what, "correct its rules, unless the tasks are still to be created")
    if missing:
        what = f"wave {wave.name} lists {plural(len(missing), 'id')} that no project has: it cannot become ready"
        yield Finding(Level.WARN, _PLACE, what, f"correct {missing[0]}" + (" and the others" if missing[1:] else ""))


def _cost_findings(
    wave: Wave, together: Iterable[Wave], checks: Sequence[ProjectCheck], tasks: _TasksOf
) -> Iterator[Finding]:
    """Compare the calls of a wave, and of those that run at the same time, with what waves may use in one region.

    The checks are those of one account and region.
    """
    account, count = checks[0].account, sum(len(tasks[wave.name, check.key].roots) for check in checks)
    if not count:
        return
    usual = account.interval("progress")
    wanted, rate = min(wave.interval or usual, usual), account.poll.rate_limit
    own, calls = _calls((wave,), checks, tasks), _calls(together, checks, tasks)
    others = "" if own == calls else f" ({calls:.2g} with waves that overlap it)"
    place, interval = f"{account.name}/{checks[0].region}", wanted * wave_stretch(calls, rate)
    needs = (
        f"wave {wave.name}: {plural(count, 'task')} every {duration(wanted)} {'needs' if count == 1 else 'need'} "
        f"{own:.2g} calls a second{others} of the {WAVE_SHARE * rate:.3g} that waves may use"
    )
    delays = f"their delays will be about {duration(interval)} old{_others(checks, rate, calls)}"
    if interval <= wanted:
        yield Finding(Level.OK, place, f"{needs}: {delays}")
        return
    remedy = f"set poll.rate_limit to {ceil(calls / WAVE_SHARE)} if no other program needs the API"
    if interval > usual:
        result = "they are polled as without a wave, and do not go first"
        remedy += ", or a longer interval of the wave" if wanted < usual else ""
    else:
        result = f"they are polled every {duration(interval)}, {delays}"
        remedy += f", or interval: {duration(ceil(interval))} in the wave"
    max_age = strictest(account.cutover, together).max_age
    if max_age < min(interval, usual):
        result += f", and no task is ready while its delay is older than cutover.max_age ({duration(max_age)})"
    yield Finding(Level.WARN, place, f"{needs}: {result}", remedy)


def _others(checks: Iterable[ProjectCheck], rate: float, calls: float) -> str:
    """Return how old the delays of other tasks become while waves use up to half of the rate limit."""
    demand = Counter[str]()
    for check in checks:
        demand.update(check.demand)
    growth = delay_growth(demand, rate - min(calls, WAVE_SHARE * rate))
    interval = next(iter(checks)).account.interval("progress")
    return f", those of other tasks up to {duration(round(growth * interval))}" if growth > 1 else ""


def _calls(waves: Iterable[Wave], checks: Iterable[ProjectCheck], tasks: _TasksOf) -> float:
    """Return the calls a second that waves want in some projects."""
    calls = 0.0
    for check in checks:
        wanted: dict[str, float | None] = {}
        for wave in waves:
            for task_id in tasks[wave.name, check.key].ids:
                wanted[task_id] = min(filter(None, (wanted.get(task_id), wave.interval)), default=None)
        for polled in check.polled:
            polls = WavePolls(polled.usual, polled.batch, {})
            for task_id in polled.ids & wanted.keys():
                polls.add(task_id, wanted[task_id])
            calls += polls.calls
    return calls
