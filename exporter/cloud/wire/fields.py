"""Fields of the API's JSON, converted to base units; None where the value is missing or has the wrong shape.

A field of the wrong shape is dropped alone and counted in the `DecodeErrors` of the decoding; null-like values are not.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Self, TypeVar, get_args

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, PlainValidator, ValidationError
from pydantic_core.core_schema import CoreSchema, with_info_plain_validator_function

from exporter.cloud.http.error_codes import known_code
from exporter.cloud.source import DecodeErrors

if TYPE_CHECKING:
    from _typeshed import DataclassInstance
    from pydantic import GetCoreSchemaHandler, ValidationInfo

_NULLS = frozenset({"", "null", "n/a", "na", "-"})
_FIRST_TIME, _END_OF_TIMES = 946_684_800, 4_102_444_800  # 2000 to 2100: anything else is not a time
_LAST_ZONE = timezone(timedelta(hours=-12))
_TEXT_LIMIT = 256
_LARGEST = 1e18  # an exabyte: what is larger is no fact, and may be infinite in another unit
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_WORD = re.compile(r"[A-Za-z0-9_-]{1,40}")
_WORD_LIST = re.compile(r"[A-Za-z0-9_-]{1,40}( ?, ?[A-Za-z0-9_-]{1,40}){0,9}")
_VERSION = re.compile(r"[A-Za-z0-9_-]{1,20}(\.[A-Za-z0-9_-]{1,20}){0,2}")
_SWITCH = {0: False, 1: True, "0": False, "1": True, "false": False, "true": True}

T = TypeVar("T")


def is_null(value: Any, nulls: frozenset[str] = _NULLS) -> bool:
    """Return whether a value is one of the API's spellings of "no value"."""
    return value is None or (isinstance(value, str) and value.strip().lower() in nulls)


def _field(
    convert: Callable[[Any], T | None], nulls: frozenset[str] = _NULLS, *, if_invalid: T | None = None
) -> PlainValidator:
    def validate(value: Any, info: ValidationInfo) -> T | None:
        if value is None or (type(value) is str and value.strip().lower() in nulls):  # `is_null`, for every value
            return None
        try:
            return convert(value)
        except (ValueError, TypeError, OverflowError, KeyError) as error:
            if isinstance(info.context, DecodeErrors):
                info.context.count += 1
            return None if isinstance(error, TypeError) else if_invalid

    return PlainValidator(validate)


def _text(value: Any) -> str:
    if type(value) is not str and type(value) is not int:
        raise TypeError
    text = str(value).strip()
    if len(text) > _TEXT_LIMIT:
        raise ValueError
    text.encode()  # JSON can hold half a surrogate pair, a page can't
    return text


def _number(value: Any) -> float | None:
    """A number from 0 up; -1 is the API's word for "none yet"."""
    if type(value) is str:
        if not (value.isdecimal() and value.isascii()) and not _NUMBER.fullmatch(value.strip()):
            raise ValueError  # Python reads 1_0 and the digits of every script as well
    elif type(value) is not int and type(value) is not float:
        raise TypeError
    number = float(value)
    if number == -1:
        return None
    if not 0 <= number <= _LARGEST:  # nor is "not a number"
        raise ValueError
    return number


def _delay(value: Any) -> float:
    return -1.0 if (number := _number(value)) is None else number


def _ratio(value: Any) -> float | None:
    number = _number(value.strip().removesuffix("%") if isinstance(value, str) else value)
    return None if number is None else round(number / 100, 15)  # 33.39 % is 0.3339, not 0.33390000000000003


def _percent(value: Any) -> float | None:
    ratio = _ratio(value)
    if ratio is not None and ratio > 1:
        raise ValueError
    return ratio


def _milliseconds(value: Any) -> float | None:
    return None if (number := _number(value)) is None else number / 1000


def _positive(value: Any) -> float | None:
    return _number(value) or None


def _times(unit: int) -> Callable[[Any], float | None]:
    def convert(value: Any) -> float | None:
        return None if (number := _number(value)) is None else number * unit

    return convert


