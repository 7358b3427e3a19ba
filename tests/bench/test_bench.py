"""That the parts of the benchmark run, at a size that says nothing of speed."""

from __future__ import annotations

import asyncio

from tests.bench import pages, parts
from tests.bench.measure import Result, Row, Table
from tests.bench.paper import Story, ages_of
from tests.bench.report import ages_markdown, performance_markdown, shown


def test_every_part_has_a_size_for_a_test() -> None:
    for _, much, little in parts.PARTS.values():
        assert len(much) == len(little)
        assert all(few <= many for few, many in zip(little, much, strict=True))


def test_lines_for_users_come_first() -> None:
    result = Result([Row("frugality", "ms", [3.0], 2)], lines=["100 tasks: little"])
    assert performance_markdown(result, 1.0, (0.5, 1.5)).startswith("# Performance\n\n* 100 tasks: little\n")
    assert "100 tasks: little" in shown("part", result, 1.0)


def test_pages_are_published_by_both() -> None:
    rows, packed, plain = asyncio.run(pages.publishing(3, 1))
    assert all(row.value > 0 for row in rows)
    assert packed > plain > 0


def test_ages_are_measured_in_virtual_time() -> None:
    ages = ages_of(Story(6, 5.0, "v3", 60.0, 60.0))
    assert len(ages.delay) == 6 * 4
    assert 0 < max(ages.delay) < 40
    assert (ages.no_delay, ages.no_node) == (0, 1 - 1 / 6)


def test_a_missed_goal_is_named_with_its_cause() -> None:
    met = Row("frugality", "ms", [3.0, 1.0, 2.0], 2, figures="two")
    missed = Row("speed", "times", [9.0], 10, least=True, why="it rests")
    table = Table("Where it goes", ("function", "share"), [("sleep", "100%")])
    result = Result([met, missed], [table])
    text = performance_markdown(result, 1.0, (0.5, 1.5))
    assert "| frugality | 2 (1 to 3) ms | at most 2 ms | yes | two |" in text
    assert "* **speed**: 9 times, goal at least 10 times. it rests" in text
    assert "* **frugality**" not in text
    assert "| sleep | 100% |" in text
    assert "MISSED speed" in shown("part", result, 1.0)
    assert "| sleep | 100% |" in ages_markdown(Table("", ("age",), []), table)
