"""The reason why a call got no response, by exception; without its message, which names hosts and addresses."""

from __future__ import annotations

import socket
import ssl

import aiohttp
from aiohttp.http_exceptions import LineTooLong

from exporter.cloud.http.proxy_login import ProxyLoginError, causes
from exporter.cloud.http.resolver import DnsTimeoutError
from exporter.cloud.http.sessions import LONGEST_HEADER

_NO_ADDRESS = (
    "the host name has no address: check region, endpoint, proxy and DNS; "
    "a cloud with another domain, such as Swiss OTC, needs iam_endpoint and projects[].endpoint"
)
_PROXY_LOGIN = (
    "the proxy requires a user and password, or refuses the configured ones (407): "
    "set proxy: {url: http://HOST:PORT, user: NAME, password: {env: NAME}}, or correct HTTPS_PROXY if it is used"
)
_KINDS: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
    ((LineTooLong,), f"a response header is longer than {LONGEST_HEADER >> 10} KiB: check the endpoint, and proxy"),
    ((aiohttp.ClientProxyConnectionError,), "the proxy is not reached: check proxy"),
    (
        (ssl.SSLCertVerificationError, aiohttp.ClientConnectorCertificateError),
        "the TLS certificate is not trusted: check the endpoint's host, and ca_file",
    ),
    ((ssl.SSLError, aiohttp.ClientConnectorSSLError), "no TLS there: check the endpoint's port, and proxy"),
    ((DnsTimeoutError,), "DNS does not respond: check the name servers of this machine"),
    ((socket.gaierror, aiohttp.ClientConnectorDNSError), _NO_ADDRESS),
    ((ConnectionRefusedError,), "the connection is refused: check the endpoint's host and port"),
)


def reason_of(error: BaseException, host: str = "") -> str:
    """The fault of the connection to `host`, and what to check; empty if it is not known."""
    chain = list(causes(error))
    if any(isinstance(cause, ProxyLoginError) for cause in chain):
        return _PROXY_LOGIN
    refused = next((cause for cause in chain if isinstance(cause, aiohttp.ClientHttpProxyError)), None)
    if refused is not None:
        rules = "check the endpoint and the rules of the proxy"
        return f"the proxy does not connect to the endpoint ({refused.status}): {rules}"
    unknown = next((cause for cause in chain if isinstance(cause, aiohttp.ClientConnectorDNSError)), None)
    if unknown is not None and host and unknown.host != host:
        return "the host name of the proxy has no address: check proxy"
    return next((text for kinds, text in _KINDS if any(isinstance(cause, kinds) for cause in chain)), "")


def header_too_long(error: BaseException) -> bool:
    """Return whether a header of the response was longer than what is read: it would be the next time as well."""
    return any(isinstance(cause, LineTooLong) for cause in causes(error))
