"""The file of --http.config.file: passwords, TLS and a proxy for the exporter at --url, in the format of promtool.

https://prometheus.io/docs/prometheus/latest/configuration/promtool/
"""

from __future__ import annotations

import base64
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

import httpx
from pydantic import Field, ValidationError

from exporter.cloud.http.proxies import environment_proxy, proxy_with_login
from exporter.config import (
    ConfigError,
    Loc,
    ReadableFile,
    Secret,
    Section,
    Text,
    add_schema_errors,
    read_document,
)
from exporter.web.tls import load_pair

Version = Literal["TLS10", "TLS11", "TLS12", "TLS13"]
_VERSIONS = {"TLS12": ssl.TLSVersion.TLSv1_2, "TLS13": ssl.TLSVersion.TLSv1_3}
_OLDEST = "TLS12"
"""The oldest version that an exporter serves."""
_NO_SECRETS = "is not supported: there is no secret manager; use the key that ends in _file"
_HEADER = "is not supported: use authorization, or basic_auth"
_UNSUPPORTED: Mapping[Loc, str] = {
    ("oauth2",): "is not supported: use authorization with a credentials_file",
    ("bearer_token",): "is not supported: write authorization: {credentials: ...}",
    ("bearer_token_file",): "is not supported: write authorization: {credentials_file: ...}",
    ("no_proxy",): "is not supported: there is one URL; remove proxy_url if the proxy is not for it",
    ("proxy_connect_header",): "is not supported: the user and the password of the proxy belong into proxy_url",
    ("http_headers",): _HEADER,
    **{("basic_auth", key): _NO_SECRETS for key in ("username_ref", "password_ref")},
    ("authorization", "credentials_ref"): _NO_SECRETS,
    **{("tls_config", key): _NO_SECRETS for key in ("ca_ref", "cert_ref", "key_ref")},
}
"""Keys of promtool that this program refuses, with what to write in their place."""


class BasicAuth(Section):
    """A user and a password."""

    username: str | None = None
    username_file: ReadableFile | None = None
    password: str | None = Field(None, repr=False)
    password_file: ReadableFile | None = None


class Authorization(Section):
    """The header Authorization with another type."""

    type: Text = "Bearer"
    credentials: str | None = Field(None, repr=False)
    credentials_file: ReadableFile | None = None


class TlsClient(Section):
    """TLS of the client."""

    ca: Text | None = None
    ca_file: ReadableFile | None = None
    """PEM file of the CAs to trust; without it, those of the system."""
    cert: Text | None = None
    cert_file: ReadableFile | None = None
    key: Text | None = Field(None, repr=False)
    key_file: ReadableFile | None = None
    server_name: Text | None = None
    """The name in the certificate, where it is not the host of the URL."""
    insecure_skip_verify: bool = False
    min_version: Version = "TLS12"
    max_version: Version = "TLS13"


class HttpConfig(Section):
    """The whole file."""

    basic_auth: BasicAuth | None = None
    authorization: Authorization | None = None
    tls_config: TlsClient = Field(default_factory=TlsClient)
    follow_redirects: bool = True
    enable_http2: bool = True
    """Without effect: the exporter serves HTTP/1.1 only."""
    proxy_url: Text | None = Field(None, repr=False)
    proxy_from_environment: bool = False


def read(path: Path) -> HttpConfig:
    """Read the file; relative paths start in its folder.

    Raises:
        ConfigError: all errors, a line each; `NotReadyError` where it can't be read now.
    """
    document = read_document(path)
    data = document.data
    for loc, text in _UNSUPPORTED.items():
        section, key = (data, loc[0]) if len(loc) == 1 else (_mapping(data).get(loc[0]), loc[1])
        if key in _mapping(section):
            document.add_error(loc, text)
    if document.has_errors:
        raise document.error()
    try:
        config = HttpConfig.model_validate(data, context=path.parent)
    except ValidationError as error:
        add_schema_errors(document, HttpConfig, error)
        raise document.error() from None
    for loc, text in _contradictions(config):
        document.add_error(loc, text)
    if document.has_errors:
        raise document.error()
    return config


