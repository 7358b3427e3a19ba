"""The documented error codes: what each means, whether a call is repeated, and what `check` says about it.

From the error pages of DRS (drs_05_0004, Huawei Cloud and Open Telekom Cloud), of the API gateway (api-sign-errorcode)
and of IAM (iam_02_0006), and from the examples in the pages of the operations. An error is judged by its code; the
HTTP status decides only where the code is not documented, or is missing.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from typing import Literal, NamedTuple

from exporter.cloud.http import errors

GOOD = frozenset({"200", "201", "202"})
"""The statuses of reads that succeed."""
REPORT = "please report it, with check --report=FILE"
_CODE = re.compile(
    r"(?:DRS|APIGW|APIG|IAM|CES|CBC|PAP5)[.-](?:[0-9]{4,8}|[A-Z]{1,2}[0-9]{4,5})"  # DRS.M00102, DRS.10000010
    r"|M[0-9]{5}|K[0-9]{5}|KE[0-9]{4}"  # in items of a batch, without the service
)


class Split(Enum):
    """The rule by which a batch of task ids is split for an error."""

    NEVER = "the error is not about an id"
    IF_SOME_WORK = "the error may be about an id: the batch is split only once another call has shown that ids matter"
    ALWAYS = "the error is about an id"


@dataclass(frozen=True, slots=True)
class Meaning:
    """The meaning of an error.

    Attributes:
        name: identifies it.
        level: how serious `check` takes it.
        what: the finding; `{operation}` is the operation that failed.
        remedy: what to do about it; `{grant}` is the permission that the operation needs.
        error: the exception of the call.
        retried: whether the call is repeated within the poll, at most twice.
        signs_in: whether the client signs in again, once.
        split: whether a batch is split for it.
    """

    name: str
    level: Literal["ok", "warn", "fail"]
    what: str
    remedy: str = ""
    error: type[errors.CloudError] = errors.BadRequestError
    retried: bool = False
    signs_in: bool = False
    split: Split = Split.NEVER


EMPTY = Meaning("empty", "ok", "{operation} has no result", error=errors.EmptyResultError)
NOT_PUBLISHED = Meaning("not published", "ok", "{operation} is not published here", error=errors.NotPublishedError)
WRONG_STATE = Meaning("wrong state", "ok", "{operation} has nothing for a task in this state", split=Split.ALWAYS)
UNAVAILABLE = Meaning(
    "unavailable",
    "fail",
    "{operation} failed",
    "the cloud is at fault: try again later",
    retried=True,
    error=errors.UnavailableError,
)
THROTTLED = Meaning(
    "throttled",
    "warn",
    "{operation} is throttled",
    "lower poll.rate_limit, or find what else calls the API",
    error=errors.ThrottledError,
)
_denied = partial(Meaning, level="fail", error=errors.AccessDeniedError)
TOKEN = _denied(
    "token", what="the credentials are refused", remedy="check them, and whether they have expired", signs_in=True
)
CREDENTIALS = replace(TOKEN, name="credentials")
PERMISSION = _denied("permission", what="{operation} lacks a permission", remedy="grant {grant}")
PROJECT = _denied(
    "project", what="the project is not one of these credentials", remedy="check project_id, region and endpoint"
)
BLOCKED = _denied(
    "blocked",
    what="the cloud's gateway blocks {operation}",
    remedy="check the region, the user's state and rules for IP addresses, or contact the cloud's support",
)
GONE = Meaning(
    "gone",
    "warn",
    "{operation} reports that the task does not exist",
    "run the check again",
    split=Split.ALWAYS,
    error=errors.TaskGoneError,
)
TASK = Meaning("task", "warn", "{operation} is refused for the tested task", "run the check again", split=Split.ALWAYS)
SINGLE_ID = Meaning("single id", "fail", "{operation} is refused as a bad request", REPORT)
PAST_END = Meaning("page", "warn", "{operation} refuses a page of the list", "run the check again")
PARAMETER = Meaning("parameter", "fail", "{operation} is refused as a bad request", REPORT, split=Split.IF_SOME_WORK)
REQUEST = Meaning("request", "fail", "{operation} is refused as a bad request", REPORT)
REDIRECTED = Meaning(
    "redirected",
    "fail",
    "{operation} is redirected, which is not followed",
    "check the endpoint and proxy",
    error=errors.CloudError,
)
OTHER = Meaning(
    "other",
    "fail",
    "{operation} failed",
    "check the endpoint; if it is right, try again later",
    error=errors.CloudError,
)


class Documented(NamedTuple):
    """A row of the error pages; `statuses` are those that the code has this meaning with, empty for any."""

    code: str
    statuses: frozenset[int]
    meaning: Meaning


def _rows(meaning: Meaning, codes: str, *statuses: int, prefixes: Iterable[str] = ("DRS",)) -> list[Documented]:
    return [
        Documented(f"{prefix}.{code}", frozenset(statuses), meaning) for prefix in prefixes for code in codes.split()
    ]


_GATEWAYS = ("APIGW", "APIG")
"""The gateway of the cloud's own services, and the product that some regions use in its place."""

