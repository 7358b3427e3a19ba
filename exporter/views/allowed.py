"""The part of a response of the cloud that may be shown to strangers: keys, words and shapes of an allow list."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from exporter.cloud.http.error_codes import known_code
from exporter.views.known_words import IDENTIFIER_KEYS, OBJECT_KEYS, VALUE_KEYS, WORD_KEYS, WORDS

_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_LARGEST = 1e18
"""A larger number is no measurement; the limit leaves out NaN and infinity as well."""
_FIGURE = re.compile(
    r"-?\d+(?:\.\d+)? ?%?"
    r"|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?"
    r"|\d\d:\d\d"
    r"|true|false|on|off",
    re.IGNORECASE,
)
_UNKNOWN_WORD = "other"


def allowed(job: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
    """Return the part of an object that may be shown, and the number of values, not counting empty ones, left out."""
    shown: dict[str, Any] = {}
    left_out = 0
    for key, value in job.items():
        inside: Any
        if isinstance(value, list) and key in WORD_KEYS:
            inside, lost = _words(value)
        elif isinstance(value, dict | list):
            inside, lost = _inside(value) if key in OBJECT_KEYS else (None, 1)
        else:
            inside = _value(key, value)
            lost = inside is None and value not in (None, "")
        left_out += lost
        if inside is not None:
            shown[key] = inside
    return shown, left_out


def _inside(value: dict[str, Any] | list[Any]) -> tuple[Any, int]:
    if isinstance(value, dict):
        return allowed(value)
    objects = [allowed(item) for item in value if isinstance(item, dict)]
    return [shown for shown, _ in objects], sum(lost for _, lost in objects) + len(value) - len(objects)


def _words(values: list[Any]) -> tuple[list[str] | None, int]:
    """Return a list of words; None if it is empty after all other values are left out."""
    words = [_word(value) for value in values if isinstance(value, str) and value.strip()]
    return words or None, len(values) - len(words)


def _word(text: str) -> str:
    text = text.strip()
    return text if text in WORDS else _UNKNOWN_WORD


def _value(key: str, value: Any) -> str | float | bool | None:
    """Return the value of an allowed key, `other` in place of an undocumented word, None for any other text."""
    if key not in WORD_KEYS | VALUE_KEYS | IDENTIFIER_KEYS:
        return None
    if not isinstance(value, str):
        return value if isinstance(value, bool | int | float) and abs(value) <= _LARGEST else None
    text = value.strip()
    if key == "error_code":
        return known_code(text)
    if _FIGURE.fullmatch(text) or (key in IDENTIFIER_KEYS and _IDENTIFIER.fullmatch(text)):
        return text
    if key in WORD_KEYS and text:
        return ",".join(map(_word, text.split(",")))  # such as tableData,tableStructure
    return None
