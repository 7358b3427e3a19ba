"""Objects by type: `migration_object_progress_info` of the v5 detail with type=progress."""

from __future__ import annotations

from typing import Any

import pytest

from exporter.model.facts import ObjectCount, Objects
from tests.lib.facts import ID, fetched, only_facts

NAME = "v5_job_progress"
MOMENT = 1_667_837_718.0  # 2022-11-07T16:15:18Z


def read(**block: Any) -> tuple[Objects, int]:
    return only_facts(NAME, {"job": {"migration_object_progress_info": {"create_time": "", **block}}}, kind=Objects)


def count(**fields: Any) -> tuple[tuple[ObjectCount, ...], int]:
    found, lost = read(migration_object_overview=[{"type": "table", "src_count": "3", "dst_count": "2", **fields}])
    return found.counts, lost


NO_WORDS: tuple[Any, ...] = (["COMPLETED"], True, "failed at 10.0.0.1")


@pytest.mark.parametrize(
    ("fields", "expected", "errors"),
    [
        ({}, ObjectCount("table", 3, 2), 0),
        ({"src_count": 3, "dst_count": 0}, ObjectCount("table", 3, 0), 0),
        ({"src_count": "0"}, ObjectCount("table", 0, 2), 0),
        ({"src_count": "-1"}, ObjectCount("table", None, 2), 0),
        ({"dst_count": "N/A"}, ObjectCount("table", 3, None), 0),
        ({"dst_count": None}, ObjectCount("table", 3, None), 0),
        ({"dst_count": "many"}, ObjectCount("table", 3, None), 1),
        ({"type": "table_indexs"}, ObjectCount("table_indexs", 3, 2), 0),
        ({"status": "TRANSFERING"}, ObjectCount("table", 3, 2, "TRANSFERING"), 0),
        ({"status": "TRANSFER_WHEN_END"}, ObjectCount("table", 3, 2, "TRANSFER_WHEN_END"), 0),
        *[({"status": null}, ObjectCount("table", 3, 2), 0) for null in (None, "", "null", "N/A")],
        *[({"status": wrong}, ObjectCount("table", 3, 2), 1) for wrong in NO_WORDS],
        ({"start_time": "now", "end_time": 7}, ObjectCount("table", 3, 2), 0),
    ],
)
def test_one_field(fields: dict[str, Any], expected: ObjectCount, errors: int) -> None:
    assert count(**fields) == ((expected,), errors)


@pytest.mark.parametrize(("kind", "errors"), [(None, 0), ("", 0), ("a table of host 10.0.0.1", 1), ({}, 1)])
def test_of_a_count_without_a_word_for_its_type_only_the_status_is_known(kind: Any, errors: int) -> None:
    assert count(type=kind) == ((ObjectCount("unknown", None, None),), errors)
    assert count(type=kind, status="FAILED") == ((ObjectCount("unknown", None, None, "FAILED"),), errors)


@pytest.mark.parametrize(
    ("statuses", "status"),
    [
        (["COMPLETED", "COMPLETED"], "COMPLETED"),
        (["COMPLETED", "TRANSFERING"], None),
        (["COMPLETED", None], None),
        (["COMPLETED", "FAILED", None], "FAILED"),
    ],
)
def test_several_counts_without_a_word_are_one(statuses: list[str | None], status: str | None) -> None:
    block = [{"type": "table", "src_count": "1"}, *({"type": "a b", "status": each} for each in statuses)]
    facts, _ = read(migration_object_overview=block)
    assert facts.counts == (ObjectCount("table", 1, None), ObjectCount("unknown", None, None, status))


@pytest.mark.parametrize(("items", "errors"), [(None, 0), ([], 0), ({}, 1), ([None, "table"], 2)])
def test_without_counts_the_block_has_none(items: Any, errors: int) -> None:
    assert read(migration_object_overview=items) == (Objects(), errors)


@pytest.mark.parametrize(("block", "errors"), [(None, 0), ({}, 0), ([], 1), ("x", 1)])
def test_without_the_block_nothing_is_told(block: Any, errors: int) -> None:
    results, lost, _ = fetched(NAME, {"job": {"id": ID, "migration_object_progress_info": block}})
    assert (results, lost) == ({ID: ()}, errors)
