from __future__ import annotations

import pytest

from exporter.simulator import ABSENT, Fault, faults
from tests.lib.commands import (
    CANARY,
    WHERE,
    checked,
    config_for,
    finding,
    fleet,
    project,
    two_projects,
)
from tests.lib.daemon import cloud_of, sim

OTHERS = "lower poll.rate_limit, or find what else calls the API"
REPORT = "please report it, with check --report=FILE"
NO_JSON = "the response is not a JSON object: check the endpoint and proxy"
FIREWALL = "or a proxy or firewall refuses the call, since the response has no known error code"
SLOW = "check the endpoint, firewall and proxy, or raise poll.timeout"


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        (
            faults.throttled("/quotas"),
            f"warn v3_quotas is throttled, 429 APIGW.0308 (quota): {OTHERS}",
        ),
        (
            faults.broken("/quotas"),
            "fail v3_quotas failed, 500 DRS.M00004 (quota): the cloud is at fault: try again later",
        ),
        (
            Fault(match="/quotas", kind="body", body="no JSON"),
            f"fail v3_quotas got no usable response (quota): {NO_JSON}",
        ),
        (
            Fault(match="/quotas", kind="body", body={"quotas": 1}),
            f"fail v3_quotas got a response that the API does not document, decode (quota): {REPORT}",
        ),
        (
            faults.refused("/quotas", 403, "PAP5.0010", CANARY),
            'fail v3_quotas lacks a permission, 403 PAP5.0010 (quota): grant the system role "DRS ReadOnlyAccess"',
        ),
        (
            faults.refused("/quotas", 403, "none", CANARY),
            f'fail v3_quotas lacks a permission, 403 (quota): grant the system role "DRS ReadOnlyAccess"; {FIREWALL}',
        ),
        (
            faults.refused("/quotas", 302, "none", CANARY),
            "fail v3_quotas is redirected, which is not followed, 302 (quota): check the endpoint and proxy",
        ),
        (
            faults.refused("/quotas", 400, "DRS.M00200", CANARY),
            f"fail v3_quotas is refused as a bad request, 400 DRS.M00200 (quota): {REPORT}",
        ),
        (
            Fault(match="/quotas", kind="slow", seconds=60),
            f"fail v3_quotas got no response in time (quota): {SLOW}",
        ),
        (
            Fault(match="/quotas", kind="reset"),
            "fail v3_quotas got no response (quota): check the endpoint, DNS, firewall, proxy and ca_file",
        ),
        (
            faults.refused("type=detail", 400, "DRS.10000001", CANARY),
            "warn v5_job_detail is refused for the tested task, 400 DRS.10000001 (detail): run the check again",
        ),
        (
            faults.refused("type=detail", 400, "DRS.10000010", CANARY),
            "warn v5_job_detail reports that the task does not exist, 400 DRS.10000010 (detail): run the check again",
        ),
        (
            Fault(match="/quotas", kind="body", body={"quotas": {"resource": {"type": "instances", "used": CANARY}}}),
            f"warn v3_quotas works, with 1 field unlike the documents (quota): {REPORT}",
        ),
        (
            faults.refused("/quotas", 418, f"DRS.{CANARY}", CANARY),
            "fail v3_quotas failed, 418 (quota): check the endpoint; if it is right, try again later",
        ),
    ],
)
def test_what_else_can_go_wrong_with_one_operation(fault: Fault, line: str) -> None:
    cloud = fleet()
    cloud.faults = [fault]
    fine, text = checked(cloud)
    assert line in [finding(text, word) for word in ("v3_quotas", "v5_job_detail")]
    assert fine is not line.startswith("fail")
    assert CANARY not in text


@pytest.mark.parametrize("api", ["v5", "auto"])
@pytest.mark.parametrize(
    ("status", "code"), [(400, "DRS.M00202"), (422, "DRS.M99999"), (404, "APIGW.0101"), (409, "DRS.M99999")]
)
def test_a_job_type_that_is_not_offered_is_named_with_the_setting(api: str, status: int, code: str) -> None:
    cloud = cloud_of(sim("orders"))
    cloud.faults = [faults.refused("v5.*job_type=cloudDataGuard", status, code, CANARY)]
    fine, text = checked(cloud, config_for({**project(), "api": api}))
    remedy = "this cloud may not offer job type cloudDataGuard: if so, remove it from tasks.job_types"
    assert finding(text, "v5_list_jobs") == f"fail v5_list_jobs failed, {status} {code}: {remedy}"
    assert not fine
    cloud.faults = [faults.refused("v5.*/jobs[?]", 400, "DRS.M00202", CANARY)]
    _, text = checked(cloud, config_for({**project(), "api": api}))
    assert finding(text, "v5_list_jobs") == f"fail v5_list_jobs is refused as a bad request, 400 DRS.M00202: {REPORT}"


def test_lists_with_oddities() -> None:
    cloud = fleet()
    cloud.world("054ba152d480d55b2f5dc0069e7ddef0").task("orders").overrides["v3_list"] = {"multi_write": CANARY}
    cloud.faults = [Fault(match="POST .*/jobs$", kind="repeat_page")]
    fine, text = checked(cloud)
    assert fine
    assert finding(text, "unlike").startswith("warn the lists have 1 field unlike the documents: please report it")
    assert CANARY not in text


