"""What went wrong with the polls of a project, in words, for commands that poll it once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exporter.views.findings import Level, words

if TYPE_CHECKING:
    from exporter.polling.poller import Poller


def failures(poller: Poller) -> list[str]:
    """Which collectors of a project failed, and a line for each reason with what to do; none where all is well."""
    store = poller.store
    failed = [name for name, facts in store.project().collectors.items() if facts.success is False]
    if not failed:
        return []
    told = (words(error) for error in poller.faults)
    reasons = dict.fromkeys(
        what + (f": {remedy}" if remedy else "") for level, what, remedy in told if level is not Level.OK
    )
    return [
        f"{_where(poller)}: failed, and so unknown or incomplete: {', '.join(failed)}",
        *(f"  {one}" for one in reasons),
    ]


def gaps(poller: Poller) -> list[str]:
    """A line for each list of a project that succeeded but may lack tasks."""
    return [
        f"{_where(poller)}: the {api} list of {job_type} is incomplete, tasks may be missing: {facts.gap}"
        for (api, job_type), facts in poller.store.project().lists.items()
        if facts.gap is not None
    ]


def _where(poller: Poller) -> str:
    return "/".join(poller.store.key)
