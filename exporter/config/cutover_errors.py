"""Checks the settings of the cut-over of an account against its polls."""

from collections.abc import Iterator

from exporter.config.document import Loc
from exporter.config.schema import Account, Config
from exporter.config.tasks import NEEDS, Cutover
from exporter.config.values import duration_text

POLLS_WITHIN_MAX_AGE = 2
"""A task stays ready only if it is polled this often within `max_age`."""


def cutover_errors(account: Account, own: Account, written: Config, loc: Loc) -> Iterator[tuple[Loc, str]]:
    """Yield the errors of one account, at the keys that are set.

    Args:
        account: complete.
        own: what the account itself sets.
        written: the configuration as written; its top level holds for all accounts.
        loc: of the account.
    """
    yield from _max_age_errors(account, own, written, loc)
    yield from _need_errors(account, own, loc)


def _max_age_errors(account: Account, own: Account, written: Config, loc: Loc) -> Iterator[tuple[Loc, str]]:
    if account.cutover.max_age >= POLLS_WITHIN_MAX_AGE * account.poll.interval:
        return
    age, interval = duration_text(account.cutover.max_age), duration_text(account.poll.interval)
    name, rule = account.name, "else no task stays ready"
    if "max_age" in own.cutover.model_fields_set | written.cutover.model_fields_set:
        section = loc if "max_age" in own.cutover.model_fields_set else ()
        fault = f"{age} must be at least 2 x poll.interval of {name} ({interval}), {rule}: raise it, or poll more often"
        yield (*section, "cutover", "max_age"), fault
    else:
        section = loc if "interval" in own.poll.model_fields_set else ()
        fault = (
            f"{interval} must be at most half of cutover.max_age of {name} ({age}), {rule}: lower it, or set max_age"
        )
        yield (*section, "poll", "interval"), fault


def _need_errors(account: Account, own: Account, loc: Loc) -> Iterator[tuple[Loc, str]]:
    for name in NEEDS:
        if fault := need_fault(account.cutover, name, account):
            yield (*(loc if name in own.cutover.model_fields_set else ()), "cutover", name), fault


def need_fault(cutover: Cutover, name: str, account: Account) -> str | None:
    """Return the error if these settings require what no collector of an account polls; None without one."""
    collector = NEEDS.get(name)
    if collector is None or getattr(cutover, name) != "required" or account.enabled(collector):
        return None
    return f"required, but collector {collector} of {account.name} is disabled: enable it"
