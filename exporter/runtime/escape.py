"""Text of users and of the cloud, made safe to print."""

from __future__ import annotations

import json
from typing import Any
from unicodedata import category

_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories: control and format characters, half surrogate pairs, line and paragraph separators."""


def printable(text: str) -> str:
    r"""Text for labels, pages, tables and the log: control and zero-width characters are replaced by escapes.

    A line feed becomes the two characters `\n`, a zero-width space the six characters `\u200b`.
    """
    if text.isprintable():
        return text
    return "".join(_escape(letter) if category(letter) in _INVISIBLE else letter for letter in text)


def _escape(letter: str) -> str:
    return letter.encode("unicode_escape").decode()


def json_text(document: Any, indent: int | None = None) -> str:
    """A document as JSON in printable ASCII."""
    return json.dumps(document, indent=indent, allow_nan=False).replace("\x7f", "\\u007f")
