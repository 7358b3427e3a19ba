"""TLS contexts that can be replaced while connections are open."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any


class CurrentContext(ssl.SSLContext):
    """A context that uses for each new connection the context that `current` returns."""

    current: Callable[[], ssl.SSLContext]

    def wrap_bio(self, *arguments: Any, **options: Any) -> ssl.SSLObject:
        """Start a connection; called by asyncio."""
        return self.current().wrap_bio(*arguments, **options)
