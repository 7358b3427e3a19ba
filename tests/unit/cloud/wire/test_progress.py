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


SINCE_1970 = 1_608_274_919
NO_NUMBERS: tuple[Any, ...] = ("soon", True, ["90"], "-5")
NO_WORDS: tuple[Any, ...] = ("failed at 10.0.0.1", ["FROZEN"], True, "X" * 41)
ONE_KEY: dict[tuple[str, str], list[tuple[Any, Any, int]]] = {
    ("progress", "full_ratio"): [
        *[("0", 0, 0), ("100", 1, 0), ("42%", 0.42, 0), (42, 0.42, 0), ("null", None, 0)],
        *[("101", None, 1), (True, None, 1), ({}, None, 1)],
    ],
    ("process_time", "reported_at"): [
        *[("1608274919000", SINCE_1970, 0), (1_608_274_919_000, SINCE_1970, 0)],
        *[("0", None, 0), ("null", None, 0), ("-1", None, 0), ("now", None, 1), (False, None, 1)],
        ("2020-12-18 07:01:59", None, 0),
    ],
    ("process_time", "reported_at_latest"): [
        *[("1608274919000", SINCE_1970, 0), ("2020-12-18T07:01:59+00:00", SINCE_1970, 0), ("0", None, 0)],
        ("2020-12-18 07:01:59", SINCE_1970 + 43_200, 0),  # without a zone: twelve hours later than in UTC at the latest
    ],
    ("apply_rows_rate", "apply_rows_per_second"): [
        *[(-1, None, 0), (1200, 1200, 0), ("1200.5", 1200.5, 0), ([1200], None, 1)]
    ],
    ("apply_bytes_rate", "apply_bytes_per_second"): [(-1, None, 0), (0, 0, 0), (float("nan"), None, 1)],
    ("error_code", "error_code"): [
        *[("DRS.M01504", "DRS.M01504", 0), ("N/A", None, 0), ("Unable to connect to 10.0.0.1", None, 1)]
    ],
    ("progress_map", "stages"): [
        *[(None, (), 0), ({}, (), 0), ({"data": "94%"}, (), 1), ([1], (), 1), ({"data": {"completed": "-1"}}, (), 0)],
        ({"data": {"completed": "94%", "remaining_time": None}}, (("data", 0.94),), 0),
        ({"data": {"completed": 50}, "index": {}}, (("data", 0.5),), 0),
        ({"data": None, "index": {"completed": "1"}}, (("index", 0.01),), 0),
        ({"data": {"completed": "all"}, "index": {"completed": "1"}}, (("index", 0.01),), 1),
        ({"host 10.0.0.1": {"completed": "1"}}, (), 1),  # a label: never free text
        ({"": {"completed": "1"}, "x" * 41: {"completed": "1"}}, (), 2),
        ({"\ud800": {"completed": "1"}}, (), 1),
    ],
}
"""Values, facts and decode errors of a key and the attribute that it sets."""
STAGE_TIMES: list[tuple[Any, str, Any, str, Any, int]] = [
    *[("50", "94%", given, "stages_remaining", (("data", 90),), 0) for given in ("90", 90)],
    *[("50", "94%", null, "stages_remaining", (), 0) for null in (None, "", "null", "N/A", "-1")],
    *[("50", "94%", wrong, "stages_remaining", (), 1) for wrong in NO_NUMBERS],
    *[(load, "94%", "90", "stages_remaining", (), 0) for load in ("0", "100", None)],
    *[("50", stage, "90", "stages_remaining", (), 0) for stage in ("0%", "100%", "-1")],
    ("50", "94%", "soon", "stages", (("data", 0.94),), 1),
]
SEVERAL_KEYS: list[tuple[dict[str, Any], str, Any, int]] = [
    # "0" when it is finished and also when it is not known yet: an estimate only in between
    ({"progress": "50", "remaining_time": "10"}, "full_remaining_seconds", 10, 0),
    ({"progress": "50", "remaining_time": 0}, "full_remaining_seconds", 0, 0),
    ({"progress": "0", "remaining_time": "0"}, "full_remaining_seconds", None, 0),
    ({"progress": "100", "remaining_time": "10"}, "full_remaining_seconds", None, 0),
    ({"remaining_time": "10"}, "full_remaining_seconds", None, 0),
    ({"progress": "50", "remaining_time": "soon"}, "full_remaining_seconds", None, 1),
    # also "0" of a load that has failed
    *[
        ({"progress": "50", "remaining_time": "0", "transfer_status": status}, "full_remaining_seconds", known, 0)
        for status, known in (("FULL_TRANSFER_FAILED", None), ("FULL_TRANSFER_STARTED", 0))
    ],
    # the same of a stage: while the load and the stage run
    *[
        ({"progress": load, "progress_map": {"data": {"completed": stage, "remaining_time": given}}}, *found)
        for load, stage, given, *found in STAGE_TIMES
    ],
    # both spellings: the larger
    ({"incr_trans_delay": "0", "incre_trans_delay": "9000"}, "delay_seconds", 9000, 0),
    ({"incr_trans_delay_millis": "9000", "incre_trans_delay_millis": 0}, "delay_seconds", 9, 0),
    ({"incr_trans_delay": "0", "incre_trans_delay_millis": "soon"}, "delay_seconds", None, 1),
    ({"transfer_status": "INCRE_TRANSFER_FAILED"}, "transfer_status", "INCRE_TRANSFER_FAILED", 0),
    *[({"progress": "1", "transfer_status": null}, "transfer_status", None, 0) for null in ("null", "", None)],
    *[({"progress": "1", "transfer_status": wrong}, "transfer_status", None, 1) for wrong in NO_WORDS],
    ({"src_offset": "mysql-bin-changelog.001731:544", "task_mode": 7}, "full_ratio", None, 0),
]


