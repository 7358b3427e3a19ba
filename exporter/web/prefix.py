"""The URL under which a reverse proxy serves the exporter, and the prefix of its own paths, as in Prometheus."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route, Router

from exporter.config import ConfigError, base_url

_SEGMENT = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._~-]+")


@dataclass(frozen=True, slots=True)
class Prefix:
    """The addresses of the pages as the exporter and as browsers see them.

    Attributes:
        internal: the beginning of every path that the exporter serves: empty, or such as `/drs`.
        external: the URL of the status page for browsers, without the slash at its end; empty if it is not known.
    """

    internal: str = ""
    external: str = ""

    @classmethod
    def of(cls, external_url: str | None, route_prefix: str | None) -> Prefix:
        """Return the prefix for two options; without `route_prefix`, it is the path of the URL.

        Raises:
            ConfigError: an option is invalid.
        """
        external = _external(external_url) if external_url is not None else ""
        path = urlsplit(external).path if route_prefix is None else route_prefix
        return cls(
            _path(path, "--web.route-prefix: expected / or a path such as /drs, of letters, digits, and . _ ~ - /"),
            external,
        )

    def application(self, routes: Sequence[BaseRoute]) -> Starlette:
        """Return an app that serves these routes below the prefix, and redirects from above it to the status page."""
        if self.internal:
            site = Router(routes, redirect_slashes=False)
            above = [Route(path, self._redirect) for path in ("/", self.internal)]
            routes = [*above, Mount(self.internal, app=site)]
        app = Starlette(routes=routes)
        app.router.redirect_slashes = False  # a redirection would contain the host that the client has named
        return app

    async def _redirect(self, _request: Request) -> Response:
        path = urlsplit(self.external).path if self.external else self.internal
        return Response(status_code=302, headers={"Location": f"{path}/"})


def _external(text: str) -> str:
    try:
        url = urlsplit(base_url(text))
    except ValueError as error:
        raise ConfigError(f"--web.external-url: {error}") from None
    path = _path(url.path, "--web.external-url: expected a path such as /drs, of letters, digits, and . _ ~ - /")
    return f"{url.scheme}://{url.netloc}{path}"


def _path(text: str, expected: str) -> str:
    """Return a path with a slash at its beginning and none at its end; empty for the root."""
    path = text.strip("/")
    if not path:
        return ""
    if not all(_SEGMENT.fullmatch(segment) for segment in path.split("/")):
        raise ConfigError(expected)
    return f"/{path}"
