"""The findings about one project: its lists, and what a pinned API generation hides."""

from __future__ import annotations

import pytest

from exporter.simulator import ABSENT, Fault, SimulatedCloud, faults
from tests.lib.commands import CANARY, checked, config_for, finding, findings, fleet, golden, project
from tests.lib.daemon import PROJECT_ID, cloud_of, sim_task

ROLE = 'grant the system role "DRS ReadOnlyAccess"'
REPORT = "please report it, with check --report=FILE"
SLOW = "check the endpoint, firewall and proxy, or raise poll.timeout"
ENDPOINT = "check the endpoint; if it is right, try again later"
LIST_V5 = "GET .*v5.*/jobs[?]"
EVERY_LIST = "/v3/.*/jobs$|/v5/.*/jobs[?]"


@pytest.mark.parametrize(
    ("name", "cloud", "settings"),
    [("fleet", fleet(), {}), ("v3", cloud_of(published={"v3"}), {}), ("pin_v5", fleet(), {"api": "v5"})],
)
def test_all_findings(name: str, cloud: SimulatedCloud, settings: dict[str, str]) -> None:
    assert checked(cloud, config_for(project(**settings))) == (True, golden(f"check_{name}"))


def test_nothing_but_reads_is_sent_and_each_operation_once() -> None:
    cloud = fleet()
    checked(cloud)
    sent = [f"{call.path} {call.query} {call.body}" for call in cloud.calls]
    assert (len(sent), len([call for call in sent if "compar" not in call])) == (len(set(sent)), 3 + 3 + 11)
    assert all(call.method == "GET" or "/v3/" in call.path for call in cloud.calls)


def test_a_list_that_is_forbidden() -> None:
    fine, text = checked(fleet(), None, faults.forbidden("POST .*/jobs$"))
    assert not fine
    assert finding(text, "v3_list_jobs") == f"fail v3_list_jobs lacks a permission, 403 DRS.M00102: {ROLE}"
    assert "v3 lists" not in text
    assert (
        finding(text, "v5 lists")
        == "ok v5 lists 4 tasks, 4 of them unknown to v3 (mysql-to-mysql 2, redis-to-gaussredis 2)"
    )


def html(status: int) -> Fault:
    return Fault(match="", kind="body", status=status, body="<html>")


@pytest.mark.parametrize(
    ("fault", "responds", "what"),
    [
        (
            faults.throttled(EVERY_LIST),
            True,
            "is throttled, 429 APIGW.0308: lower poll.rate_limit, or find what else calls the API",
        ),
        (faults.refused(EVERY_LIST, 404, "DRS.M00289", CANARY), True, f"failed, 404 DRS.M00289: {ENDPOINT}"),
        (faults.refused(EVERY_LIST, 409, "DRS.M01504", CANARY), True, f"failed, 409 DRS.M01504: {ENDPOINT}"),
        (
            Fault(match=EVERY_LIST, kind="body", body={"error_code": "DRS.M00102", "error_msg": CANARY}),
            True,
            f"lacks a permission, decode DRS.M00102: {ROLE}",
        ),
        (html(200), False, "got no usable response: the response is not a JSON object: check the endpoint and proxy"),
        (html(302), False, "is redirected, which is not followed, 302: check the endpoint and proxy"),
        (html(404), False, f"failed, 404: {ENDPOINT}"),
        (html(503), False, "failed, 503: the cloud is at fault: try again later"),
    ],
)
def test_a_list_that_fails_is_a_failure_whatever_its_error(fault: Fault, *, responds: bool, what: str) -> None:
    """A response that is not one of the API proves neither DRS nor the credentials."""
    fine, text = checked(fleet(), None, fault)
    assert not fine  # drs_up is 0
    assert finding(text, "v3_list_jobs") == f"fail v3_list_jobs {what}"
    assert ("DRS responds" in text) is responds
    assert responds or "credentials are accepted" not in text


@pytest.mark.parametrize("api", ["v5", "auto"])
@pytest.mark.parametrize(
    ("status", "code"), [(400, "DRS.M00202"), (422, "DRS.M99999"), (404, "APIGW.0101"), (409, "DRS.M99999")]
)
def test_a_job_type_that_is_not_offered_is_named_with_the_setting(api: str, status: int, code: str) -> None:
    cloud, config = cloud_of(sim_task("orders")), config_for(project(api=api))
    fine, text = checked(cloud, config, faults.refused("v5.*job_type=cloudDataGuard", status, code, CANARY))
    remedy = "this cloud may not offer job type cloudDataGuard: if so, remove it from tasks.job_types"
    assert finding(text, "v5_list_jobs") == f"fail v5_list_jobs failed, {status} {code}: {remedy}"
    assert not fine  # drs_up is 0 as well
    _, text = checked(cloud, config, faults.refused("v5.*/jobs[?]", 400, "DRS.M00202", CANARY))
    assert finding(text, "v5_list_jobs") == f"fail v5_list_jobs is refused as a bad request, 400 DRS.M00202: {REPORT}"