@pytest.mark.parametrize("api", [V3, V5])
@pytest.mark.parametrize(
    ("fields", "attribute", "value", "errors"),
    [*(({key: given}, name, *found) for (key, name), rows in ONE_KEY.items() for given, *found in rows), *SEVERAL_KEYS],
)
def test_one_field(api: str, fields: dict[str, Any], attribute: str, value: Any, errors: int) -> None:
    part, lost = read(api, fields)
    assert (getattr(part, attribute), lost) == (value, errors)


@pytest.mark.parametrize(("api", "key"), [(V3, "incre_trans_delay"), (V5, "incr_trans_delay")])
@pytest.mark.parametrize(
    ("given", "value", "errors"),
    [
        *[(("3", None), 3, 0), (("0", None), 0, 0), (("-1", "-1"), None, 0), ((-1, -1), None, 0)],
        *[((" 3.5 ", "+3e3"), 3.5, 0), ((3, 3123.0), 3.123, 0), (("315576000", None), 315_576_000, 0)],
        (("3", "3123"), 3.123, 0),  # the finer of the two
        # less than the seconds: of two that contradict each other the larger
        *[(("3", "0"), 3, 0), (("9000", "0"), 9000, 0), (("0", "9000000"), 9000, 0)],
        *[(("315576001", "0"), None, 0), (("0", "315576001000"), None, 0)],  # over ten years is no delay
        *[(("3", "-1"), 3, 0), (("3", "N/A"), 3, 0), (("0", "-1"), 0, 0), (("-1", "7"), 0.007, 0)],
        *[((none, zero), None, 0) for none in ("-1", -1, "-1.0") for zero in ("0", 0)],  # 0 of a delay that is none yet
        *[(("3", "soon"), None, 1), (("late", "3123"), None, 1)],  # what cannot be read may be larger
        *[(("0", [0]), 0, 1), (("0", False), 0, 1)],  # of the wrong type: as if it were missing
        *[((bad, "0"), None, 1) for bad in ("-9000", "1e30")],
        *[(("0", bad), None, 1) for bad in ("9" * 30, float("nan"))],
        *[((bad, None), None, 1) for bad in ("-5", "1_0", True, "1e999")],
        (("\u0663\u0660", None), None, 1),  # digits, but not of a JSON number
        *[(("0x10", "1000"), None, 1), (("late", "soon"), None, 2), (("inf", "nan"), None, 2)],
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
    ("around", "status"),
    [
        ("INCRE_TRANSFER_FAILED", "INCRE_TRANSFER_FAILED"),
        *((other, "INCRE_TRANSFER_STARTED") for other in ("PAUSING", "null", None)),
    ],
)
def test_a_failure_that_any_part_of_the_response_reports_is_the_status(around: str | None, status: str) -> None:
    v3 = {"results": [{"job_id": ID, "status": around, **STARTED}]}
    v5 = {"job": {"status": around, "progress_info": STARTED}}
    assert [only_facts(api, body, kind=Progress)[0].transfer_status for api, body in ((V3, v3), (V5, v5))] == [
        status
    ] * 2


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
def test_the_progress_has_the_responses_time(api: str, body: dict[str, Any], date: str, served: float | None) -> None:
    response = httpx.Response(200, json=body, headers={"Date": date})
    assert only_facts(api, response, kind=Progress)[0].served_at == served
