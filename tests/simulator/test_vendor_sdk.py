"""The vendor's SDK, an independent client with its own signer, reads the simulator over TCP."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx
import pytest

from exporter.simulator import DEMO_ACCESS_KEY, DEMO_PROJECTS, DEMO_SECRET_KEY, demo_cloud
from tests.lib.serving import served

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:huaweicloudsdk.*"),
    # It wants python-dateutil for dates, and does without.
    pytest.mark.filterwarnings("ignore:Unable to convert string to date:ImportWarning"),
]

NORTH, EUROPE = (project for _, _, project in DEMO_PROJECTS)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The demo cloud at its true speed."""
    with served(demo_cloud(speed=1.0)) as url:
        yield url


@pytest.fixture
def sdk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    # The SDK writes ~/.huaweicloud/application_id when it is imported.
    monkeypatch.setenv("HOME", str(tmp_path))
    import_module("huaweicloudsdkdrs.v3")
    import_module("huaweicloudsdkdrs.v5")
    return import_module("huaweicloudsdkdrs")


def client(generation: Any, url: str, project: str, secret: str = DEMO_SECRET_KEY) -> Any:
    basic = import_module("huaweicloudsdkcore.auth.credentials").BasicCredentials
    credentials = basic(DEMO_ACCESS_KEY, secret, project)
    return generation.DrsClient.new_builder().with_credentials(credentials).with_endpoints([url]).build()


def list_v3(v3: Any, drs: Any, scenario: str) -> Any:
    body = v3.QueryJobsReq(cur_page=1, per_page=100, db_use_type=scenario, engine_type="")
    return drs.show_job_list(v3.ShowJobListRequest(body=body))


def test_v3_lists_and_progress(sdk: Any, url: str) -> None:
    v3 = sdk.v3
    for project in (NORTH, EUROPE):
        drs = client(v3, url, project)
        for scenario in ("migration", "sync", "cloudDataGuard"):
            listed = list_v3(v3, drs, scenario)
            assert listed.total_record == len(listed.jobs) > 0
            running = [job.id for job in listed.jobs if job.status == "INCRE_TRANSFER_STARTED" and not job.children]
            if not running:
                continue
            body = v3.BatchQueryProgressReq(jobs=running)
            progress = drs.batch_list_progresses(v3.BatchListProgressesRequest(body=body))
            assert {item.job_id for item in progress.results} == set(running)
            assert all(int(item.incre_trans_delay) >= 0 for item in progress.results)


def test_v5_list_and_detail(sdk: Any, url: str) -> None:
    v5 = sdk.v5
    drs = client(v5, url, NORTH)
    listed = drs.list_jobs(v5.ListJobsRequest(job_type="sync", limit=100, offset=0, name="", instance_ids=[]))
    assert listed.total_count == len(listed.jobs) > 0
    job = next(job for job in listed.jobs if job.name == "orders-to-rds")
    detail = drs.show_job_detail(v5.ShowJobDetailRequest(job_id=job.id, type="progress")).job
    assert float(detail.progress_info.incr_trans_delay) >= 0
    assert float(detail.metrics.cpu_util) > 0
    assert len(detail.migration_object_progress_info.migration_object_overview) > 3


def test_the_errors_that_the_sdk_sees(sdk: Any, url: str) -> None:
    error = import_module("huaweicloudsdkcore.exceptions.exceptions").ClientRequestException
    request = sdk.v5.ListJobsRequest(job_type="sync")
    with pytest.raises(error) as refused:
        client(sdk.v5, url, NORTH, secret="wrong").list_jobs(request)
    assert (refused.value.status_code, refused.value.error_code) == (401, "APIGW.0301")
    assert refused.value.request_id
    with pytest.raises(error) as unpublished:
        client(sdk.v5, url, EUROPE).list_jobs(request)
    assert (unpublished.value.status_code, unpublished.value.error_code) == (404, "APIGW.0101")


def job_named(listed: Any, name: str) -> Any:
    return next(job for job in listed.jobs if job.name == name)


