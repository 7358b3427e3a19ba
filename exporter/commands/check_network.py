"""Findings about the connection to the cloud: hosts that do not respond, ignored proxies, mistyped regions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import httpx

from exporter.cloud.http.errors import CloudError
from exporter.cloud.http.proxies import variable_for
from exporter.cloud.operations import OPERATIONS
from exporter.commands.connections import key_of
from exporter.commands.findings import Finding
from exporter.config import Account, Project, region_hints
from exporter.views.errors import NO_RESPONSE, Level
from exporter.views.text import project_text

_PORTS = {"https": 443, "http": 80}


def place_of(error: CloudError, account: Account, project: Project) -> str:
    """Return host and port of a call that got no response; empty for any other error."""
    url = httpx.URL(_endpoint(error, account, project))
    port = url.port or _PORTS.get(url.scheme)
    return f" from {url.host}:{port}" if url.host and error.code in NO_RESPONSE else ""


def proxy_findings(errors: Iterable[CloudError], account: Account, project: Project) -> Iterator[Finding]:
    """Report, if calls got no response, proxy variables that are set and ignored, or required and not set."""
    where = project_text(key_of(account, project))
    urls = [_endpoint(error, account, project) for error in errors if error.code in NO_RESPONSE]
    if account.proxy is not None and account.proxy.from_environment and not all(map(variable_for, filter(None, urls))):
        what = "proxy.from_environment is true, but the environment names no proxy for the endpoint"
        yield Finding(Level.WARN, where, what, "check HTTPS_PROXY, ALL_PROXY and NO_PROXY")
    names = {name: None for url in urls if url and (name := variable_for(url))} if account.proxy is None else {}
    for variable in names:
        what, remedy = f"{variable} is set and ignored", "to use it, set proxy: {from_environment: true}"
        yield Finding(Level.WARN, where, what, remedy)


def region_findings(account: Account) -> Iterator[Finding]:
    """Report the regions of an account that look mistyped."""
    for project, hint in region_hints(account):
        yield Finding(Level.WARN, project_text(key_of(account, project)), hint)


def _endpoint(error: CloudError, account: Account, project: Project) -> str:
    endpoints = {"drs": account.endpoint_for(project), "iam": account.iam_endpoint_for(project.region)}
    service = next((operation.service for operation in OPERATIONS if operation.name == error.operation), "")
    return endpoints.get(service, "")
