from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lib.storage import close_databases


@pytest.fixture(autouse=True)
def _databases_are_closed() -> Iterator[None]:
    yield
    close_databases()