def _sane(timestamp: float) -> float:
    if not _FIRST_TIME <= timestamp < _END_OF_TIMES:
        raise ValueError
    return timestamp


def _is_iso(value: Any) -> bool:
    return isinstance(value, str) and not value.strip().removeprefix("-").isdecimal()


def _time(value: Any) -> float | None:
    """Milliseconds since 1970 ("0" and "-1": not set), or ISO 8601 with a zone.

    A time without a zone is UTC+8 by observation only: no fact, so None, but no decode error either.
    """
    if _is_iso(value):
        moment = datetime.fromisoformat(value.strip())
        return None if moment.tzinfo is None else _sane(moment.timestamp())
    timestamp = _milliseconds(value)
    return _sane(timestamp) if timestamp else None


def _time_bounds(value: Any) -> tuple[float | None, float] | None:
    """A time, and the latest that it can mean, which is another where it has no zone."""
    at = _time(value)
    if at is not None:
        return at, at
    if _is_iso(value):
        return None, _sane(datetime.fromisoformat(value.strip()).replace(tzinfo=_LAST_ZONE).timestamp())
    return None


def _error_code(value: Any) -> str:
    """Codes become a label: nothing that could be a message gets through."""
    code = known_code(_text(value))
    if code is None:
        raise ValueError
    return code


def _matching(pattern: re.Pattern[str]) -> Callable[[Any], str]:
    """Words of the cloud's own, which become a label: never a text. All tasks share a word that is used again."""

    @lru_cache(maxsize=1024)
    def word(text: str) -> str:
        if not pattern.fullmatch(text):
            raise ValueError
        return text.replace(" ", "")

    return lambda value: word(_text(value))


def _instance_of(kind: type[T]) -> Callable[[Any], T]:
    def check(value: Any) -> T:
        if not isinstance(value, kind):
            raise TypeError
        return value

    return check


def _words(value: Any, info: ValidationInfo) -> frozenset[str] | None:
    if is_null(value):
        return None
    items = value if isinstance(value, list) else [None]
    words, count = _words_among(tuple([item for item in items if type(item) is str and len(item) <= _TEXT_LIMIT]))
    if count < len(items) and isinstance(info.context, DecodeErrors):
        info.context.count += 1
    return words if words or not items else None


@lru_cache(maxsize=1024)
def _words_among(texts: tuple[str, ...]) -> tuple[frozenset[str], int]:
    """Return the set of those texts that are words, and their number; tasks with the same words share the set."""
    words = [text for text in texts if _WORD.fullmatch(text)]
    return frozenset(words), len(words)


