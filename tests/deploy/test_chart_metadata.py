"""The Helm chart: its versions, its repository, and its sources."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
import yaml

from tests.lib.chart import SOURCE, VERSIONS, AssembledChart
from tests.lib.paths import ROOT
from tests.lib.tools import needs


def test_the_chart_has_the_version_of_the_exporter() -> None:
    metadata = yaml.safe_load((SOURCE / "Chart.yaml").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert metadata["version"] == metadata["appVersion"] == project["version"]


@needs("make")
def test_the_chart_names_the_repository_from_which_it_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROJECT_URL", "https://git.example/drs")
    metadata = yaml.safe_load((AssembledChart(tmp_path / "chart").folder / "Chart.yaml").read_text())
    assert (metadata["home"], metadata["sources"]) == ("https://git.example/drs", ["https://git.example/drs"])


def test_the_oldest_version_is_that_of_the_tests() -> None:
    assert yaml.safe_load((SOURCE / "Chart.yaml").read_text())["kubeVersion"] == f">={VERSIONS[0]}-0"


def test_the_sources_contain_no_copy_of_rules_and_dashboards() -> None:
    assert not (SOURCE / "files").exists()