def test_every_other_v3_operation(sdk: Any, url: str) -> None:
    v3 = sdk.v3
    drs = client(v3, url, NORTH)
    sync = list_v3(v3, drs, "sync")
    orders, dr = job_named(sync, "orders-to-rds").id, job_named(list_v3(v3, drs, "cloudDataGuard"), "core-dr").id
    draft = job_named(list_v3(v3, drs, "migration"), "loyalty-draft").id
    body = v3.BatchQueryJobReqPage(jobs=[orders, dr], page_req=v3.PageReq(cur_page=1, per_page=10))
    statuses = drs.batch_list_job_status(v3.BatchListJobStatusRequest(body=body)).results
    assert [item.status for item in statuses] == ["INCRE_TRANSFER_STARTED"] * 2
    details = drs.batch_list_job_details(v3.BatchListJobDetailsRequest(body=body)).results
    assert (details[0].alarm_notify.delay_time, details[1].period_order.period_type) == (60, 2)
    lags = drs.batch_list_rpos_and_rtos(v3.BatchListRposAndRtosRequest(body=v3.BatchQueryRpoAndRtoReq(jobs=[dr])))
    assert int(lags.results[0].rpo_info.delay) >= 0
    data = drs.show_monitoring_data(v3.ShowMonitoringDataRequest(body=v3.BatchQueryJobReq(jobs=[dr])))
    assert data.results[0].data_guard_minitor.node_mem_in_mb > 0
    process = v3.BatchListStructProcessRequest(body=v3.BatchQueryJobReq(jobs=[dr]))
    assert len(drs.batch_list_struct_process(process).results[0].struct_process.result) == 3
    checks = drs.batch_check_results(v3.BatchCheckResultsRequest(body=v3.BatchQueryPrecheckResultReq(jobs=[draft])))
    assert checks.results[0].result is True
    assert drs.show_quotas(v3.ShowQuotasRequest()).quotas.resource.used > 0


def test_v3_comparisons(sdk: Any, url: str) -> None:
    v3 = sdk.v3
    drs = client(v3, url, NORTH)
    orders = job_named(list_v3(v3, drs, "sync"), "orders-to-rds").id

    def ask(**ids: str) -> Any:
        body = v3.QueryCompareResultReq(job_id=orders, current_page=1, per_page=20, **ids)
        return drs.list_compare_result(v3.ListCompareResultRequest(body=body))

    known = ask().compare_task_list_results.compare_task_list
    ids = {entry.compare_type: entry.compare_task_id for entry in known}
    results = ask(
        object_level_compare_id=ids["object_comparison"],
        line_compare_id=ids["lines"],
        content_compare_id=ids["contents"],
    )
    assert len(results.object_level_compare_results.object_compare_overview) == 4
    assert len(results.line_compare_results.line_compare_details[0].line_compare_detail) == 3
    assert len(results.content_compare_results.content_compare_overview) == 2


def test_every_other_v5_operation(sdk: Any, url: str) -> None:
    v5 = sdk.v5
    drs = client(v5, url, NORTH)
    orders = job_named(drs.list_jobs(v5.ListJobsRequest(job_type="sync", limit=100)), "orders-to-rds").id

    def ask(**query: Any) -> Any:
        return drs.show_job_detail(v5.ShowJobDetailRequest(job_id=orders, **query)).job

    detail = ask(type="detail")
    assert (detail.base_info.name, detail.base_info.expired_days) == ("orders-to-rds", "14")
    assert detail.source_endpoint[0].endpoint.db_port == "3306"
    assert ask(type="overview").progress_info.progress == "100"
    assert {entry.level for entry in ask(type="log", offset=0, limit=10).logs} == {"Info"}
    listed = ask(type="compare", compare_type="data_compare", query_type="list", limit=10, offset=0)
    task = next(task for task in listed.compare_result.data_compare_task_list if task.type == "lines")
    lines = ask(type="compare", compare_type="line_compare", query_type="overview", compare_task_id=task.id)
    assert len(lines.compare_result.line_compare_overview_infos) == 2
    assert drs.show_monitor_data(v5.ShowMonitorDataRequest(job_id=orders)).is_src_normal is True
    assert len(drs.show_timeline(v5.ShowTimelineRequest(job_id=orders)).timelines) > 3
    batches = drs.list_async_jobs(v5.ListAsyncJobsRequest())
    assert batches.total_count == 4
    committed = next(job for job in batches.jobs if job.status == "COMMIT_SUCCESS")
    created = drs.list_async_job_detail(v5.ListAsyncJobDetailRequest(async_job_id=committed.async_job_id))
    assert {job.base_info.name for job in created.jobs} == {"orders-to-rds", "inventory-sync"}


def test_the_sdk_finds_the_project_and_uses_temporary_keys(sdk: Any, url: str) -> None:
    basic = import_module("huaweicloudsdkcore.auth.credentials").BasicCredentials
    region = import_module("huaweicloudsdkcore.region.region").Region("eu-de", url)
    found = basic(DEMO_ACCESS_KEY, DEMO_SECRET_KEY).with_iam_endpoint(url)
    drs = sdk.v3.DrsClient.new_builder().with_credentials(found).with_region(region).build()
    assert list_v3(sdk.v3, drs, "sync").total_record > 0
    key = httpx.get(f"{url}/openstack/latest/securitykey").json()["credential"]
    temporary = basic(key["access"], key["secret"], EUROPE).with_security_token(key["securitytoken"])
    drs = sdk.v3.DrsClient.new_builder().with_credentials(temporary).with_endpoints([url]).build()
    assert list_v3(sdk.v3, drs, "sync").total_record > 0
