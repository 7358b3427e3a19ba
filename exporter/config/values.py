"""Types of values in the configuration: durations, addresses, patterns, files. Secrets and CAs are in `files`.

Each is a type for pydantic that validates and converts. The messages are for the user and never contain the value,
except names of files.
"""

import os
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    HttpUrl,
    InstanceOf,
    Strict,
    ValidationError,
    ValidationInfo,
)

from exporter.config import json_schema
from exporter.config.document import NotReadyError
from exporter.config.name_patterns import NamePattern

T = TypeVar("T")

_UNITS_MS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_DURATION = re.compile("".join(rf"(?:([0-9]{{1,12}}){unit})?" for unit in _UNITS_MS))
_DAY_SECONDS = 86_400
_LONGEST_SECONDS = 3650 * _DAY_SECONDS
_SHORTEST_INTERVAL = 1
_UNITS_BYTES = {"MB": 10**6, "GB": 10**9, "MiB": 2**20, "GiB": 2**30}
_SIZE = re.compile("([0-9]{1,12})(MB|GB|MiB|GiB)", re.ASCII)
_LEAST_BYTES, _MOST_BYTES = 20 * 10**6, 1000 * 10**9
_LOCAL_HTTP = re.compile(r"http://(localhost|127(\.\d+){3}|\[::1\]|169\.254\.169\.254)(:\d+)?")


def _seconds(value: object, *, zero: bool = False) -> float:
    seconds: float = -1
    if isinstance(value, str) and value and (match := _DURATION.fullmatch(value)):
        seconds = sum(int(n or 0) * ms for n, ms in zip(match.groups(), _UNITS_MS.values(), strict=True)) / 1000
    elif isinstance(value, int | float) and not isinstance(value, bool):
        seconds = value
    if not (0 < seconds <= _LONGEST_SECONDS or (zero and seconds == 0)):
        raise ValueError(
            "expected a duration such as 500ms, 30s, 5m, 1h30m or 7d (units d, h, m, s, ms in this order)"
            f" or a number of seconds; {'' if zero else 'more than zero, '}at most 3650d"
        )
    return float(seconds)


def _seconds_or_zero(value: object) -> float:
    return _seconds(value, zero=True)


def duration_text(seconds: float) -> str:
    """Format seconds as a user writes them, to the millisecond: 5400.0 is `1h30m`."""
    rest, text = round(seconds * 1000), ""
    for unit, size in _UNITS_MS.items():
        count, rest = divmod(rest, size)
        text += f"{count}{unit}" if count else ""
    return text or "0s"


def _bytes(value: object) -> int:
    size: float = -1
    if isinstance(value, str) and (match := _SIZE.fullmatch(value)):
        size = int(match[1]) * _UNITS_BYTES[match[2]]
    elif isinstance(value, int) and not isinstance(value, bool):
        size = value
    if not _LEAST_BYTES <= size <= _MOST_BYTES:
        raise ValueError(
            "expected a size such as 512MB or 2GB (units MB, GB, MiB, GiB) or a number of bytes; "
            "at least 20MB, at most 1000GB"
        )
    return int(size)


def _at_least_a_day(seconds: float) -> float:
    if seconds < _DAY_SECONDS:
        raise ValueError("must be at least 1d")
    return seconds


def _directory(value: object, info: ValidationInfo) -> object:
    if not isinstance(value, str):
        return value  # pydantic reports the wrong type
    path = folder_of(info) / value
    if not value or _is_something_else(path):
        raise ValueError("expected a directory; the exporter creates it if it is missing")
    return path.absolute()


def _is_something_else(path: Path) -> bool:
    """Return whether a path is known to be no directory."""
    try:
        return path.exists() and not path.is_dir()
    except OSError:  # such as a directory above that is closed: the storage reports it, and polls continue
        return False


def _not_too_often(seconds: float) -> float:
    if seconds < _SHORTEST_INTERVAL:
        raise ValueError("must be at least 1s")
    return seconds


def _moment(value: object) -> float:
    """Return the Unix time of a date with a time and a zone."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ValueError("expected a date with a time and a zone, such as 2026-12-05T20:00:00+08:00")
    return moment.timestamp()


def stamp(file: Path) -> tuple[int, ...]:
    """Return a value that changes with the file; empty if there is no file."""
    try:
        stat = file.stat()
    except (OSError, ValueError):
        return ()
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


@dataclass(frozen=True)
class Offline:
    """The folder of a configuration file that is checked where its secrets and CAs may be missing."""

    folder: Path


def folder_of(info: ValidationInfo) -> Path:
    """Return the folder of the configuration file, pydantic's context, to which paths are relative."""
    return info.context.folder if isinstance(info.context, Offline) else Path(info.context or "")


def _readable(value: object, info: ValidationInfo) -> object:
    if not isinstance(value, str):
        return value  # pydantic reports the wrong type
    path = folder_of(info) / value
    if not (path.is_file() and os.access(path, os.R_OK)):
        raise NotReadyError(f"file {str(path)!r} is missing or not readable: create it or correct the path")
    return path


def _matching(pattern: str, meaning: str) -> AfterValidator:
    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"expected {meaning}")
        return text

    return AfterValidator(check)


def _http_url(text: str, pattern: str, expected: str) -> str:
    """Return a URL in its normal form, without a slash at the end; raises ValueError unless it matches."""
    try:
        url = str(HttpUrl(text))
    except ValidationError:
        url = ""
    if not re.fullmatch(pattern, url):
        raise ValueError(f"expected {expected}")
    return url.rstrip("/")


