"""What answers of the cloud look like, by allow list: a file that may be shown to strangers.

It settles what the documents leave open: which keys and types really come, in which formats, with which codes, how
fast. It holds no value of an answer but documented words and error codes: no name, id, host, user or message.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from exporter.cloud.http.error_codes import known_code
from exporter.commands.known_words import KEYS, WORD_KEYS, WORDS
from exporter.config.regions import REGIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT = 1
"""Of the file; a change of its structure changes it."""
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
"""Formats of strings, the first that fits counts. None of them says what the string was."""
_BUCKETS = ((1000, "1000 or more"), (100, "100 to 999"), (10, "10 to 99"), (2, "2 to 9"), (1, "1"), (0, "0"))


class Shape:
    """Keys, types and formats of any number of bodies, laid over each other."""

    def __init__(self) -> None:
        self._kinds: dict[str, set[str]] = {}
        self._unknown: dict[str, set[str]] = {}

    def add(self, body: Any) -> None:
        """Lay one more decoded body over the others."""
        self._add("", "", body, 0)

    def data(self) -> dict[str, Any]:
        """Kinds by path, such as `jobs[].status`, and how many different unknown keys stood where."""
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
    """Type and format of a value that stands under a key; never the value, but for documented words and codes."""
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


class _Answers:
    """Those of one operation with one code."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.shape = Shape()

    def data(self) -> dict[str, Any]:
        calls = {
            "calls": len(self.seconds),
            "seconds_min": round(min(self.seconds), 3),
            "seconds_max": round(max(self.seconds), 3),
        }
        return {**calls, **self.shape.data()}


class ProjectReport:
    """The answers that one project gave.

    Args:
        cloud: setting of the account.
        region: shown if it is a region that the vendor names, for some installations have secret ones.
        api: setting of the project.
    """

    def __init__(self, *, cloud: str, region: str, api: str) -> None:
        self._about = {"cloud": cloud, "region": region if region in REGIONS else _OTHER, "api": api}
        self._answers: dict[tuple[str, str], _Answers] = {}
        self._dated = False

    def add_response(self, operation: str, status: int, headers: Mapping[str, str], body: Any, seconds: float) -> None:
        """An answer came; `body` is None where it is no JSON."""
        answers = self._of(operation, str(status))
        answers.seconds.append(seconds)
        answers.shape.add(body)
        self._dated = self._dated or "date" in headers

    def add_failure(self, operation: str, code: str, seconds: float) -> None:
        """A call ended without an answer; `code` says how, such as timeout."""
        self._of(operation, code).seconds.append(seconds)

    def _of(self, operation: str, code: str) -> _Answers:
        return self._answers.setdefault((operation, code), _Answers())

    def data(self) -> dict[str, Any]:
        """As it stands in the file."""
        operations: dict[str, dict[str, Any]] = {}
        for (operation, code), answers in sorted(self._answers.items()):
            operations.setdefault(operation, {})[code] = answers.data()
        return {**self._about, "answers_have_a_date": self._dated, "operations": operations}


def document(version: str, projects: list[ProjectReport]) -> dict[str, Any]:
    """The whole file, ready for JSON."""
    return {"format": FORMAT, "drs_exporter": version, "projects": [project.data() for project in projects]}
