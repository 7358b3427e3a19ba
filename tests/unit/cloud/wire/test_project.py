"""Facts about the project: v3 quotas, v5 batch-async-jobs."""

from __future__ import annotations

from typing import Any

import pytest

from exporter.cloud.http.errors import DecodeError, UnavailableError
from exporter.model.facts import AsyncJobs, Quota
from tests.lib.cloud import document, refusal
from tests.lib.facts import project_fact

QUOTA, ASYNC = "v3_quotas", "v5_batch_async_jobs"
MOMENT = 1_667_837_718.0  # 2022-11-07T16:15:18Z
FAILED = "ASYNC_JOB_VALIDATE_FAILED"


def quota(resource: Any) -> tuple[Quota, int]:
    found, lost, _ = project_fact(QUOTA, {"quotas": {"resource": resource}})
    return found, lost


@pytest.mark.parametrize("key", ["used", "quota"])
@pytest.mark.parametrize(
    ("given", "value", "errors"),
    [
        *[(41, 41, 0), ("41", 41, 0), (0, 0, 0), (-1, None, 0), ("N/A", None, 0), (None, None, 0)],
        *[("many", None, 1), (True, None, 1)],
    ],
)
def test_one_number(key: str, given: Any, value: float | None, errors: int) -> None:
    found, lost = quota({"type": "instances", "min": 0, "max": 9999, key: given})
    used, limit = (value, None) if key == "used" else (None, value)
    assert (found, lost) == (Quota((("instances", used, limit),)), errors)


@pytest.mark.parametrize(
    ("resource", "resources", "errors"),
    [
        ({"type": "instances", "used": 1, "quota": 2}, (("instances", 1, 2),), 0),
        (
            [{"type": "instances", "used": 1, "quota": 2}, {"type": "subscriptions", "used": "3"}],
            (("instances", 1, 2), ("subscriptions", 3, None)),
            0,
        ),
        ([None, "x", {"type": "instances"}], (("instances", None, None),), 2),
        ({"used": 1}, (), 0),
        ({"type": "quota of root@10.0.0.1", "used": 1}, (), 1),
        ([], (), 0),
    ],
)
def test_resources_are_an_object_or_an_array(resource: Any, resources: tuple[Any, ...], errors: int) -> None:
    assert quota(resource) == (Quota(resources), errors)


def test_an_error_beside_the_facts_is_undecodable() -> None:
    error = {"error_code": "DRS.M00004", "error_msg": "Failed."}
    for name, body in ((QUOTA, {"quotas": {"resource": []}}), (ASYNC, {"jobs": [], "total_count": 0})):
        with pytest.raises(DecodeError):
            project_fact(name, body | error)


def test_the_documented_quotas() -> None:
    found, lost, _ = project_fact(QUOTA, document("v3_quotas_doc"))
    assert (found, lost) == (Quota((("instances", 41.0, 9999.0),)), 0)


def job(number: int, status: str = "COMMIT_SUCCESS") -> dict[str, Any]:
    return {"async_job_id": f"id-{number}", "status": status, "create_time": MOMENT * 1000 + number * 1000}


def page(*jobs: Any, total: Any = None) -> dict[str, Any]:
    return {"jobs": list(jobs), "total_count": len(jobs) if total is None else total}


@pytest.mark.parametrize(
    ("fields", "facts", "errors"),
    [
        ({}, AsyncJobs(((FAILED, 1),), (("id-0", MOMENT),)), 0),
        ({"create_time": "2022-11-07T16:15:18Z"}, AsyncJobs(((FAILED, 1),), (("id-0", MOMENT),)), 0),
        ({"create_time": "2022-11-08 00:15:18"}, AsyncJobs(((FAILED, 1),)), 0),
        ({"create_time": "late"}, AsyncJobs(((FAILED, 1),)), 1),
        ({"user_name": ["root"], "domain_name": 7}, AsyncJobs(((FAILED, 1),), (("id-0", MOMENT),)), 0),
        ({"status": "SOMETHING_NEW"}, AsyncJobs((("SOMETHING_NEW", 1),)), 0),
    ],
)
def test_one_asynchronous_job(fields: dict[str, Any], facts: AsyncJobs, errors: int) -> None:
    found, lost, _ = project_fact(ASYNC, page({**job(0, FAILED), **fields}))
    assert (found, lost) == (facts, errors)


