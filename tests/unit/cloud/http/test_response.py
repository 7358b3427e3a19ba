from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.cloud.http.error_codes import invalid_token
from exporter.cloud.http.errors import (
    AccessDeniedError,
    BadRequestError,
    CloudError,
    DecodeError,
    ThrottledError,
    UnavailableError,
)
from exporter.cloud.http.response import error_code_in, read_object

RATE_LIMITED = "The throttling threshold has been reached: policy user over ratelimit,limit:60,time:1 minute"
SERVED = "Wed, 07 Jan 2026 10:00:00 GMT"


def raised(status: int, body: Any, headers: dict[str, str] | None = None) -> CloudError:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(CloudError) as caught:
        read_object("operation", status, headers or {}, content)
    return caught.value


@pytest.mark.parametrize("status", [200, 201, 202])
@pytest.mark.parametrize("body", [{}, {"jobs": []}, {"error_code": "DRS.M00004"}])
def test_any_object_with_a_good_status_is_a_response(status: int, body: dict[str, Any]) -> None:
    assert read_object("operation", status, {}, json.dumps(body).encode()) == body


DEEP = b"[" * 100_000 + b"]" * 100_000


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"null", b'"text"', b"7", b"{", b"<html>", b"\xff\xfe", b"{}{}", DEEP, b"1" * 9999]
)
def test_anything_else_with_a_good_status_is_none(content: bytes) -> None:
    error = raised(200, content)
    assert (type(error), error.code, error.error_code) == (DecodeError, "decode", None)


def test_an_integer_of_too_many_digits_costs_its_field_and_changes_no_other_value() -> None:
    giant, body = "9" * 5000, {"total": 7, "large": 10**30, "ratio": 0.1, "text": "1", "list": [1, -1], "flag": True}
    content = json.dumps({**body, "odd": "@"}).replace('"@"', f"[{giant}, -{giant}, 1]").encode()
    found = read_object("operation", 200, {}, content)
    odd = found.pop("odd")
    assert ([type(value) for value in found.values()], found) == ([type(value) for value in body.values()], body)
    assert (str(odd), read_object("operation", 200, {}, b'{"a": 12}')) == ("[nan, nan, 1]", {"a": 12})


@pytest.mark.parametrize("status", [404, 429, 400, 500])
@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", b"[]", b"{}", b'{"error_code": 7}'])
def test_without_a_code_the_status_decides_and_nothing_is_unpublished(status: int, content: bytes) -> None:
    kinds = {404: CloudError, 429: ThrottledError, 400: BadRequestError, 500: UnavailableError}
    error = raised(status, content)
    assert (type(error), error.error_code) == (kinds[status], None)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"error_code": "DRS.M00004", "error_msg": "no"}, "DRS.M00004"),
        ({"errorCode": "DRS.M00004", "errorMsg": "no"}, "DRS.M00004"),
        ({"code": "APIGW.0101", "message": "no"}, "APIGW.0101"),
        ({"error": {"code": 401, "message": "no", "title": "Unauthorized"}}, None),  # IAM's is a number: the status
        ({"error": {"code": "IAM.0001", "message": "no"}}, "IAM.0001"),
        ({"count": 1, "results": [{"job_id": "x", "error_code": "DRS.M05004"}]}, "DRS.M05004"),
        ({"error_code": "", "results": [{"error_code": "DRS.M05004"}]}, "DRS.M05004"),
        ({"results": []}, None),
        ({"results": ["DRS.M05004"]}, None),
        ({"results": {"0": {}}}, None),
        ({"error_code": "jdbc:mysql://10.0.0.1:3306 user=root"}, None),
        *[({"error_code": "A" * 42}, None), ({"error_code": "kanari-host-7"}, None)],
        *[({"error_code": "DRS.kanari"}, None), ({"error_code": "DRS.M00004\n"}, None)],
        *[({"error_code": None}, None), (["DRS.M00004"], None), (None, None)],
    ],
)
def test_the_code_is_found_wherever_this_version_hides_it(body: Any, code: str | None) -> None:
    assert error_code_in(body) == code


