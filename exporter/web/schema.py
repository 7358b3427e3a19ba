"""The web configuration, in the format of Prometheus' exporter-toolkit: its keys and its rules.

https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from exporter.config import Document, Duration, ListOf, Loc, ReadableFile, Section, Text, add_schema_errors

OLDEST = "TLS12"
"""The oldest version that is served, whatever the file says."""
VERIFYING = ("RequireAndVerifyClientCert", "VerifyClientCertIfGiven")
"""The policies under which a client's certificate is verified."""
_FILES = ("cert_file", "key_file", "client_ca_file")
# The last character of the salt holds two bits.
_BCRYPT = re.compile(r"\$2[abxy]\$(0[4-9]|1[0-6])\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{31}")

Version = Literal["TLS10", "TLS11", "TLS12", "TLS13"]
ClientAuth = Literal[
    "NoClientCert",
    "RequestClientCert",
    "RequireClientCert",
    "RequireAnyClientCert",
    "VerifyClientCertIfGiven",
    "RequireAndVerifyClientCert",
]
CIPHERS: Mapping[str, str] = {
    **{
        f"TLS_{exchange}_WITH_{cipher}": f"{prefix}{openssl}"
        for exchange, prefix in (("RSA", ""), ("ECDHE_RSA", "ECDHE-RSA-"), ("ECDHE_ECDSA", "ECDHE-ECDSA-"))
        for cipher, openssl in (
            ("AES_128_GCM_SHA256", "AES128-GCM-SHA256"),
            ("AES_256_GCM_SHA384", "AES256-GCM-SHA384"),
            ("AES_128_CBC_SHA256", "AES128-SHA256"),
            ("AES_128_CBC_SHA", "AES128-SHA"),
            ("AES_256_CBC_SHA", "AES256-SHA"),
            ("RC4_128_SHA", "RC4-SHA"),
        )
    },
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-RSA-CHACHA20-POLY1305",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-ECDSA-CHACHA20-POLY1305",
    "TLS_RSA_WITH_3DES_EDE_CBC_SHA": "DES-CBC3-SHA",
    "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA": "ECDHE-RSA-DES-CBC3-SHA",
}
"""The OpenSSL names of the cipher suites for TLS 1.2, by their Go names. OpenSSL may lack some."""
_TLS13_CIPHERS = ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256")


def _cipher(name: str) -> str:
    if name not in CIPHERS and name not in _TLS13_CIPHERS:
        raise ValueError(
            "expected a cipher suite by its name in Go's crypto/tls, such as TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
        )
    return name


def _header_value(text: str) -> str:
    if not (text.isascii() and text.isprintable() and text == text.strip()):
        raise ValueError("expected one line of ASCII, without space around it")
    return text


def _or_zero(value: object, handler: ValidatorFunctionWrapHandler) -> object:
    if str(value) in {"0", "0s"}:
        return 0.0
    if not isinstance(value, str):
        raise ValueError("expected a duration with its unit, such as 500ms or 1s; 0 switches the limit off")  # noqa: TRY004 - pydantic's
    return handler(value)


HeaderValue = Annotated[str, AfterValidator(_header_value)]
Blank = BeforeValidator(lambda value: None if value == "" else value)


class TlsServer(Section):
    """How TLS is served; without this section, plain HTTP is."""

    cert_file: ReadableFile | None = None
    """PEM file of the certificate, followed by its chain."""
    key_file: ReadableFile | None = None
    """PEM file of the key, not encrypted."""
    cert: Text | None = None
    """The certificate itself, instead of cert_file."""
    key: Text | None = Field(None, repr=False)
    """The key itself, instead of key_file."""
    client_auth_type: ClientAuth = "NoClientCert"
    """True if clients need a certificate: RequireAndVerifyClientCert."""
    client_ca_file: ReadableFile | None = None
    """PEM file of the CAs that sign the certificates of clients."""
    client_ca: Text | None = None
    """These CAs themselves, instead of client_ca_file."""
    client_allowed_sans: ListOf[Text] | None = Field(None, min_length=1)
    """Only clients whose certificate has one of these alternative names are served."""
    min_version: Version = "TLS12"
    max_version: Version = "TLS13"
    cipher_suites: ListOf[Annotated[str, AfterValidator(_cipher)]] = ()
    """Cipher suites for TLS 1.2, as Go names them. Empty: Python's default."""
    prefer_server_cipher_suites: bool = True
    """True if the server's order of cipher suites counts, not the client's."""
    curve_preferences: ListOf[Literal["CurveP256", "CurveP384", "CurveP521", "X25519"]] = ()
    """The curve for the key exchange. Empty, or more than one: OpenSSL chooses."""


