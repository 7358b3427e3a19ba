from __future__ import annotations

import pytest

from exporter.simulator import faults
from tests.lib.commands import (
    WHERE,
    checked,
    config_for,
    finding,
    fleet,
    project,
)
from tests.lib.daemon import cloud_of, sim

LACKS = "lacks a permission, 403 DRS.M00102"
ROLE = 'grant the system role "DRS ReadOnlyAccess"'
HEAD = """\
ok    configuration             valid, 1 account, 1 project
ok    acme/cn-north-4/payments  DRS responds
ok    acme/cn-north-4/payments  the clock is right within 1s
"""
AUTO = "api: auto may have them; "


def missing(collector: str, pin: str = "", other: str = "") -> str:
    remedy = f"{other}set collectors.{collector}.enabled: false if they are not needed"
    return f"{collector} is not available here{pin}, its metrics are missing: {remedy}"


IN = "ok    acme/cn-north-4/payments  the credentials are accepted\n"


def test_all_is_well() -> None:
    assert checked(fleet()) == (
        True,
        HEAD
        + IN
        + """\
ok    acme/cn-north-4/payments  v3 lists 3 tasks (mysql 2, cloudDataGuard-mysql 1)
ok    acme/cn-north-4/payments  v5 lists 4 tasks, 2 of them unknown to v3 (mysql-to-mysql 2, redis-to-gaussredis 2)
ok    acme/cn-north-4/payments  v3_batch_progress works (progress)
ok    acme/cn-north-4/payments  v3_batch_rpo_and_rto works (recovery)
ok    acme/cn-north-4/payments  v3_dr_monitoring works (node)
ok    acme/cn-north-4/payments  v3_batch_detail works (detail)
ok    acme/cn-north-4/payments  v3_query_compare_result works (comparison)
ok    acme/cn-north-4/payments  v3_batch_precheck_result works (precheck)
ok    acme/cn-north-4/payments  v3_quotas works (quota)
ok    acme/cn-north-4/payments  v5_job_progress works (node, objects, progress)
ok    acme/cn-north-4/payments  v5_monitor_data works (node)
ok    acme/cn-north-4/payments  v5_job_detail works (detail)
ok    acme/cn-north-4/payments  v5_job_is_writable works (detail)
ok    acme/cn-north-4/payments  v5_job_compare works (comparison)
ok    acme/cn-north-4/payments  v5_batch_async_jobs works (async_jobs)
""",
    )


def test_a_project_without_tasks_and_without_v5() -> None:
    assert checked(cloud_of(published={"v3"})) == (
        True,
        HEAD
        + IN
        + """\
ok    acme/cn-north-4/payments  v3 lists no tasks
ok    acme/cn-north-4/payments  v5 is not published here
ok    acme/cn-north-4/payments  v3_batch_progress not tested: no task to test it with (progress)
ok    acme/cn-north-4/payments  v3_batch_rpo_and_rto not tested: no task to test it with (recovery)
ok    acme/cn-north-4/payments  v3_dr_monitoring not tested: no task to test it with (node)
ok    acme/cn-north-4/payments  v3_batch_detail not tested: no task to test it with (detail)
ok    acme/cn-north-4/payments  v3_query_compare_result not tested: no task to test it with (comparison)
ok    acme/cn-north-4/payments  v3_batch_precheck_result not tested: no task to test it with (precheck)
ok    acme/cn-north-4/payments  v3_quotas works (quota)
"""
        + f"warn  {WHERE}  {missing('objects')}\n"
        + f"warn  {WHERE}  {missing('async_jobs')}\n",
    )


def test_nothing_but_reads_is_sent_and_each_operation_once() -> None:
    cloud = fleet()
    checked(cloud)
    asked = [f"{call.path} {call.query} {call.body}" for call in cloud.calls]
    assert len(asked) == len(set(asked))
    assert len([words for words in asked if "compar" not in words]) == 3 + 3 + 11
    assert all(call.method == "GET" or "/v3/" in call.path for call in cloud.calls)


@pytest.mark.parametrize(
    ("match", "line"),
    [
        (
            "batch-rpo-and-rto",
            f"fail v3_batch_rpo_and_rto {LACKS} (recovery): grant the action drs:dataGuardJob:list",
        ),
        (
            "v3.*/quotas",
            f"fail v3_quotas {LACKS} (quota): {ROLE}",
        ),
        (
            "type=detail",
            f"fail v5_job_detail {LACKS} (detail): {ROLE}",
        ),
    ],
)
def test_a_missing_permission_is_named_with_what_to_grant(match: str, line: str) -> None:
    cloud = fleet()
    cloud.faults = [faults.forbidden(match)]
    fine, text = checked(cloud)
    assert not fine
    assert finding(text, "permission") == line
    assert text.count("works") == 12  # the rest goes on


def test_an_operation_that_others_stand_in_for_is_no_failure() -> None:
    cloud = cloud_of(sim("orders"))  # v3 lists it, and serves its details
    cloud.faults = [faults.forbidden("type=detail")]
    fine, text = checked(cloud)
    assert fine
    assert finding(text, "v5_job_detail") == (
        f"warn v5_job_detail {LACKS}; others serve all tasks now (detail): {ROLE}"
    )


