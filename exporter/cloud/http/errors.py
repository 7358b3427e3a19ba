"""What can go wrong with a call to the cloud, and how an answer is judged.

No exception carries the cloud's message: messages name hosts, users and databases.
"""

from __future__ import annotations

import email.utils
import json
import math
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from exporter.cloud.http import error_codes
from exporter.cloud.http.error_codes import Meaning, documented, known_code, meaning_of
from exporter.cloud.http.shallow import shallow

if TYPE_CHECKING:
    from collections.abc import Mapping

NO_CREDENTIALS = "credentials"
"""In place of an HTTP status: no call was made, since the secrets could not be read."""
_CAPITAL = re.compile(r"\B[A-Z]")
_PER_MINUTE = 60.0
_LONGEST_PAUSE = 300.0  # seconds; a longer Retry-After may be a mistake, and would hide tasks for hours


class CloudError(Exception):
    """A call that gave no usable answer."""

    def __init__(self, operation: str, code: str, error_code: str | None = None, reason: str = "") -> None:
        super().__init__(operation, code, error_code, reason)
        self.operation = operation
        self.code = code
        """The HTTP status, or `timeout`, `network`, `decode`, `credentials`, `project` where none came."""
        self.error_code = error_code
        """The cloud's own code, such as DRS.M00101."""
        self.reason = reason
        """What we know about it, in our own words, with the remedy."""

    @property
    def kind(self) -> str:
        """Its class and code for people, such as `throttled 429` or `unavailable timeout`."""
        words = _CAPITAL.sub(r" \g<0>", type(self).__name__.removesuffix("Error")).lower()
        return f"{words} {self.error_code or self.code}"

    @property
    def meaning(self) -> Meaning | None:
        """What the cloud's error means; None where it did not answer, or answered without an error."""
        if self.code.isdecimal() and self.code not in _GOOD:
            return meaning_of(self.error_code, int(self.code))
        return documented(self.error_code)

    def __str__(self) -> str:
        detail = f" {self.error_code}" if self.error_code else ""
        return f"{self.operation}: {self.code}{detail}" + (f": {self.reason}" if self.reason else "")


class NotSentError(CloudError):
    """The call was not made: one that must come before it (for a token, keys, the project's id, a tunnel) went wrong.

    Of no other class, whatever went wrong with that call: what IAM lacks or refuses says nothing about DRS.
    """


class NotPublishedError(CloudError):
    """This operation does not exist in this region."""


class TaskGoneError(CloudError):
    """The task does not exist, or no more."""


class TaskError(CloudError):
    """The response contains an error, or nothing, in place of this task."""


class BadRequestError(CloudError):
    """The cloud refuses this very request; to repeat it is pointless."""


class AccessDeniedError(CloudError):
    """The credentials are wrong, lack a permission, or are blocked."""


class ThrottledError(CloudError):
    """Too many calls; `retry_after` seconds to wait, where the cloud said so."""

    retry_after: float | None = None


class EmptyResultError(CloudError):
    """422 "the returned result is empty": not a fault, the cloud's way to say that there is nothing."""


class UnavailableError(CloudError):
    """Time-out, network or 5xx: worth another try."""


class DecodeError(CloudError):
    """An answer that is not what the API documents."""


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


def of_job_type(error: CloudError, job_type: str) -> CloudError:
    """Return the error of one list where others succeed; a refusal gets a reason with the job type and the setting."""
    if error.meaning not in _NOT_OFFERED or error.reason:
        return error
    reason = f"this cloud may not offer job type {job_type}: if so, remove it from tasks.job_types"
    return type(error)(error.operation, error.code, error.error_code, reason)


_NOT_OFFERED = (error_codes.PARAMETER, error_codes.REQUEST, error_codes.NOT_PUBLISHED, error_codes.OTHER)


def is_gone(code: str | None) -> bool:
    """Return whether an error code reports that the task does not exist."""
    return documented(code) is error_codes.GONE


