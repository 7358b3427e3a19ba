"""Errors of the cloud in words, with a remedy."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from exporter.cloud import operations
from exporter.cloud.http import error_codes, errors
from exporter.cloud.http.error_codes import Meaning, Split, known_code, meaning_of_error

REPORT = error_codes.REPORT
_ROLE = 'the system role "DRS ReadOnlyAccess"'
_GRANTS: Mapping[str, str] = {
    operation.name: f"the action {operation.action}" for operation in operations.OPERATIONS if operation.action
}
"""By operation; all others need the role only."""


class Level(StrEnum):
    """The severity of an error, or of a finding of `check`."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Advice(NamedTuple):
    """The meaning of an error, and a remedy."""

    level: Level
    what: str
    remedy: str = ""

    @property
    def text(self) -> str:
        """Meaning and remedy in one line."""
        return self.what + (f": {self.remedy}" if self.remedy else "")


def advise(error: errors.CloudError, place: str = "") -> Advice:
    """Describe an error of the cloud. The cloud's own message, which may name hosts and users, is left out.

    Args:
        error: the error.
        place: the host and port that gave no response, as ` from HOST:PORT`.
    """
    code = " ".join(part for part in (error.code, known_code(error.error_code)) if part)
    if error.reason:
        return Advice(Level.FAIL, f"{error.operation} {_failure(error, code, place)}", error.reason)
    if isinstance(error, errors.NotSentError) and error.code.startswith("4"):
        listing = error.operation == operations.LIST_PROJECTS.name
        alternative = ", or allow iam:projects:listProjects, or set project_id" if listing else ""
        remedy = f"check the credentials and iam_endpoint{alternative}"
        return Advice(Level.FAIL, f"{error.operation} is refused, {code}", remedy)
    if error.code in NO_RESPONSE:
        late = " in time" if error.code == "timeout" else ""
        return Advice(Level.FAIL, f"{error.operation} got no response{place}{late}", NO_RESPONSE[error.code])
    if isinstance(error, errors.DecodeError) and meaning_of_error(error) is None:
        return Advice(Level.FAIL, f"{error.operation} got a response that the API does not document, {code}", REPORT)
    meaning = _meaning(error)
    what = meaning.what.format(operation=error.operation)
    remedy = meaning.remedy.format(grant=_GRANTS.get(error.operation, _ROLE))
    if meaning is error_codes.PERMISSION and error.error_code is None:
        remedy += "; or a proxy or firewall refuses the call, since the response has no known error code"
    return Advice(Level(meaning.level), f"{what}, {code}", remedy)


def _failure(error: errors.CloudError, code: str, place: str) -> str:
    if error.code in NO_RESPONSE:
        return f"got no response{place}"
    if isinstance(error, errors.DecodeError):
        return "got no usable response"
    return "failed" if error.code == "project" else f"failed, {code}"


def _meaning(error: errors.CloudError) -> Meaning:
    """Return the meaning of an error. An error about one task is not caused by the request."""
    meaning = meaning_of_error(error)
    if error.operation in _LISTS and meaning in _OF_ONE_TASK:
        return error_codes.OTHER
    if meaning is None or (isinstance(error, errors.TaskError) and meaning.split is not Split.NEVER):
        return next((other for kind, other in _WITHOUT_CODE if isinstance(error, kind)), error_codes.OTHER)
    return meaning


_LISTS = (operations.LIST_V3.name, operations.LIST_V5.name)
_OF_ONE_TASK = (error_codes.TASK, error_codes.GONE, error_codes.WRONG_STATE)
_WITHOUT_CODE: tuple[tuple[type[errors.CloudError], Meaning], ...] = (
    (errors.TaskError, error_codes.TASK),
    (errors.TaskGoneError, error_codes.GONE),
    (errors.ThrottledError, error_codes.THROTTLED),
    (errors.BadRequestError, error_codes.REQUEST),
)


def is_access_error(error: errors.CloudError) -> bool:
    """Return whether the error is about the credentials or the project: then all operations fail alike."""
    if isinstance(error, errors.NotSentError):
        return True
    return isinstance(error, errors.AccessDeniedError) and (
        error.code == errors.NO_CREDENTIALS or meaning_of_error(error) in _ACCESS_MEANINGS
    )


_ACCESS_MEANINGS = (error_codes.TOKEN, error_codes.CREDENTIALS, error_codes.PROJECT)
NO_RESPONSE: Mapping[str, str] = {
    "network": "check the endpoint, DNS, firewall, proxy and ca_file",
    "timeout": "check the endpoint, firewall and proxy, or raise poll.timeout",
}
"""What to check when there was no response, by the code that replaces the status."""
