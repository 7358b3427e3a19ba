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
        *(True, False, [], {}, [1], "abc", "1,5", "-2", -2, nan, inf, -inf, "NaN", "Infinity", "1e999"),
        *(10**400, 1e303, "0x1"),
    ],
)
def test_a_value_that_is_no_number_is_a_decode_error(kind: str, bad: Any) -> None:
    assert read(kind, bad) == (None, 1)


VALUES: dict[str, list[tuple[Any, Any]]] = {
    "number": [
        *[("0", 0), (0, 0), ("42", 42), (42, 42), ("1234.5", 1234.5), (0.25, 0.25), (" 7 ", 7), ("1e3", 1000)],
        (10**15, 1e15),
    ],
    # A load may exceed what it is measured against.
    "ratio": [("12.34", 0.1234), ("100%", 1), ("94 %", 0.94), (50, 0.5), ("250", 2.5), ("-1%", None)],
    "completed": [("0", 0), ("94%", 0.94), (100, 1)],
    "milliseconds": [("1500", 1.5), (0, 0), (2.5, 0.0025)],
    "time": [
        *[("1608274919000", SINCE_1970), (1_608_274_919_000, SINCE_1970), ("0", None), (0, None)],
        *[(1_608_274_919_123.0, SINCE_1970 + 0.123), ("2020-12-18T07:01:59.200Z", SINCE_1970 + 0.2)],
        *[("2020-12-18T07:01:59Z", SINCE_1970), (" 2020-12-18T07:01:59Z ", SINCE_1970)],
        ("2020-12-18T15:01:59+08:00", SINCE_1970),
        ("2020-12-18 15:01:59", None),  # no zone: no fact, and no loss
    ],
    "text": [("vpn", "vpn"), (" vpn\n", "vpn"), (0, "0"), ("é\n中", "é\n中"), ("x" * 256, "x" * 256)],
    "error_code": [(code, code) for code in ("DRS.M05004", "M01504", "DRS-K02001", "DRS.10000010", "KE0002")],
    "flag": [(True, True), (False, False)],
    "words": [(["START", "RETRY", "START"], frozenset({"START", "RETRY"})), ([], frozenset())],
    "items": [([], []), ([1, None], [1, None])],
    "fields": [({}, {}), ({"a": 1}, {"a": 1})],
}
LOST: dict[str, list[Any]] = {
    "number": ["94%"],
    "ratio": ["%"],
    "completed": ["100.1", 1e9],
    "time": [
        *["1608274919", "1608274919000000"],  # seconds or microseconds, where milliseconds belong
        *["1970-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59"],
        *["20201218", "today", "2020-12-18T\ud80007:01:59Z"],
    ],
    # Half a character: JSON can hold it, a page can't.
    "text": ["x" * 257, True, 1.5, ["vpn"], {}, "\ud800"],
    "error_code": [
        *["jdbc:mysql://10.0.0.1 user=root", "Connection refused.", "D" * 42, "db-host-7", "DRS.host"],
        *["DRS.M05004.example.com", "10.0.0.1", 400, ["DRS.M05004"]],
    ],
    "flag": ["true", 1],
    "words": [
        *[[None], [["START"]], ["a whole sentence"], ["\ud800"], ["X" * 41]],
        *["START", {"START": 1}],
    ],
    "items": [{}, "[]"],
    "fields": [[], "{'size': '5263360'}", False],
}


@pytest.mark.parametrize(("kind", "given", "value"), [(kind, *row) for kind in VALUES for row in VALUES[kind]])
def test_values(kind: str, given: Any, value: Any) -> None:
    assert read(kind, given) == (pytest.approx(value) if isinstance(value, float) else value, 0)


@pytest.mark.parametrize(("kind", "given"), [(kind, given) for kind in LOST for given in LOST[kind]])
def test_a_value_of_the_wrong_kind_is_a_decode_error(kind: str, given: Any) -> None:
    assert read(kind, given) == (None, 1)


@pytest.mark.parametrize("lost", [None, 7, ["RETRY"], "a whole sentence", "\ud800"])
def test_of_a_list_of_words_only_those_that_are_none_are_lost(lost: Any) -> None:
    assert read("words", ["START", lost]) == (frozenset({"START"}), 1)


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
