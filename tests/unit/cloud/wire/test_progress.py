from __future__ import annotations

from typing import Any

import httpx
import pytest

from exporter.cloud.http.errors import TaskError, TaskGoneError
from exporter.model.facts import Node, Objects, Progress
from tests.lib.facts import ID, fetched, only_facts

V3, V5 = "v3_batch_progress", "v5_job_progress"
STARTED = {"transfer_status": "INCRE_TRANSFER_STARTED"}


def read(api: str, fields: dict[str, Any]) -> tuple[Any, int]:
    """The progress in these fields of v3's item or v5's block."""
    item = {**STARTED, **fields}
    body = {"count": 1, "results": [{"job_id": ID, **item}]} if api == V3 else {"job": {"progress_info": item}}
    return only_facts(api, body, kind=Progress)


COMMON: list[tuple[dict[str, Any], str, Any, int]] = [
    ({"progress": "0"}, "full_ratio", 0, 0),
    ({"progress": "100"}, "full_ratio", 1, 0),
    ({"progress": "42%"}, "full_ratio", 0.42, 0),
    ({"progress": 42}, "full_ratio", 0.42, 0),
    ({"progress": "null"}, "full_ratio", None, 0),
    ({"progress": "101"}, "full_ratio", None, 1),
    ({"progress": True}, "full_ratio", None, 1),
    ({"progress": {}}, "full_ratio", None, 1),
    # "0" when it is finished and also when it is not known yet: an estimate only in between
    ({"progress": "50", "remaining_time": "10"}, "full_remaining_seconds", 10, 0),
    ({"progress": "50", "remaining_time": 0}, "full_remaining_seconds", 0, 0),
    ({"progress": "0", "remaining_time": "0"}, "full_remaining_seconds", None, 0),
    ({"progress": "100", "remaining_time": "10"}, "full_remaining_seconds", None, 0),
    ({"remaining_time": "10"}, "full_remaining_seconds", None, 0),
    ({"progress": "50", "remaining_time": "soon"}, "full_remaining_seconds", None, 1),
    ({"process_time": "1608274919000"}, "reported_at", 1_608_274_919, 0),
    ({"process_time": 1_608_274_919_000}, "reported_at", 1_608_274_919, 0),
    ({"process_time": "0"}, "reported_at", None, 0),
    ({"process_time": "null"}, "reported_at", None, 0),
    ({"process_time": "-1"}, "reported_at", None, 0),
    ({"process_time": "now"}, "reported_at", None, 1),
    ({"process_time": "1608274919000"}, "reported_at_latest", 1_608_274_919, 0),
    ({"process_time": "2020-12-18T07:01:59+00:00"}, "reported_at_latest", 1_608_274_919, 0),
    # without a zone: twelve hours later than in UTC at the latest
    ({"process_time": "2020-12-18 07:01:59"}, "reported_at", None, 0),
    ({"process_time": "2020-12-18 07:01:59"}, "reported_at_latest", 1_608_274_919 + 43_200, 0),
    ({"process_time": "0"}, "reported_at_latest", None, 0),
    # both spellings: the larger
    ({"incr_trans_delay": "0", "incre_trans_delay": "9000"}, "delay_seconds", 9000, 0),
    ({"incr_trans_delay_millis": "9000", "incre_trans_delay_millis": 0}, "delay_seconds", 9, 0),
    ({"incr_trans_delay": "0", "incre_trans_delay_millis": "soon"}, "delay_seconds", None, 1),
    ({"process_time": False}, "reported_at", None, 1),
    ({"apply_rows_rate": -1}, "apply_rows_per_second", None, 0),
    ({"apply_rows_rate": 1200}, "apply_rows_per_second", 1200, 0),
    ({"apply_rows_rate": "1200.5"}, "apply_rows_per_second", 1200.5, 0),
    ({"apply_rows_rate": [1200]}, "apply_rows_per_second", None, 1),
    ({"apply_bytes_rate": -1}, "apply_bytes_per_second", None, 0),
    ({"apply_bytes_rate": 0}, "apply_bytes_per_second", 0, 0),
    ({"apply_bytes_rate": float("nan")}, "apply_bytes_per_second", None, 1),
    ({"error_code": "DRS.M01504"}, "error_code", "DRS.M01504", 0),
    ({"error_code": "N/A"}, "error_code", None, 0),
    ({"error_code": "Unable to connect to 10.0.0.1"}, "error_code", None, 1),
    ({"progress_map": None}, "stages", (), 0),
    ({"progress_map": {}}, "stages", (), 0),
    ({"progress_map": {"data": {"completed": "94%", "remaining_time": None}}}, "stages", (("data", 0.94),), 0),
    ({"progress_map": {"data": {"completed": 50}, "index": {}}}, "stages", (("data", 0.5),), 0),
    ({"progress_map": {"data": None, "index": {"completed": "1"}}}, "stages", (("index", 0.01),), 0),
    ({"progress_map": {"data": {"completed": "-1"}}}, "stages", (), 0),
    ({"progress_map": {"data": {"completed": "all"}, "index": {"completed": "1"}}}, "stages", (("index", 0.01),), 1),
    ({"progress_map": {"data": "94%"}}, "stages", (), 1),
    ({"progress_map": {"host 10.0.0.1": {"completed": "1"}}}, "stages", (), 1),  # a label: never free text
    ({"progress_map": {"": {"completed": "1"}, "x" * 41: {"completed": "1"}}}, "stages", (), 2),
    ({"progress_map": {"\ud800": {"completed": "1"}}}, "stages", (), 1),
    ({"progress_map": [1]}, "stages", (), 1),
    ({"src_offset": "mysql-bin-changelog.001731:544", "task_mode": 7}, "full_ratio", None, 0),
]


