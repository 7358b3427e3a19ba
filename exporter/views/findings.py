"""Findings of `drs-exporter check`, and errors of the cloud, in words and with a remedy."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from exporter.cloud import operations
from exporter.cloud.http import error_codes
from exporter.cloud.http.error_codes import Split, known_code, meaning_of_error
from exporter.cloud.http.errors import (
    NO_CREDENTIALS,
    AccessDeniedError,
    BadRequestError,
    CloudError,
    DecodeError,
    NotSentError,
    TaskError,
    TaskGoneError,
    ThrottledError,
)
from exporter.runtime.terminal import Screen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from exporter.cloud.http.error_codes import Meaning

REPORT = error_codes.REPORT
_ROLE = 'the system role "DRS ReadOnlyAccess"'
_GRANTS: Mapping[str, str] = {
    operation.name: f"the action {operation.action}" for operation in operations.OPERATIONS if operation.action
}
"""By operation; all others need the role only."""
_ENGINE = re.compile(r"[A-Za-z0-9_-]{1,60}")


class Level(StrEnum):
    """The severity of a finding."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


_STYLES = {Level.OK: "good", Level.WARN: "warn", Level.FAIL: "bad"}


class Finding(NamedTuple):
    """A line of the output of `check`."""

    level: Level
    where: str
    what: str
    remedy: str = ""

    def line(self, width: int, screen: Screen = Screen()) -> str:  # noqa: B008 - it is frozen
        """Format the finding; `where` is padded to `width`."""
        level = screen.paint(f"{self.level:4}", _STYLES[self.level])
        return f"{level}  {self.where:{width}}  {self.what}" + (f": {self.remedy}" if self.remedy else "")


class Advice(NamedTuple):
    """The meaning of an error, and a remedy."""

    level: Level
    what: str
    remedy: str = ""

    @property
    def text(self) -> str:
        """Meaning and remedy in one line."""
        return self.what + (f": {self.remedy}" if self.remedy else "")


def advise(error: CloudError, place: str = "") -> Advice:
    """Describe an error of the cloud. The cloud's own message, which may name hosts and users, is left out.

    Args:
        error: the error.
        place: the host and port that gave no response, as ` from HOST:PORT`.
    """
    code = " ".join(part for part in (error.code, known_code(error.error_code)) if part)
    if error.reason:
        return Advice(Level.FAIL, f"{error.operation} {_failure(error, code, place)}", error.reason)
    if isinstance(error, NotSentError) and error.code.startswith("4"):
        listing = error.operation == operations.LIST_PROJECTS.name
        alternative = ", or allow iam:projects:listProjects, or set project_id" if listing else ""
        remedy = f"check the credentials and iam_endpoint{alternative}"
        return Advice(Level.FAIL, f"{error.operation} is refused, {code}", remedy)
    if error.code in UNANSWERED:
        late = " in time" if error.code == "timeout" else ""
        return Advice(Level.FAIL, f"{error.operation} got no response{place}{late}", UNANSWERED[error.code])
    if isinstance(error, DecodeError) and meaning_of_error(error) is None:
        return Advice(Level.FAIL, f"{error.operation} got a response that the API does not document, {code}", REPORT)
    meaning = _meaning(error)
    what = meaning.what.format(operation=error.operation)
    remedy = meaning.remedy.format(grant=grant_of(error.operation))
    if meaning is error_codes.PERMISSION and error.error_code is None:
        remedy += "; or a proxy or firewall refuses the call, since the response has no known error code"
    return Advice(Level(meaning.level), f"{what}, {code}", remedy)


def _failure(error: CloudError, code: str, place: str) -> str:
    if error.code in UNANSWERED:
        return f"got no response{place}"
    if isinstance(error, DecodeError):
        return "got no usable response"
    return "failed" if error.code == "project" else f"failed, {code}"


def _meaning(error: CloudError) -> Meaning:
    """Return the meaning of an error. An error about one task is not caused by the request."""
    meaning = meaning_of_error(error)
    if error.operation in _LISTS and meaning in _OF_ONE_TASK:
        return error_codes.OTHER
    if meaning is None or (isinstance(error, TaskError) and meaning.split is not Split.NEVER):
        return next((other for kind, other in _WITHOUT_CODE if isinstance(error, kind)), error_codes.OTHER)
    return meaning


_LISTS = (operations.LIST_V3.name, operations.LIST_V5.name)
_OF_ONE_TASK = (error_codes.TASK, error_codes.GONE, error_codes.WRONG_STATE)
_WITHOUT_CODE: tuple[tuple[type[CloudError], Meaning], ...] = (
    (TaskError, error_codes.TASK),
    (TaskGoneError, error_codes.GONE),
    (ThrottledError, error_codes.THROTTLED),
    (BadRequestError, error_codes.REQUEST),
)


def grant_of(operation: str) -> str:
    """Return the permission that an operation needs."""
    return _GRANTS.get(operation, _ROLE)


def is_access_fault(error: CloudError) -> bool:
    """Return whether the error is about the credentials or the project: then all operations fail alike."""
    if isinstance(error, NotSentError):
        return True
    return isinstance(error, AccessDeniedError) and (
        error.code == NO_CREDENTIALS or meaning_of_error(error) in _BARRING
    )


_BARRING = (error_codes.TOKEN, error_codes.CREDENTIALS, error_codes.PROJECT)
UNANSWERED: Mapping[str, str] = {
    "network": "check the endpoint, DNS, firewall, proxy and ca_file",
    "timeout": "check the endpoint, firewall and proxy, or raise poll.timeout",
}
"""What to check when there was no response, by the code that replaces the status."""


def absent(name: str, pin: str, *, required: bool) -> Advice:
    """Describe a collector that has no published operation; `pin` is the setting `api`."""
    here = "here" if pin == "auto" else f"here with api: {pin}"
    if required:
        return Advice(Level.WARN, f"{name} is not available {here}, but cutover requires it", "set if_available there")
    unused = f"set collectors.{name}.enabled: false if they are not needed"
    remedy = unused if pin == "auto" else f"api: auto may have them; {unused}"
    return Advice(Level.WARN, f"{name} is not available {here}, its metrics are missing", remedy)


def engines(counts: Mapping[str | None, int]) -> str:
    """Count tasks by engine, the most frequent first."""
    named: dict[str, int] = {}
    for engine, count in counts.items():
        name = engine if engine and _ENGINE.fullmatch(engine) else "other"
        named[name] = named.get(name, 0) + count
    return ", ".join(f"{name} {count}" for name, count in sorted(named.items(), key=lambda pair: (-pair[1], pair[0])))
