"""What `check` finds without the cloud: missing secrets, mistyped regions, and rate limits that can't suffice."""

from __future__ import annotations

from collections import Counter
from math import ceil
from typing import TYPE_CHECKING

from exporter.commands.check_network import region_findings
from exporter.commands.check_waves import common_findings
from exporter.commands.findings import CONFIGURATION, Finding, summary
from exporter.config import TASKS
from exporter.model.waves import Stage, stage_of
from exporter.polling.demand import WAVE_SHARE, wave_stretch
from exporter.views.errors import Level
from exporter.views.text import duration, plural

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from exporter.config import Account, Config, Project, Wave

_MOST_IDS = 10
"""Tasks in the largest batch of any API: no fewer calls are possible."""


def offline_findings(config: Config, missing: Iterable[str], now: float) -> list[Finding]:
    """Return all findings and their summary.

    Args:
        config: the configuration.
        missing: a line for each file or variable that is not available here.
        now: Unix time.
    """
    projects = sum(len(account.all_projects()) for account in config.accounts)
    counts = f"{plural(len(config.accounts), 'account')}, {plural(projects, 'project')}"
    found = [Finding(Level.OK, CONFIGURATION, f"valid, {counts}; the cloud was not queried")]
    found += (Finding(Level.WARN, CONFIGURATION, f"not checked, missing here: {line}") for line in missing)
    for account in config.accounts:
        found += region_findings(account)
        found += _list_findings(account)
    waves = [wave for wave in config.waves if stage_of(wave, now) is not Stage.OVER]
    found += common_findings(config, now)
    for wave in waves:
        found += _wave_findings(wave, config)
    return [*found, summary(Counter(finding.level for finding in found))]


def _list_findings(account: Account) -> Iterator[Finding]:
    """Report the regions whose lists alone, without any task, need more calls than are allowed."""
    calls: dict[str, float] = {}
    for project in account.all_projects():
        needed = _lists(account, project) / account.interval(TASKS)
        calls[project.region] = calls.get(project.region, 0.0) + needed
    for region, needed in calls.items():
        if needed > account.poll.rate_limit:
            what = (
                f"the lists alone need {needed:.2g} calls a second; {account.poll.rate_limit:g} are allowed: "
                "all facts will be older than configured"
            )
            remedy = f"set poll.rate_limit to more than {needed:.2g}, or a longer poll.interval"
            yield Finding(Level.WARN, f"{account.name}/{region}", what, remedy)


def _lists(account: Account, project: Project) -> int:
    """Return how many lists of a project are read in each interval, at least."""
    parts = len(project.enterprise_project_ids) if project.api == "v3" else 1
    return len(account.tasks.job_types) * max(1, parts)


def _wave_findings(wave: Wave, config: Config) -> Iterator[Finding]:
    """Report a wave whose expected tasks need more calls than waves may use, however they are spread over regions."""
    places = dict(_places(wave, config))
    rate = sum(account.poll.rate_limit for account in places.values())
    usual = max((account.interval("progress") for account in places.values()), default=0.0)
    wanted = min(wave.interval or usual, usual)
    if not wave.expected or not rate:
        return
    needed = ceil(wave.expected / _MOST_IDS) / wanted
    interval = wanted * wave_stretch(needed, rate)
    if interval <= wanted:
        return
    what = (
        f"wave {wave.name}: {plural(wave.expected, 'expected task')} every {duration(wanted)} need at least "
        f"{needed:.2g} calls a second of the {WAVE_SHARE * rate:.3g} that waves may use: "
    )
    what += (
        "they are polled as without a wave"
        if interval > usual
        else f"they are polled every {duration(interval)} at best"
    )
    remedy = f"set poll.rate_limit to at least {ceil(needed / WAVE_SHARE / len(places))}, or a longer interval"
    yield Finding(Level.WARN, "waves", what, remedy)


def _places(wave: Wave, config: Config) -> Iterator[tuple[tuple[str, str], Account]]:
    """Yield the accounts and regions that may have tasks of a wave."""
    for account in config.accounts:
        for project in account.all_projects():
            if any(rule.of_project(account.name, project.region, project.label) for rule in wave.include):
                yield (account.name, project.region), account
