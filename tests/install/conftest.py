from __future__ import annotations

from pathlib import Path

import pytest

from tests.install.distributions import built, installed_pip


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of the built wheel."""
    return built("wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def newest_pip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The newest pip. It searches an index in a quarter of the time of the pip that Python 3.11 and 3.12 contain."""
    return installed_pip("pip", tmp_path_factory.mktemp("pip"))
