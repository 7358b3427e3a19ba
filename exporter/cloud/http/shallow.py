"""Cuts JSON that is nested too deeply for the decoder; only the nested part is dropped."""

from __future__ import annotations

import re

_DEEPEST = 200
"""Levels of arrays and objects that are kept: no document needs 20, and the decoder's limit is over 900."""
_LARGEST = 256 * 2**10
"""Bytes; to cut more would hold up the event loop."""
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+\\?(?:"|\Z)|[\[\]{}]', re.DOTALL)
"""A string or a bracket. A string that is not closed ends with the text, so each character is read once."""


def shallow(content: bytes) -> str:
    """JSON text in which each array or object beyond 200 levels is an empty object, which no decoder takes for a task.

    Raises:
        ValueError: it is too large to be cut, or not UTF-8.
    """
    if len(content) > _LARGEST:
        raise ValueError("nested too deep")
    text = content.decode()
    kept: list[str] = []
    depth, start = 0, 0
    for token in _TOKEN.finditer(text):
        if token[0] in "[{":
            depth += 1
            if depth == _DEEPEST + 1:
                kept += text[start : token.start()], "{}"
        elif token[0] in "]}":
            if depth == _DEEPEST + 1:
                start = token.end()
            depth -= 1
    if depth > _DEEPEST:
        raise ValueError("not closed")
    return "".join((*kept, text[start:]))