def _origin(text: str) -> str:
    expected = "https://HOST or https://HOST:PORT, without a user, a path such as /v3, or a query"
    return _http_url(text, r"https?://[^/?#@]+/", expected)


def base_url(text: str) -> str:
    """Return `http(s)://HOST[:PORT][/PATH]`, normalised, without a slash at the end; raises ValueError."""
    expected = "https://HOST or https://HOST/PATH, without a user, a query or a fragment"
    return _http_url(text, r"https?://[^/?#@{}]+/[^?#@\\]*", expected)


def _without_version(text: str) -> str:
    """Remove the API version, with which vendors document the URL of IAM; the exporter adds it itself."""
    return text.removesuffix("/").removesuffix("/v3")


def proxy_url(text: str) -> str:
    """Return `http(s)://HOST[:PORT]`, normalised; raises ValueError."""
    if "@" in text:
        raise ValueError(
            "expected http://HOST:PORT without a user; write"
            " proxy: {url: http://HOST:PORT, user: NAME, password: {env: NAME}}"
        )
    try:
        return _origin(text)
    except ValueError:
        raise ValueError("expected http://HOST:PORT, such as http://proxy.example:3128, without a path") from None


def _no_plain_http(url: str) -> str:
    if url.startswith("http:") and not _LOCAL_HTTP.fullmatch(url):
        raise ValueError("must begin with https://; http is for loopback addresses and 169.254.169.254 only")
    return url


def _name_pattern(value: object) -> object:
    return NamePattern(value) if isinstance(value, str) else value  # pydantic reports the wrong type


def tag_label(key: str) -> str:
    """Return the label of a tag key: `tag_` and the key, with underscores for all but ASCII letters and digits."""
    return "tag_" + re.sub("[^a-zA-Z0-9_]", "_", key)


def _distinct_labels(keys: tuple[str, ...]) -> tuple[str, ...]:
    labels = [tag_label(key) for key in keys]
    for label in labels:
        if labels.count(label) > 1:
            raise ValueError(f"more than one of these keys becomes the label {label}: keep one")
    return keys


ListOf = Annotated[tuple[T, ...], Strict(strict=False)]
Text = Annotated[str, Field(min_length=1)]
TagLabels = Annotated[ListOf[Text], AfterValidator(_distinct_labels)]
Duration = Annotated[float, BeforeValidator(_seconds), json_schema.duration(_LONGEST_SECONDS)]
"""Seconds, more than zero. Written as `30s`, `1h30m`, or as a number of seconds."""
DurationOrZero = Annotated[float, BeforeValidator(_seconds_or_zero), json_schema.duration(_LONGEST_SECONDS, zero=True)]
"""A `Duration`, or zero."""
Keep = Annotated[Duration, AfterValidator(_at_least_a_day), json_schema.duration(_LONGEST_SECONDS, least=_DAY_SECONDS)]
ByteSize = Annotated[int, BeforeValidator(_bytes), json_schema.size(_LEAST_BYTES, _MOST_BYTES)]
"""Bytes, 20 MB or more. Written as `512MB`, or as a number of bytes."""
Directory = Annotated[Path, Strict(strict=False), BeforeValidator(_directory), json_schema.PATH]
"""A directory that exists or can be created; relative to the configuration file."""
Moment = Annotated[float, BeforeValidator(_moment), json_schema.MOMENT]
"""Unix time, written as `2026-12-05T20:00:00+08:00`."""
Interval = Annotated[
    Duration,
    AfterValidator(_not_too_often),
    json_schema.duration(_LONGEST_SECONDS, least=_SHORTEST_INTERVAL),
]
Origin = Annotated[str, AfterValidator(_origin)]
"""`http(s)://HOST[:PORT]`, normalised, without a slash at the end."""
Endpoint = Annotated[Origin, AfterValidator(_no_plain_http), json_schema.ENDPOINT]
"""An `Origin` that secrets may be sent to: https, or on this machine."""
IamEndpoint = Annotated[
    str,
    AfterValidator(_without_version),
    AfterValidator(_origin),
    AfterValidator(_no_plain_http),
    json_schema.IAM_ENDPOINT,
]
"""An `Endpoint` that may be written with `/v3` at its end."""
BaseUrl = Annotated[str, AfterValidator(base_url), json_schema.BASE_URL]
"""`http(s)://HOST[:PORT][/PATH]` to which links are relative, without a slash at the end."""
ProxyUrl = Annotated[str, AfterValidator(proxy_url), json_schema.ORIGIN]
_REGION = "[a-z0-9]+(-[a-z0-9]+)*"
Region = Annotated[str, _matching(_REGION, "a region id such as cn-north-4 or eu-de"), json_schema.matching(_REGION)]
_WAVE = "[A-Za-z0-9][A-Za-z0-9_.-]{0,99}"
WaveName = Annotated[
    str,
    _matching(_WAVE, "up to 100 letters, digits, -, _ and ., the first a letter or digit"),
    json_schema.matching(_WAVE),
]
_PROJECT_ID = "[0-9a-f]{32}"
ProjectId = Annotated[
    str,
    _matching(_PROJECT_ID, "a project id: 32 digits of 0-9 and a-f, in lower case"),
    json_schema.matching(_PROJECT_ID),
]
NameRegex = Annotated[InstanceOf[NamePattern], BeforeValidator(_name_pattern), json_schema.REGEX]
ReadableFile = Annotated[Path, Strict(strict=False), BeforeValidator(_readable)]