def test_a_field_of_a_list_that_cannot_be_decoded() -> None:
    cloud = fleet()
    cloud.world(PROJECT_ID).task("orders").overrides["v3_list"] = {"multi_write": CANARY}
    fine, text = checked(cloud, None, Fault(match="POST .*/jobs$", kind="repeat_page"))
    assert fine
    assert finding(text, "unlike").startswith("warn the lists have 1 field unlike the documents: please report it")
    assert CANARY not in text


def test_a_list_whose_pages_disagree_or_with_a_task_that_cannot_be_decoded() -> None:
    fine, text = checked(cloud_of(sim_task("orders")), None, Fault(match="POST .*/jobs$", kind="wrong_total"))
    incomplete = "v3 list of sync is incomplete: its pages and its total disagree"
    assert finding(text, incomplete) == f"warn {incomplete}: see the runbook DrsListIncomplete"
    assert not fine  # the lists of the other job types promise a task and have none
    assert finding(text, "v3_list_jobs").startswith("fail v3_list_jobs got a response that the API does not document")
    parent = sim_task("shops", children=[sim_task("north"), sim_task("south")])
    parent.children[0].overrides["v3_list"] = {"status": None}
    fine, text = checked(cloud_of(parent))
    assert fine
    assert finding(text, "unlike").startswith("warn the lists have 1 field unlike the documents: please report it")
    assert "incomplete" not in text
    parent.overrides["v3_list"] = {"status": None}
    _, text = checked(cloud_of(parent, sim_task("orders"), published={"v3"}))
    incomplete = "v3 list of sync is incomplete: some of its tasks could not be decoded"
    assert finding(text, incomplete).startswith(f"warn {incomplete}: please report it")


def test_a_region_without_the_service() -> None:
    fine, text = checked(cloud_of(published=set()))
    assert not fine
    assert finding(text, "neither") == "fail neither API generation is published here: check region and endpoint"


def test_words_of_the_cloud_are_not_repeated() -> None:
    cloud = cloud_of(sim_task("orders"))
    task = cloud.worlds[0].task("orders")
    task.overrides["v3_list"] = {"engine_type": f"{CANARY} at 10.0.0.1", "name": CANARY, "description": CANARY}
    task.overrides["v5_list"] = {"engine_type": ABSENT}
    fault = faults.refused("/quotas", 403, f"{CANARY}.example.com", f"user {CANARY}")
    assert CANARY not in checked(cloud, config_for(secret_key=CANARY), fault)[1]
    cloud.keys["AK"] = CANARY
    fine, text = checked(cloud, config_for(secret_key=CANARY), fault)
    assert not fine
    assert "v3 lists 1 task (other 1)" in text
    assert CANARY not in text


@pytest.mark.parametrize(
    ("cloud", "api", "fault", "lines"),
    [
        (fleet(), "v3", None, ["warn api: v3 hides 2 tasks that only v5 lists (redis-to-gaussredis 2): set api: auto"]),
        (cloud_of(sim_task("orders")), "v3", None, ["ok api: v3 hides no task"]),
        (cloud_of(sim_task("orders"), published={"v3"}), "v3", None, ["ok api: v3 hides no task"]),
        (
            fleet(),
            "v3",
            faults.forbidden(LIST_V5),
            [
                "warn the tasks that api: v3 hides are not known: v5 returns no list: set api: auto",
                f"warn v5_list_jobs lacks a permission, 403 DRS.M00102: {ROLE}",
            ],
        ),
        (
            cloud_of(sim_task("orders"), published={"v3"}),
            "v5",
            None,
            [
                "fail v5 is not published here: set api: auto",
                "warn api: v5 hides 1 task that only v3 lists (mysql 1): set api: auto",
            ],
        ),
    ],
)
def test_a_pin_and_what_it_hides(cloud: SimulatedCloud, api: str, fault: Fault | None, lines: list[str]) -> None:
    fine, text = checked(cloud, config_for(project(api=api)), *([fault] if fault else []))
    assert fine is not lines[0].startswith("fail")
    assert set(lines) <= set(findings(text))
    assert finding(text, "hide") in lines
    assert ("v5_" in text) is (fault is not None)
