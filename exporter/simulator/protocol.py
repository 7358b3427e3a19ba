"""Requests, responses, refusals and routes of the simulated cloud."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Json = dict[str, Any]
"""A JSON object of the wire; the simulator writes it, so nothing checks it again."""


@dataclass(kw_only=True)
class Request:
    """One HTTP request, its body read to the end.

    Attributes:
        path: as sent, still percent-encoded (the signature covers it).
        raw_query: as sent, still percent-encoded.
        headers: by lower-case name.
        now: the epoch second at which the cloud looks at it.
        args: what the path matched, e.g. ``project`` and ``job``.
        page_fault: how a fault wants lists to misbehave, "" for not at all.

    The cloud sets the last three when it has found out what is requested.
    """

    method: str
    path: str
    raw_query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    now: float = 0.0
    args: Mapping[str, str] = field(default_factory=dict)
    page_fault: str = ""

    @cached_property
    def params(self) -> list[tuple[str, str]]:
        """Query parameters in the order sent; a plus stays a plus, as the signature wants it."""
        pairs = (part.partition("=") for part in self.raw_query.split("&") if part)
        return [(unquote(key), unquote(value)) for key, _, value in pairs]

    @cached_property
    def query(self) -> dict[str, str]:
        """Query parameters by name; of a repeated one the last."""
        return dict(self.params)

    def every(self, name: str) -> list[str]:
        """All values of a repeated query parameter, such as ``instance_ids``."""
        return [value for key, value in self.params if key == name and value]

    @cached_property
    def decoded(self) -> Any:
        """The body as decoded JSON, None if there is none, bytes if it is something else."""
        try:
            return json.loads(self.body) if self.body else None
        except ValueError:
            return self.body

    def json(self) -> Json:
        """The body as a JSON object.

        Raises:
            Refusal: it is none.
        """
        if not isinstance(self.decoded, dict):
            raise Refusal(400, "DRS.M00200", "Parameter error: the body is not a JSON object.")
        return self.decoded


@dataclass(frozen=True)
class Answer:
    """A status with a body: an object to be sent as JSON, or bytes to be sent as they are."""

    status: int
    body: object
    headers: Mapping[str, str] = field(default_factory=dict)

    def encoded(self) -> bytes:
        """The bytes on the wire."""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class Refusal(Exception):  # noqa: N818 - it is an answer, not an accident
    """Raised anywhere below a handler: the request ends with this error body."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.answer = Answer(status, {"error_code": code, "error_msg": message})


class RefusalWithBody(Refusal):
    """A refusal whose body is not the plain pair, e.g. a batch whose code hides in ``results[0]``."""

    def __init__(self, status: int, body: Json) -> None:
        Exception.__init__(self, str(body))
        self.answer = Answer(status, body)


Owner = TypeVar("Owner")


@dataclass(frozen=True)
class Route(Generic[Owner]):
    """An operation: method, path pattern with ``{name}`` parts, and the function that answers it."""

    method: str
    path: str
    handler: Callable[[Owner, Request], Answer]

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.path))

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """The values of the path's parts, None when the request asks for something else."""
        found = self._pattern.fullmatch(path) if method == self.method else None
        return found.groupdict() if found else None


class _Absent:
    """The type of ABSENT."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = _Absent()
"""As a value in overrides: leave this key out."""


def overridden(built: Any, change: object) -> Any:
    """The object with a test's overrides in it: dicts are merged at every depth, all else replaces."""
    if not isinstance(change, dict) or not isinstance(built, dict):
        return change
    merged = dict(built)
    for key, value in change.items():
        if value is ABSENT:
            merged.pop(key, None)
        else:
            merged[key] = overridden(merged.get(key), value)
    return merged
