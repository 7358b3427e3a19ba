"""The web configuration in force: read again when the file, or a certificate that it names, has changed."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from exporter.config.document import ConfigError, Document, read_document
from exporter.config.values import stamp
from exporter.runtime.threads import DaemonPool
from exporter.runtime.tls_context import CurrentContext
from exporter.web.schema import RateLimit, WebConfig, checked, files_named
from exporter.web.tls import server_context

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

_LOOK_SECONDS = 1.0
_READ_SECONDS = 10.0
_POOL = DaemonPool("web-config", threads=1, timeout=_READ_SECONDS)
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds for a new connection, and for a request.

    Attributes:
        users: hashes of passwords by the user's name; empty: everybody is let in.
        headers: names and values, for every response.
        rate: how many requests are answered.
        allowed_sans: one of these names must be in the client's certificate; None: any certificate will do.
        context: for TLS; None: plain HTTP.
    """

    users: Mapping[bytes, bytes] = field(default_factory=dict, repr=False)
    headers: tuple[tuple[bytes, bytes], ...] = ()
    rate: RateLimit = field(default_factory=RateLimit)
    allowed_sans: frozenset[str] | None = None
    context: ssl.SSLContext | None = None


class WebFile:
    """The web configuration of a running server.

    A changed file is adopted. What decides whether clients need a password or a certificate, and whether TLS is
    served, changes only at a restart: a file that was truncated, or is half-written, must not open the exporter.

    Args:
        path: the file; None where there is none, and clients need neither.
        open_paths: need no password, whatever the file says.

    Raises:
        ConfigError: all that is wrong with it.
    """

    def __init__(self, path: Path | None = None, *, open_paths: Collection[str] = ()) -> None:
        self.open_paths = frozenset(open_paths)
        self._path = path
        self._said: set[str] = set()
        self._stamps: dict[Path, tuple[int, ...]] = {}
        self._changing: dict[Path, tuple[int, ...]] = {}
        self._access: dict[str, bool] = {}
        self._settings = self._read(path) if path else Settings()

    @property
    def tls(self) -> bool:
        """Whether TLS is served; this never changes."""
        return self._settings.context is not None

    def now(self) -> Settings:
        """The settings in force."""
        return self._settings

    async def follow(self) -> None:
        """Look for changed files every second, for ever; a file system that hangs delays nothing else."""
        said = False
        while self._path:
            await asyncio.sleep(_LOOK_SECONDS)
            try:
                await _POOL.run(self.look)
            except (TimeoutError, OSError):
                if not said:
                    _log.error(
                        "the web configuration cannot be read in time; the old one stays in use", path=str(self._path)
                    )
                said = True
            else:
                said = False

    def look(self) -> None:
        """Adopt changed files once they have not changed since the last look; before, somebody may be writing.

        A file that cannot be used is logged, once, and changes nothing.
        """
        stamps = {file: stamp(file) for file in self._stamps}
        stable, self._changing = stamps == self._changing, stamps
        if self._path is None or stamps == self._stamps or not stable:
            return
        try:
            self._settings = self._read(self._path)
        except ConfigError as error:
            for line in str(error).splitlines():
                _log.error("the web configuration has changed and can't be used; the old one stays in use", fault=line)
        else:
            _log.info("the web configuration has been read again")

    def context(self) -> ssl.SSLContext | None:
        """For the listening sockets: each new connection gets what holds then; None: plain HTTP."""
        if not self.tls:
            return None
        context = CurrentContext(ssl.PROTOCOL_TLS_SERVER)
        context.current = lambda: self.now().context or context
        return context

    def _read(self, path: Path) -> Settings:
        # Stamps are taken before reading: a change in between is then seen the next time.
        self._stamps = {path: stamp(path)}
        if self._access and not path.is_file():  # a pipe may never end
            raise ConfigError(f"{path}: is not a file any more")
        document = read_document(path)
        self._stamps |= {file: stamp(file) for file in (path.parent / name for name in files_named(document.data))}
        config = checked(document, path.parent)
        context, in_vain = _context(document, config)
        self._check_access(path, config)
        if config.http_server_config.http2:
            in_vain.append("http_server_config.http2: HTTP/1.1 is served")
        self._say(in_vain)
        headers = config.http_server_config.headers.model_dump(by_alias=True, exclude_none=True)
        sans = config.tls_server_config.client_allowed_sans
        return Settings(
            users={user.encode(): hashed.encode() for user, hashed in config.basic_auth_users.items()},
            headers=tuple(
                (name.lower().encode(), value.encode())
                for name, value in headers.items()
                if name != "X-Content-Type-Options"  # the server always sends it
            ),
            rate=config.rate_limit,
            allowed_sans=None if sans is None else frozenset(sans),
            context=context,
        )

    def _check_access(self, path: Path, config: WebConfig) -> None:
        """Refuse a file that switches a part of the access control on or off."""
        tls = config.tls_server_config
        access = {
            "tls_server_config": bool(tls.model_fields_set),
            "tls_server_config.client_auth_type": tls.client_auth_type == "RequireAndVerifyClientCert",
            "tls_server_config.client_allowed_sans": tls.client_allowed_sans is not None,
            "basic_auth_users": bool(config.basic_auth_users),
        }
        self._access = self._access or access
        faults = [
            f"{path}: {key} would switch access control {'on' if access[key] else 'off'}, which needs a restart"
            for key, before in self._access.items()
            if access[key] != before
        ]
        if faults:
            raise ConfigError("\n".join(faults))

    def _say(self, in_vain: Iterable[str]) -> None:
        for what in in_vain:
            if what not in self._said:
                self._said.add(what)
                _log.warning("the web configuration asks for what is not supported", what=what)


def _context(document: Document, config: WebConfig) -> tuple[ssl.SSLContext | None, list[str]]:
    """For TLS, where it is wanted, and what can't be as wanted."""
    tls = config.tls_server_config
    if not tls.model_fields_set:
        return None, []
    try:
        context, in_vain = server_context(tls)
    except ConfigError as error:
        document.add_fault(("tls_server_config",), str(error))
        raise document.error() from None
    return context, [f"tls_server_config.{what}" for what in in_vain]
