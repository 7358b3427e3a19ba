"""The ages at which facts expire."""

from __future__ import annotations

import pytest

from exporter.store.ages import Ages


def ages(interval: float, measured: float | None = None, *, stale_after: float = 300.0) -> Ages:
    limits = Ages(stale_after)
    limits.set("progress", interval, measured)
    return limits


@pytest.mark.parametrize(
    ("interval", "measured", "expired"),
    [
        (30, None, 300),
        (30, 30, 300),
        (30, 20, 300),  # facts that are updated sooner than configured expire no sooner
        (30, 90, 300),
        (30, 150, 450),
        (30, 400, 1200),
        (30, 401, 1200),  # four times 300, however few calls are allowed
        (30, 86_400, 1200),
        (600, None, 1800),
        (600, 2400, 7200),
        (600, 9000, 7200),
    ],
)
def test_facts_expire_after_three_measured_intervals_and_at_most_four_times_as_late_as_configured(
    interval: float, measured: float | None, expired: float
) -> None:
    limits = ages(interval, measured)
    assert limits.interval("progress") == max(interval, measured or 0)
    assert limits.expire_after("progress") == expired
    assert limits.missed_after("progress") == 1.5 * limits.interval("progress")


@pytest.mark.parametrize(
    ("planned", "expired"), [(0, 900), (300, 900), (600, 1800), (1200, 3600), (3000, 3600), (86_400, 3600)]
)
def test_facts_that_are_queried_rarely_expire_after_three_times_that_and_at_most_four_times_as_late(
    planned: float, expired: float
) -> None:
    assert ages(300).expire_after("progress", planned) == expired


def test_the_setting_is_the_least_age() -> None:
    assert ages(30, stale_after=60.0).expire_after("progress") == 90
    assert ages(30, stale_after=3600.0).expire_after("progress") == 3600
    assert ages(30, 86_400, stale_after=3600.0).expire_after("progress") == 4 * 3600


def test_facts_of_a_source_with_a_longer_interval_are_as_late_as_the_others() -> None:
    limits = Ages(300.0)
    limits.set("node", 60, 420, lateness=3.5)  # of a source that is queried every two minutes
    assert limits.interval("node") == 420
    assert limits.expire_after("node") == 630
    assert limits.expire_after("node", 300, 300) == 3150
    assert limits.expire_after("node", 300, 300) < 4 * 900


def test_a_burst_of_updates_does_not_let_facts_expire_at_once() -> None:
    limits = ages(60, 300)
    limits.set("progress", 60, 60)
    assert limits.interval("progress") == 60
    assert limits.expire_after("progress") == pytest.approx(0.98 * 900)
    for _ in range(90):
        limits.set("progress", 60, 60)
    assert limits.expire_after("progress") == 300


@pytest.mark.parametrize("interval", [30, 60, 600])
def test_an_outage_of_a_day_delays_the_expiry_for_no_more_than_seventy_polls_of_the_lists(interval: float) -> None:
    limits = ages(interval, 86_400)
    usual = ages(interval).expire_after("progress")
    assert limits.expire_after("progress") == 4 * usual
    for _ in range(70):
        limits.set("progress", interval, interval)
    assert limits.expire_after("progress") == usual


def test_an_interval_that_becomes_shorter_is_reported() -> None:
    limits = ages(30)
    assert not limits.shortened
    limits.set("progress", 30, 90)
    limits.set("detail", 600)
    assert not limits.shortened
    limits.set("progress", 30, 60)
    assert limits.shortened


def test_facts_of_a_source_with_a_longer_interval_expire_by_that() -> None:
    assert ages(60).expire_after("progress", 300, 300) == 900
    assert ages(60, 86_400).expire_after("progress", 300, 300) == 3600


def test_without_decay_facts_expire_no_earlier_and_may_expire_later() -> None:
    limits = ages(30, 300)
    for _ in range(100):
        limits.set("progress", 30, 10, 0.3, decays=False)
    assert limits.expire_after("progress") == 900
    assert not limits.shortened
    limits.set("progress", 30, 360, 12.0, decays=False)
    assert limits.expire_after("progress") == 1080