def test_no_error_repeats_what_the_cloud_wrote() -> None:
    error = raised(400, {"error_code": "DRS.M00200", "error_msg": "host=10.1.2.3 user=root password=secret"})
    assert str(error) == "operation: 400 DRS.M00200"
    assert "root" not in repr(error)
    assert str(raised(400, {"error_code": "user=root", "error_msg": ""})) == "operation: 400"


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        *[(401, "APIGW.0301", True), (401, "", True), (403, "DRS.M00100", True), (403, "DRS.M00102", False)],
        (401, "DRS.M00103", False),
    ],
)
def test_which_refusal_a_new_token_may_cure(status: int, code: str, expected: bool) -> None:  # noqa: FBT001
    error = raised(status, {"error_code": code})
    assert isinstance(error, AccessDeniedError)
    assert invalid_token(error) is expected


@pytest.mark.parametrize(
    ("headers", "message", "seconds"),
    [
        *[({"retry-after": "7"}, "", 7), ({"retry-after": "0"}, "", 0), ({"retry-after": "7"}, RATE_LIMITED, 7)],
        *[({"retry-after": "86400"}, "", 300), ({"retry-after": "9" * 400}, "", 300)],
        ({"retry-after": "Wed, 07 Jan 2026 10:00:42 GMT", "date": SERVED}, "", 42),
        ({"retry-after": "Wed, 07 Jan 2026 12:00:42 +0200", "date": SERVED}, "", 42),
        ({"retry-after": "Thu, 08 Jan 2026 10:00:00 GMT", "date": SERVED}, "", 300),
        ({"retry-after": "Wed, 07 Jan 2026 09:00:00 GMT", "date": SERVED}, "", 0),
        ({"retry-after": "Wed, 07 Jan 2026 10:00:42 GMT"}, "", None),
        ({"retry-after": "Wed, 07 Jan 2026 10:00:42 GMT"}, RATE_LIMITED, 60),
        ({"retry-after": "Wed, 07 Jan 2026 10:00:42 GMT", "date": "today"}, RATE_LIMITED, 60),
        ({"retry-after": "Jan +99999999999 GMT 1.5 +99999999999", "date": SERVED}, "", None),
        *[({"retry-after": "-5"}, "", None), ({"retry-after": "1.5"}, "", None)],
        *[({"retry-after": "soon"}, "", None), ({"retry-after": ""}, RATE_LIMITED, 60), ({}, RATE_LIMITED, 60)],
        ({}, "Operation too frequent. Try again later.", None),
    ],
)
def test_the_pause_after_throttling(headers: dict[str, str], message: str, seconds: float | None) -> None:
    error = raised(429, {"error_code": "APIGW.0308", "error_msg": message}, headers)
    assert isinstance(error, ThrottledError)
    assert error.retry_after == seconds


@given(
    status=st.integers(100, 999),
    content=st.binary(max_size=40)
    | st.recursive(st.none() | st.text(max_size=5), st.lists).map(json.dumps).map(str.encode),
    wait=st.text(max_size=30),
    date=st.text(max_size=30) | st.just(SERVED),
)
def test_any_response_is_an_object_or_a_cloud_error(status: int, content: bytes, wait: str, date: str) -> None:
    outcome: dict[str, Any] | CloudError
    try:
        outcome = read_object("operation", status, {"retry-after": wait, "date": date}, content)
    except CloudError as error:
        outcome = error
    wanted = getattr(outcome, "retry_after", None)
    assert wanted is None or 0 <= wanted <= 300
    assert isinstance(outcome, CloudError) or status in {200, 201, 202}


@pytest.mark.parametrize(
    ("message", "limit"),
    [
        ("The throttling threshold has been reached: policy user over ratelimit,limit:60,time:1 minute", 60),
        ("policy api over ratelimit,limit:1,time:1 minute", 1),
        ("over ratelimit,limit:999999999,time:1 minute", 999_999_999),
        ("over ratelimit,limit:0,time:1 minute", None),
        ("over ratelimit,limit:-5,time:1 minute", None),
        ("over ratelimit,limit:10000000000,time:1 minute", None),
        ("over ratelimit,limit:60,time:1 hour", None),
        ("over ratelimit,limit:\u0666\u0660,time:1 minute", None),
        ("too many requests", None),
    ],
)
def test_the_limit_a_minute_that_a_throttled_response_names(message: str, limit: int | None) -> None:
    content = json.dumps({"error_code": "APIGW.0308", "error_msg": message}, ensure_ascii=False).encode()
    with pytest.raises(ThrottledError) as caught:
        read_object("operation", 429, {}, content)
    assert caught.value.per_minute == limit
