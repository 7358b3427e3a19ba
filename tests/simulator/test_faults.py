from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from exporter.simulator import Fault, SimulatedCloud, faults
from tests.simulator.client import error

LIST = "/jobs?job_type=sync"


def test_a_fault_starts_after_some_requests_and_ends_after_others(api: Any, cloud: SimulatedCloud) -> None:
    cloud.faults.append(faults.throttled("GET /v5", after=1, times=2, retry_after=7))
    answers = [api.v5(LIST) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 429, 429, 200]
    assert (answers[1].headers["Retry-After"], answers[1].json()["error_code"]) == ("7", "APIGW.0308")
    assert answers[1].json()["request_id"]
    assert [call.status for call in cloud.calls] == [200, 429, 429, 200]


@pytest.mark.parametrize(
    ("make", "status", "code"),
    [
        *[(faults.throttled, 429, "APIGW.0308"), (faults.too_frequent, 400, "DRS.M01503")],
        *[(faults.forbidden, 403, "DRS.M00102"), (faults.unauthorized, 401, "APIGW.0301")],
        *[(faults.broken, 500, "DRS.M00004"), (faults.unavailable, 504, "APIGW.0201")],
        (faults.unpublished, 404, "APIGW.0101"),
    ],
)
def test_errors_of_the_cloud(
    make: Callable[[str], Fault], status: int, code: str, api: Any, cloud: SimulatedCloud
) -> None:
    cloud.faults.append(make("batch-progress"))
    assert (error(api.v3("/batch-progress", jobs=[])), api.v5(LIST).status_code) == ((status, code), 200)


def test_any_body(api: Any, cloud: SimulatedCloud) -> None:
    bodies: list[object] = ["<html>down</html>", b"", {"jobs": {}}, b"\xff"]
    cloud.faults = [Fault(match="/v5", kind="body", body=body, times=1) for body in bodies]
    cloud.faults = [Fault(match="/v5", kind="body", body=body, times=1) for body in bodies]
    assert [api.v5(LIST).content for _ in bodies] == [b"<html>down</html>", b"", b'{"jobs": {}}', b"\xff"]
    assert "jobs" in api.v5(LIST).json()


def test_a_short_page_in_the_middle_of_a_list(api: Any, cloud: SimulatedCloud) -> None:
    cloud.faults.append(Fault(match="offset=0", kind="short_page"))
    body = api.v5(LIST + "&offset=0&limit=2").json()
    assert (len(body["jobs"]), body["total_count"]) == (1, 3)


def test_the_same_page_for_ever(api: Any, cloud: SimulatedCloud) -> None:
    cloud.faults.append(Fault(match="/jobs", kind="repeat_page"))
    pages = [api.list_v3(cur_page=number, per_page=2) for number in (1, 2, 9)]
    assert pages[0] == pages[1] == pages[2]
    assert pages[0]["total_record"] == 3


def test_endless_pages(api: Any, cloud: SimulatedCloud) -> None:
    cloud.faults.append(Fault(match="/jobs", kind="endless_pages"))
    seen: set[str] = set()
    for number in range(1, 20):
        page = api.list_v3(cur_page=number, per_page=2)
        assert page["total_record"] > number * 2
        seen |= {job["id"] for job in page["jobs"]}
    assert len(seen) == 38
    assert all(len(identity) == 36 and identity.endswith("jb201") for identity in seen)


def test_reset_in_the_middle_of_a_body(api: Any, cloud: SimulatedCloud) -> None:
    cloud.faults.append(Fault(match="/jobs", kind="reset", times=1))
    with pytest.raises(ConnectionResetError):
        api.v5(LIST)
    assert api.v5(LIST).status_code == 200


def test_slow_and_then_the_next_fault(api: Any, cloud: SimulatedCloud) -> None:
    cloud.faults = [Fault(match="/jobs", kind="slow", seconds=0.05), faults.broken("/jobs", times=1)]
    began = time.monotonic()
    assert [api.v5(LIST).status_code for _ in range(2)] == [500, 200]
    assert time.monotonic() - began > 0.1


def test_a_huge_body(api: Any, cloud: SimulatedCloud) -> None:
    cloud.faults.append(Fault(match="/jobs", kind="huge", size=3_000_000))
    assert (len(api.v5(LIST).content), Fault(match="", kind="huge").size) == (3_000_000, 50 * 1024 * 1024)


def test_a_misspelt_kind_is_an_error() -> None:
    with pytest.raises(ValueError, match="short_page"):
        Fault(match="", kind="shortpage")
