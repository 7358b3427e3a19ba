"""Compares the calls that polls need with the rate limit."""

from __future__ import annotations

from collections import Counter
from math import ceil
from typing import TYPE_CHECKING

from exporter.commands.findings import Finding
from exporter.polling.demand import delay_growth
from exporter.views.errors import Level
from exporter.views.text import duration, plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from exporter.commands.check_project import ProjectCheck
    from exporter.config import Account


def demand_findings(account: Account, checks: Sequence[ProjectCheck]) -> Iterator[Finding]:
    """Compare the calls that the tasks of each region need with the rate limit, and say what follows."""
    for region in dict.fromkeys(check.region for check in checks if check.account is account):
        demand, tasks = Counter[str](), 0
        for check in checks:
            if check.account is account and check.region == region:
                demand.update(check.demand)
                tasks += check.active
        if demand:
            yield _demand_finding(account, f"{account.name}/{region}", tasks, demand)


def _demand_finding(account: Account, place: str, tasks: int, demand: Mapping[str, float]) -> Finding:
    wanted, allowed = sum(demand.values()), account.poll.rate_limit
    interval = account.interval("progress")
    age = interval * delay_growth(demand, allowed)
    verb, rounded = "needs" if tasks == 1 else "need", float(f"{wanted:.2g}")
    needs = (
        f"{plural(tasks, 'active task')} {verb} {rounded:g} calls a second for these intervals; {allowed:g} are allowed"
    )
    if wanted <= allowed:
        return Finding(Level.OK, place, needs)
    most = max(demand, key=demand.__getitem__)
    remedy = f"set poll.rate_limit to {ceil(wanted)} if no other program needs the API, or a longer interval of {most}"
    delays = f"{needs}: delays will be about {duration(round(age))} old"
    if age <= account.cutover.max_age:
        return Finding(Level.OK, place, delays, remedy)
    limit = f"and no task is ready while its delay is older than cutover.max_age ({duration(account.cutover.max_age)})"
    return Finding(Level.WARN, place, f"{delays}, {limit}", remedy)
