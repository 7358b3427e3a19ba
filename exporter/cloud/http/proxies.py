"""Proxies with a user and password, and those that HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY name."""

from __future__ import annotations

import base64
import os
from urllib.parse import urlsplit
from urllib.request import getproxies_environment

import httpx

from exporter.config import ConfigError

_SCHEMES = ("http", "https")
_PORTS = {"http": 80, "https": 443}


def variable_for(url: str) -> str | None:
    """The environment variable that names a proxy for a URL; None if there is none."""
    parts, proxies = urlsplit(url), getproxies_environment()
    host, port = (parts.hostname or "").lower(), parts.port or _PORTS[parts.scheme]
    if any(_matches(rule.strip().lower(), host, port) for rule in proxies.get("no", "").split(",")):
        return None
    kind = next((kind for kind in (parts.scheme, "all") if proxies.get(kind)), None)
    names = (f"{kind}_proxy", f"{kind}_PROXY".upper())
    return next((name for name in names if os.environ.get(name)), None)


def _matches(rule: str, host: str, port: int) -> bool:
    """Return whether a rule of NO_PROXY matches: a name or its end, with or without `*` and the port, as in Go."""
    name = rule.removesuffix(f":{port}").removeprefix("*").removeprefix(".")
    return rule == "*" or (name != "" and (host == name or host.endswith(f".{name}")))


def environment_proxy(url: str) -> httpx.Proxy | None:
    """The proxy that the environment names for a URL, or None; raises `ConfigError` where the variable holds no URL."""
    variable = variable_for(url)
    if variable is None:
        return None
    text = os.environ[variable]
    try:
        proxy = httpx.Proxy(text if "://" in text else f"http://{text}")
        usable = proxy.url.scheme in _SCHEMES and bool(proxy.url.host) and (proxy.url.port or 1) in range(1, 65536)
    except (ValueError, httpx.InvalidURL):
        usable = False
    if not usable:
        expected = "expected the URL of a proxy, such as http://HOST:3128; SOCKS is not supported"
        raise ConfigError(f"environment variable {variable}: {expected}")
    return proxy if proxy.auth is None else proxy_with_login(str(proxy.url), *proxy.auth)


def proxy_with_login(url: str, user: str, password: str) -> httpx.Proxy:
    """The proxy at a URL, with the header for its user and password."""
    login = base64.b64encode(f"{user}:{password}".encode()).decode()
    return httpx.Proxy(url, headers={"Proxy-Authorization": f"Basic {login}"})