CODES: tuple[Documented, ...] = (
    *_rows(EMPTY, "M00002", 422),
    *_rows(UNAVAILABLE, "M00004 M01501 K01013"),
    *_rows(TOKEN, "M00100"),
    *_rows(PERMISSION, "M00101 M00102 M00103 M00105 K02001"),
    *_rows(PROJECT, "M00261"),
    *_rows(THROTTLED, "M01503"),
    *_rows(GONE, "M00289 M05004 10000010"),
    *_rows(TASK, "M05003 M00307 M00308 M00401 M00402 M00403 M01504 M05066 K02000"),
    *_rows(WRONG_STATE, "M00304"),
    *_rows(SINGLE_ID, "M00299"),
    *_rows(PAST_END, "M00210 M00211"),
    *_rows(PARAMETER, "M00007 M00200 M00201 M00202 M00273 M00300 M00305 M01111 K01012"),
    *_rows(PARAMETER, "10000001 10000024 10010047 10030009 10030016"),
    *_rows(REQUEST, "M00269 M00270 M00271 M00277 M00301 M00302 M00303 M00306 M05006 M06007 M06011 M06020 M06021"),
    *_rows(REQUEST, "M07000 KE0002 K02006 K02014 K02028 K02039 K02058 K02059 K02901 10010065 10010069"),
    *_rows(NOT_PUBLISHED, "0101", 404, prefixes=_GATEWAYS),
    *_rows(UNAVAILABLE, "0103 0104 0105 0107 0202 0601 0605 0606", prefixes=_GATEWAYS),
    *_rows(UNAVAILABLE, "0608 0609 0610 0611 0612 0613 0705", prefixes=_GATEWAYS),
    *_rows(UNAVAILABLE, "0201", 500, 502, 503, 504, prefixes=_GATEWAYS),
    *_rows(REQUEST, "0201", 400, 413, 414, 494, prefixes=_GATEWAYS),
    *_rows(REQUEST, "0106 0602 0607", prefixes=_GATEWAYS),
    *_rows(CREDENTIALS, "0301 0303 0305 0311", prefixes=_GATEWAYS),
    *_rows(TOKEN, "0307", prefixes=_GATEWAYS),
    *_rows(THROTTLED, "0308", prefixes=_GATEWAYS),
    *_rows(PROJECT, "0310", prefixes=_GATEWAYS),
    *_rows(BLOCKED, "0302 0304 0306 0401 0402 0404 0501 0502 0801 0802", prefixes=_GATEWAYS),
    *_rows(CREDENTIALS, "0001", prefixes=("IAM",)),
    *_rows(PERMISSION, "0002 0003", prefixes=("IAM",)),
    *_rows(OTHER, "0004", prefixes=("IAM",)),
    *_rows(UNAVAILABLE, "0006", prefixes=("IAM",)),
    *_rows(REQUEST, "0007 0009 0011 0072", prefixes=("IAM",)),
)
"""Every documented code that a read, or signing in for it, can meet; codes of writes are there as well."""

BY_STATUS: Mapping[int, Meaning] = {
    **dict.fromkeys((301, 302, 303, 307, 308), REDIRECTED),
    400: PARAMETER,
    401: CREDENTIALS,
    403: PERMISSION,
    408: UNAVAILABLE,
    422: PARAMETER,
    429: THROTTLED,
    **dict.fromkeys((500, 502, 503, 504), UNAVAILABLE),
}
"""The meaning of an HTTP status without a documented code; 5xx is `UNAVAILABLE`, all others `OTHER`."""


_BY_CODE = defaultdict[str, list[Documented]](list)
for _row in CODES:
    _BY_CODE[_row.code].append(_row)


def full_code(code: str) -> str:
    """Return a code with its service, as in DRS.M00004. Older pages write `DRS-M00004`, items of a batch `M00004`."""
    return code.replace("-", ".", 1) if "-" in code or "." in code else f"DRS.{code}"


def documented(code: str | None, status: int | None = None) -> Meaning | None:
    """The documented meaning of a code with an HTTP status; None where no page lists it.

    An item of a batch has no status of its own.
    """
    if code is None:
        return None
    rows = _BY_CODE.get(full_code(code), ())
    return next((row.meaning for row in rows if not row.statuses or status in row.statuses), None)


def meaning_of(code: str | None, status: int) -> Meaning:
    """Return the meaning of an error by its code, or by the HTTP status where the code is not documented or missing."""
    if status == 429:  # noqa: PLR2004 - whatever the code: it is never right to call at once
        return THROTTLED
    by_status = BY_STATUS.get(status, UNAVAILABLE if status >= 500 else OTHER)  # noqa: PLR2004
    meaning = documented(code, status) or by_status
    # A cloud that fails proves nothing about a task.
    return UNAVAILABLE if meaning is GONE and status >= 500 else meaning  # noqa: PLR2004


def meaning_of_error(error: errors.CloudError) -> Meaning | None:
    """Return the meaning of an error of the cloud; None where there was no response, or no error in it."""
    if error.code.isdecimal() and error.code not in GOOD:
        return meaning_of(error.error_code, int(error.code))
    return documented(error.error_code)


def invalid_token(error: errors.AccessDeniedError) -> bool:
    """Return whether signing in again may help. It does not where a permission is missing."""
    meaning = meaning_of_error(error)
    return meaning is not None and meaning.signs_in


def of_job_type(error: errors.CloudError, job_type: str) -> errors.CloudError:
    """Return the error of one list where others succeed; a refusal gets a reason with the job type and the setting."""
    if meaning_of_error(error) not in _NOT_OFFERED or error.reason:
        return error
    reason = f"this cloud may not offer job type {job_type}: if so, remove it from tasks.job_types"
    return type(error)(error.operation, error.code, error.error_code, reason)


_NOT_OFFERED = (PARAMETER, REQUEST, NOT_PUBLISHED, OTHER)


def known_code(code: object) -> str | None:
    """Return an error code that has one of the documented shapes, such as DRS.M00102; None for anything else.

    Codes become labels, log words and page text: a shape that the vendor does not use may be a host, a user or a text.
    """
    return code if isinstance(code, str) and _CODE.fullmatch(code) else None