@pytest.mark.parametrize(
    "fields",
    [
        *({"status": None}, {"status": "failed at 10.0.0.1"}, {"async_job_id": ""}, {"async_job_id": 7}),
        {"async_job_id": "\ud800"},
    ],
)
def test_an_asynchronous_job_that_cannot_be_decoded_is_dropped_alone_unless_all_are(fields: dict[str, Any]) -> None:
    bad = {**job(0, FAILED), **fields}
    found, lost, _ = project_fact(ASYNC, page(bad, job(1)))
    assert (found, lost) == (AsyncJobs((("COMMIT_SUCCESS", 1),)), 1)
    with pytest.raises(DecodeError):
        project_fact(ASYNC, page(bad))


def test_of_the_failed_ones_the_newest_twenty_are_named_the_newest_first() -> None:
    jobs = [job(number, FAILED if number % 2 else "COMMIT_SUCCESS") for number in range(60)]
    found, lost, _ = project_fact(ASYNC, page(*jobs))
    expected = [(f"id-{number}", MOMENT + number) for number in range(59, 19, -2)]
    assert (found, lost) == (AsyncJobs(((FAILED, 30), ("COMMIT_SUCCESS", 30)), tuple(expected)), 0)
    assert len(found.failed) == 20


@pytest.mark.parametrize(
    ("pages", "counted", "offsets"),
    [
        ([page(total=0)], 0, [0]),
        ([page(job(1), job(2), total=3), page(job(3), total=3)], 3, [0, 2]),  # a short page is not the last one
        ([page(job(1), job(2), total=3), page(job(2), job(3), total=3)], 3, [0, 2]),  # one came between two pages
        ([page(job(1), total=9), page(total=9)], 1, [0, 1]),  # others went
        ([page(job(1), total=9), refusal(422, "DRS.M00002")], 1, [0, 1]),
        ([refusal(422, "DRS.M00002")], 0, [0]),
    ],
)
def test_every_page_is_counted(pages: list[Any], counted: int, offsets: list[int]) -> None:
    found, lost, script = project_fact(ASYNC, *pages)
    assert (sum(count for _, count in found.counts), lost) == (counted, 0)
    queries = [dict(request.url.params) for request in script.requests]
    expected = {"limit": "100", "sort_key": "create_time", "sort_dir": "desc"}
    assert queries == [{"offset": str(offset), **expected} for offset in offsets]


NO_RESOURCES: list[Any] = [None, [], {}, {"resource": None}, 1]
NO_FACTS: dict[str, list[dict[str, Any]]] = {
    QUOTA: [{}, *({"quotas": quotas} for quotas in NO_RESOURCES)],
    ASYNC: [
        *({}, {"jobs": None, "total_count": 0}, {"jobs": []}, {"jobs": [], "total_count": "0"}),
        page(job(1), total=True),
    ],
}


@pytest.mark.parametrize(("name", "body"), [(name, body) for name, bodies in NO_FACTS.items() for body in bodies])
def test_a_response_without_quotas_or_a_list_is_a_decode_error(name: str, body: dict[str, Any]) -> None:
    with pytest.raises(DecodeError, match=f"{name}: decode"):
        project_fact(name, body)


@pytest.mark.parametrize(
    ("pages", "error"),
    [
        *(([page(job(1), job(2), total=total)], DecodeError) for total in (9, 3)),  # it repeats itself
        ([page(job(number), total=10**9) for number in range(101)], DecodeError),  # it has no end
        ([page(job(1), total=2), refusal(500)], UnavailableError),
    ],
)
def test_an_endless_list_or_one_with_a_failing_page_is_no_count(pages: list[Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        project_fact(ASYNC, *pages)


def test_the_documented_asynchronous_jobs() -> None:
    found, lost, _ = project_fact(ASYNC, document("v5_batch_async_jobs_doc"))
    assert (found, lost) == (AsyncJobs((("AUTO_PARAM_VALIDATE_SUCCESS", 1), ("COMMIT_SUCCESS", 1))), 0)
