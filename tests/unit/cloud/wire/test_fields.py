from __future__ import annotations

from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.cloud.source import DecodeErrors
from exporter.cloud.wire.fields import (
    ErrorCode,
    Flag,
    JsonArray,
    JsonObject,
    Milliseconds,
    Number,
    Percent,
    Ratio,
    Text,
    Time,
    Wire,
    Words,
)


class Every(Wire):
    text: Text = None
    number: Number = None
    ratio: Ratio = None
    completed: Percent = None
    milliseconds: Milliseconds = None
    time: Time = None
    error_code: ErrorCode = None
    flag: Flag = None
    words: Words = None
    items: JsonArray = None
    fields: JsonObject = None


KINDS = tuple(Every.model_fields)
LOST = object()
NULLS = [None, "", " ", "null", "NULL", "N/A", "n/a", "NA", "-", " null "]
NUMERIC = ("number", "ratio", "completed", "milliseconds", "time")
SINCE_1970 = 1_608_274_919.0  # 2020-12-18T07:01:59Z


def read(kind: str, given: Any) -> tuple[Any, int]:
    errors = DecodeErrors()
    decoded = Every.read({kind: given}, errors)
    assert decoded is not None  # whatever is wrong with a field, it is that field's affair
    return getattr(decoded, kind), errors.count


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("null", NULLS)
def test_null_values_are_missing_and_no_decode_error(kind: str, null: str | None) -> None:
    assert read(kind, null) == (None, 0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_missing_key_is_no_decode_error(kind: str) -> None:
    errors = DecodeErrors()
    assert (getattr(Every.read({"unknown": {"deep": [1]}}, errors), kind), errors.count) == (None, 0)


@pytest.mark.parametrize("kind", NUMERIC)
@pytest.mark.parametrize("sentinel", ["-1", -1, " -1 ", -1.0])
def test_minus_one_is_the_apis_word_for_none_yet(kind: str, sentinel: Any) -> None:
    assert read(kind, sentinel) == (None, 0)


@pytest.mark.parametrize("kind", NUMERIC)
@pytest.mark.parametrize(
    "bad",
    [
        True,
        False,
        [],
        {},
        [1],
        "abc",
        "1,5",
        "-2",
        -2,
        nan,
        inf,
        -inf,
        "NaN",
        "Infinity",
        "1e999",
        10**400,
        1e303,
        "0x1",
    ],
)
def test_a_value_that_is_no_number_is_a_decode_error(kind: str, bad: Any) -> None:
    assert read(kind, bad) == (None, 1)


@pytest.mark.parametrize(
    ("kind", "given", "value"),
    [
        ("number", "0", 0),
        ("number", 0, 0),
        ("number", "42", 42),
        ("number", 42, 42),
        ("number", "1234.5", 1234.5),
        ("number", 0.25, 0.25),
        ("number", " 7 ", 7),
        ("number", "1e3", 1000),
        ("number", 10**15, 1e15),
        ("number", "94%", LOST),
        ("ratio", "12.34", 0.1234),
        ("ratio", "100%", 1),
        ("ratio", "94 %", 0.94),
        ("ratio", 50, 0.5),
        ("ratio", "250", 2.5),  # a load may exceed what it is measured against
        ("ratio", "%", LOST),
        ("ratio", "-1%", None),
        ("completed", "0", 0),
        ("completed", "94%", 0.94),
        ("completed", 100, 1),
        ("completed", "100.1", LOST),
        ("completed", 1e9, LOST),
        ("milliseconds", "1500", 1.5),
        ("milliseconds", 0, 0),
        ("milliseconds", 2.5, 0.0025),
        ("time", "1608274919000", SINCE_1970),
        ("time", 1_608_274_919_000, SINCE_1970),
        ("time", 1_608_274_919_123.0, SINCE_1970 + 0.123),
        ("time", "0", None),
        ("time", 0, None),
        ("time", "2020-12-18T07:01:59Z", SINCE_1970),
        ("time", "2020-12-18T15:01:59+08:00", SINCE_1970),
        ("time", "2020-12-18T07:01:59.200Z", SINCE_1970 + 0.2),
        ("time", " 2020-12-18T07:01:59Z ", SINCE_1970),
        ("time", "2020-12-18 15:01:59", None),  # no zone: no fact, and no loss
        ("time", "1608274919", LOST),  # seconds, where milliseconds belong
        ("time", "1608274919000000", LOST),
        ("time", "1970-01-01T00:00:00Z", LOST),
        ("time", "9999-12-31T23:59:59-23:59", LOST),
        ("time", "0001-01-01T00:00:00+23:59", LOST),
        ("time", "20201218", LOST),
        ("time", "today", LOST),
        ("time", "2020-12-18T\ud80007:01:59Z", LOST),
        ("text", "vpn", "vpn"),
        ("text", " vpn\n", "vpn"),
        ("text", 0, "0"),
        ("text", "é\n中", "é\n中"),
        ("text", "x" * 256, "x" * 256),
        ("text", "x" * 257, LOST),
        ("text", True, LOST),
        ("text", 1.5, LOST),
        ("text", ["vpn"], LOST),
        ("text", {}, LOST),
        ("text", "\ud800", LOST),  # half a character: JSON can hold it, a page can't
        ("error_code", "DRS.M05004", "DRS.M05004"),
        ("error_code", "M01504", "M01504"),
        ("error_code", "jdbc:mysql://10.0.0.1 user=root", LOST),
        ("error_code", "Connection refused.", LOST),
        ("error_code", "D" * 42, LOST),
        ("error_code", "db-host-7", LOST),
        ("error_code", "DRS.host", LOST),
        ("error_code", "DRS.M05004.example.com", LOST),
        ("error_code", "10.0.0.1", LOST),
        ("error_code", "DRS-K02001", "DRS-K02001"),
        ("error_code", "DRS.10000010", "DRS.10000010"),
        ("error_code", "KE0002", "KE0002"),
        ("error_code", 400, LOST),
        ("error_code", ["DRS.M05004"], LOST),
        ("flag", True, True),
        ("flag", False, False),
        ("flag", "true", LOST),
        ("flag", 1, LOST),
        ("words", ["START", "RETRY", "START"], frozenset({"START", "RETRY"})),
        ("words", [], frozenset()),
        ("words", ["START", None], LOST),
        ("words", [["START"]], LOST),
        ("words", ["START", "a whole sentence"], LOST),
        ("words", ["START", "\ud800"], LOST),
        ("words", ["X" * 41], LOST),
        ("words", "START", LOST),
        ("words", {"START": 1}, LOST),
        ("items", [], []),
        ("items", [1, None], [1, None]),
        ("items", {}, LOST),
        ("items", "[]", LOST),
        ("fields", {}, {}),
        ("fields", {"a": 1}, {"a": 1}),
        ("fields", [], LOST),
        ("fields", "{'size': '5263360'}", LOST),
        ("fields", False, LOST),
    ],
)
def test_values(kind: str, given: Any, value: Any) -> None:
    decoded, lost = read(kind, given)
    if value is LOST:
        assert (decoded, lost) == (None, 1)
    else:
        assert (decoded, lost) == (pytest.approx(value) if isinstance(value, float) else value, 0)


def test_one_bad_field_leaves_the_others() -> None:
    errors = DecodeErrors()
    decoded = Every.read({"number": "abc", "ratio": [], "text": "here", "flag": 0}, errors)
    assert decoded is not None
    assert (decoded.text, decoded.number, errors.count) == ("here", None, 3)


@pytest.mark.parametrize("item", [None, [], "{}", 7, True])
def test_a_value_that_is_no_object_is_a_decode_error(item: Any) -> None:
    errors = DecodeErrors()
    assert (Every.read(item, errors), errors.count) == (None, 1)


def test_one_bad_item_leaves_the_others() -> None:
    errors = DecodeErrors()
    read = Every.read_all([{"text": "a"}, None, {"text": "b"}, []], errors)
    assert ([item.text for item in read], errors.count) == (["a", "b"], 2)
    assert (Every.read_all(None, errors), errors.count) == ([], 2)


def test_decode_errors_are_taken_once() -> None:
    errors = DecodeErrors()
    Every.read({"number": "abc"}, errors)
    assert (errors.take(), errors.take()) == (1, 0)


def test_decode_errors_are_counted_only_with_a_counter() -> None:
    assert Every.model_validate({"number": "abc"}).number is None


@given(st.floats(0, 1e12))
def test_a_number_is_the_same_as_its_text(number: float) -> None:
    assert read("number", number) == read("number", repr(number)) == (number, 0)


@given(st.integers(946_684_800_000, 4_102_444_799_999))
def test_a_time_is_the_same_as_its_text(milliseconds: int) -> None:
    assert read("time", milliseconds) == read("time", str(milliseconds)) == (milliseconds / 1000, 0)
