"""What can go wrong with a call to the cloud, and how an answer is judged.

No exception carries the cloud's message: messages name hosts, users and databases.
"""

from __future__ import annotations

import email.utils
import json
import re
from typing import TYPE_CHECKING, Any

from exporter.cloud.shallow import shallow

if TYPE_CHECKING:
    from collections.abc import Mapping

NOT_PUBLISHED_CODES = frozenset({"APIGW.0101", "DRS.M00101"})
GONE_CODES = frozenset({"DRS.10000010", "DRS.M00289", "DRS.M05004"})
"""The task does not exist: v5; v3 missing; v3 deleted or released."""
WRONG_STATE_CODE = "DRS.M00304"  # this kind of fact does not exist in the task's state: nothing to tell, no fault
_EMPTY_CODE = "DRS.M00002"
PAST_END_CODES = frozenset({"DRS.M00210", "DRS.M00211"})
"""A page beyond the end of a list; on the first page an error like any other."""
SINGLE_ID_CODE = "DRS.M00299"  # "Only one jobId is allowed": batches are not served here
_THROTTLED_CODES = frozenset({"DRS.M01503", "APIGW.0308", "APIG.0308"})  # the first comes with status 400
_INVALID_TOKEN_CODE = "DRS.M00100"  # noqa: S105 - an error code; it comes with 403 where 401 is meant
NO_CREDENTIALS = "credentials"
"""In place of an HTTP status: no call was made, since the secrets could not be read."""
_CODE = re.compile(r"[A-Za-z][.A-Za-z0-9_-]{0,40}")
_CAPITAL = re.compile(r"\B[A-Z]")
_PER_MINUTE = 60.0
_LONGEST_PAUSE = 3600.0  # whatever a header says, what is throttled is asked again


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

    def __str__(self) -> str:
        detail = f" {self.error_code}" if self.error_code else ""
        return f"{self.operation}: {self.code}{detail}" + (f": {self.reason}" if self.reason else "")


class AccessError(CloudError):
    """The call was not made: a call that must come before it, for a token, keys or the project's id, went wrong.

    Of no other class, whatever went wrong with that call: what IAM lacks or refuses says nothing about DRS.
    """


class NotPublishedError(CloudError):
    """This operation does not exist in this region."""


class TaskGoneError(CloudError):
    """The task does not exist, or no more."""


class TaskRefusedError(CloudError):
    """The cloud answered for other tasks, but for this one an error or nothing."""


class BadRequestError(CloudError):
    """The cloud refuses this very request (400, 422); asking again is pointless."""


class RefusedError(CloudError):
    """401 or 403: the credentials are wrong or lack a permission."""


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
            code = place.get(key) if isinstance(place, dict) else None
            if isinstance(code, str) and _CODE.fullmatch(code):
                return code
    return None


_ERROR_KEYS = ("error_code", "error_msg", "error_message", "errorCode", "errorMsg", "errorMessage", "code", "message")
_ERROR_BLOCKS = ("error", "errors", "encoded_authorization_message")


def has_error(body: Mapping[str, Any]) -> bool:
    """Whether a body contains an error in any documented shape, beside whatever else: a code or a message, of any type.

    Null, empty and false values are no error; 0 is one, since no document says that it means success.
    """
    nested = [value for value in body.values() if isinstance(value, dict)]
    found = [place.get(key) for place in (body, *nested) for key in _ERROR_KEYS]
    found += [body.get(key) for key in _ERROR_BLOCKS]
    return any(value is not None and value is not False and value not in ("", [], {}) for value in found)


def parse_body(content: bytes) -> Any:
    """The decoded JSON; ValueError where it is none. What is nested too deep to be honest is lost, see `shallow`."""
    try:
        return json.loads(content)
    except RecursionError:
        return json.loads(shallow(content))
    except json.JSONDecodeError:
        raise
    except ValueError:  # an integer of more digits than Python reads: it costs its field, not the page
        return json.loads(content, parse_int=float)


def judge(operation: str, status: int, headers: Mapping[str, str], content: bytes) -> dict[str, Any]:
    """The object in a good answer; raises the fitting `CloudError` for any other.

    Reads are answered 200, 201 or 202, depending on operation and version.
    """
    try:
        body = parse_body(content)
    except ValueError:
        body = None
    if status in {200, 201, 202}:
        if not isinstance(body, dict):
            raise DecodeError(operation, "decode")
        return body
    raise _error(operation, status, error_code_in(body), headers, content)


def _error(operation: str, status: int, code: str | None, headers: Mapping[str, str], content: bytes) -> CloudError:
    if status == 429 or code in _THROTTLED_CODES:  # noqa: PLR2004
        throttled = ThrottledError(operation, str(status), code)
        throttled.retry_after = _retry_after(headers, content)
        return throttled
    if status == 422 and code == _EMPTY_CODE:  # noqa: PLR2004
        return EmptyResultError(operation, str(status), code)
    if code in GONE_CODES:
        return TaskGoneError(operation, str(status), code)
    if status == 404 and code in NOT_PUBLISHED_CODES:  # noqa: PLR2004
        return NotPublishedError(operation, str(status), code)
    return _ERRORS.get(status, UnavailableError if status >= 500 else CloudError)(operation, str(status), code)  # noqa: PLR2004


_ERRORS: Mapping[int, type[CloudError]] = {
    400: BadRequestError,
    401: RefusedError,
    403: RefusedError,
    408: UnavailableError,
    422: BadRequestError,
}


def invalid_token(error: RefusedError) -> bool:
    """Whether signing in once more may help: 401, or the 403 that means the same."""
    return error.code == "401" or error.error_code == _INVALID_TOKEN_CODE


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
