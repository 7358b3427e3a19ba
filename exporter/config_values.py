"""The kinds of values in the configuration: durations, secrets, addresses, patterns, files.

Each is a type for pydantic that checks and converts; the messages of the checks are for the user and never
hold the value, but for the names of files.
"""

import os
import re
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, HttpUrl, Strict, ValidationError, ValidationInfo
from pydantic_core import core_schema

from exporter.config_file import ConfigError, read_text

T = TypeVar("T")

_UNITS_MS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_DURATION = re.compile("".join(rf"(?:([0-9]{{1,12}}){unit})?" for unit in _UNITS_MS))
_LONGEST_SECONDS = 3650 * 86_400
_ENV_NAME = re.compile("[A-Za-z_][A-Za-z0-9_]*")
_SECRET_BYTES = 64 * 1024
_LOCAL_HTTP = re.compile(r"http://(localhost|127(\.\d+){3}|\[::1\]|169\.254\.169\.254)(:\d+)?")


def _seconds(value: object) -> float:
    seconds: float = 0
    if isinstance(value, str) and (match := _DURATION.fullmatch(value)):
        seconds = sum(int(n or 0) * ms for n, ms in zip(match.groups(), _UNITS_MS.values(), strict=True)) / 1000
    elif isinstance(value, int | float) and not isinstance(value, bool):
        seconds = value
    if not 0 < seconds <= _LONGEST_SECONDS:
        raise ValueError(
            "expected a duration such as 500ms, 30s, 5m, 1h30m or 7d (units d, h, m, s, ms in this order)"
            " or a number of seconds; more than zero, at most 3650d"
        )
    return float(seconds)


def duration_text(seconds: float) -> str:
    """Seconds as a user writes them, to the millisecond: 5400.0 is `1h30m`."""
    rest, text = round(seconds * 1000), ""
    for unit, size in _UNITS_MS.items():
        count, rest = divmod(rest, size)
        text += f"{count}{unit}" if count else ""
    return text or "0s"


def _not_too_often(seconds: float) -> float:
    if seconds < 1:
        raise ValueError("must be at least 1s")
    return seconds


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """A secret that shows itself to nobody but the caller of `reveal`.

    Attributes:
        literal: the secret itself, as written in the configuration.
        env: else the environment variable that holds it.
        file: else the file that holds it.
    """

    literal: str = ""
    env: str = ""
    file: Path | None = None
    # By (mtime_ns, size, inode) of the file: what it held then.
    _read: dict[tuple[int, ...], str] = field(default_factory=dict, compare=False)

    def __repr__(self) -> str:
        if self.env:
            return f"Secret(env {self.env})"
        return f"Secret(file {self.file})" if self.file else "Secret(***)"

    def reveal(self) -> str:
        """The secret as it is now; a file is read again when it has changed.

        Raises:
            ConfigError: it is missing, unreadable or empty; the text holds the remedy.
        """
        if self.file:
            return self._reveal_file(self.file)
        secret = os.environ.get(self.env, "") if self.env else self.literal
        if not secret:
            unset = f"environment variable {self.env} is not set or empty: export {self.env}=..."
            raise ConfigError(unset if self.env else "must not be empty")
        return secret

    def _reveal_file(self, file: Path) -> str:
        seen = stamp(file)  # taken before reading: a change in between is then seen the next time
        if not seen or seen not in self._read:
            secret = _secret_in(file)
            self._read.clear()
            self._read[seen] = secret
        return self._read[seen]

    @classmethod
    def __get_pydantic_core_schema__(cls, *_: object) -> core_schema.CoreSchema:
        """Parses what the user may write; dumps of a model hold the masked form."""
        masked = core_schema.to_string_ser_schema(when_used="always")
        return core_schema.with_info_plain_validator_function(cls._parse, serialization=masked)

    @classmethod
    def _parse(cls, value: Any, info: ValidationInfo) -> Self:
        match value:
            case str():
                secret = cls(literal=value)
            case {"env": str(name)} if len(value) == 1 and _ENV_NAME.fullmatch(name):
                secret = cls(env=name)
            case {"file": str(name)} if len(value) == 1:
                secret = cls(file=_folder(info) / name)
            case _:
                raise ValueError("expected text (quote a number), {env: NAME} or {file: PATH}")
        secret.reveal()  # so that a missing one is found when the configuration is loaded
        return secret


