"""The access to the cloud in words."""

from __future__ import annotations

import re
from math import prod
from typing import Any

import pytest

from exporter.model.facts import Access, CollectorFacts
from exporter.views.access import SKEW_WARNING, clock_text, credentials_text, renewal_overdue, stands_still
from tests.lib.rules import ALERT_RULES

NOW = 1e9


def expressions(alert: str) -> str:
    return "\n".join(rule["expr"] for rule in ALERT_RULES if rule["alert"] == alert)


@pytest.mark.parametrize(
    ("skew", "text"),
    [
        (None, ""),
        (60.0, ""),
        (-60.0, ""),
        (90.4, "clock of the host 1m30s ahead of the cloud's"),
        (-61.0, "clock of the host 1m1s behind the cloud's"),
    ],
)
def test_only_a_clock_that_is_known_to_be_wrong_is_named(skew: float | None, text: str) -> None:
    assert clock_text(Access(clock_skew_seconds=skew)) == text


@pytest.mark.parametrize(
    ("kind", "left", "text"),
    [
        ("token", 7200, "the token is valid for 2h"),
        ("password", 90, "the token is valid for 1m30s"),
        ("ecs_agency", 90, "the keys are valid for 1m30s"),
        ("token", -90, "the token expired 1m30s ago"),
    ],
)
def test_credentials_are_valid_until_their_end(kind: str, left: float, text: str) -> None:
    assert credentials_text(Access(credentials_type=kind, credentials_expire_at=NOW + left), NOW) == text


@pytest.mark.parametrize("access", [Access(), Access(credentials_type="ak_sk")])
def test_nothing_is_said_of_credentials_whose_end_is_not_known(access: Access) -> None:
    assert credentials_text(access, NOW) == ""
    assert not renewal_overdue(access, NOW)


def test_a_clock_is_wrong_when_the_alert_fires() -> None:
    assert {float(limit) for limit in re.findall(r"> (\d+)\n", expressions("DrsClockSkew"))} == {SKEW_WARNING}


@pytest.mark.parametrize(("kind", "before"), [("token", 3600), ("password", 1500), ("ecs_agency", 240)])
def test_credentials_are_overdue_when_the_alert_fires(kind: str, before: float) -> None:
    limits = re.findall(r'\{type="(\w+)"\}\) - time\(\)\s+< ([\d *]+)', expressions("DrsCredentialsExpiring"))
    assert {name: prod(map(int, limit.split("*"))) for name, limit in limits}[kind] == before

    def overdue(left: float) -> bool:
        return renewal_overdue(Access(credentials_type=kind, credentials_expire_at=NOW + left), NOW)

    assert (overdue(before), overdue(before - 1), overdue(-1)) == (False, True, True)


@pytest.mark.parametrize(
    ("newest", "still"),
    [
        ({"success": True, "last_success_at": NOW - 1200, "oldest_seconds": 1200.0}, False),
        ({"success": True, "last_success_at": NOW - 1201}, True),
        ({"success": True, "last_success_at": NOW - 10, "oldest_seconds": 1201.0}, True),
        ({"success": False, "last_success_at": NOW - 1201, "oldest_seconds": 1201.0}, False),  # that is shown
        ({"last_success_at": NOW - 1201}, False),  # no query is possible
        ({"success": True}, False),
    ],
)
def test_a_collector_stands_still_when_the_alert_fires(newest: dict[str, Any], *, still: bool) -> None:
    assert expressions("DrsCollectorStale").count("> 4 * drs_exporter_collector_max_age_seconds") == 2
    assert stands_still(CollectorFacts(60.0, **newest, max_age_seconds=300.0), NOW) is still
    assert not stands_still(CollectorFacts(60.0, **newest), NOW)
