"""TLS contexts that can be replaced while connections are open, and those that libraries create."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_CAS_OF_HOST = "SSL_CERT_FILE", "SSL_CERT_DIR"
"""The environment variables that name the CAs which OpenSSL trusts by default."""


class CurrentContext(ssl.SSLContext):
    """A context that uses for each new connection the context that `current` returns."""

    current: Callable[[], ssl.SSLContext]

    def wrap_bio(self, *arguments: Any, **options: Any) -> ssl.SSLObject:
        """Start a connection; called by asyncio."""
        return self.current().wrap_bio(*arguments, **options)


@contextmanager
def without_cas_of_host() -> Iterator[None]:
    """Create TLS contexts that trust no CA by default: to read those of the host takes 20 ms and 1 MB for each."""
    before = {name: os.environ.get(name) for name in _CAS_OF_HOST}
    os.environ.update(dict.fromkeys(_CAS_OF_HOST, os.devnull))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
