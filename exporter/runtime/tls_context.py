"""TLS contexts that can be replaced while connections are open."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class CurrentContext(ssl.SSLContext):
    """A context that gives each new connection the one that `current` returns then."""

    current: Callable[[], ssl.SSLContext]

    def wrap_bio(self, *arguments: Any, **options: Any) -> ssl.SSLObject:
        """Start a connection; asyncio calls this."""
        return self.current().wrap_bio(*arguments, **options)
