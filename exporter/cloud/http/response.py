"""Reads the responses of the cloud: the JSON object of a good one, the error of any other."""

from __future__ import annotations

import email.utils
import json
import math
import re
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any

import httpx

from exporter.cloud.http.error_codes import GOOD, REPORT, known_code, meaning_of
from exporter.cloud.http.errors import DecodeError, ThrottledError
from exporter.cloud.http.shallow import shallow
from exporter.cloud.operations import Operation

_MINUTE = 60.0
_LIMIT = re.compile(rb"limit:(\d{1,9}),time:1 minute")
_LONGEST_PAUSE = 300.0  # seconds; a longer Retry-After may be a mistake, and would hide tasks for hours
_CODINGS = frozenset({"", "identity", "gzip", "deflate"})


async def receive_body(operation: Operation, response: httpx.Response) -> bytes:
    """Return the body; raises `DecodeError` if it is larger than the operation allows: it would block the event loop.

    Only one coding is accepted: a few bytes that are packed twice may become gigabytes before they are counted.
    """
    if response.headers.get("content-encoding", "").strip().lower() not in _CODINGS:
        raise DecodeError(operation.name, "decode")
    chunks, size, values = [], 0, 1
    async for chunk in response.aiter_bytes():
        size += len(chunk)
        values += chunk.count(b",")
        if size > operation.largest_body or values > operation.most_values:
            limit = f"{operation.largest_body >> 20} MiB or {operation.most_values} values"
            raise DecodeError(operation.name, "decode", reason=f"the response has more than {limit}: {REPORT}")
        chunks.append(chunk)
    return b"".join(chunks)


def read_object(operation: str, status: int, headers: Mapping[str, str], content: bytes) -> dict[str, Any]:
    """Return the object in a good response; raises the fitting `CloudError` for any other.

    The good statuses of reads are 200, 201 and 202, depending on operation and version.
    """
    body = parse_body(content)
    if str(status) not in GOOD:
        code = error_code_in(body)
        error = meaning_of(code, status).error(operation, str(status), code)
        if isinstance(error, ThrottledError):
            error.retry_after = _retry_after(headers, content)
            error.per_minute = _per_minute(content)
        raise error
    if not isinstance(body, dict):
        raise DecodeError(operation, "decode", reason=_no_object(headers.get("content-type", "")))
    return body


def read_object_and_date(
    operation: str, status: int, headers: Mapping[str, str], content: bytes
) -> tuple[dict[str, Any], float | None]:
    """Return the object and the Unix time of the response by the cloud's clock, None where the header is missing."""
    return read_object(operation, status, headers, content), unix_time(headers.get("date", ""))


def _no_object(content_type: str) -> str:
    """The reason of a good status without a JSON object; of the content type, only well-known words are repeated."""
    kind = content_type.partition(";")[0].strip().lower()
    named = f" ({kind})" if kind in {"text/html", "text/plain", "text/xml", "application/xml"} else ""
    return f"the response is not a JSON object{named}: check the endpoint and proxy"


def parse_body(content: bytes) -> Any:
    """Return the decoded JSON; None where it is none. Parts that are nested too deep are cut (`shallow`).

    An integer of more digits than Python reads becomes "not a number", which every field counts as a decode error.
    """
    with suppress(ValueError):
        try:
            return _loaded(content)
        except RecursionError:
            return _loaded(shallow(content))
    return None


def _loaded(content: bytes | str) -> Any:
    try:
        return json.loads(content)
    except json.JSONDecodeError:
        raise
    except ValueError:
        # Slower, so only where it is needed. All other numbers stay what they are.
        return json.loads(content, parse_int=_integer)


def _integer(digits: str) -> float:
    try:
        return int(digits)
    except ValueError:
        return math.nan


def error_code_in(body: Any) -> str | None:
    """The error code of an error body, wherever this version of the API puts it.

    A failed single-id batch hides it in `results[0]`; IAM nests it under `error`.
    """
    if not isinstance(body, dict):
        return None
    results = body.get("results")
    places = [body, body.get("error"), results[0] if isinstance(results, list) and results else None]
    for place in places:
        for key in ("error_code", "errorCode", "code"):
            code = known_code(place.get(key)) if isinstance(place, dict) else None
            if code is not None:
                return code
    return None


_ERROR_KEYS = frozenset({"code", "message", "encoded_authorization_message"})
_ERROR_WORD = re.compile(r"(?:^|[_-]|(?<=[a-z])(?=[A-Z]))(?i:err|fault|exception)")
_ERROR_LEVELS = 3


def has_error(body: Mapping[str, Any], levels: int = _ERROR_LEVELS) -> bool:
    """Return whether a body contains an error beside whatever else, in any documented shape or spelling.

    That is a code, a message or anything else whose name begins with such a word, in the body or in objects in it, but
    not in arrays, and `success` that is false. Null, empty and false values are no error; 0 is one, since no document
    says that it means success.
    """
    return body.get("success") is False or any(
        (_names_error(key) and value is not None and value is not False and value not in ("", [], {}))
        or (levels > 1 and isinstance(value, dict) and has_error(value, levels - 1))
        for key, value in body.items()
    )


@lru_cache(maxsize=1024)
def _names_error(key: str) -> bool:
    return key in _ERROR_KEYS or _ERROR_WORD.search(key) is not None


def _retry_after(headers: Mapping[str, str], content: bytes) -> float | None:
    value = headers.get("retry-after", "")
    if value.isdecimal():
        return min(float(value), _LONGEST_PAUSE)
    moment, served = unix_time(value), unix_time(headers.get("date", ""))
    if moment is not None and served is not None:
        return min(max(0.0, moment - served), _LONGEST_PAUSE)
    return _MINUTE if b"1 minute" in content else None


def _per_minute(content: bytes) -> int | None:
    """Return N of the message "over ratelimit,limit:N,time:1 minute"; None without it, and where N is no limit."""
    found = _LIMIT.search(content)
    return (int(found[1]) or None) if found else None


@lru_cache(maxsize=16)  # the responses of one second have the same date
def unix_time(date: str) -> float | None:
    """Return an HTTP date as Unix time; None where it is none."""
    try:
        parsed = email.utils.parsedate_tz(date)
        return None if parsed is None else float(email.utils.mktime_tz(parsed))
    except (ValueError, OverflowError):
        return None
