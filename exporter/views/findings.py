"""What `drs-exporter check` finds, in words: one line each, with what to do about it."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from exporter.cloud import operations
from exporter.cloud.http import error_codes
from exporter.cloud.http.error_codes import Split, known_code
from exporter.cloud.http.errors import (
    NO_CREDENTIALS,
    AccessError,
    BadRequestError,
    CloudError,
    DecodeError,
    RefusedError,
    TaskGoneError,
    TaskRefusedError,
    ThrottledError,
)
from exporter.runtime.terminal import Screen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from exporter.cloud.http.error_codes import Meaning

REPORT = error_codes.REPORT
_ROLE = 'the system role "DRS ReadOnlyAccess"'
_GRANTS: Mapping[str, str] = {one.name: f"the action {one.action}" for one in operations.OPERATIONS if one.action}
"""By operation; for all others the role is enough."""
_ENGINE = re.compile(r"[A-Za-z0-9_-]{1,60}")


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


_STYLES = {Level.OK: "good", Level.WARN: "warn", Level.FAIL: "bad"}


class Finding(NamedTuple):
    """One line."""

    level: Level
    where: str
    what: str
    remedy: str = ""

    def line(self, width: int, screen: Screen = Screen()) -> str:  # noqa: B008 - it is frozen
        """As it is printed; `width` aligns `where`."""
        level = screen.paint(f"{self.level:4}", _STYLES[self.level])
        return f"{level}  {self.where:{width}}  {self.what}" + (f": {self.remedy}" if self.remedy else "")


class Words(NamedTuple):
    """What an error means, and what to do about it."""

    level: Level
    what: str
    remedy: str = ""

    @property
    def text(self) -> str:
        """Meaning and remedy in one line."""
        return self.what + (f": {self.remedy}" if self.remedy else "")


def words(error: CloudError, place: str = "") -> Words:
    """An error of the cloud in our own words; its message, which may name hosts and users, is not known here.

    Args:
        error: the error.
        place: the host and port that gave no response, as ` from HOST:PORT`.
    """
    told = " ".join(part for part in (error.code, known_code(error.error_code)) if part)
    if error.reason:
        what = f"failed, {told}" if error.code != "project" else "failed"
        if error.code in UNANSWERED:
            what = f"got no response{place}"
        elif isinstance(error, DecodeError):
            what = "got no usable response"
        return Words(Level.FAIL, f"{error.operation} {what}", error.reason)
    if isinstance(error, AccessError) and error.code.startswith("4"):
        listing = error.operation == operations.LIST_PROJECTS.name
        wayout = ", or allow iam:projects:listProjects, or set project_id" if listing else ""
        remedy = f"check the credentials and iam_endpoint{wayout}"
        return Words(Level.FAIL, f"{error.operation} is refused, {told}", remedy)
    if error.code in UNANSWERED:
        late = " in time" if error.code == "timeout" else ""
        return Words(Level.FAIL, f"{error.operation} got no response{place}{late}", UNANSWERED[error.code])
    if isinstance(error, DecodeError) and error.meaning is None:
        return Words(Level.FAIL, f"{error.operation} got a response that the API does not document, {told}", REPORT)
    meaning = _meaning(error)
    what = meaning.what.format(operation=error.operation)
    remedy = meaning.remedy.format(grant=grant_of(error.operation))
    if meaning is error_codes.PERMISSION and error.error_code is None:
        remedy += "; or a proxy or firewall refuses the call, since the response has no known error code"
    return Words(Level(meaning.level), f"{what}, {told}", remedy)


def _meaning(error: CloudError) -> Meaning:
    """What an error means; an error about one task is not the fault of its request."""
    meaning = error.meaning
    if error.operation in _LISTS and meaning in _OF_ONE_TASK:
        return error_codes.OTHER
    if meaning is None or (isinstance(error, TaskRefusedError) and meaning.split is not Split.NEVER):
        return next((one for kind, one in _WITHOUT_CODE if isinstance(error, kind)), error_codes.OTHER)
    return meaning


_LISTS = (operations.LIST_V3.name, operations.LIST_V5.name)
_OF_ONE_TASK = (error_codes.TASK, error_codes.GONE, error_codes.WRONG_STATE)
_WITHOUT_CODE: tuple[tuple[type[CloudError], Meaning], ...] = (
    (TaskRefusedError, error_codes.TASK),
    (TaskGoneError, error_codes.GONE),
    (ThrottledError, error_codes.THROTTLED),
    (BadRequestError, error_codes.REQUEST),
)


def grant_of(operation: str) -> str:
    """The permission that an operation needs."""
    return _GRANTS.get(operation, _ROLE)


def is_access_fault(error: CloudError) -> bool:
    """Return whether the error is about the credentials or the project: then all operations fail alike."""
    if isinstance(error, AccessError):
        return True
    return isinstance(error, RefusedError) and (error.code == NO_CREDENTIALS or error.meaning in _BARRING)


_BARRING = (error_codes.TOKEN, error_codes.CREDENTIALS, error_codes.PROJECT)
UNANSWERED: Mapping[str, str] = {
    "network": "check the endpoint, DNS, firewall, proxy and ca_file",
    "timeout": "check the endpoint, firewall and proxy, or raise poll.timeout",
}
"""By the code that stands for a status where none came: what to check."""


def absent(name: str, pin: str, *, required: bool) -> Words:
    """A collector whose metrics are missing because no operation for it is published; `pin` is the setting `api`."""
    here = "here" if pin == "auto" else f"here with api: {pin}"
    if required:
        return Words(Level.WARN, f"{name} is not available {here}, but cutover requires it", "set if_available there")
    unused = f"set collectors.{name}.enabled: false if they are not needed"
    remedy = unused if pin == "auto" else f"api: auto may have them; {unused}"
    return Words(Level.WARN, f"{name} is not available {here}, its metrics are missing", remedy)


def engines(counts: Mapping[str | None, int]) -> str:
    """Tasks by engine, the most frequent first."""
    named: dict[str, int] = {}
    for engine, count in counts.items():
        name = engine if engine and _ENGINE.fullmatch(engine) else "other"
        named[name] = named.get(name, 0) + count
    return ", ".join(f"{name} {count}" for name, count in sorted(named.items(), key=lambda pair: (-pair[1], pair[0])))
