"""The settings of waves, and their errors."""

from __future__ import annotations

from typing import Any

import pytest

from exporter.config import Wave, from_mapping
from tests.lib.settings import account, fault_of, settings
from tests.lib.virtual_time import EPOCH

ACME = account("acme", {"region": "cn-north-4", "name": "payments"})


def waves_of(*waves: Any, **sections: Any) -> tuple[Wave, ...]:
    return from_mapping(settings(ACME, waves=waves, **sections)).waves


def wave(**keys: Any) -> dict[str, Any]:
    return {"name": "w", "include": [{"name": "orders-.*"}], **keys}


def test_times_with_a_zone_are_unix_times() -> None:
    (found,) = waves_of(wave(**{"from": "2026-01-01T08:00:00+08:00", "until": "2026-01-01T00:00:01Z"}))
    assert (found.starts_at, found.ends_at) == (EPOCH, EPOCH + 1)


def test_only_the_keys_of_the_wave_count_as_its_cutover() -> None:
    (found,) = waves_of(wave(cutover={"max_delay": "1s"}))
    assert found.cutover.model_fields_set == {"max_delay"}


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        ({"name": "a b"}, "waves[0].name: expected up to 100 letters, digits"),
        ({"name": ".."}, "waves[0].name: expected up to 100 letters, digits"),
        ({"include": []}, "waves[0].include: must not be empty"),
        ({"include": [{}]}, "waves[0].include[0]: give at least one of name, id"),
        ({"include": [{"status": "CREATING"}]}, "waves[0].include[0].status: unknown key"),
        ({"include": [{"account": "acne"}]}, "waves[0].include[0]: no project of this configuration has this account"),
        ({"include": [{"project": "x"}]}, "waves[0].include[0]: no project of this configuration has this account"),
        ({"from": "2026-12-05T20:00:00"}, "waves[0].from: expected a date with a time and a zone"),
        ({"until": 5}, "waves[0].until: expected a date with a time and a zone"),
        (
            {"from": "2026-12-05T20:00:00Z", "until": "2026-12-05T20:00:00Z"},
            "waves[0].until: must be later than from",
        ),
        ({"expected": 0}, "waves[0].expected: must be at least 1"),
        (
            {"cutover": {"max_delay": "6s"}},
            "waves[0].cutover.max_delay: 6s is looser than cutover.max_delay of acme (5s)",
        ),
        (
            {"cutover": {"stable_for": "1m"}},
            "waves[0].cutover.stable_for: 1m is looser than cutover.stable_for of acme (2m)",
        ),
        (
            {"cutover": {"comparison": "ignore"}},
            "waves[0].cutover.comparison: ignore is looser than cutover.comparison of acme (if_available)",
        ),
        (
            {"cutover": {"logs": "required"}},
            "waves[0].cutover.logs: required, but collector logs of acme is disabled: enable it",
        ),
        (
            {"cutover": {"max_age": "19s"}, "interval": "10s"},
            "waves[0].cutover.max_age: 19s must be at least 2 x the interval of the wave in acme (10s)",
        ),
        ({"cutover": {"max_age": "59s"}}, "2 x the interval of the wave in acme (30s)"),
    ],
)
def test_a_wrong_setting_is_an_error(keys: dict[str, Any], fault: str) -> None:
    assert fault in fault_of(waves_of, wave(**keys))


def test_a_name_is_used_once() -> None:
    assert "waves[1].name: wave w is already set at waves[0].name" in fault_of(waves_of, wave(), wave())


def test_a_shorter_interval_allows_a_shorter_age() -> None:
    (found,) = waves_of(wave(cutover={"max_age": "20s"}, interval="10s"))
    assert found.cutover.max_age == 20


def test_an_account_without_members_sets_no_limit() -> None:
    other = account("other", {"region": "cn-north-1", "name": "x"}, cutover={"max_delay": "1s"})
    rules = [{"account": "acme", "name": "orders-.*"}]
    data = settings(ACME, other, waves=[wave(include=rules, cutover={"max_delay": "3s"})])
    assert from_mapping(data).waves[0].cutover.max_delay == 3
    data["waves"][0]["include"] = [{"name": "orders-.*"}]
    assert "3s is looser than cutover.max_delay of other (1s)" in fault_of(from_mapping, data)


def test_the_slowest_collector_that_decides_limits_the_age() -> None:
    slow = {**ACME, "collectors": {"progress": {"interval": "50s"}}}
    data = settings(slow, waves=[wave(cutover={"max_age": "80s"})])
    assert "2 x the interval of the wave in acme (50s)" in fault_of(from_mapping, data)
    data["waves"][0]["interval"] = "40s"
    assert from_mapping(data).waves[0].interval == 40
