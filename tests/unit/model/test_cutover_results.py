"""What moved objects and finished comparisons show about the data of a task."""

from __future__ import annotations

from dataclasses import replace

import pytest

from exporter.model.cutover_results import Comparisons, MovedObjects
from exporter.model.facts import Compared, Comparison, ObjectCount

LINE = Compared("line", "SUCCESSFUL", consistent=True, finished_at=100.0)
CONTENT = replace(LINE, type="content", finished_at=200.0)
NEVER = float("-inf")


def comparisons(*types: Compared, changed_at: float = NEVER, expired: bool = False) -> Comparisons:
    return Comparisons(Comparison(types), changed_at, expired=expired)


@pytest.mark.parametrize(
    ("types", "missing", "running", "inconsistent"),
    [
        ((), True, False, None),
        ((LINE,), False, False, []),
        ((LINE, CONTENT), False, False, []),
        ((LINE, replace(CONTENT, consistent=False)), False, False, ["content"]),
        ((LINE, replace(CONTENT, consistent=None)), True, False, None),
        ((LINE, replace(CONTENT, status="FAILED", consistent=None)), True, False, None),
        ((LINE, replace(CONTENT, status="RUNNING", consistent=None)), False, True, []),
        ((replace(LINE, consistent=False), replace(CONTENT, status="FAILED", consistent=None)), True, False, ["line"]),
        ((replace(LINE, status="INCRE_DOING", consistent=None),), True, False, None),
    ],
)
def test_what_finished_comparisons_found(
    types: tuple[Compared, ...], *, missing: bool, running: bool, inconsistent: list[str] | None
) -> None:
    found = comparisons(*types)
    assert (found.missing, found.running, found.inconsistent) == (missing, running, inconsistent)


def test_a_comparison_of_unknown_type_leaves_it_open_whether_the_data_is_equal() -> None:
    known = Comparisons(Comparison((LINE,), unknown=True), NEVER, expired=False)
    assert (known.missing, known.inconsistent) == (True, None)
    differs = Comparisons(Comparison((replace(LINE, consistent=False),), unknown=True), NEVER, expired=False)
    assert (differs.missing, differs.inconsistent) == (True, ["line"])


def test_a_difference_holds_while_a_later_comparison_runs() -> None:
    differs, runs = replace(LINE, consistent=False), replace(LINE, status="RUNNING", consistent=None, finished_at=None)
    found = Comparisons(Comparison((runs,), earlier=(differs,)), NEVER, expired=False)
    assert (found.running, found.inconsistent, found.ends) == (True, ["line"], [("line", 100.0)])


@pytest.mark.parametrize(
    ("found", "old"),
    [
        (comparisons(LINE, CONTENT), False),
        (comparisons(LINE, CONTENT, changed_at=100.0), False),
        (comparisons(LINE, CONTENT, changed_at=101.0), True),  # of the lines, which were compared before the change
        (comparisons(LINE, expired=True), True),
        (comparisons(replace(LINE, finished_at=None)), None),
        (comparisons(LINE, replace(CONTENT, finished_at=None)), None),
        *((replace(comparisons(LINE), now=now), old) for now, old in ((100.0, False), (-201.0, None))),  # ends later
        (replace(comparisons(LINE, CONTENT), now=-150.0), None),
        (comparisons(), None),
        (Comparisons(None, NEVER, expired=False), None),
    ],
)
def test_a_comparison_is_old_by_its_end(found: Comparisons, *, old: bool | None) -> None:
    assert found.old is old


@pytest.mark.parametrize(
    ("counts", "missing", "failed"),
    [
        ([], None, None),
        ([(3, 3, "TRANSFERING")], [], []),
        ([(3, 2, "TRANSFERING")], ["table"], []),
        ([(3, 2, "COMPLETED")], [], []),
        ([(3, None, "TRANSFER_WHEN_END")], [], []),
        ([(3, None, "TRANSFERING")], None, []),
        ([(3, 2, None)], ["table"], None),
        ([(3, 3, "FAILED")], [], ["table"]),
        ([(3, 3, None), (3, 3, "FAILED")], [], ["table"]),
        ([(3, 3, "PART_FAILED")], [], ["table"]),
        ([(3, 3, "A_WORD_OF_TOMORROW")], [], None),
    ],
)
def test_objects(
    counts: list[tuple[float, float | None, str | None]], missing: list[str] | None, failed: list[str] | None
) -> None:
    found = MovedObjects(
        tuple(ObjectCount("table", source, target, status=status) for source, target, status in counts)
    )
    assert (found.missing, found.failed) == (missing, failed)
