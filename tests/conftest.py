"""What every test needs: logging as it was before, whatever a command configured."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
import structlog

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root, loop = logging.getLogger(), logging.getLogger("asyncio")
    handlers, level, of_loop = list(root.handlers), root.level, loop.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)
    loop.setLevel(of_loop)
