"""The clock of everything that waits, pauses or ends: not the wall's, which may be set back."""

from __future__ import annotations

import asyncio


def clock() -> float:
    """Monotonic seconds, as the event loop counts them."""
    return asyncio.get_running_loop().time()