def test_a_list_whose_pages_disagree() -> None:
    cloud = cloud_of(sim("orders"))
    cloud.faults = [Fault(match="POST .*/jobs$", kind="wrong_total")]
    fine, text = checked(cloud)
    told = "v3 list of sync is incomplete: its pages and its total disagree"
    assert finding(text, told) == f"warn {told}: see docs/runbooks/DrsListIncomplete.md"
    assert not fine  # the lists of the other job types promise a task and have none
    assert finding(text, "v3_list_jobs").startswith("fail v3_list_jobs got a response that the API does not document")


def test_a_list_with_a_task_that_cannot_be_decoded() -> None:
    parent = sim("shops", children=[sim("north"), sim("south")])
    parent.children[0].overrides["v3_list"] = {"status": None}
    fine, text = checked(cloud_of(parent))
    assert fine
    told = "v3 list of sync is incomplete: some of its tasks could not be decoded"
    assert finding(text, told).startswith(f"warn {told}: please report it")


EVERY_LIST = "/v3/.*/jobs$|/v5/.*/jobs[?]"


@pytest.mark.parametrize(
    ("fault", "what"),
    [
        (faults.throttled(EVERY_LIST), f"v3_list_jobs is throttled, 429 APIGW.0308: {OTHERS}"),
        (
            faults.refused(EVERY_LIST, 404, "DRS.M00289", CANARY),
            "v3_list_jobs failed, 404 DRS.M00289: check the endpoint; if it is right, try again later",
        ),
        (
            faults.refused(EVERY_LIST, 409, "DRS.M01504", CANARY),
            "v3_list_jobs failed, 409 DRS.M01504: check the endpoint; if it is right, try again later",
        ),
        (
            Fault(match=EVERY_LIST, kind="body", body={"error_code": "DRS.M00102", "error_msg": CANARY}),
            'v3_list_jobs lacks a permission, decode DRS.M00102: grant the system role "DRS ReadOnlyAccess"',
        ),
    ],
)
def test_a_list_that_fails_is_a_failure_whatever_its_error(fault: Fault, what: str) -> None:
    cloud = fleet()
    cloud.faults = [fault]
    fine, text = checked(cloud)
    assert not fine  # drs_up is 0
    assert finding(text, "v3_list_jobs") == f"fail {what}"


@pytest.mark.parametrize(
    ("status", "what"),
    [
        (200, f"v3_list_jobs got no usable response: {NO_JSON}"),
        (302, "v3_list_jobs is redirected, which is not followed, 302: check the endpoint and proxy"),
        (404, "v3_list_jobs failed, 404: check the endpoint; if it is right, try again later"),
        (503, "v3_list_jobs failed, 503: the cloud is at fault: try again later"),
    ],
)
def test_responses_that_are_not_of_the_api_prove_neither_drs_nor_credentials(status: int, what: str) -> None:
    cloud = fleet()
    cloud.faults = [Fault(match="", kind="body", status=status, body="<html>")]
    fine, text = checked(cloud)
    assert not fine
    assert "DRS responds" not in text
    assert "credentials are accepted" not in text
    assert finding(text, "v3_list_jobs") == f"fail {what}"


def test_errors_of_the_gateway_prove_no_credentials() -> None:
    cloud = fleet()
    cloud.faults = [faults.throttled("")]
    _, text = checked(cloud)
    assert finding(text, "responds") == "ok DRS responds"
    assert finding(text, "credentials") == (
        "warn it is not known whether the credentials are accepted: DRS returns no result"
    )


def test_nobody_answers() -> None:
    cloud = fleet()
    cloud.faults = [Fault(match="", kind="slow", seconds=60)]
    fine, text = checked(cloud)
    assert (fine, text.splitlines()[1:]) == (
        False,
        [f"fail  {WHERE}  v3_list_jobs got no response from drs.cn-north-4.myhuaweicloud.com:443 in time: {SLOW}"],
    )


def test_words_of_the_cloud_are_not_repeated() -> None:
    cloud = cloud_of(sim("orders"))
    task = cloud.worlds[0].task("orders")
    task.overrides["v3_list"] = {"engine_type": f"{CANARY} at 10.0.0.1", "name": CANARY, "description": CANARY}
    task.overrides["v5_list"] = {"engine_type": ABSENT}
    cloud.faults = [faults.refused("/quotas", 403, f"{CANARY}.example.com", f"user {CANARY}")]
    fine, text = checked(cloud, config_for(secret_key=CANARY))
    assert CANARY not in text
    cloud.keys["AK"] = CANARY
    fine, text = checked(cloud, config_for(secret_key=CANARY))
    assert not fine
    assert "v3 lists 1 task (other 1)" in text
    assert CANARY not in text


def test_projects_in_the_order_of_the_configuration() -> None:
    cloud, config = two_projects(sim("parcels"))
    cloud.faults = [Fault(match="054ba152d480d55b2f5dc0069e7ddef0", kind="slow", seconds=3)]
    _, text = checked(cloud, config)
    first, second = text.index("acme/cn-north-4/payments"), text.index("acme/cn-north-4/shipping")
    assert first < second
    assert "valid, 1 account, 2 projects" in text
