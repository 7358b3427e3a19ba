"""What `drs-exporter check` finds, in words: one line each, with what to do about it."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from exporter.cloud import operations
from exporter.cloud.errors import (
    NO_CREDENTIALS,
    AccessError,
    BadRequestError,
    CloudError,
    DecodeError,
    NotPublishedError,
    RefusedError,
    TaskGoneError,
    TaskRefusedError,
    ThrottledError,
    invalid_token,
)
from exporter.report_words import known_code
from exporter.terminal import Screen

if TYPE_CHECKING:
    from collections.abc import Mapping

REPORT = "please report it, with check --report=FILE"
_ROLE = 'the system role "DRS ReadOnlyAccess"'
_GRANTS: Mapping[str, str] = {one.name: f"the action {one.action}" for one in operations.OPERATIONS if one.action}
"""By operation; for all others the role is enough."""
_WRONG_PROJECT = "DRS.M00261"
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


def words(error: CloudError) -> Words:
    """An error of the cloud in our own words; its message, which may name hosts and users, is not known here."""
    told = " ".join(part for part in (error.code, known_code(error.error_code)) if part)
    if error.reason:
        what = "got no answer" if error.code in UNANSWERED else f"failed, {told}"
        return Words(Level.FAIL, f"{error.operation} {what}", error.reason)
    if isinstance(error, RefusedError):
        return _refused(error, told)
    if isinstance(error, AccessError) and error.code.startswith("4"):
        listing = error.operation == operations.LIST_PROJECTS.name
        wayout = ", or allow iam:projects:listProjects, or set project_id" if listing else ""
        remedy = f"check the credentials and iam_endpoint{wayout}"
        return Words(Level.FAIL, f"{error.operation} is refused, {told}", remedy)
    for kind, level, what, remedy in _WORDS:
        if isinstance(error, kind):
            return Words(level, f"{error.operation} {what}, {told}", remedy)
    if error.code in UNANSWERED:
        return Words(Level.FAIL, f"{error.operation} got no answer, {told}", UNANSWERED[error.code])
    return Words(Level.FAIL, f"{error.operation} failed, {told}", "the cloud is at fault: try again later")


def _refused(error: RefusedError, told: str) -> Words:
    if error.error_code == _WRONG_PROJECT:
        return Words(
            Level.FAIL, f"the project is not one of these credentials, {told}", "check project_id, region and endpoint"
        )
    if invalid_token(error):
        return Words(Level.FAIL, f"the credentials are refused, {told}", "check them, and whether they have ended")
    grant = _GRANTS.get(error.operation, _ROLE)
    return Words(Level.FAIL, f"{error.operation} lacks a permission, {told}", f"grant {grant}")


def bars(error: CloudError) -> bool:
    """Whether the credentials, or the way to them, are at fault: then it makes no difference what is asked."""
    if isinstance(error, AccessError):
        return True
    named = error.code == NO_CREDENTIALS or error.error_code == _WRONG_PROJECT
    return isinstance(error, RefusedError) and (named or invalid_token(error))


_WORDS: tuple[tuple[type[CloudError], Level, str, str], ...] = (
    (NotPublishedError, Level.OK, "is not published here", ""),
    (TaskGoneError, Level.WARN, "says that the task is gone", "run the check again"),
    (TaskRefusedError, Level.WARN, "is refused for the task that was tried", "run the check again"),
    (ThrottledError, Level.WARN, "is throttled", "lower poll.rate_limit, or find who else calls"),
    (BadRequestError, Level.FAIL, "is refused as a bad request", REPORT),
    (DecodeError, Level.FAIL, "is answered with what no document knows", REPORT),
)
UNANSWERED: Mapping[str, str] = {
    "network": "check the endpoint, DNS, firewall, proxy and ca_file",
    "timeout": "check the endpoint, firewall and proxy, or raise poll.timeout",
}
"""By the code that stands for a status where none came: what to check."""


def absent(name: str, pin: str, *, required: bool) -> Words:
    """A collector that no operation here can feed; `pin` is the setting `api`."""
    here = "here" if pin == "auto" else f"here with api: {pin}"
    if required:
        return Words(Level.WARN, f"{name} is not available {here}, but cutover requires it", "set if_available there")
    return Words(Level.OK, f"{name} is not available {here}")


def engines(counts: Mapping[str | None, int]) -> str:
    """Tasks by engine, the most frequent first."""
    named: dict[str, int] = {}
    for engine, count in counts.items():
        name = engine if engine and _ENGINE.fullmatch(engine) else "other"
        named[name] = named.get(name, 0) + count
    return ", ".join(f"{name} {count}" for name, count in sorted(named.items(), key=lambda pair: (-pair[1], pair[0])))


def plural(count: int, noun: str) -> str:
    """A count with its noun."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
