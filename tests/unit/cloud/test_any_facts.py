"""Any JSON in place of any answer about tasks or the project: at most a `CloudError`, and no other task is lost."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.cloud.http.errors import CloudError, DecodeError, TaskError, TaskGoneError
from exporter.model.details import Detail
from exporter.model.facts import Monitor, Precheck, Progress, Recovery
from tests.lib.cloud import Script, connected, document, source
from tests.lib.facts import ID, OTHER, Fetched, fetched, project_fact
from tests.unit.cloud.test_anything import anything, broken, fit_for_a_page

PROGRESS = {
    "progress": "50",
    "incre_trans_delay": "3",
    "incre_trans_delay_millis": "3123",
    "incr_trans_delay": "3",
    "task_mode": "FULL_INCR_TRANS",
    "transfer_status": "FULL_TRANSFER_STARTED",
    "process_time": "1608274919000",
    "remaining_time": "10",
    "apply_rows_rate": 5,
    "apply_bytes_rate": -1,
    "error_code": "DRS.M01504",
    "progress_map": {"data": {"completed": "94%", "remaining_time": None}},
}
METRICS = {"time_stamp": "2022-11-07T16:15:18Z", "cpu_util": "12.5", "apply_current_state": "processing"}
ITEMS: dict[str, tuple[dict[str, Any], dict[str, Any], Any]] = {
    "v3_batch_progress": (
        {"job_id": ID, **PROGRESS},
        {"job_id": OTHER, "transfer_status": "INCRE_TRANSFER_STARTED", "progress": "100"},
        Progress(full_ratio=1, transfer_status="INCRE_TRANSFER_STARTED"),
    ),
    "v3_batch_rpo_and_rto": (
        {"job_id": ID, "rpo_info": {"delay": "3"}, "rto_info": {"delay": "4"}, "error_code": ""},
        {"job_id": OTHER, "rpo_info": {"delay": "1500"}},
        Recovery(rpo_seconds=1.5),
    ),
    "v3_dr_monitoring": (
        {"id": ID, "data_guard_minitor": {"src_normal": True, "mem_used_inMB": "7", "cpuUsed_percent": "3%"}},
        {"id": OTHER, "data_guard_minitor": {"dst_normal": False}},
        Monitor(target_up=False),
    ),
    "v3_batch_detail": (
        {
            **document("v3_batch_detail_doc")["results"][0],
            "id": ID,
            "tags": [{"key": "a", "value": "b"}],
            "alarm_notify": {"delay_time": 60, "alarm_to_user": True},
            "period_order": {"exp_time": "1608519469412", "status": "COMPLETED", "is_auto_renew": 0},
            "speed_limit": [{"begin": "16:00", "end": "15:59", "speed": "10", "is_utc": True}],
            "bind_public_ip_state": "SUCCESS",
            "expired_days": 14,
        },
        {"id": OTHER, "status": "PAUSING", "update_time": "1608519469000"},
        Detail(task_status="PAUSING", updated_at=1_608_519_469),
    ),
    "v3_batch_precheck_result": (
        {"precheck_id": ID, "total_passed_rate": "100%", "precheck_result": [{"result": "PASSED", "data": "{'a'}"}]},
        {"precheck_id": OTHER, "total_passed_rate": "90%"},
        Precheck(passed_ratio=0.9),
    ),
}
"""An item that is broken, one that is good, and what is told by that one."""


def _results_that_the_list_names(body: dict[str, Any]) -> dict[str, Any]:
    """The documented results of contents are those of a comparison that the documented list leaves out."""
    body["content_compare_results"]["compare_task_id"] = body["compare_task_list_results"]["compare_task_list"][0][
        "compare_task_id"
    ]
    return body


_COMPARED = {"id": "c", "type": "lines", "status": "SUCCESSFUL", "start_time": "2022-11-07T16:15:18Z"}
JOBS: dict[str, dict[str, Any]] = {
    "v5_job_progress": {
        "status": "X",
        "progress_info": PROGRESS,
        "metrics": METRICS,
        "migration_object_progress_info": {
            "full_complete_time": "",
            "migration_object_overview": [{"type": "table", "src_count": "3", "dst_count": "2", "status": "COMPLETED"}],
        },
    },
    "v5_job_detail": document("v5_job_detail_doc")["job"] | {"id": ID},
    "v5_job_is_writable": {"is_writable": "success"},
    "v5_job_log": {"logs": [{"level": "Info", "create_time": "2022-11-07T16:15:18Z"}]},
    "v5_job_compare": {
        "total_count": 1,
        "compare_result": {
            "data_compare_task_list": [_COMPARED, {**_COMPARED, "type": "object"}, {**_COMPARED, "type": "contents"}],
            "objects_compare_overview_info": {"compare_results": [{"type": "DB", "source_count": 2, "status": "X"}]},
            "line_compare_overview_infos": [{"status": "INCONSISTENT"}],
            "line_compare_detail_infos": [{"difference_row_num": "3"}],
            "content_compare_overview_infos": [{"status": "INCONSISTENT"}],
            "content_diff_detail_info": {"count": 3},
        },
    },
}
FLAT: dict[str, dict[str, Any]] = {
    "v5_monitor_data": {"is_src_normal": True, "used_memory": "7", "update_time": "2022-11-07T16:15:18Z"},
    "v3_query_compare_result": _results_that_the_list_names(document("v3_query_compare_result_doc")) | {"job_id": ID},
}
PROJECT: dict[str, dict[str, Any]] = {
    "v3_quotas": document("v3_quotas_doc"),
    "v5_batch_async_jobs": document("v5_batch_async_jobs_doc"),
}


def outcome(work: Any) -> Fetched | CloudError:
    """What is told, or the error; any other exception is a bug."""
    try:
        found: Fetched = work()
    except CloudError as error:
        return error
    return found


def fit(value: Any) -> bool:
    """As `fit_for_a_page`, for facts as well: truths and names of fields may be in them."""
    if isinstance(value, tuple | list):
        return all(map(fit, value))
    if is_dataclass(value):
        return all(fit(getattr(value, field.name)) for field in fields(value))
    return fit_for_a_page(value)


@pytest.mark.parametrize("name", ITEMS)
@given(data=st.data())
def test_other_items_of_a_batch_survive(name: str, data: st.DataObject) -> None:
    bad, good, expected = ITEMS[name]
    item = data.draw(broken(bad))
    results, lost, _ = fetched(name, {"results": [item, good], "count": 2}, ids=[ID, OTHER])
    told_of_it = results[OTHER]
    assert isinstance(told_of_it, tuple)
    assert expected in told_of_it
    assert all(isinstance(answer, CloudError) or fit(answer) for answer in results.values())
    # Nothing is left out in silence: a task that is not answered for was named by nobody, or its item was lost.
    named = isinstance(item, dict) and ID in (item.get("precheck_id"), item.get("job_id"), item.get("id"))
    assert ID in results or lost or not named


@pytest.mark.parametrize("name", [*ITEMS, *JOBS, *FLAT])
@given(data=st.data())
def test_any_response_about_a_task_is_facts_or_an_error(name: str, data: st.DataObject) -> None:
    whole: Any = (
        {"results": [ITEMS[name][0]], "count": 1}
        if name in ITEMS
        else {"job": {"id": ID, **JOBS[name]}}
        if name in JOBS
        else FLAT[name]
    )
    body: Any = data.draw(broken(whole) | anything)
    found = outcome(lambda: fetched(name, body))
    if isinstance(found, CloudError):
        assert isinstance(found, DecodeError | TaskGoneError | TaskError)
        assert name in str(found)
        return
    assert all(isinstance(answer, CloudError) or fit(answer) for answer in found.results.values())


@pytest.mark.parametrize("name", PROJECT)
@given(data=st.data())
def test_any_response_about_the_project_is_facts_or_an_error(name: str, data: st.DataObject) -> None:
    body: Any = data.draw(broken(PROJECT[name]) | anything)
    found: Any = None
    try:
        found, _, _ = project_fact(name, body)
    except DecodeError:
        return
    assert fit(found)


@pytest.mark.parametrize("name", [*ITEMS, *JOBS])
@pytest.mark.parametrize("body", [{}, {"results": 7, "job": 7}, {"results": None, "job": None}])
async def test_a_response_without_the_facts_is_counted(name: str, body: dict[str, Any]) -> None:
    async with connected(Script(body)) as cloud:
        with pytest.raises(DecodeError):
            await cloud.fetch(source(cloud.v3 if name in ITEMS else cloud.v5, name), [ID])
        assert cloud.lost == 1


@pytest.mark.parametrize("name", PROJECT)
async def test_a_response_about_the_project_without_the_facts_is_counted(name: str) -> None:
    async with connected(Script({})) as cloud:
        sources = {source.operation.name: source for api in (cloud.v3, cloud.v5) for source in api.project_sources}
        with pytest.raises(DecodeError):
            await sources[name].fetch(cloud.client, cloud.decode_errors)
        assert cloud.lost == 1


def test_the_bodies_themselves_are_good() -> None:
    for name, (bad, good, _) in ITEMS.items():
        results, lost, _ = fetched(name, {"results": [bad, good]}, ids=[ID, OTHER])
        assert (len(results), lost) == (2, 0), name
        assert all(isinstance(answer, tuple) for answer in results.values()), name
    for name, body in ({name: {"job": job} for name, job in JOBS.items()} | FLAT).items():
        results, lost, _ = fetched(name, body)
        assert (bool(results[ID]), lost) == (True, 0), name


async def test_every_source_has_a_body() -> None:
    async with connected(Script({})) as cloud:
        apis = cloud.v3, cloud.v5
        names = {source.operation.name for api in apis for source in (*api.sources, *api.project_sources)}
    assert names == {*ITEMS, *JOBS, *FLAT, *PROJECT}
