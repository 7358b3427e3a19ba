"""Values of the configuration in files, secrets and CAs: read again when the file changes, off the event loop."""

import os
import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeVar

import structlog
from pydantic import ValidationInfo
from pydantic_core import core_schema

from exporter.config.document import ConfigError, NotReadyError, read_text
from exporter.config.values import Offline, folder_of, stamp
from exporter.runtime.threads import DaemonPool

T = TypeVar("T")

FILES = DaemonPool("files", threads=64, timeout=5.0)
"""Threads that read files: a network file system that hangs, or a pipe, must not block the event loop."""
_ENV_NAME = re.compile("[A-Za-z_][A-Za-z0-9_]*")
_CREDENTIAL_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*")
_CREDENTIALS_DIRECTORY = "CREDENTIALS_DIRECTORY"
"""The environment variable in which systemd passes the directory of a service's credentials."""
_SECRET_BYTES = 64 * 1024
_KEYS = {"env": f"^{_ENV_NAME.pattern}$", "file": ".", "credential": f"^{_CREDENTIAL_NAME.pattern}$"}
"""What a secret may refer to, and the pattern of its value."""
_REFERENCES = (
    (re.compile(r"\$\{.*\}|\$[A-Z_][A-Z0-9_]*|\$env:.*|env[.:(].*|%[A-Z_][A-Z0-9_]*%|\{\{.*\}\}"), "{env: NAME}"),
    (re.compile(r"\$\(.*\)|file:.*|@/.*"), "{file: PATH}"),
)
"""Texts that refer to a variable or file in other programs."""
_hanging: set[Path] = set()
_unavailable: set[Path | None] = set()
"""Files of secrets that are missing, unreadable or empty now."""
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """A secret. Only `reveal` and `current` return it; its representation is masked.

    Attributes:
        literal: the secret itself, as written in the configuration.
        env: else the environment variable that contains it.
        file: else the file that contains it.
        credential: else the name of a credential that systemd passes to the service.
    """

    literal: str = ""
    env: str = ""
    file: Path | None = None
    credential: str = ""
    # By (mtime_ns, size, inode) of the file: its content.
    _read: dict[tuple[int, ...], str] = field(default_factory=dict, compare=False)

    def __repr__(self) -> str:
        if self.env:
            return f"Secret(env {self.env})"
        if self.credential:
            return f"Secret(credential {self.credential})"
        return f"Secret(file {self.file})" if self.file else "Secret(***)"

    def reveal(self) -> str:
        """Return the secret as it is now; a file is read again when it has changed. May block.

        Raises:
            NotReadyError: it is missing, unreadable or empty; the text contains the remedy.
            ConfigError: the file contains no secret.
        """
        if file := self._path():
            return self._reveal_file(file)
        secret = os.environ.get(self.env, "") if self.env else self.literal
        if not secret and self.env:
            raise NotReadyError(f"environment variable {self.env} is not set or empty: export {self.env}=...")
        if not secret:
            raise ConfigError("must not be empty")
        return secret

    async def current(self) -> str:
        """Like `reveal`, but never blocks the event loop.

        While a file is missing, unreadable or empty, or its file system does not respond, the last secret is returned.
        """
        file = self._path()
        return await _read_off_loop(file, self._reveal_or_last, self._read) if file else self.reveal()

    def _path(self) -> Path | None:
        if not self.credential:
            return self.file
        directory = os.environ.get(_CREDENTIALS_DIRECTORY)
        if not directory:
            raise NotReadyError(
                f"environment variable {_CREDENTIALS_DIRECTORY} is not set: systemd sets it for services with "
                "LoadCredential=; elsewhere, export the directory of the secret files"
            )
        return Path(directory) / self.credential

    def _reveal_or_last(self) -> str:
        file = self._path()
        try:
            secret = self.reveal()
        except NotReadyError as error:
            if not self._read:
                raise
            if file not in _unavailable:
                _unavailable.add(file)
                _log.error("a secret file can't be used; the last secret stays in use", error=str(error))
            return next(iter(self._read.values()))
        if file in _unavailable:
            _unavailable.remove(file)
            _log.info("a secret file can be used again", file=str(file))
        return secret

    def _reveal_file(self, file: Path) -> str:
        seen = stamp(file)  # before reading, so that a later change is noticed the next time
        secret = self._read.get(seen)
        if not seen or secret is None:
            secret = _secret_in(file)
            self._read[seen] = secret  # first, so that another thread never finds it empty
            for old in self._read.keys() - {seen}:
                del self._read[old]
        return secret

    @classmethod
    def __get_pydantic_core_schema__(cls, *_: object) -> core_schema.CoreSchema:
        """Parse the forms that a user may write; dumps of a model contain the masked form."""
        masked = core_schema.to_string_ser_schema(when_used="always")
        return core_schema.with_info_plain_validator_function(cls._parse, serialization=masked)

    @classmethod
    def __get_pydantic_json_schema__(cls, *_: object) -> dict[str, object]:
        references = "|".join(pattern.pattern for pattern, _ in _REFERENCES)
        literal = {"type": "string", "minLength": 1, "not": {"pattern": f"^({references})$"}}
        return {"anyOf": [literal, *(_reference(key, pattern) for key, pattern in _KEYS.items())]}

    @classmethod
    def _parse(cls, value: Any, info: ValidationInfo) -> Self:
        match value:
            case str():
                _refuse_references(value)
                secret = cls(literal=value)
            case {"env": str(name)} if len(value) == 1 and _ENV_NAME.fullmatch(name):
                secret = cls(env=name)
            case {"env": str()} if len(value) == 1:
                raise ValueError("expected {env: NAME} with the name alone, without $ and braces")
            case {"file": str(name)} if len(value) == 1:
                secret = cls(file=folder_of(info) / name)
            case {"credential": str(name)} if len(value) == 1 and _CREDENTIAL_NAME.fullmatch(name):
                secret = cls(credential=name)
            case {"credential": str()} if len(value) == 1:
                raise ValueError("expected {credential: NAME} with the name alone, as in LoadCredential=NAME:PATH")
            case _:
                raise ValueError("expected text (quote a number), {env: NAME}, {file: PATH} or {credential: NAME}")
        if not isinstance(info.context, Offline):
            secret.reveal()  # so that a missing one is found when the configuration is loaded
        return secret


