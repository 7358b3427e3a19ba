"""Authentication of requests: signatures, temporary keys, tokens (API Gateway; IAM API reference, "Authentication")."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from exporter.simulator import signature
from exporter.simulator.protocol import Refusal
from exporter.simulator.world.formats import signing

if TYPE_CHECKING:
    from exporter.simulator.accounts import Accounts
    from exporter.simulator.protocol import Request

LARGEST_SKEW = 15 * 60
"""Seconds between a signature's date and our clock."""
_DATE = re.compile(r"\d{8}T\d{6}Z", re.ASCII)


def authenticate(accounts: Accounts, request: Request) -> str | None:
    """The project that the credentials are limited to, None for any.

    Raises:
        Refusal: 401 APIGW.0301, or 403 DRS.M00100 for a bad token.
    """
    if "authorization" in request.headers:
        _check_signature(accounts, request)
        return None
    token = request.headers.get("x-auth-token")
    if token is None:
        raise _unauthorized("x-auth-token not found")
    known = accounts.auth_tokens.get(token)
    if known is None or known.expires <= request.now:
        # 403, not 401: a client has to sign in again all the same.
        raise Refusal(403, "DRS.M00100", "Invalid token.")
    return known.project_id


def _unauthorized(why: str) -> Refusal:
    return Refusal(401, "APIGW.0301", f"Incorrect IAM authentication information: {why}")


def _check_signature(accounts: Accounts, request: Request) -> None:
    parts = signature.parse(request.headers["authorization"])
    if parts is None:
        raise _unauthorized("Authorization header is malformed")
    _check_date(request)
    secret = accounts.keys.get(parts.access_key)
    if secret is None:
        raise _unauthorized(f"ak {parts.access_key} not exist")
    _check_security_token(accounts, request, parts.access_key)
    if not signature.is_valid(request, parts, secret):
        raise _unauthorized("verify aksk signature fail")


def _check_date(request: Request) -> None:
    date = request.headers.get(signature.DATE_HEADER, "")
    try:
        signed = _epoch(date)
    except ValueError:
        raise _unauthorized("x-sdk-date not found or malformed") from None
    if abs(request.now - signed) > LARGEST_SKEW:
        raise _unauthorized(f"signature expired, signature time:{date},server time:{signing(request.now)}")


def _epoch(date: str) -> float:
    """Unix time of a date such as ``20260102T030405Z``.

    Raises:
        ValueError: it is none.
    """
    if not _DATE.fullmatch(date):
        raise ValueError(date)
    return datetime.fromisoformat(date).timestamp()


def _check_security_token(accounts: Accounts, request: Request, access_key: str) -> None:
    token = request.headers.get("x-security-token")
    temporary = access_key in accounts.tokens.values()
    if token is None and not temporary:
        return
    if token is None or accounts.tokens.get(token) != access_key:
        raise _unauthorized("security token is invalid")
    if accounts.expiries.get(token, float("inf")) <= request.now:
        raise _unauthorized("security token is expired")