@pytest.mark.parametrize("api", [V3, V5])
@pytest.mark.parametrize(("fields", "attribute", "value", "errors"), COMMON)
def test_one_field(api: str, fields: dict[str, Any], attribute: str, value: Any, errors: int) -> None:
    part, lost = read(api, fields)
    assert (getattr(part, attribute), lost) == (value, errors)


@pytest.mark.parametrize(("api", "key"), [(V3, "incre_trans_delay"), (V5, "incr_trans_delay")])
@pytest.mark.parametrize(
    ("given", "value", "errors"),
    [
        (("3", None), 3, 0),
        (("0", None), 0, 0),
        (("-1", "-1"), None, 0),
        ((-1, -1), None, 0),
        (("3", "3123"), 3.123, 0),  # the finer of the two
        (("3", "0"), 3, 0),  # less than the seconds: of two that contradict each other the larger
        (("9000", "0"), 9000, 0),
        (("0", "9000000"), 9000, 0),
        (("315576001", "0"), None, 0),  # over ten years is no delay
        (("0", "315576001000"), None, 0),
        (("315576000", None), 315_576_000, 0),
        (("3", "-1"), 3, 0),
        (("3", "N/A"), 3, 0),
        (("3", "soon"), None, 1),  # what cannot be read may be larger
        (("late", "3123"), None, 1),
        (("-9000", "0"), None, 1),
        (("1e30", "0"), None, 1),
        (("0", "9" * 30), None, 1),
        (("0", float("nan")), None, 1),
        (("0", [0]), 0, 1),  # of the wrong type: as if it were missing
        (("0", False), 0, 1),
        (("late", "soon"), None, 2),
        (("-5", None), None, 1),
        (("1_0", None), None, 1),
        (("\u0663\u0660", None), None, 1),  # digits, but not of a JSON number
        (("0x10", "1000"), None, 1),
        (("inf", "nan"), None, 2),
        ((" 3.5 ", "+3e3"), 3.5, 0),
        ((3, 3123.0), 3.123, 0),
        ((True, None), None, 1),
        (("1e999", None), None, 1),
    ],
)
def test_the_delay_in_seconds(api: str, key: str, given: tuple[Any, Any], value: float | None, errors: int) -> None:
    part, lost = read(api, {key: given[0], f"{key}_millis": given[1]})
    assert (part.delay_seconds, lost) == (value, errors)


@pytest.mark.parametrize(
    ("job", "parts", "errors"),
    [
        ({"id": ID, "status": "CONFIGURATION"}, (), 0),
        ({"progress_info": None, "metrics": {}}, (), 0),
        ({"progress_info": [], "metrics": "none"}, (), 2),
        ({"progress_info": {"progress": "1"}, "metrics": {}}, (Progress(full_ratio=0.01),), 0),
        ({"progress_info": 7, "metrics": {"cpu_util": "1"}}, (Node(cpu_ratio=0.01),), 1),
        ({"status": ["x"], "progress_info": {"progress": "1"}}, (Progress(full_ratio=0.01),), 1),
    ],
)
def test_a_v5_job_has_the_blocks_it_has(job: dict[str, Any], parts: tuple[Any, ...], errors: int) -> None:
    results, lost, _ = fetched(V5, {"job": job})
    answer = results[ID]
    assert isinstance(answer, tuple)
    assert (tuple(part for part in answer if not isinstance(part, Objects)), lost) == (parts, errors)


@pytest.mark.parametrize(
    ("item", "kind"),
    [
        ({"transfer_status": "DELETED", "progress": "100"}, TaskGoneError),
        ({}, TaskError),
        ({"progress": None, "process_time": "0"}, TaskError),
        ({"transfer_status": "INCRE_TRANSFER_FAILED", "error_code": "DRS.M01504"}, tuple),
        ({"transfer_status": "CREATING"}, tuple),
        ({"progress": "7"}, tuple),
    ],
)
def test_an_item_of_v3_has_facts_or_a_status_or_is_an_error(item: dict[str, Any], kind: type[Any]) -> None:
    results, lost, _ = fetched(V3, {"results": [{"job_id": ID, **item}]})
    assert (isinstance(results[ID], kind), getattr(results[ID], "error_code", None), lost) == (True, None, 0)


@pytest.mark.parametrize(
    ("api", "body"),
    [
        (V3, {"results": [{"job_id": ID, **STARTED}]}),
        (V5, {"job": {"progress_info": {"progress": "1"}, "metrics": {"cpu_util": "1"}}}),
    ],
)
@pytest.mark.parametrize(("date", "served"), [("Fri, 18 Dec 2020 07:01:59 GMT", 1_608_274_919), ("soon", None)])
def test_the_progress_has_the_time_of_the_response(
    api: str, body: dict[str, Any], date: str, served: float | None
) -> None:
    response = httpx.Response(200, json=body, headers={"Date": date})
    assert only_facts(api, response, kind=Progress)[0].served_at == served
