"""Faults that tests insert between clients and the cloud."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from exporter.simulator.protocol import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping

PAGE_KINDS = frozenset({"short_page", "repeat_page", "endless_pages", "wrong_total", "page_past_end"})
HUGE_CHUNK = 1024 * 1024

KINDS = frozenset({"status", "body", "reset", "slow", "huge"}) | PAGE_KINDS


@dataclass(kw_only=True)
class Fault:
    """Something that goes wrong with matching requests. The first fault in ``cloud.faults`` that fires decides.

    Attributes:
        match: searched in ``METHOD /path?query``, as sent.
        kind: what happens:
            status: the given status, body and headers.
            body: 200 (or the given status) with the given bytes, whatever they are.
            short_page, repeat_page, endless_pages: lists give half a page, their first page for ever, or new
                tasks without end.
            wrong_total: the total of a list is one too many, and the page after the last is empty.
            page_past_end: the same, and the page after the last is refused (DRS.M00210).
            reset: half an answer, then ``error`` is raised: over TCP the connection breaks.
            slow: waits ``seconds``, then goes on with the next faults and the true answer.
            huge: 200 with ``size`` bytes of JSON blanks, streamed.
        times: how often it fires, None for always.
        after: how many matching requests pass first.
        body: bytes or text as they are, anything else as JSON.
        hits: how many requests matched so far.
    """

    match: str
    kind: str = "status"
    times: int | None = None
    after: int = 0
    status: int = 0
    body: object = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    size: int = 50 * HUGE_CHUNK
    error: BaseException = field(default_factory=lambda: ConnectionResetError("connection reset by the simulator"))
    hits: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown kind of fault: {self.kind}, use one of {', '.join(sorted(KINDS))}")
        self.status = self.status or (500 if self.kind == "status" else 200)

    def fires(self, line: str) -> bool:
        """Count a request, and say whether it is to suffer."""
        if not re.search(self.match, line):
            return False
        self.hits += 1
        return self.after < self.hits and (self.times is None or self.hits <= self.after + self.times)

    def answer(self) -> Answer:
        """The response that replaces the normal one."""
        body = self.body.encode() if isinstance(self.body, str) else self.body
        return Answer(self.status, body, self.headers)


def refused(match: str, status: int, code: str, message: str, *, times: int | None = None, after: int = 0) -> Fault:
    """Any error of the cloud: status, code and message."""
    body = {"error_code": code, "error_msg": message}
    return Fault(match=match, status=status, body=body, times=times, after=after)


def throttled(match: str, *, retry_after: int | None = None, times: int | None = None, after: int = 0) -> Fault:
    """429 of the gateway; a Retry-After is documented as advice and not guaranteed."""
    message = "The throttling threshold has been reached: policy user over ratelimit,limit:60,time:1 minute"
    fault = refused(match, 429, "APIGW.0308", message, times=times, after=after)
    fault.headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return fault


def too_frequent(match: str, *, times: int | None = None, after: int = 0) -> Fault:
    """DRS itself throttles, and says so with a 400."""
    return refused(match, 400, "DRS.M01503", "Operation too frequent. Try again later.", times=times, after=after)


def forbidden(match: str, *, times: int | None = None, after: int = 0) -> Fault:
    """403 for an operation that the role does not allow."""
    message = "You do not have the permissions to perform this operation."
    return refused(match, 403, "DRS.M00102", message, times=times, after=after)


def unauthorized(match: str, *, times: int | None = None, after: int = 0) -> Fault:
    """401 of the gateway."""
    message = "Incorrect IAM authentication information: verify aksk signature fail"
    return refused(match, 401, "APIGW.0301", message, times=times, after=after)


def broken(match: str, *, times: int | None = None, after: int = 0) -> Fault:
    """500 of DRS."""
    return refused(match, 500, "DRS.M00004", "Internal server error.", times=times, after=after)


def unavailable(match: str, status: int = 504, *, times: int | None = None, after: int = 0) -> Fault:
    """502, 503 or 504 of the gateway."""
    return refused(match, status, "APIGW.0201", "Backend timeout.", times=times, after=after)


def unpublished(match: str, *, times: int | None = None, after: int = 0) -> Fault:
    """404: the API is not published in this region."""
    message = "The API does not exist or has not been published in the environment"
    return refused(match, 404, "APIGW.0101", message, times=times, after=after)
