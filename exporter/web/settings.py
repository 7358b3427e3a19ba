"""The web configuration in use. It is read again when the file, or a certificate that it names, has changed."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from exporter.config import ConfigError, Document, read_document, stamp
from exporter.runtime.threads import DaemonPool
from exporter.runtime.tls_context import CurrentContext
from exporter.web.schema import RateLimit, WebConfig, checked, files_named
from exporter.web.tls import server_context

_LOOK_SECONDS = 1.0
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings for new connections and requests.

    Attributes:
        users: hashes of passwords by the user's name; empty: no password is needed.
        headers: names and values for every response.
        rate: the rate limit for requests.
        allowed_sans: one of these names must be in the client's certificate; None: any certificate is accepted.
        context: for TLS; None: plain HTTP.
    """

    users: Mapping[bytes, bytes] = field(default_factory=dict, repr=False)
    headers: tuple[tuple[bytes, bytes], ...] = ()
    rate: RateLimit = field(default_factory=RateLimit)
    allowed_sans: frozenset[str] | None = None
    context: ssl.SSLContext | None = None


class WebFile:
    """The web configuration of a running server.

    A changed file is adopted. Only a restart switches passwords, certificates of clients or TLS on or off: a file that
    is truncated or half-written must not open the exporter to everybody.

    Args:
        path: the file; None: plain HTTP without access control.
        open_paths: paths that never need a password.

    Raises:
        ConfigError: all errors of the file.
    """

    def __init__(self, path: Path | None = None, *, open_paths: Collection[str] = ()) -> None:
        self.open_paths = frozenset(open_paths)
        self._path = path
        self._logged: set[str] = set()
        self._pool = DaemonPool("web-config", threads=1, timeout=10)
        self._stamps: dict[Path, tuple[int, ...]] = {}
        self._changing: dict[Path, tuple[int, ...]] = {}
        self._access: dict[str, bool] = {}
        self._settings = self._read(path) if path else Settings()

    @property
    def tls(self) -> bool:
        """True if TLS is served; this never changes."""
        return self._settings.context is not None

    def now(self) -> Settings:
        """The settings in use."""
        return self._settings

    async def follow(self) -> None:
        """Check for changed files every second, for ever. A file system that hangs delays nothing else."""
        late = False
        while self._path:
            await asyncio.sleep(_LOOK_SECONDS)
            try:
                await self._pool.run(self.check)
                late = False
            except (TimeoutError, OSError):
                if not late:
                    what = "the web configuration cannot be read in time; the old one stays in use"
                    _log.error(what, path=str(self._path))
                late = True

    def check(self) -> None:
        """Adopt changed files if they are the same as at the last check: before, they may be half-written.

        A file that cannot be used is logged once, and changes nothing.
        """
        stamps = {file: stamp(file) for file in self._stamps}
        stable, self._changing = stamps == self._changing, stamps
        if self._path is None or stamps == self._stamps or not stable:
            return
        try:
            self._settings = self._read(self._path)
        except ConfigError as error:
            for line in str(error).splitlines():
                _log.error("the web configuration has changed and can't be used; the old one stays in use", error=line)
        else:
            _log.info("web configuration reloaded")

    def context(self) -> ssl.SSLContext | None:
        """Return a context that uses the current settings for each new connection; None: plain HTTP."""
        if not self.tls:
            return None
        context = CurrentContext(ssl.PROTOCOL_TLS_SERVER)
        context.current = lambda: self.now().context or context
        return context

    def _read(self, path: Path) -> Settings:
        # Stamps are taken before reading: a change in between is then detected by the next check.
        self._stamps = {path: stamp(path)}
        if self._access and not path.is_file():  # a pipe may never end
            raise ConfigError(f"{path}: is not a file any more")
        document = read_document(path)
        self._stamps |= {file: stamp(file) for file in (path.parent / name for name in files_named(document.data))}
        config = checked(document, path.parent)
        context, unsupported = _context(document, config)
        self._check_access(path, config)
        if config.http_server_config.http2:
            unsupported.append("http_server_config.http2: HTTP/1.1 is served")
        self._warn(unsupported)
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
        """Raise `ConfigError` if the file switches a part of the access control on or off."""
        tls = config.tls_server_config
        access = {
            "tls_server_config": bool(tls.model_fields_set),
            "tls_server_config.client_auth_type": tls.client_auth_type == "RequireAndVerifyClientCert",
            "tls_server_config.client_allowed_sans": tls.client_allowed_sans is not None,
            "basic_auth_users": bool(config.basic_auth_users),
        }
        self._access = self._access or access
        errors = [
            f"{path}: {key} would switch access control {'on' if access[key] else 'off'}, which needs a restart"
            for key, before in self._access.items()
            if access[key] != before
        ]
        if errors:
            raise ConfigError("\n".join(errors))

    def _warn(self, unsupported: Iterable[str]) -> None:
        """Log each unsupported setting once."""
        for what in unsupported:
            if what not in self._logged:
                self._logged.add(what)
                _log.warning("a setting of the web configuration is not supported", what=what)


def _context(document: Document, config: WebConfig) -> tuple[ssl.SSLContext | None, list[str]]:
    """Return the SSL context, None for plain HTTP, and unsupported settings."""
    tls = config.tls_server_config
    if not tls.model_fields_set:
        return None, []
    try:
        context, unsupported = server_context(tls)
    except ConfigError as error:
        document.add_error(("tls_server_config",), str(error))
        raise document.error() from None
    return context, [f"tls_server_config.{what}" for what in unsupported]
