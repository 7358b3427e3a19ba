"""Why an exporter at --url gave no usable response, and what to do; without the messages of the libraries."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping

import aiohttp

from exporter.cloud.http.proxy_login import causes
from exporter.cloud.http.resolver import DnsTimeoutError

FILE_OPTION = "--http.config.file"
_NOT_FOUND = "404: no drs-exporter there, or an older one; --url is the URL of its status page"
_STATUSES: Mapping[int, str] = {
    400: "400: it does not know the parameters, and so is older than this program",
    401: f"401: it needs a user and password, or refuses these: write basic_auth into the file of {FILE_OPTION}",
    403: "403: it refuses this client",
    404: _NOT_FOUND,
    407: f"407: the proxy needs a user and password: write them into proxy_url in the file of {FILE_OPTION}",
    429: "429: it has had too many requests, try again later",
}
_NO_RESPONSE = (
    "it ends the connection without a response: if it requires a client certificate, write tls_config with cert_file "
    f"and key_file into the file of {FILE_OPTION}"
)
_FAULTS: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
    ((aiohttp.ClientProxyConnectionError,), "the proxy is not reached: check proxy_url"),
    (
        (ssl.SSLCertVerificationError, aiohttp.ClientConnectorCertificateError),
        f"its TLS certificate is not trusted, or is for another name: write tls_config into the file of {FILE_OPTION}",
    ),
    ((DnsTimeoutError,), "DNS does not respond: check the name servers of this machine"),
    ((socket.gaierror, aiohttp.ClientConnectorDNSError), "the host name has no address: check --url"),
    ((ConnectionRefusedError,), "the connection is refused: check the port, and that the exporter runs"),
    ((ssl.SSLError, aiohttp.ClientConnectorSSLError), "no TLS there: check the port, or write http:// in --url"),
    (
        (aiohttp.ServerDisconnectedError, aiohttp.ClientResponseError, ConnectionResetError),
        "no HTTP there: check the port, or write https:// in --url",
    ),
)


def reason_of_status(status: int) -> str:
    """Return the meaning of an HTTP status other than 200."""
    return _STATUSES.get(status, f"status {status}: it, or a proxy before it, fails")


def reason_of(error: Exception, scheme: str) -> str:
    """Return why there was no response from a URL with this scheme."""
    chain = list(causes(error))
    refused = next((cause for cause in chain if isinstance(cause, aiohttp.ClientHttpProxyError)), None)
    if refused is not None:
        return _STATUSES.get(refused.status, f"the proxy does not connect to it ({refused.status})")
    if scheme == "https" and any(map(_may_require_a_certificate, chain)):
        return _NO_RESPONSE
    known = (text for kinds, text in _FAULTS if any(isinstance(cause, kinds) for cause in chain))
    return next(known, "no usable response: check --url, firewall and proxy")


def _may_require_a_certificate(cause: BaseException) -> bool:
    """Return whether an error may come from a server that requires a client certificate: it ends the connection."""
    alert = "CERTIFICATE_REQUIRED" in str(getattr(cause, "reason", ""))
    return alert or isinstance(cause, aiohttp.ServerDisconnectedError | ConnectionResetError)