class CaFile:
    """A PEM file of CAs to trust, read again when it changes. Equal where the path is.

    Args:
        path: of the file.

    Raises:
        NotReadyError: there is no such file, or it can't be read now.
        ConfigError: it contains no PEM certificates, and does not look half-written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read: dict[tuple[int, ...], ssl.SSLContext] = {}
        self._faulty: tuple[int, ...] | None = None
        self._load()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CaFile) and other.path == self.path

    def __hash__(self) -> int:
        return hash(self.path)

    def __repr__(self) -> str:
        return f"CaFile({str(self.path)!r})"

    @property
    def context(self) -> ssl.SSLContext:
        """The context for new connections."""
        return next(iter(self._read.values()))

    async def refresh(self) -> None:
        """Read the file again if it has changed. A file that can't be used is logged once; the old CAs stay."""
        await _read_off_loop(self.path, self._refresh, self._read)

    def _refresh(self) -> ssl.SSLContext:
        seen = stamp(self.path)
        if seen in self._read or seen == self._faulty:
            return self.context
        try:
            self._load()
        except ConfigError as error:
            self._faulty = seen
            _log.error("ca_file has changed and can't be used; the old CAs stay in use", error=str(error))
        else:
            self._faulty = None
            _log.info("ca_file reloaded", file=str(self.path))
        return self.context

    def _load(self) -> None:
        seen = stamp(self.path)  # before reading, so that a later change is noticed the next time
        if self.path.is_dir():
            raise ConfigError(f"file {str(self.path)!r} is a directory, not a file")
        if not (self.path.is_file() and os.access(self.path, os.R_OK)):
            raise NotReadyError(f"file {str(self.path)!r} is missing or not readable: create it or correct the path")
        try:
            context = ssl.create_default_context(cafile=self.path)
        except OSError:  # ssl.SSLError is one
            kind = NotReadyError if _half_written(self.path) else ConfigError
            raise kind(f"file {str(self.path)!r} contains no PEM certificates") from None
        self._read = {seen: context}

    @classmethod
    def __get_pydantic_core_schema__(cls, *_: object) -> core_schema.CoreSchema:
        """Parse a path, which may be relative to the folder of the configuration file."""
        as_text = core_schema.to_string_ser_schema(when_used="always")
        return core_schema.with_info_plain_validator_function(cls._parse, serialization=as_text)

    @classmethod
    def __get_pydantic_json_schema__(cls, *_: object) -> dict[str, object]:
        return {"type": "string", "minLength": 1}

    @classmethod
    def _parse(cls, value: object, info: ValidationInfo) -> Self | None:
        if not isinstance(value, str):
            raise ValueError("expected text")  # noqa: TRY004 - pydantic's
        return None if isinstance(info.context, Offline) else cls(folder_of(info) / value)


def _reference(key: str, pattern: str) -> dict[str, object]:
    """Return the JSON Schema of a secret such as `{env: NAME}`."""
    value = {"type": "string", "pattern": pattern}
    return {"type": "object", "properties": {key: value}, "required": [key], "additionalProperties": False}


def _half_written(path: Path) -> bool:
    """Return whether a PEM file is empty, or begins a certificate that it does not end."""
    try:
        content = path.read_bytes().strip()
    except OSError:
        return True
    return not content or content.count(b"-----BEGIN CERTIFICATE-----") > content.count(b"-----END CERTIFICATE-----")


async def _read_off_loop(file: Path, read: Callable[[], T], last: dict[tuple[int, ...], T]) -> T:
    """Return the result of `read`, or the value read before while the file system does not respond."""
    try:
        value = await FILES.share((read.__qualname__, file), read)
    except OSError as error:
        # Other errors: the system can start no thread.
        reason = "its file system does not respond" if isinstance(error, TimeoutError) else error.strerror or str(error)
        if not last:
            raise NotReadyError(f"file {str(file)!r} cannot be read: {reason}") from error
        if file not in _hanging:
            _hanging.add(file)
            _log.warning("a file cannot be read now; the value read before is used", file=str(file), reason=reason)
        return next(iter(last.values()))
    _hanging.discard(file)
    return value


def _refuse_references(text: str) -> None:
    for pattern, remedy in _REFERENCES:
        if pattern.fullmatch(text):
            raise ValueError(f"variables and files are not expanded in a text: write {remedy}")


def _secret_in(file: Path) -> str:
    kind: type[ConfigError]
    try:
        secret = read_text(file, _SECRET_BYTES, pipe=False).removesuffix("\n").removesuffix("\r")
        kind, reason = NotReadyError, "is empty"  # it may be about to be written
    except ConfigError as error:
        secret, kind, reason = "", type(error), str(error)
    if not secret:
        must = "It must be readable for this user and contain nothing but the secret."
        raise kind(f"secret file {str(file)!r} {reason}. {must}")
    return secret