def _mapping(value: object) -> Mapping[object, object]:
    return value if isinstance(value, dict) else {}


def _contradictions(config: HttpConfig) -> Iterator[tuple[Loc, str]]:
    if config.basic_auth and config.authorization:
        yield ("authorization",), "cannot be combined with basic_auth: remove one of them"
    sections = {"basic_auth": config.basic_auth, "authorization": config.authorization, "tls_config": config.tls_config}
    for name, section in sections.items():
        given = section.model_fields_set if section else set()
        for key in sorted(given):
            if f"{key}_file" in given:
                yield (name, key), f"cannot be combined with {key}_file: remove one of them"
    if config.authorization and config.authorization.type.lower() == "basic":
        yield ("authorization", "type"), "use basic_auth for a user and a password"
    tls = config.tls_config
    if bool(tls.cert or tls.cert_file) != bool(tls.key or tls.key_file):
        yield ("tls_config",), "needs the certificate and its key: cert_file and key_file"
    if tls.max_version < max(tls.min_version, _OLDEST):
        yield ("tls_config", "max_version"), f"must be at least {max(tls.min_version, _OLDEST)}"
    if config.proxy_url and config.proxy_from_environment:
        yield ("proxy_url",), "cannot be combined with proxy_from_environment: remove one of them"


def authorization_of(config: HttpConfig) -> dict[str, str]:
    """Return the header for the user and password, or for another type; empty without either.

    Raises:
        ConfigError: a header cannot contain them, or a file has none; `NotReadyError` where it can't be read now.
    """
    basic, other = config.basic_auth, config.authorization
    if basic:
        user = _content(basic.username, basic.username_file)
        if ":" in user:
            raise ConfigError("basic_auth.username: a user's name can't hold a colon")
        login = f"{user}:{_content(basic.password, basic.password_file)}"
        return {"Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"}
    if other:
        credentials = _content(other.credentials, other.credentials_file)
        value = f"{other.type} {credentials}".strip()
        if not (value.isascii() and value.isprintable()):
            raise ConfigError("authorization: expected one line of ASCII")
        return {"Authorization": value}
    return {}


def _content(text: str | None, file: Path | None) -> str:
    return Secret(file=file).reveal().strip() if file else text or ""


def context_of(tls: TlsClient) -> ssl.SSLContext:
    """Return the TLS context of a client; raises `ConfigError` where a certificate, key or CA can't be used."""
    try:
        context = ssl.create_default_context(cafile=tls.ca_file, cadata=tls.ca)
    except ssl.SSLError:
        raise ConfigError("tls_config: the CAs are no PEM certificates") from None
    except OSError as error:
        raise ConfigError(f"tls_config: ca_file cannot be read: {error.strerror}") from None
    if tls.insecure_skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    context.minimum_version = _VERSIONS[max(tls.min_version, _OLDEST)]
    context.maximum_version = _VERSIONS[tls.max_version]
    if tls.cert or tls.cert_file:
        try:
            load_pair(context, (tls.cert_file, tls.cert), (tls.key_file, tls.key))
        except ConfigError as error:
            raise ConfigError(f"tls_config: {error}") from None
    return context


def proxy_of(config: HttpConfig, url: str) -> httpx.Proxy | None:
    """Return the proxy for a URL, or None; raises `ConfigError` where it is no URL of a proxy."""
    if config.proxy_from_environment:
        return environment_proxy(url)
    if config.proxy_url is None:
        return None
    try:
        proxy = httpx.Proxy(config.proxy_url)
        usable = proxy.url.scheme in {"http", "https"} and bool(proxy.url.host)
    except (ValueError, httpx.InvalidURL):
        usable = False
    if not usable:
        raise ConfigError("proxy_url: expected the URL of a proxy, such as http://HOST:3128; SOCKS is not supported")
    return proxy if proxy.auth is None else proxy_with_login(str(proxy.url), *proxy.auth)
