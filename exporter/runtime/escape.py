"""Escapes for text of users and of the cloud."""

from __future__ import annotations

import json
from typing import Any
from unicodedata import category

_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories: control and format characters, half surrogate pairs, line and paragraph separators."""


def printable(text: str) -> str:
    r"""Return text for labels, pages, tables and the log, with escapes for control and zero-width characters.

    A line feed becomes the two characters `\n`, a zero-width space the six characters `\u200b`.
    """
    if text.isprintable():
        return text
    return "".join(
        letter.encode("unicode_escape").decode() if category(letter) in _INVISIBLE else letter for letter in text
    )


def json_text(document: Any, indent: int | None = None) -> str:
    """Return a document as JSON in printable ASCII."""
    return json.dumps(document, indent=indent, allow_nan=False).replace("\x7f", "\\u007f")