def stamp(file: Path) -> tuple[int, ...]:
    """What changes whenever the file does; empty if there is none."""
    try:
        stat = file.stat()
    except (OSError, ValueError):
        return ()
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


def _secret_in(file: Path) -> str:
    try:
        secret = read_text(file, _SECRET_BYTES).removesuffix("\n").removesuffix("\r")
        fault = "is empty"
    except ConfigError as error:
        secret, fault = "", str(error)
    if not secret:
        must = "It must be readable for this user and hold nothing but the secret."
        raise ConfigError(f"secret file {str(file)!r} {fault}. {must}")
    return secret


def _folder(info: ValidationInfo) -> Path:
    """Where relative paths start: the folder of the configuration file, which is pydantic's context."""
    return Path(info.context or "")


def _readable(value: object, info: ValidationInfo) -> object:
    if not isinstance(value, str):
        return value  # pydantic says what it must be
    path = _folder(info) / value
    if not (path.is_file() and os.access(path, os.R_OK)):
        raise ValueError(f"file {str(path)!r} is missing or not readable: create it or correct the path")
    return path


def _matching(pattern: str, meaning: str) -> AfterValidator:
    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"expected {meaning}")
        return text

    return AfterValidator(check)


def _origin(text: str) -> str:
    try:
        url = str(HttpUrl(text))
    except ValidationError:
        url = ""
    if not re.fullmatch(r"https?://[^/?#@]+/", url):
        raise ValueError("expected https://HOST or https://HOST:PORT, without a user, path or query")
    return url.rstrip("/")


def _no_plain_http(url: str) -> str:
    if url.startswith("http:") and not _LOCAL_HTTP.fullmatch(url):
        raise ValueError("must begin with https://; http is for loopback addresses and 169.254.169.254 only")
    return url


def _regex(value: object) -> object:
    if not isinstance(value, str):
        return value  # pydantic says what it must be
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # Python warns of [[:alpha:]], and then matches something else
            return re.compile(value)
    except (re.error, OverflowError, RecursionError, Warning) as error:
        raise ValueError(f"not a regular expression of Python: {error}") from None


def _distinct_labels(keys: tuple[str, ...]) -> tuple[str, ...]:
    labels = [re.sub("[^a-zA-Z0-9_]", "_", key) for key in keys]
    for label in labels:
        if labels.count(label) > 1:
            raise ValueError(f"more than one of these keys becomes the label tag_{label}: keep one")
    return keys


ListOf = Annotated[tuple[T, ...], Strict(strict=False)]
Text = Annotated[str, Field(min_length=1)]
TagLabels = Annotated[ListOf[Text], AfterValidator(_distinct_labels)]
Duration = Annotated[float, BeforeValidator(_seconds)]
"""Seconds, more than zero. Written as `30s`, `1h30m`, or as a number of seconds."""
Interval = Annotated[Duration, AfterValidator(_not_too_often)]
Origin = Annotated[str, AfterValidator(_origin)]
"""`http(s)://HOST[:PORT]`, normalised, without a slash at the end."""
Endpoint = Annotated[Origin, AfterValidator(_no_plain_http)]
"""An `Origin` that secrets may be sent to: https, or on this machine."""
Region = Annotated[str, _matching("[a-z0-9]+(-[a-z0-9]+)*", "a region id such as cn-north-4 or eu-de")]
ProjectId = Annotated[str, _matching("[0-9a-f]{32}", "a project id: 32 digits of 0-9 and a-f")]
Regex = Annotated[re.Pattern[str], BeforeValidator(_regex)]
ReadableFile = Annotated[Path, Strict(strict=False), BeforeValidator(_readable)]