def is_wrong_state(code: str | None) -> bool:
    """Return whether an error code reports that the task's state has no such facts, which is no fault."""
    return documented(code) is error_codes.WRONG_STATE


def is_past_end(code: str | None) -> bool:
    """Return whether an error code reports a page beyond the end of a list; of the first page, it is any error."""
    return documented(code) is error_codes.PAGE


def parse_body(content: bytes) -> Any:
    """Return the decoded JSON; raises ValueError where it is none. Parts that are nested too deep are cut (`shallow`).

    An integer of more digits than Python reads becomes "not a number", which every field counts as a decode error.
    """
    try:
        return _loaded(content)
    except RecursionError:
        return _loaded(shallow(content))


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


def judge(operation: str, status: int, headers: Mapping[str, str], content: bytes) -> dict[str, Any]:
    """The object in a good answer; raises the fitting `CloudError` for any other.

    Reads are answered 200, 201 or 202, depending on operation and version.
    """
    try:
        body = parse_body(content)
    except ValueError:
        body = None
    if str(status) in _GOOD:
        if not isinstance(body, dict):
            raise DecodeError(operation, "decode", reason=_no_object(headers.get("content-type", "")))
        return body
    raise _error(operation, status, error_code_in(body), headers, content)


def _no_object(content_type: str) -> str:
    """The reason of a good status without a JSON object; of the content type, only well-known words are repeated."""
    kind = content_type.partition(";")[0].strip().lower()
    named = f" ({kind})" if kind in {"text/html", "text/plain", "text/xml", "application/xml"} else ""
    return f"the response is not a JSON object{named}: check the endpoint and proxy"


def judge_dated(
    operation: str, status: int, headers: Mapping[str, str], content: bytes
) -> tuple[dict[str, Any], float | None]:
    """Return the same with the Unix time of the response by the cloud's own clock; None where it has none."""
    return judge(operation, status, headers, content), _moment(headers.get("date", ""))


def _error(operation: str, status: int, code: str | None, headers: Mapping[str, str], content: bytes) -> CloudError:
    error = _CLASSES.get(meaning_of(code, status), BadRequestError)(operation, str(status), code)
    if isinstance(error, ThrottledError):
        error.retry_after = _retry_after(headers, content)
    return error


_GOOD = frozenset({"200", "201", "202"})
_CLASSES: Mapping[Meaning, type[CloudError]] = {
    error_codes.EMPTY: EmptyResultError,
    error_codes.UNAVAILABLE: UnavailableError,
    error_codes.THROTTLED: ThrottledError,
    error_codes.NOT_PUBLISHED: NotPublishedError,
    error_codes.TOKEN: AccessDeniedError,
    error_codes.CREDENTIALS: AccessDeniedError,
    error_codes.PERMISSION: AccessDeniedError,
    error_codes.PROJECT: AccessDeniedError,
    error_codes.BLOCKED: AccessDeniedError,
    error_codes.GONE: TaskGoneError,
    error_codes.OTHER: CloudError,
    error_codes.REDIRECTED: CloudError,
}


def invalid_token(error: AccessDeniedError) -> bool:
    """Return whether signing in again may help. It does not where a permission is missing."""
    return error.meaning is not None and error.meaning.signs_in


def _retry_after(headers: Mapping[str, str], content: bytes) -> float | None:
    value = headers.get("retry-after", "")
    if value.isdecimal():
        return min(float(value), _LONGEST_PAUSE)
    moment, served = _moment(value), _moment(headers.get("date", ""))
    if moment is not None and served is not None:
        return min(max(0.0, moment - served), _LONGEST_PAUSE)
    return _PER_MINUTE if b"1 minute" in content else None  # "over ratelimit,limit:N,time:1 minute"


def _moment(date: str) -> float | None:
    """An HTTP date as Unix time."""
    try:
        parsed = email.utils.parsedate_tz(date)
        return None if parsed is None else float(email.utils.mktime_tz(parsed))
    except (ValueError, OverflowError):
        return None
