"""The shapes of the cloud's responses, by allow list: a file that may be shown to strangers.

It shows what the documents leave open: the keys and types that are really sent, their formats, the codes, the
durations. The only values in it are documented words and error codes: no name, id, host, user or message.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from exporter.cloud.http.error_codes import known_code
from exporter.config import REGIONS
from exporter.views.known_words import KEYS, WORD_KEYS, WORDS

FORMAT = 1
"""The version of the file's structure."""
_OTHER = "other"
_DEEPEST = 12
_CODE_KEYS = frozenset({"error_code", "errorCode", "code"})
_NULLS = frozenset({"null", "n/a", "na", "-"})
_TIME = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?"
_CLASSES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("minus one", re.compile(r"-1(?:\.0*)?")),
    ("epoch ms", re.compile(r"1\d{12}")),
    ("number", re.compile(r"[+-]?\d+(?:\.\d+)?")),
    ("percent", re.compile(r"\d+(?:\.\d+)? ?%")),
    ("iso Z", re.compile(_TIME + "Z")),
    ("iso offset", re.compile(_TIME + r"[+-]\d\d:?\d\d")),
    ("naive time", re.compile(_TIME)),
    ("id", re.compile(r"[0-9a-z]{8}(?:-[0-9a-z]{4}){3}-[0-9a-z]{12}|[0-9a-f]{32}(?:in\d\d)?")),
)
"""Formats of strings; the first match counts."""
_BUCKETS = ((1000, "1000 or more"), (100, "100 to 999"), (10, "10 to 99"), (2, "2 to 9"), (1, "1"), (0, "0"))


class Shape:
    """The keys, types and formats of any number of bodies."""

    def __init__(self) -> None:
        self._kinds: dict[str, set[str]] = {}
        self._unknown: dict[str, set[str]] = {}

    def add(self, body: Any) -> None:
        self._add("", "", body, 0)

    def data(self) -> dict[str, Any]:
        """Return the kinds by path, such as `jobs[].status`, and the numbers of unknown keys by path."""
        return {
            "body": {path or ".": ", ".join(sorted(kinds)) for path, kinds in sorted(self._kinds.items())},
            "unknown_keys": {path or ".": len(keys) for path, keys in sorted(self._unknown.items())},
        }

    def _add(self, path: str, key: str, value: Any, depth: int) -> None:
        self._kinds.setdefault(path, set()).add(kind(key, value))
        if depth == _DEEPEST:
            return
        if isinstance(value, dict):
            for name, inner in value.items():
                known = name if name in KEYS else _OTHER
                if known is _OTHER:
                    self._unknown.setdefault(path, set()).add(name)
                self._add(f"{path}.{known}" if path else known, known, inner, depth + 1)
        elif isinstance(value, list):
            for item in value:
                self._add(f"{path}[]", key, item, depth + 1)


def kind(key: str, value: Any) -> str:
    """Return the type and format of a key's value, and the value itself only if it is a documented word or code."""
    if isinstance(value, str):
        return f"string {_text_kind(key, value)}"
    if isinstance(value, list):
        return f"list of {next(text for least, text in _BUCKETS if len(value) >= least)}"
    if isinstance(value, dict):
        return "object"
    if value is None or isinstance(value, bool):
        return "null" if value is None else "boolean"
    return ("integer " if isinstance(value, int) else "number ") + _number_kind(value)


def _text_kind(key: str, text: str) -> str:
    stripped = text.strip()
    if not stripped:
        return "empty"
    if key in _CODE_KEYS and (code := known_code(stripped)):
        return code
    if key in WORD_KEYS and stripped in WORDS:
        return stripped
    if stripped.lower() in _NULLS:
        return "null-like"
    return next((name for name, pattern in _CLASSES if pattern.fullmatch(stripped)), "text")


def _number_kind(number: float) -> str:
    if number == -1:
        return "minus one"
    return "epoch ms" if isinstance(number, int) and 10**12 <= number < 2 * 10**12 else "number"


@dataclass
class _Responses:
    """The responses of one operation with one code."""

    seconds: list[float] = field(default_factory=list)
    shape: Shape = field(default_factory=Shape)

    def data(self) -> dict[str, Any]:
        return {
            "calls": len(self.seconds),
            "seconds_min": round(min(self.seconds), 3),
            "seconds_max": round(max(self.seconds), 3),
            **self.shape.data(),
        }


class ProjectReport:
    """The responses of one project.

    Args:
        cloud: setting of the account.
        region: shown if it is a public region; some installations have secret ones.
        api: setting of the project.
    """

    def __init__(self, *, cloud: str, region: str, api: str) -> None:
        self._about = {"cloud": cloud, "region": region if region in REGIONS else _OTHER, "api": api}
        self._responses = defaultdict[tuple[str, str], _Responses](_Responses)
        self._dated = False

    def add_response(self, operation: str, status: int, headers: Mapping[str, str], body: Any, seconds: float) -> None:
        """Add a response; `body` is None where it is no JSON."""
        responses = self._responses[operation, str(status)]
        responses.seconds.append(seconds)
        responses.shape.add(body)
        self._dated = self._dated or "date" in headers

    def add_failure(self, operation: str, code: str, seconds: float) -> None:
        """Add a call without a response; `code` is the reason, such as timeout."""
        self._responses[operation, code].seconds.append(seconds)

    def data(self) -> dict[str, Any]:
        operations: dict[str, dict[str, Any]] = {}
        for (operation, code), responses in sorted(self._responses.items()):
            operations.setdefault(operation, {})[code] = responses.data()
        return {**self._about, "answers_have_a_date": self._dated, "operations": operations}


def document(version: str, projects: list[ProjectReport]) -> dict[str, Any]:
    """Return the content of the file, ready for JSON."""
    return {"format": FORMAT, "drs_exporter": version, "projects": [project.data() for project in projects]}
