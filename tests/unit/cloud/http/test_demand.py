"""How far the intervals of each priority have to be stretched, in calls a second."""

from __future__ import annotations

import pytest

from exporter.cloud.http.budget import Demand


def demand(*wants: tuple[int, float], rate: float = 10.0) -> Demand:
    """Of loops with these priorities, each of which wants so many calls."""
    made = Demand(rate)
    for number, (priority, calls) in enumerate(wants):
        made.want(number, priority, calls)
    return made


def stretched(made: Demand) -> list[float]:
    return [round(made.stretch(priority), 3) for priority in range(3)]


@pytest.mark.parametrize(
    ("wants", "stretches"),
    [
        ([], [1, 1, 1]),
        ([(0, 3.0), (1, 3.0), (2, 3.0)], [1, 1, 1]),  # nine of ten: the last is kept free
        ([(0, 1.0), (1, 2.0), (2, 12.0)], [1, 1, 2]),  # what is left to the last is half of what it wants
        ([(0, 1.0), (1, 14.4), (2, 7.2)], [1, 2, 9]),  # a tenth is left to those after
        ([(0, 18.0)], [2, 1, 1]),
        ([(0, 1.0), (1, 7.2), (1, 7.2), (2, 0.0)], [1, 1.8, 1]),  # of two loops, with nothing to leave
    ],
)
def test_lists_come_first_and_nobody_stands_still(wants: list[tuple[int, float]], stretches: list[float]) -> None:
    assert stretched(demand(*wants)) == stretches


def test_a_loop_wants_what_it_said_last_and_nothing_once_it_has_ended() -> None:
    made = demand((0, 5.0), (1, 20.0))
    assert made.total == 25
    made.want(1, 1, 2.0)
    assert made.total == 7
    made.forget(1)
    made.forget(1)
    assert made.total == 5
    assert stretched(made) == [1, 1, 1]
