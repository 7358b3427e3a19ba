"""TLS for the web server: an SSL context from the web configuration."""

from __future__ import annotations

import ipaddress
import os
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from exporter.config import ConfigError
from exporter.web.schema import CIPHERS, OLDEST, VERIFYING, TlsServer

_VERSIONS = {"TLS12": ssl.TLSVersion.TLSv1_2, "TLS13": ssl.TLSVersion.TLSv1_3}
_CURVES = {"CurveP256": "prime256v1", "CurveP384": "secp384r1", "CurveP521": "secp521r1", "X25519": "X25519"}


def server_context(tls: TlsServer) -> tuple[ssl.SSLContext, list[str]]:
    """Return a context, and the settings that it does not support, each with its reason.

    Raises:
        ConfigError: a certificate, key or CA can't be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.options |= ssl.OP_NO_RENEGOTIATION
    if not tls.prefer_server_cipher_suites:
        context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    context.set_alpn_protocols(["http/1.1"])
    context.minimum_version = _VERSIONS[max(tls.min_version, OLDEST)]
    context.maximum_version = _VERSIONS[tls.max_version]
    unsupported = [*_ciphers(context, tls), *_curves(context, tls)]
    if tls.min_version < OLDEST:
        unsupported.insert(0, f"min_version: {tls.min_version} is not served, {OLDEST} is the oldest")
    load_pair(context, (tls.cert_file, tls.cert), (tls.key_file, tls.key))
    if tls.client_auth_type in VERIFYING:
        required = tls.client_auth_type == "RequireAndVerifyClientCert"
        context.verify_mode = ssl.CERT_REQUIRED if required else ssl.CERT_OPTIONAL
        _load_clients(context, tls)
    elif tls.client_auth_type != "NoClientCert":
        unsupported.append("client_auth_type: no certificate is requested from clients, since it would not be verified")
    return context, unsupported


def names_of(certificate: Mapping[str, Any] | None) -> frozenset[str]:
    """Return the alternative names in a client's certificate, in the form of `SSLSocket.getpeercert`."""
    pairs = (certificate or {}).get("subjectAltName", ())
    return frozenset(_address(name) if kind == "IP Address" else name for kind, name in pairs)


def _address(text: str) -> str:
    with suppress(ValueError):  # OpenSSL writes "<invalid>"
        return str(ipaddress.ip_address(text))
    return text


def _ciphers(context: ssl.SSLContext, tls: TlsServer) -> Iterator[str]:
    """Set the cipher suites for TLS 1.2. Those for TLS 1.3 can't be chosen, neither here nor in Go."""
    served = []
    for name in tls.cipher_suites:
        if name in CIPHERS:
            if _exists(CIPHERS[name]):
                served.append(CIPHERS[name])
            else:
                yield f"cipher_suites: {name} is not served, OpenSSL does not have it"
    if served:
        context.set_ciphers(":".join(served))
    elif tls.cipher_suites and tls.max_version == OLDEST:
        raise ConfigError("cipher_suites has none for TLS 1.2, which max_version makes the newest")
    elif tls.cipher_suites:
        context.minimum_version = ssl.TLSVersion.TLSv1_3


def _exists(cipher: str) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).set_ciphers(cipher)
    except ssl.SSLError:
        return False
    return True


def _curves(context: ssl.SSLContext, tls: TlsServer) -> Iterator[str]:
    if len(tls.curve_preferences) == 1:
        context.set_ecdh_curve(_CURVES[tls.curve_preferences[0]])
    elif tls.curve_preferences:
        yield "curve_preferences: only a single curve can be set, OpenSSL chooses"


def load_pair(
    context: ssl.SSLContext, certificate: tuple[Path | None, str | None], key: tuple[Path | None, str | None]
) -> None:
    """Load a certificate and its key, each from a file, or else from a text; raises `ConfigError`."""
    try:
        with _file(*certificate) as cert_file, _file(*key) as key_file:
            # Without the password, OpenSSL would prompt on the terminal.
            context.load_cert_chain(cert_file, key_file, password=lambda: b"")
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise ConfigError("the key does not belong to the certificate") from None
        reason = f" ({error.reason})" if error.reason else ""
        raise ConfigError(f"not a certificate and its key, both PEM, the key not encrypted{reason}") from None
    except OSError as error:
        raise ConfigError(f"the certificate or its key cannot be read: {error.strerror}") from None


def _load_clients(context: ssl.SSLContext, tls: TlsServer) -> None:
    try:
        context.load_verify_locations(cafile=tls.client_ca_file, cadata=tls.client_ca)
    except ssl.SSLError:
        raise ConfigError("the CAs for clients are no PEM certificates") from None
    except OSError as error:
        raise ConfigError(f"client_ca_file cannot be read: {error.strerror}") from None


@contextmanager
def _file(path: Path | None, text: str | None) -> Iterator[Path | str]:
    """Provide a file for OpenSSL, which reads nothing else. A text is kept in memory, never on a disk."""
    if path is not None or text is None:
        yield path or ""
        return
    if not hasattr(os, "memfd_create"):
        raise ConfigError("cert and key need Linux: use cert_file and key_file")
    number = os.memfd_create("pem")
    try:
        os.write(number, text.encode())
        yield f"/proc/self/fd/{number}"
    finally:
        os.close(number)
