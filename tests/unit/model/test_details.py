"""Speed limits: which one is in force at a time."""

from __future__ import annotations

import pytest

from exporter.model.details import Detail, SpeedLimit

DAY_LIMIT, NIGHT_LIMIT, WHOLE_DAY = SpeedLimit(8, 17, 20.0), SpeedLimit(22, 4, 5.0), SpeedLimit(16, 16, 10.0)


@pytest.mark.parametrize(
    ("limit", "hours"),
    [
        (DAY_LIMIT, [*range(8, 17)]),
        (NIGHT_LIMIT, [0, 1, 2, 3, 22, 23]),
        (WHOLE_DAY, [*range(24)]),
        (SpeedLimit(0, 0, 1.0), [*range(24)]),
        (SpeedLimit(23, 0, 1.0), [23]),
        (SpeedLimit(0, 1, 1.0), [0]),
    ],
)
def test_a_limit_covers_the_hours_from_its_begin_to_its_end(limit: SpeedLimit, hours: list[int]) -> None:
    assert [hour for hour in range(24) if limit.covers(hour)] == hours


@pytest.mark.parametrize(
    ("limits", "time", "in_force"),
    [
        ((), "12:00:00", None),
        ((DAY_LIMIT, NIGHT_LIMIT), "07:59:59", None),
        ((DAY_LIMIT, NIGHT_LIMIT), "08:00:00", 20.0),
        ((DAY_LIMIT, NIGHT_LIMIT), "16:59:59", 20.0),
        ((DAY_LIMIT, NIGHT_LIMIT), "17:00:00", None),
        ((DAY_LIMIT, NIGHT_LIMIT), "22:00:00", 5.0),
        ((DAY_LIMIT, NIGHT_LIMIT), "03:59:59", 5.0),
        ((DAY_LIMIT, NIGHT_LIMIT), "04:00:00", None),
        # The cloud accepts no windows that overlap; if it has some, the lowest limit is sure to be kept.
        ((WHOLE_DAY, DAY_LIMIT, NIGHT_LIMIT), "12:00:00", 10.0),
        ((WHOLE_DAY, DAY_LIMIT, NIGHT_LIMIT), "23:00:00", 5.0),
    ],
)
def test_the_limit_in_force_is_that_of_the_window_that_contains_the_time(
    limits: tuple[SpeedLimit, ...], time: str, in_force: float | None
) -> None:
    hours, minutes, seconds = map(int, time.split(":"))
    at = 1_767_225_600.0 + 3600 * hours + 60 * minutes + seconds  # 2026-01-01 00:00:00Z
    assert Detail(speed_limits=limits).speed_limit_at(at) == in_force
