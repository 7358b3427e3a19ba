"""Checks the settings of waves against those of the accounts whose tasks they may contain."""

from collections.abc import Iterator

from exporter.config.collectors import COLLECTORS
from exporter.config.cutover_errors import POLLS_WITHIN_MAX_AGE, need_fault
from exporter.config.document import Loc
from exporter.config.schema import Account, Config, Project
from exporter.config.tasks import stricter
from exporter.config.values import duration_text
from exporter.config.waves import Wave, WaveRule


def wave_errors(config: Config) -> Iterator[tuple[Loc, str]]:
    """Yield the errors in the settings of waves."""
    for index, wave in enumerate(config.waves):
        loc: Loc = ("waves", index)
        if wave.starts_at is not None and wave.ends_at is not None and wave.starts_at >= wave.ends_at:
            yield (*loc, "until"), "must be later than from"
        for number, rule in enumerate(wave.include):
            if not any(_may_match(rule, account, project) for account, project in _projects(config)):
                yield (*loc, "include", number), "no project of this configuration has this account, region and project"
        for account in config.accounts:
            if any(_may_match(rule, account, each) for rule in wave.include for each in account.all_projects()):
                yield from _account_errors(wave, account, loc)


def _projects(config: Config) -> Iterator[tuple[Account, Project]]:
    return ((account, project) for account in config.accounts for project in account.all_projects())


def _may_match(rule: WaveRule, account: Account, project: Project) -> bool:
    return rule.of_project(account.name, project.region, project.label)


def _account_errors(wave: Wave, account: Account, loc: Loc) -> Iterator[tuple[Loc, str]]:
    """Check a wave against the settings of an account that may have members."""
    for name in sorted(wave.cutover.model_fields_set):
        here, base = getattr(wave.cutover, name), getattr(account.cutover, name)
        if stricter(name, here, base) != here:
            looser = f"{_text(here)} is looser than cutover.{name} of {account.name} ({_text(base)})"
            yield (*loc, "cutover", name), f"{looser}: a wave may only be stricter"
        elif fault := need_fault(wave.cutover, name, account):
            yield (*loc, "cutover", name), fault
    deciding = [account.interval(name) for name in COLLECTORS if COLLECTORS[name].in_waves and account.enabled(name)]
    interval = max(min(wave.interval or each, each) for each in deciding)
    age = wave.cutover.max_age
    if "max_age" in wave.cutover.model_fields_set and age < POLLS_WITHIN_MAX_AGE * interval:
        fault = f"{_text(age)} must be at least 2 x the interval of the wave in {account.name} ({_text(interval)})"
        yield (*loc, "cutover", "max_age"), f"{fault}, else no task stays ready: raise it, or poll more often"


def _text(value: object) -> str:
    return duration_text(value) if isinstance(value, float) else str(value)
