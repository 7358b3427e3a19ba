"""The findings about single operations."""

from __future__ import annotations

import pytest

from exporter.simulator import Fault, faults
from tests.lib.commands import CANARY, checked, config_for, finding, fleet
from tests.lib.daemon import cloud_of, sim_task

REPORT = "please report it, with check --report=FILE"
LACKS = "lacks a permission, 403 DRS.M00102"
ROLE = 'grant the system role "DRS ReadOnlyAccess"'
PROXY = "check the endpoint and proxy"
OR_A_PROXY = "or a proxy or firewall refuses the call, since the response has no known error code"
SLOWER = "lower poll.rate_limit, or find what else calls the API"


def missing(collector: str) -> str:
    return (
        f"warn {collector} is not available here, its metrics are missing: "
        f"set collectors.{collector}.enabled: false if they are not needed"
    )


QUOTAS: list[tuple[Fault, str]] = [
    (faults.forbidden("v3.*/quotas"), f"fail {LACKS} (quota): {ROLE}"),
    (faults.throttled("/quotas"), f"warn is throttled, 429 APIGW.0308 (quota): {SLOWER}"),
    (faults.broken("/quotas"), "fail failed, 500 DRS.M00004 (quota): the cloud is at fault: try again later"),
    (faults.refused("/quotas", 403, "PAP5.0010", CANARY), f"fail lacks a permission, 403 PAP5.0010 (quota): {ROLE}"),
    (faults.refused("/quotas", 403, "none", CANARY), f"fail lacks a permission, 403 (quota): {ROLE}; {OR_A_PROXY}"),
    (
        faults.refused("/quotas", 302, "none", CANARY),
        f"fail is redirected, which is not followed, 302 (quota): {PROXY}",
    ),
    (
        faults.refused("/quotas", 400, "DRS.M00200", CANARY),
        f"fail is refused as a bad request, 400 DRS.M00200 (quota): {REPORT}",
    ),
    (
        faults.refused("/quotas", 418, f"DRS.{CANARY}", CANARY),
        "fail failed, 418 (quota): check the endpoint; if it is right, try again later",
    ),
    (
        Fault(match="/quotas", kind="body", body="no JSON"),
        f"fail got no usable response (quota): the response is not a JSON object: {PROXY}",
    ),
    (
        Fault(match="/quotas", kind="body", body={"quotas": 1}),
        f"fail got a response that the API does not document, decode (quota): {REPORT}",
    ),
    (
        Fault(match="/quotas", kind="body", body={"quotas": {"resource": {"type": "instances", "used": CANARY}}}),
        f"warn works, with 1 field unlike the documents (quota): {REPORT}",
    ),
    (
        Fault(match="/quotas", kind="slow", seconds=60),
        "fail got no response in time (quota): check the endpoint, firewall and proxy, or raise poll.timeout",
    ),
    (
        Fault(match="/quotas", kind="reset"),
        "fail got no response (quota): check the endpoint, DNS, firewall, proxy and ca_file",
    ),
]
DETAIL: list[tuple[Fault, str]] = [
    (faults.forbidden("type=detail"), f"fail {LACKS} (detail): {ROLE}"),
    (
        faults.refused("type=detail", 400, "DRS.10000001", CANARY),
        "warn is refused for the tested task, 400 DRS.10000001 (detail): run the check again",
    ),
    (
        faults.refused("type=detail", 400, "DRS.10000010", CANARY),
        "warn reports that the task does not exist, 400 DRS.10000010 (detail): run the check again",
    ),
]
RECOVERY = [(faults.forbidden("batch-rpo-and-rto"), f"fail {LACKS} (recovery): grant the action drs:dataGuardJob:list")]


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        (fault, found.replace(" ", f" {operation} ", 1))
        for operation, rows in (("v3_quotas", QUOTAS), ("v5_job_detail", DETAIL), ("v3_batch_rpo_and_rto", RECOVERY))
        for fault, found in rows
    ],
)
def test_a_fault_is_named_with_its_remedy_and_leaves_the_other_operations(fault: Fault, line: str) -> None:
    fine, text = checked(fleet(), None, fault)
    _, operation, what, *_ = line.split()
    assert finding(text, operation) == line
    assert fine is not line.startswith("fail")
    assert CANARY not in text
    assert text.count("works") == 12 + (what == "works,")


def test_an_operation_that_others_replace_is_no_failure() -> None:
    # v3 lists the task, and serves its details.
    fine, text = checked(cloud_of(sim_task("orders")), None, faults.forbidden("type=detail"))
    assert fine
    assert finding(text, "v5_job_detail") == (
        f"warn v5_job_detail {LACKS}; others serve all tasks now (detail): {ROLE}"
    )


def test_operations_that_are_not_published() -> None:
    fine, text = checked(fleet(), None, *map(faults.unpublished, ("batch-rpo-and-rto", "batch-progress")))
    assert fine
    assert finding(text, "rpo") == "ok v3_batch_rpo_and_rto is not published here, 404 APIGW.0101 (recovery)"
    assert finding(text, "recovery is") == missing("recovery")
    assert finding(text, "v3_batch_progress") == "ok v3_batch_progress is not published here, 404 APIGW.0101 (progress)"
    assert "  progress is" not in text  # v5 provides it


@pytest.mark.parametrize(
    ("need", "line"),
    [
        ("if_available", missing("comparison")),
        ("required", "warn comparison is not available here, but cutover requires it: set if_available there"),
    ],
)
def test_comparison_that_is_not_available(need: str, line: str) -> None:
    unpublished = map(faults.unpublished, ("query-compare-result", "type=compare"))
    fine, text = checked(fleet(), config_for(cutover={"comparison": need}), *unpublished)
    assert fine
    assert finding(text, "comparison is") == line


def test_what_is_disabled_is_not_tried() -> None:
    config = config_for(collectors={"comparison": {"enabled": False}, "quota": {"enabled": False}})
    _, text = checked(fleet(), config)
    assert [part for part in ("compar", "quota") if part in text] == []


@pytest.mark.parametrize("api", ["v3", "v5"])
def test_an_operation_is_not_tested_with_a_virtual_parent(api: str) -> None:
    ended = sim_task("west", role="child", status="RELEASE_CHILD_TRANSFER_COMPLETE")
    parent = sim_task("shops", relation="multi_to_single", children=[ended])
    _, text = checked(cloud_of(parent, published={api}))
    name = {"v3": "v3_batch_progress", "v5": "v5_job_progress"}[api]
    assert finding(text, name).startswith(f"ok {name} not tested: no task to test it with (")
    ended.pin(None)
    _, text = checked(cloud_of(parent, published={api}))
    assert finding(text, name).startswith(f"ok {name} works (")


def test_a_response_about_a_parent_that_can_not_be_decoded_is_no_refusal() -> None:
    ended = sim_task("edit", role="child", status="RELEASE_CHILD_TRANSFER_COMPLETE")
    parent = sim_task("edited", relation="edit", children=[ended])
    cloud = cloud_of(parent, published={"v3"})
    items = [{"job_id": parent.id, "status": "INCRE_TRANSFER_STARTED", "progress": progress} for progress in ("1", "2")]
    _, text = checked(cloud, None, Fault(match="batch-progress", kind="body", body={"results": items}))
    assert "v3_batch_progress not tested" not in text
    assert "decode" in finding(text, "v3_batch_progress")