class Headers(Section):
    """Headers of responses, for browsers."""

    content_security_policy: Annotated[HeaderValue | None, Blank] = Field(None, alias="Content-Security-Policy")
    """Not for the pages, which have a stricter one."""
    x_frame_options: Annotated[Literal["deny", "sameorigin"] | None, Blank] = Field(None, alias="X-Frame-Options")
    x_content_type_options: Annotated[Literal["nosniff"] | None, Blank] = Field(None, alias="X-Content-Type-Options")
    """`nosniff` is sent in any case."""
    x_xss_protection: Annotated[HeaderValue | None, Blank] = Field(None, alias="X-XSS-Protection")
    strict_transport_security: Annotated[HeaderValue | None, Blank] = Field(None, alias="Strict-Transport-Security")


class HttpServer(Section):
    """How HTTP is served."""

    http2: bool = False
    """Accepted and logged as not supported: the exporter serves HTTP/1.1 only."""
    headers: Headers = Field(default_factory=Headers)
    """Added to every response."""


class RateLimit(Section):
    """The rate limit for requests; a request over it gets status 429."""

    interval: Annotated[Duration, WrapValidator(_or_zero)] = 0.0
    """Mean time between two requests; 0: no limit."""
    burst: int = Field(0, ge=0)
    """Requests at once after a pause."""


class WebConfig(Section):
    """The whole file."""

    tls_server_config: TlsServer = Field(default_factory=TlsServer)
    http_server_config: HttpServer = Field(default_factory=HttpServer)
    basic_auth_users: dict[str, Any] = Field(default_factory=dict, repr=False)
    """Hashes of passwords (bcrypt), by user. Empty: no password is needed."""
    rate_limit: RateLimit = Field(default_factory=RateLimit)


def files_named(data: object) -> tuple[str, ...]:
    """Return the files that a document names, valid or not."""
    tls = data.get("tls_server_config") if isinstance(data, dict) else None
    named = [tls.get(key) for key in _FILES] if isinstance(tls, dict) else []
    return tuple(name for name in named if isinstance(name, str))


def checked(document: Document, folder: Path) -> WebConfig:
    """Validate a document; relative paths start in the folder.

    Raises:
        ConfigError: all errors, one line each, in the order of the file.
    """
    try:
        config = WebConfig.model_validate(document.data, context=folder)
    except ValidationError as error:
        add_schema_errors(document, WebConfig, error)
        raise document.error() from None
    for key, text in _tls_errors(config.tls_server_config):
        document.add_error(("tls_server_config", *key), text)
    if config.rate_limit.interval and not config.rate_limit.burst:
        document.add_error(("rate_limit",), "burst must be at least 1, else every request is refused")
    for loc, text in _user_errors(config.basic_auth_users):
        # The name of a user is not shown; the line number is enough.
        document.add_error(loc[:1], text, document.lines.get(loc))
    if document.has_errors:
        raise document.error()
    return config


def _tls_errors(tls: TlsServer) -> Iterator[tuple[Loc, str]]:
    given = tls.model_fields_set
    for name in ("cert", "key", "client_ca") if given else ():
        both = {name, f"{name}_file"} & given
        if len(both) > 1:
            yield (name,), f"cannot be combined with {name}_file: remove one of them"
        elif not both and name != "client_ca":
            yield (), f"needs {name}_file, or else {name}"
    if {"client_ca", "client_ca_file"} & given and tls.client_auth_type not in VERIFYING:
        yield (), "has CAs for clients, and does not use them: set client_auth_type to RequireAndVerifyClientCert"
    if tls.client_auth_type in VERIFYING and not {"client_ca", "client_ca_file"} & given:
        yield ("client_auth_type",), "needs client_ca_file, or else client_ca"
    if tls.client_auth_type in {"RequireClientCert", "RequireAnyClientCert"}:
        yield ("client_auth_type",), "takes any certificate, which proves nothing: use RequireAndVerifyClientCert"
    if tls.client_allowed_sans and tls.client_auth_type != "RequireAndVerifyClientCert":
        yield ("client_allowed_sans",), "needs client_auth_type RequireAndVerifyClientCert"
    if tls.max_version < max(tls.min_version, OLDEST):
        yield ("max_version",), f"must be at least {max(tls.min_version, OLDEST)}"


def _user_errors(users: Mapping[str, object]) -> Iterator[tuple[Loc, str]]:
    for user, stored in users.items():
        if ":" in user:
            yield ("basic_auth_users", user), "a user's name can't hold a colon"
        if not (isinstance(stored, str) and _BCRYPT.fullmatch(stored)):
            yield (
                ("basic_auth_users", user),
                "expected a bcrypt hash of cost 4 to 16, as `htpasswd -nBC 10 USER` prints it after the colon",
            )
