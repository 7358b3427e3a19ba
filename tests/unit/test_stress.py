from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from tests.stress import shuffle


def test_the_tests_of_a_file_stay_together_and_an_order_can_be_repeated() -> None:
    items: list[Any] = [SimpleNamespace(path=path, name=number) for path in "abcdef" for number in range(5)]
    orders = []
    for seed in ("1", "1", "2"):
        shuffled = list(items)
        shuffle(shuffled, seed)
        orders.append([(item.path, item.name) for item in shuffled])
    first, again, other = orders
    assert first == again != other
    assert sorted(first) == sorted(other) == [(item.path, item.name) for item in items]
    files = [path for path, _ in first]
    assert all(files[start] == files[start + 4] for start in range(0, 30, 5))
