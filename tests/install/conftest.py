from __future__ import annotations

from pathlib import Path

import pytest

from tests.install.distributions import built


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of the built wheel."""
    return built("wheel", tmp_path_factory.mktemp("wheel"))
