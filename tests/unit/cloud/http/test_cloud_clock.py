"""The clock of the host against the dates of the cloud's responses."""

from __future__ import annotations

import asyncio
from email.utils import formatdate

import pytest

from exporter.cloud.http.cloud_clock import CloudClock
from tests.lib import virtual_time as virtual


class Host:
    """A host whose clock may be wrong, and the cloud's clock, which is right."""

    def __init__(self, ahead: float = 0.0) -> None:
        self.ahead = ahead
        self.clock = CloudClock(lambda: virtual.now() + self.ahead)

    def receive(self, *, old: float = 0.0, **headers: str) -> None:
        """A response arrives, which the cloud has made some seconds before."""
        self.clock.observe({"date": formatdate(virtual.now() - old, usegmt=True), **headers})


@pytest.mark.parametrize("ahead", [0.0, 90.0, -90.0, 86_400.0])
async def test_the_skew_is_that_of_the_host(ahead: float) -> None:
    host = Host(ahead)
    host.receive()
    assert host.clock.skew() == pytest.approx(ahead, abs=1e-3)


async def test_the_least_difference_counts_since_a_date_can_only_be_too_old() -> None:
    host = Host(5.0)
    for old in (0.9, 0.2, 300.0, 7.0):  # the last two are of a cache without Age
        host.receive(old=old)
        await asyncio.sleep(0.5)
    assert host.clock.skew() == pytest.approx(5.0, abs=1.0)


async def test_a_response_from_a_cache_and_one_without_a_date_are_no_proof() -> None:
    host = Host()
    host.receive(old=300.0, age="300")
    host.clock.observe({})
    host.clock.observe({"date": "yesterday"})
    assert host.clock.skew() is None
    host.receive(age="0")
    assert host.clock.skew() == pytest.approx(0.0, abs=1e-3)


async def test_the_skew_is_unknown_after_ten_minutes_without_a_response() -> None:
    host = Host(5.0)
    host.receive()
    await asyncio.sleep(600)
    assert host.clock.skew() == pytest.approx(5.0, abs=1e-3)
    await asyncio.sleep(1)
    assert host.clock.skew() is None


async def test_a_correction_of_the_clock_of_the_host_shows_at_once() -> None:
    host = Host(-120.0)
    host.receive()
    host.ahead = 0.0
    assert host.clock.skew() == pytest.approx(0.0, abs=1e-3)


async def test_old_differences_do_not_hide_newer_ones() -> None:
    host = Host()
    for old in (0.0, 2.0, 1.0):
        host.receive(old=old)
        await asyncio.sleep(300)
    await asyncio.sleep(1)
    assert host.clock.skew() == pytest.approx(1.0, abs=1e-3)
