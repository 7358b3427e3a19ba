"""JSON that is nested deeper than the decoder goes is cut; what is beside it stays."""

from __future__ import annotations

import json
import time

import pytest

from exporter.cloud.http.response import parse_body
from exporter.cloud.http.shallow import shallow

TOO_DEEP = 20_000
"""Levels beyond the limit of every decoder: Python 3.13 decodes 5,000."""


def nested(depth: int, inner: str = "1") -> str:
    return "[" * depth + inner + "]" * depth


def depth_of(value: object) -> int:
    depth = 0
    while isinstance(value, list) and value:
        depth, value = depth + 1, value[0]
    return depth


def test_only_what_is_too_deep_is_cut() -> None:
    text = f'{{"a": {nested(TOO_DEEP)}, "b": [{nested(150)}, "x]{{\\"", {nested(TOO_DEEP, "{}")}], "c": 3}}'
    read = parse_body(text.encode())
    assert (depth_of(read["a"]), depth_of(read["b"][0]), read["c"], read["b"][1]) == (199, 150, 3, 'x]{"')
    assert depth_of(read["b"][2]) == 198
    inmost = read["a"]
    for _ in range(199):
        (inmost,) = inmost
    assert inmost == {}


@pytest.mark.parametrize("text", ['{"a": [1, "]}", {"b": "\\\\"}]}', "[]", "3", nested(200)])
def test_what_is_not_too_deep_stays_as_it_is(text: str) -> None:
    assert json.loads(shallow(text.encode())) == json.loads(text)


@pytest.mark.parametrize(
    "content",
    [
        b"[" * TOO_DEEP,
        nested(TOO_DEEP).encode() + b" " * 2**21,  # to cut it would take too long
        nested(TOO_DEEP, '"\xff"').encode("latin-1"),
        nested(TOO_DEEP).encode() + b"]",
        f'{{"a": {nested(TOO_DEEP)}, "b": }}'.encode(),
    ],
)
def test_text_that_is_no_json_or_too_large_to_cut_is_none(content: bytes) -> None:
    assert parse_body(content) is None


@pytest.mark.parametrize("text", ["[" * 2000 + '"' + '\\"' * 60_000, "[" * 2000 + '"' + "x\\" * 60_001])
def test_a_string_that_is_not_closed_is_read_once(text: str) -> None:
    started = time.process_time()
    with pytest.raises(ValueError, match="not closed"):
        shallow(text.encode())
    assert time.process_time() - started < 2  # seconds; each quote to the end again would be minutes
