"""The access of the exporter to the cloud in words: its clock, the end of its credentials, collectors that stand still.

The alerts DrsClockSkew, DrsCredentialsExpiring and DrsCollectorStale judge the same facts.
"""

from __future__ import annotations

from exporter.model.facts import Access, CollectorFacts
from exporter.views.text import age, duration

SKEW_WARNING = 60.0
"""Seconds; the cloud refuses signatures of another 15 minutes."""
_RENEWED_BEFORE = {"token": 3600.0, "password": 1500.0, "ecs_agency": 240.0}
"""Seconds before their end at which credentials of each type should have been renewed."""
_MOST = 4
"""No facts are older than n times the age above which facts of their collector expire, see `Ages`."""


def clock_text(access: Access) -> str:
    """Return by how much the clock of the host is wrong; empty if it is right, or if that is not known."""
    skew = access.clock_skew_seconds
    if skew is None or abs(skew) <= SKEW_WARNING:
        return ""
    return f"clock of the host {duration(round(abs(skew)))} {'ahead of' if skew > 0 else 'behind'} the cloud's"


def credentials_text(access: Access, now: float) -> str:
    """Return for how long the credentials are valid; empty if that is not known."""
    if access.credentials_expire_at is None:
        return ""
    end, keys = access.credentials_expire_at, access.credentials_type == "ecs_agency"
    if end <= now:
        return f"the {'keys' if keys else 'token'} expired {age(end, now)} ago"
    return f"the {'keys are' if keys else 'token is'} valid for {age(now, end)}"


def renewal_overdue(access: Access, now: float) -> bool:
    """Return whether the credentials should have been renewed already; false if their end is not known."""
    if access.credentials_expire_at is None:
        return False
    return access.credentials_expire_at - now < _RENEWED_BEFORE[access.credentials_type]


def stands_still(facts: CollectorFacts, now: float) -> bool:
    """Return whether a collector, or that of a task, neither fails nor succeeds for longer than facts can last."""
    if not facts.success or facts.last_success_at is None or facts.max_age_seconds is None:
        return False
    return max(now - facts.last_success_at, facts.oldest_seconds or 0.0) > _MOST * facts.max_age_seconds