def test_a_list_that_is_forbidden() -> None:
    cloud = fleet()
    cloud.faults = [faults.forbidden("POST .*/jobs$")]
    fine, text = checked(cloud)
    assert not fine
    assert finding(text, "v3_list_jobs") == (f"fail v3_list_jobs {LACKS}: {ROLE}")
    assert "v3 lists" not in text
    assert (
        finding(text, "v5 lists")
        == "ok v5 lists 4 tasks, 4 of them unknown to v3 (mysql-to-mysql 2, redis-to-gaussredis 2)"
    )


def test_a_pin_and_what_it_hides() -> None:
    fine, text = checked(fleet(), config_for(project(api="v5")))
    assert fine
    assert text == (
        HEAD
        + IN
        + """\
ok    acme/cn-north-4/payments  v3 lists 3 tasks (mysql 2, cloudDataGuard-mysql 1)
ok    acme/cn-north-4/payments  v5 lists 4 tasks, 2 of them unknown to v3 (mysql-to-mysql 2, redis-to-gaussredis 2)
warn  acme/cn-north-4/payments  api: v5 hides 1 task that only v3 lists (cloudDataGuard-mysql 1): set api: auto
ok    acme/cn-north-4/payments  v5_job_progress works (node, objects, progress)
ok    acme/cn-north-4/payments  v5_monitor_data works (node)
ok    acme/cn-north-4/payments  v5_job_detail works (detail)
ok    acme/cn-north-4/payments  v5_job_is_writable works (detail)
ok    acme/cn-north-4/payments  v5_job_compare works (comparison)
ok    acme/cn-north-4/payments  v5_batch_async_jobs works (async_jobs)
"""
        + f"warn  {WHERE}  {missing('recovery', ' with api: v5', AUTO)}\n"
        + f"warn  {WHERE}  {missing('precheck', ' with api: v5', AUTO)}\n"
        + f"warn  {WHERE}  {missing('quota', ' with api: v5', AUTO)}\n"
    )
    _, text = checked(fleet(), config_for(project(api="v3")))
    assert (
        finding(text, "hides") == "warn api: v3 hides 2 tasks that only v5 lists (redis-to-gaussredis 2): set api: auto"
    )
    assert "v5_" not in text


def test_a_pin_that_hides_nothing() -> None:
    _, text = checked(cloud_of(sim("orders")), config_for(project(api="v3")))
    assert finding(text, "hides") == "ok api: v3 hides no task"
    _, text = checked(cloud_of(sim("orders"), published={"v3"}), config_for(project(api="v3")))
    assert finding(text, "hides") == "ok api: v3 hides no task"


def test_a_pin_of_which_nobody_knows_what_it_hides() -> None:
    cloud = fleet()
    cloud.faults = [faults.forbidden("GET .*v5.*/jobs[?]")]
    fine, text = checked(cloud, config_for(project(api="v3")))
    assert fine
    assert (
        finding(text, "hides") == "warn the tasks that api: v3 hides are not known: v5 returns no list: set api: auto"
    )
    assert finding(text, "v5_list_jobs").startswith("warn v5_list_jobs lacks a permission")


def test_a_pin_on_what_is_not_published() -> None:
    fine, text = checked(cloud_of(sim("orders"), published={"v3"}), config_for(project(api="v5")))
    assert not fine
    assert finding(text, "v5 is") == "fail v5 is not published here: set api: auto"
    assert finding(text, "hides") == "warn api: v5 hides 1 task that only v3 lists (mysql 1): set api: auto"


def test_a_region_without_the_service() -> None:
    fine, text = checked(cloud_of(published=set()))
    assert not fine
    assert finding(text, "neither") == "fail neither API generation is published here: check region and endpoint"


def test_a_list_that_is_published_for_some_only() -> None:
    cloud = fleet()
    cloud.faults = [faults.unpublished("GET .*job_type=sync")]
    fine, text = checked(cloud)
    assert not fine  # drs_up is 0 as well
    remedy = "this cloud may not offer job type sync: if so, remove it from tasks.job_types"
    assert finding(text, "v5_list_jobs") == f"fail v5_list_jobs failed, 404 APIGW.0101: {remedy}"


def test_operations_that_are_not_published() -> None:
    cloud = fleet()
    cloud.faults = [faults.unpublished("batch-rpo-and-rto"), faults.unpublished("batch-progress")]
    fine, text = checked(cloud)
    assert fine
    assert finding(text, "rpo") == "ok v3_batch_rpo_and_rto is not published here, 404 APIGW.0101 (recovery)"
    assert finding(text, "recovery is") == f"warn {missing('recovery')}"
    assert finding(text, "v3_batch_progress") == "ok v3_batch_progress is not published here, 404 APIGW.0101 (progress)"
    assert "  progress is" not in text  # v5 tells it


@pytest.mark.parametrize(
    ("need", "line"),
    [
        ("if_available", f"warn {missing('comparison')}"),
        (
            "required",
            "warn comparison is not available here, but cutover requires it: set if_available there",
        ),
    ],
)
def test_comparison_that_is_not_available(need: str, line: str) -> None:
    cloud = fleet()
    cloud.faults = [faults.unpublished("query-compare-result"), faults.unpublished("type=compare")]
    fine, text = checked(cloud, config_for(cutover={"comparison": need}))
    assert fine
    assert finding(text, "comparison is") == line


def test_what_is_disabled_is_not_tried() -> None:
    config = config_for(collectors={"comparison": {"enabled": False}, "quota": {"enabled": False}})
    _, text = checked(fleet(), config)
    assert "compar" not in text
    assert "quota" not in text
