"""Pages that are no task lists, or that contain an error."""

from __future__ import annotations

from typing import Any

import pytest

from exporter.cloud.http.errors import DecodeError, UnavailableError
from tests.lib.cloud import Script, connected, refusal
from tests.lib.task_lists import BOTH, listed, page, seen, task, walked


@BOTH
@pytest.mark.parametrize(
    "body",
    [
        *({}, {"jobs": []}, {"jobs": [task(1)]}, {"jobs": None, "total_record": 3, "total_count": 3}),
        {"jobs": {}, "total_record": 0, "total_count": 0},
        {"jobs": "none", "total_record": 0, "total_count": 0},
        page([], None),
        page([], "0"),
        page([], 0.0),
        page([], total=False),
        page([1], total=True),
        {"jobs": None, "total_record": False, "total_count": False},
        {"error_code": "DRS.M00004", "error_msg": "Internal server error."},
        {"count": 0, "results": []},
        page([], 1) | {"jobs": [None]},
        # a total that promises tasks, or means nothing
        page([], 1),
        page([], -1),
        page([1], -1),
        # an error in any spelling, beside an empty list
        *(
            page([], 0) | error
            for error in (
                *({"errCode": "DRS.M00004"}, {"errMsg": "x"}, {"err_msg": "x"}, {"ErrorCode": "x"}),
                *({"ERROR_CODE": 500}, {"Error": {"Code": "x"}}, {"internalError": "x"}),
                *({"fault": {"faultcode": "x"}}, {"exception": "x"}, {"success": False}),
                *({"result": {"error": {"code": "x"}}}, {"results": [{"error_code": "DRS.M00004"}]}),
            )
        ),
    ],
)
async def test_a_page_that_is_no_list_is_an_error_and_never_no_tasks(api: str, body: dict[str, Any]) -> None:
    async with connected(Script(body)) as cloud:
        with pytest.raises(DecodeError):
            await cloud.list_tasks(api)
        assert cloud.decode_errors["tasks"].count == 1


@BOTH
@pytest.mark.parametrize(
    "extra",
    [
        *({"error_code": None, "error_msg": "", "errors": []}, {"success": True}),
        *({"default_limit": 5, "transferred": 3, "interrupted": 1}, {"result": {"message": None}}),
        {"results": [{}]},
    ],
)
def test_a_list_with_other_keys_is_no_error(api: str, extra: dict[str, Any]) -> None:
    assert seen(Script(page([], 0) | extra), api) == (set(), True)


@BOTH
def test_a_failing_page_fails_the_list(api: str) -> None:
    answer = walked(Script(page(range(100), 150), lambda _: refusal(500)), api)
    assert isinstance(answer, UnavailableError)
    answer = walked(Script(page(range(100), 150), {"jobs": {}}), api)
    assert isinstance(answer, DecodeError)


ERRORS: list[dict[str, Any]] = [
    *({"error_code": "DRS.M00004"}, {"error_code": 500}, {"error_code": 0}, {"error_code": "0"}),
    *({"error_code": ["DRS.M00004"]}, {"error_msg": "internal error"}, {"error_message": "internal error"}),
    {"errorCode": "DRS.M00004", "errorMsg": "internal error"},
    {"errorMsg": "internal error"},
    {"code": 500, "message": "internal error"},
    {"message": "internal error"},
    {"error": {"code": 500, "message": "internal error", "title": "x"}},
    *({"error": "internal error"}, {"errors": [{"code": "x"}]}, {"errors": "x"}),
    {"encoded_authorization_message": "x"},
    {"fault": {"error_code": "DRS.M00004", "error_msg": "internal error"}},
    {"fault": {"error_msg": "internal error"}},
    {"error_code": None, "error_msg": "internal error"},
]


NO_ERRORS: list[dict[str, Any]] = [
    *({"error_code": None, "error_msg": None}, {"error_code": "", "error_msg": ""}, {"errors": []}),
    *({"error": None}, {"error": {}}, {"error": False}, {"request_id": "x", "trace": {"span": "x"}}),
]


@BOTH
@pytest.mark.parametrize("numbers", [[], [1]])
@pytest.mark.parametrize("error", ERRORS)
def test_a_list_with_an_error_in_it_is_an_error(api: str, numbers: list[int], error: dict[str, Any]) -> None:
    assert isinstance(walked(Script(page(numbers, len(numbers)) | error), api), DecodeError)


@BOTH
@pytest.mark.parametrize("error", NO_ERRORS)
def test_an_error_that_is_null_or_empty_is_none(api: str, error: dict[str, Any]) -> None:
    assert listed(Script(page([], 0) | error), api) == (0, None, 1)


@pytest.mark.parametrize("api", ["v3", "v5"])
def test_a_page_of_far_more_items_than_requested_is_not_read(api: str) -> None:
    most = walked(Script({"jobs": [{}] * 1001, "total_record": 1001, "total_count": 1001}), api)
    assert isinstance(most, DecodeError)
    assert most.reason.startswith("a page has more than 1000 tasks: ")
    assert seen(Script(page(range(1000), 1000)), api) == (set(range(1000)), True)


@pytest.mark.parametrize("api", ["v3", "v5"])
def test_a_page_of_far_too_many_subtasks_is_not_read(api: str) -> None:
    parent = {**task(0), "children": [{}] * 10_000}
    found = walked(Script({"jobs": [parent], "total_record": 1, "total_count": 1}), api)
    assert isinstance(found, DecodeError)
    assert found.reason.startswith("a page has too many entries: ")
    parent["children"] = [{}] * 9_999
    assert seen(Script({"jobs": [parent], "total_record": 1, "total_count": 1}), api) == ({0}, True)
