from __future__ import annotations

import pytest

from tests.lib.chart import AssembledChart


@pytest.fixture(scope="session")
def chart(tmp_path_factory: pytest.TempPathFactory) -> AssembledChart:
    """The Helm chart with rules and dashboards; a test that uses it needs make."""
    return AssembledChart(tmp_path_factory.mktemp("chart") / "drs-exporter")
