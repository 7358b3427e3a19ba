"""Pre-checks: v3 batch-precheck-result."""

from __future__ import annotations

from typing import Any

import pytest

from exporter.cloud.http.errors import BadRequestError
from exporter.model.facts import Precheck
from tests.lib.cloud import document, refusal
from tests.lib.facts import ID, OTHER, fetched, only_facts

NAME = "v3_batch_precheck_result"


def body(**item: Any) -> dict[str, Any]:
    return {"count": 1, "results": [{"precheck_id": ID, **item}]}


@pytest.mark.parametrize("key", ["precheck_result", "precheck_results"])
@pytest.mark.parametrize(
    ("checks", "items", "errors"),
    [
        ([{"result": "PASSED"}, {"result": "ALARM"}, {"result": "PASSED"}], (("ALARM", 1), ("PASSED", 2)), 0),
        ([{"result": "FAILED", "raw_error_msg": "user 'root'@'10.0.0.1'"}], (("FAILED", 1),), 0),
        ([{"result": "PASSED", "data": "{'size': '5263360'}", "failed_reason": ""}], (("PASSED", 1),), 0),
        ([{"result": None}, {"result": "N/A"}, {}], (), 0),
        ([{"result": "no route to 10.0.0.1"}, None, "x", {"result": {}}, {"result": "ALARM"}], (("ALARM", 1),), 4),
        ([], (), 0),
        (None, (), 0),
        ({}, (), 1),
    ],
)
def test_checks_by_result(key: str, checks: Any, items: tuple[tuple[str, int], ...], errors: int) -> None:
    found, lost = only_facts(NAME, body(**{key: checks}), kind=Precheck)
    assert (found.items, lost) == (items, errors)


@pytest.mark.parametrize(
    "reply",
    [
        *({"results": [{"precheck_id": ID, "error_code": code}]} for code in ("DRS.M05003", "DRS.M00304")),
        refusal(400, "DRS.M05003"),
    ],
)
def test_a_task_without_a_precheck_has_no_facts_and_is_no_error(reply: Any) -> None:
    results, lost, _ = fetched(NAME, reply)
    assert (results, lost) == ({ID: ()}, 0)


@pytest.mark.parametrize(("ids", "code"), [([ID, OTHER], "DRS.M05003"), ([ID], "DRS.M00202")])
def test_a_batch_that_is_refused_for_another_reason_or_in_other_company_is_refused(ids: list[str], code: str) -> None:
    """One of many is found by splitting the batch."""
    with pytest.raises(BadRequestError):
        fetched(NAME, refusal(400, code), ids=ids)


@pytest.mark.parametrize(
    ("name", "task_id", "items"),
    [
        ("v3_precheck_result_mysql_doc", "140b5236-88ad-43c8-811c-1268453jb101", (("PASSED", 39),)),
        ("v3_precheck_result_mongodb_doc", "a281f62f-4631-45d6-a2d3-679a9f4jb105", (("ALARM", 2), ("PASSED", 25))),
    ],
)
def test_the_documented_results(name: str, task_id: str, items: tuple[tuple[str, int], ...]) -> None:
    """ALARM counts as passed: two of them, and 100 %."""
    results, lost, _ = fetched(NAME, document(name), ids=[task_id])
    assert (results, lost) == ({task_id: (Precheck(items, 1.0),)}, 0)