Text = Annotated[str | None, _field(_text)]
"""Text or a number as text, trimmed, at most 256 characters."""
UserText = Annotated[str | None, _field(_text, frozenset({""}))]
"""The same as a user typed it: a task may be called `NA`; only an empty text is missing."""
Number = Annotated[float | None, _field(_number)]
"""A number, or a string with a number, 0 or more; in the unit of the API: seconds, bytes, rates."""
Positive = Annotated[float | None, _field(_positive)]
"""A number above 0; 0 means that it is not set."""
Megabytes = Annotated[float | None, _field(_times(2**20))]
"""Megabytes as bytes; the cloud means 2^20: a node of 16 GB has 16384 of them."""
Gigabytes = Annotated[float | None, _field(_times(2**30))]
"""Gigabytes as bytes."""
Ratio = Annotated[float | None, _field(_ratio)]
"""Percent, with or without the sign, as a ratio of 1."""
Percent = Annotated[float | None, _field(_percent)]
"""Percent of something that can't exceed 100, as a ratio of 1."""
Milliseconds = Annotated[float | None, _field(_milliseconds)]
"""Milliseconds as seconds."""
Delay = Annotated[float | None, _field(_delay, if_invalid=math.inf)]
"""Seconds; infinite where text or a number means none, so that no other field is used instead; -1: none yet."""
DelayMillis = Annotated[float | None, _field(_milliseconds, if_invalid=math.inf)]
"""The same from milliseconds."""
Time = Annotated[float | None, _field(_time)]
"""Milliseconds since 1970, or ISO 8601 with a zone, as Unix time; 0 and times without a zone are None."""
TimeBounds = Annotated[tuple[float | None, float] | None, _field(_time_bounds)]
"""The same, and the latest Unix time that it can mean: known even where it has no zone."""
ErrorCode = Annotated[str | None, _field(_error_code)]
"""An error code of a documented shape, such as DRS.M05004; anything else is dropped."""
Word = Annotated[str | None, _field(_matching(_WORD))]
"""A word such as a type, a status or a level, fit for a label; anything that looks like a text is dropped."""
WordList = Annotated[str | None, _field(_matching(_WORD_LIST))]
"""Up to ten words with commas between them, such as tableData,tableStructure."""
Version = Annotated[str | None, _field(_matching(_VERSION))]
"""A version such as 2.0."""
Flag = Annotated[bool | None, _field(_instance_of(bool))]
Switch = Annotated[bool | None, _field(_SWITCH.__getitem__)]
"""0 or 1, or a boolean, also as text."""
Words = Annotated[frozenset[str] | None, PlainValidator(_words)]
"""A list of words; one that looks like a text is dropped alone, so that no other action is hidden by it."""
JsonArray = Annotated[list[Any] | None, _field(_instance_of(list))]
"""A list whose items are decoded one by one."""
JsonObject = Annotated[Mapping[str, Any] | None, _field(_instance_of(dict))]
"""An object whose fields are decoded one by one."""


class Wire(BaseModel):
    """Base of the wire models: only the fields that are used; unknown ones are ignored, missing ones None."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)

    @classmethod
    def read(cls, value: Any, errors: DecodeErrors) -> Self | None:
        """Decode one object; None, and a decode error, where it is no object or lacks what identifies it."""
        try:
            if isinstance(value, dict):  # else pydantic would say the same, at ten times the cost
                return cls.model_validate(value, context=errors)
        except (ValidationError, RecursionError):
            pass
        errors.count += 1
        return None

    @classmethod
    def read_all(cls, values: list[Any] | None, errors: DecodeErrors) -> list[Self]:
        """Decode each item by itself; one that can't be decoded is dropped alone."""
        return [item for value in values or () if (item := cls.read(value, errors)) is not None]


W = TypeVar("W", bound=Wire)
D = TypeVar("D", bound="DataclassInstance")


def _one(model: type[Wire], value: Any, errors: DecodeErrors) -> Wire | None:
    return None if is_null(value) or value == {} else model.read(value, errors)


def _many(model: type[Wire], value: Any, errors: DecodeErrors) -> tuple[Wire, ...]:
    if not is_null(value) and not isinstance(value, list):
        errors.count += 1
    return tuple(model.read_all(value, errors)) if isinstance(value, list) else ()


class _Nested:
    def __init__(self, decode: Callable[[type[Wire], Any, DecodeErrors], Any]) -> None:
        self._decode = decode

    def __get_pydantic_core_schema__(self, source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        model: type[Wire] = get_args(source)[0]
        return with_info_plain_validator_function(lambda value, info: self._decode(model, value, info.context))


Nested = Annotated[W | None, _Nested(_one)]
"""An object that another wire model decodes; None where it is missing, empty or of the wrong shape."""
NestedList = Annotated[tuple[W, ...], _Nested(_many)]
"""A list whose items another wire model decodes one by one; empty where it is missing or of the wrong shape."""


def alias(*names: str) -> Any:
    """Return a field, None by default, that has these names in the API."""
    return Field(None, validation_alias=AliasChoices(*names))


def facts_of(kind: type[D], *wires: Wire | None, **values: Any) -> D:
    """Return facts of a kind: the fields that have the same names in wire models, and other values."""
    names = kind.__dataclass_fields__
    found = {name: value for wire in wires if wire for name, value in vars(wire).items() if name in names}
    return kind(**found | values)
