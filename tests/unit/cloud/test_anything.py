"""Any JSON in place of anything: at most a `CloudError`, never a word or number that a page can't carry."""

from __future__ import annotations

import copy
from dataclasses import fields, is_dataclass
from math import isfinite
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.cloud.http.errors import CloudError, DecodeError
from exporter.cloud.source import TaskList
from exporter.model.task import Listed
from tests.lib.cloud import Script, connected, document, listed

GOOD = "edae91cb-5892-49b6-a529-4921fb26jb21"
BAD = "f95c5d83-d0c9-42bd-b295-38c31cd1jb15"
CHILD = "7f8e6f74-72d2-4ddd-bb8f-6c41397jb101"

TASK = {
    "id": BAD,
    "name": "odd",
    "status": "INCRE_TRANSFER_STARTED",
    "create_time": "2022-11-07T16:15:18Z",
    "engine_type": "mysql",
    "net_type": "eip",
    "job_direction": "up",
    "db_use_type": "sync",
    "task_type": "FULL_INCR_TRANS",
    "enterprise_project_id": "0",
    "job_mode": "single",
    "job_mode_role": "parent",
    "job_action": {"available_actions": ["PAUSE"], "unavailable_actions": ["START"], "current_action": None},
    "children": [{"id": CHILD, "name": "child", "status": "FULL_TRANSFER_STARTED", "job_action": {}}],
}
any_text = st.text(st.characters(exclude_categories=()), max_size=8)  # half surrogate pairs too
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | any_text
    | st.sampled_from(["-1", "null", "N/A", "DELETED", "failed", "DRS.M05004", "1e999", "0", "94%", "x" * 300])
)
names = any_text | st.sampled_from(["id", "job_id", "status", "jobs", "results", "job", "children", "total_record"])
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4), max_leaves=12
)
GONE = object()


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every value inside."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, deeper in inner for place in places(deeper, (*path, key)))]


@st.composite
def broken(draw: st.DrawFn, value: Any) -> Any:
    """The value with something else in one to three places."""
    value = copy.deepcopy(value)
    for _ in range(draw(st.integers(1, 3))):
        *way, last = draw(st.sampled_from(places([value])[1:]))
        inner: Any = [value]
        for key in way:
            inner = inner[key]
        new = draw(anything | st.just(GONE)) if way else draw(anything)
        if not way:
            value = new
        elif new is GONE:
            del inner[last]
        else:
            inner[last] = new
    return value


def fit_for_a_page(value: Any) -> bool:
    """Every text can be encoded, every number is finite and not below 0."""
    if isinstance(value, str):
        return len(value) <= 256 and bool(value.encode() or value == "")
    if isinstance(value, float | int):
        return isfinite(value) and value >= 0
    if isinstance(value, CloudError):
        return fit_for_a_page(str(value)) and "half" not in str(value)
    if is_dataclass(value):
        return all(fit_for_a_page(getattr(value, field.name)) for field in fields(value))
    return value is None or all(map(fit_for_a_page, value))


@pytest.mark.parametrize("api", ["v3", "v5"])
@given(item=broken(TASK))
def test_other_tasks_of_the_list_survive(api: str, item: Any) -> None:
    good = {"id": GOOD, "status": "PAUSING", "name": "good"}
    answer, lost = listed({"jobs": [item, good], "total_record": 2, "total_count": 2}, api)
    assert Listed(id=GOOD, status="PAUSING", name="good", job_type="sync") in answer.tasks
    assert fit_for_a_page(answer.tasks)
    assert isinstance(item, dict) or (lost == 1 and not answer.complete)


@pytest.mark.parametrize("api", ["v3", "v5"])
@given(body=broken({"jobs": [TASK, TASK], "total_record": 2, "total_count": 2}) | anything)
def test_any_list_is_a_list_or_a_failure(api: str, body: Any) -> None:
    answer: TaskList | None = None
    failure: CloudError | None = None
    try:
        answer, _ = listed(body, api)
    except CloudError as error:
        failure = error
    assert failure is None or failure.code == "decode"
    assert answer is None or fit_for_a_page(answer.tasks)
    if answer is not None and answer.complete:
        items = body.get("jobs") or []
        assert body["total_record" if api == "v3" else "total_count"] == len(items)
        assert {item["id"] for item in items} <= {task.id for task in answer.tasks}


@pytest.mark.parametrize("depth", [10, 100, 300, 400, 450, 480, 495, 900, 100_000])
@pytest.mark.parametrize(
    ("opening", "closing"),
    [(b'{"id": "a", "status": "X", "children": [', b"]}"), (b'{"id": "a", "status": "X", "job_action": ', b"}")],
)
async def test_any_depth(depth: int, opening: bytes, closing: bytes) -> None:
    content = b'{"total_record": 1, "jobs": [' + opening * depth + b"{}" + closing * depth + b"]}"
    async with connected(Script(httpx.Response(200, content=content), {"jobs": [], "total_record": 1})) as cloud:
        try:
            outcome: TaskList | CloudError = await cloud.list_tasks("v3")
        except CloudError as error:
            outcome = error
    assert isinstance(outcome, DecodeError) if depth > 50_000 else isinstance(outcome, CloudError) or outcome.tasks


def test_the_examples_themselves_are_good() -> None:
    tasks, lost = listed({"jobs": [TASK], "total_record": 1})
    assert ([task.id for task in tasks.tasks], tasks.complete, lost) == ([BAD, CHILD], True, 0)
    assert document("v3_list_jobs_doc")["jobs"][0].keys() - TASK.keys() == {
        *("description", "error_msg", "billing_tag", "node_newFramework"),
    }
