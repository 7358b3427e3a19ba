"""What answers have in common: errors of single items, and the array that holds them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from exporter.cloud import operations
from exporter.cloud.http.errors import DecodeError, TaskError, TaskGoneError
from exporter.cloud.source import DecodeErrors
from exporter.cloud.v3 import fetch_item
from exporter.cloud.v5 import fetch_details
from exporter.cloud.wire.batch_item import item_error
from exporter.cloud.wire.task_list import TaskWire
from exporter.model.details import Detail
from exporter.model.facts import Monitor, Precheck, Progress, Recovery, Switchover, TaskFacts
from exporter.model.task import Phase
from tests.lib.cloud import Script, connected, document
from tests.lib.facts import ID, OTHER, fetched
from tests.lib.virtual_time import simulate

RUNNING = "INCRE_TRANSFER_STARTED"


@pytest.mark.parametrize(
    ("code", "statuses", "kind"),
    [
        *[(None, (), None), (None, (None, None), None), (None, (RUNNING,), None)],
        *[("DRS.10000010", (), TaskGoneError), ("DRS.M00289", (RUNNING,), TaskGoneError)],
        *[("DRS.M05004", (None,), TaskGoneError), (None, (None, "DELETED"), TaskGoneError)],
        ("DRS.M05101", ("INCRE_TRANSFER_FAILED",), None),  # the code of the task's own failure
        *[("DRS.M05101", (None,), TaskError), ("DRS.M05101", ("failed",), TaskError)],
        *[("M01504", ("failed", None), TaskError), (None, ("failed",), TaskError)],
        ("M01504", (RUNNING, "failed"), TaskError),
    ],
)
def test_the_error_in_an_item(code: str | None, statuses: Any, kind: type[Any] | None) -> None:
    error = item_error("operation", code, *statuses)
    assert (type(error) if error is not None else None) is kind
    if kind is not None:
        assert (error.operation, error.code, error.error_code) == ("operation", "200", code)  # type: ignore[union-attr]


@pytest.mark.parametrize("statuses", [(), (None,), (RUNNING,)])
def test_the_wrong_state_is_neither_a_fact_nor_an_error(statuses: Any) -> None:
    assert item_error("operation", "DRS.M00304", *statuses) == ()


def test_the_first_key_with_an_array_counts() -> None:
    body = {"results": None, "jobs": [{"id": ID}, 7]}
    results, lost, _ = fetched("v3_batch_detail", body)
    assert (set(results), lost) == ({ID}, 1)
    with pytest.raises(DecodeError, match="v3_batch_progress: decode"):
        fetched("v3_batch_progress", body)


def test_the_documented_statuses_mean_phases() -> None:
    """Open Telekom Cloud, "Querying Task Statuses in Batches"; no collector asks for it, a list item has the same."""
    errors = DecodeErrors()
    items = TaskWire.read_all(document("v3_batch_status_doc")["results"], errors)
    assert [(item.id, item.listed("sync").phase) for item in items] == [
        ("9a470239-2308-4bb5-a6bc-1040402fjb21", Phase.INCREMENTAL),
        ("dc67695a-ee3e-49b8-a022-a099bd81jb21", Phase.FAILED),
    ]
    assert errors.count == 0


FOREIGN: list[dict[str, Any]] = [
    *({"id": OTHER}, {"job_id": OTHER}, {"id": ID.upper()}, {"id": 7}, {"id": [ID]}, {"id": ID, "job_id": OTHER})
]
OWN: list[dict[str, Any]] = [{"id": ID}, {"job_id": ID}, {"id": ID, "job_id": ID}, {"id": None}, {"job_id": "null"}, {}]
SINGLE: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "v5_job_progress": lambda ids: {"job": {**ids, "progress_info": {"progress": "100"}}},
    "v5_job_detail": lambda ids: {"job": {**ids, "base_info": {}}},
    "v5_job_is_writable": lambda ids: {"job": {**ids, "is_writable": "success"}},
    "v5_job_compare": lambda ids: {"job": {**ids, "compare_result": {"data_compare_task_list": []}}},
    "v5_job_log": lambda ids: {"job": {**ids, "logs": []}},
    "v5_monitor_data": lambda ids: {**ids, "is_src_normal": True},
}
"""Bodies of the sources that query one task a call, with ids in them."""


JOBS = [name for name in SINGLE if name != "v5_monitor_data"]


@pytest.mark.parametrize("name", JOBS)
def test_a_task_that_was_just_deleted(name: str) -> None:
    body = SINGLE[name]({})
    with pytest.raises(TaskGoneError):
        fetched(name, {"job": {**body["job"], "status": "DELETED"}})


BATCHES: dict[str, tuple[dict[str, Any], tuple[TaskFacts, ...]]] = {
    "v3_batch_progress": ({"transfer_status": RUNNING, "progress": "100"}, (Progress(1, transfer_status=RUNNING),)),
    "v3_batch_rpo_and_rto": ({"rto_info": {"delay": "7"}}, (Recovery(rto_seconds=0.007),)),
    "v3_dr_monitoring": ({"data_guard_minitor": {"dst_normal": True}}, (Monitor(target_up=True),)),
    "v3_batch_detail": ({"node_role": "slave"}, (Detail(node_role="slave"), Switchover())),
    "v3_batch_precheck_result": ({"total_passed_rate": "100%"}, (Precheck((), 1.0),)),
}
"""An item of each batch, and its facts."""


@pytest.mark.parametrize("name", BATCHES)
@pytest.mark.parametrize(
    ("item", "kind", "code"),
    [
        ({"error_code": "DRS.M05004", "error_msg": "gone"}, TaskGoneError, "DRS.M05004"),
        ({"error_code": "DRS.M00289"}, TaskGoneError, "DRS.M00289"),
        ({"status": "DELETED"}, TaskGoneError, None),
        ({"error_code": "DRS.M00307"}, TaskError, "DRS.M00307"),
        ({"error_code": "DRS.M00100"}, TaskError, "DRS.M00100"),
        ({"error_code": "DRS.M05003"}, TaskError, "DRS.M05003"),
        ({"status": "failed", "error_code": "M01504"}, TaskError, "M01504"),
        ({"status": "failed", "error_msg": "try again"}, TaskError, None),
        ({"error_code": "DRS.M00304"}, tuple, None),  # the wrong state: neither a fact nor an error
    ],
)
def test_an_items_error_is_about_its_task(name: str, item: dict[str, Any], kind: type[Any], code: str | None) -> None:
    if name == "v3_batch_precheck_result" and code == "DRS.M05003":  # nobody has run one
        kind, code = tuple, None
    good, facts = BATCHES[name]
    body = {"count": 2, "results": [{"job_id": ID, **item}, {"job_id": OTHER, **good}]}
    results, lost, script = fetched(name, body, ids=[ID, OTHER])
    assert (type(results[ID]), getattr(results[ID], "error_code", None)) == (kind, code)
    assert kind is not tuple or results[ID] == ()
    assert (results[OTHER], lost, [body["jobs"] for body in script.bodies]) == (facts, 0, [[ID, OTHER]])


@pytest.mark.parametrize(
    ("name", "array", "key"),
    [
        *((name, "results", key) for name in BATCHES for key in ("id", "job_id")),
        ("v3_batch_precheck_result", "results", "precheck_id"),
        ("v3_batch_detail", "jobs", "id"),
    ],
)
def test_an_item_names_its_task_under_any_of_the_keys(name: str, array: str, key: str) -> None:
    item, facts = BATCHES[name]
    results, lost, script = fetched(name, {array: [{key: ID, **item}]})
    assert (results, lost, script.bodies[0]["jobs"]) == ({ID: facts}, 0, [ID])


@pytest.mark.parametrize("name", BATCHES)
@pytest.mark.parametrize("item", [None, [], "x", {}, {"job_id": None}, {"job_id": 7}, {"job_id": ""}])
def test_an_item_without_an_id_is_dropped_alone(name: str, item: Any) -> None:
    good, facts = BATCHES[name]
    results, lost, _ = fetched(name, {"results": [item, {"job_id": OTHER, **good}]}, ids=[ID, OTHER])
    assert (results, lost) == ({OTHER: facts}, 1)


NO_JOB: list[dict[str, Any]] = [{}, {"job": None}, {"job": []}, {"jobs": {}}, {"job": "x"}, {"logs": []}]
NO_ARRAY: list[dict[str, Any]] = [
    *({}, {"results": None}, {"results": {}}, {"results": "x", "count": 0}, {"results": None, "jobs": {}}),
    {"items": []},
]


@pytest.mark.parametrize(
    ("name", "body"),
    [
        *((name, body) for name in JOBS for body in NO_JOB),
        *((name, body) for name in BATCHES for body in NO_ARRAY),
        *((name, {"jobs": []}) for name in BATCHES if name != "v3_batch_detail"),
        *((name, SINGLE[name]({}) | {"error_code": 500}) for name in SINGLE),  # an error beside the facts
    ],
)
def test_a_response_without_a_job_or_array_or_with_an_error_is_a_decode_error(name: str, body: dict[str, Any]) -> None:
    with pytest.raises(DecodeError, match=f"{name}: decode"):
        fetched(name, body)


@pytest.mark.parametrize("name", SINGLE)
@pytest.mark.parametrize("ids", OWN)
def test_a_response_about_the_requested_task_is_accepted(name: str, ids: dict[str, Any]) -> None:
    results, lost, _ = fetched(name, SINGLE[name](ids))
    assert (set(results), lost) == ({ID}, 0)


@pytest.mark.parametrize("name", SINGLE)
@pytest.mark.parametrize("ids", FOREIGN)
def test_a_response_about_another_task_is_a_decode_error(name: str, ids: dict[str, Any]) -> None:
    with pytest.raises(DecodeError, match=f"{name}: decode"):
        fetched(name, SINGLE[name](ids))


@pytest.mark.parametrize("ids", [{"job_id": OTHER}, {"id": OTHER}])
def test_a_comparison_of_another_task_is_a_decode_error(ids: dict[str, str]) -> None:
    with pytest.raises(DecodeError):
        fetched("v3_query_compare_result", {"compare_task_list_results": {"compare_task_list": []}, **ids})


def test_the_queries_of_single_tasks_believe_no_other_task() -> None:
    async def go(status: dict[str, Any], job: dict[str, Any]) -> list[Any]:
        async with connected(Script({"results": [status]}, {"job": job})) as cloud:
            work = (fetch_item(cloud.client, operations.STATUS_V3, ID), fetch_details(cloud.client, ID))
            return [await asyncio.gather(query, return_exceptions=True) for query in work]

    for ids in FOREIGN:
        found = [outcome for (outcome,) in simulate(go({"status": "X", **ids}, ids))]
        assert all(isinstance(outcome, DecodeError) for outcome in found), ids
    for ids in OWN:
        assert [outcome for (outcome,) in simulate(go({"status": "X", **ids}, ids))] == [{"status": "X", **ids}, ids]


def progress_of(task_id: str, seconds: int = 3, **more: Any) -> dict[str, Any]:
    return {"job_id": task_id, "progress": "100", "incre_trans_delay": str(seconds), **more}


def test_items_about_other_tasks_are_counted_and_dropped() -> None:
    results, lost, _ = fetched(
        "v3_batch_progress", {"results": [progress_of(OTHER), progress_of(ID), progress_of("x")]}
    )
    assert (set(results), lost) == ({ID}, 2)


def test_an_item_that_is_repeated_is_counted_and_accepted() -> None:
    results, lost, _ = fetched("v3_batch_progress", {"results": [progress_of(ID), progress_of(ID)]})
    assert (results, lost) == ({ID: (Progress(full_ratio=1, delay_seconds=3),)}, 1)


@pytest.mark.parametrize("name", ["v3_batch_progress", "v3_batch_detail", "v3_batch_rpo_and_rto"])
def test_an_item_about_two_tasks_is_counted_and_left_out(name: str) -> None:
    results, lost, _ = fetched(name, {"results": [{"job_id": ID, "id": OTHER, "status": RUNNING}]})
    assert (results, lost) == ({}, 1)


@pytest.mark.parametrize("second", [progress_of(ID, 0), progress_of(ID, status="failed", error_code="DRS.M01504")])
@pytest.mark.parametrize("backwards", [True, False])
def test_items_that_contradict_each_other_are_an_error_of_the_task(second: Any, backwards: bool) -> None:  # noqa: FBT001
    items = [progress_of(ID), second, progress_of(ID)]
    results, lost, _ = fetched("v3_batch_progress", {"results": items[::-1] if backwards else items})
    assert isinstance(results[ID], TaskError)
    assert lost == 2


@pytest.mark.parametrize("error", [{"error_code": 500}, {"error_msg": "x"}, {"error": {"code": 1}}])
def test_a_batch_with_an_error_beside_its_items_is_a_decode_error(error: dict[str, Any]) -> None:
    with pytest.raises(DecodeError):
        fetched("v3_batch_progress", {"results": [progress_of(ID)], **error})
