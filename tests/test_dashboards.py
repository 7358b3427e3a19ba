from __future__ import annotations

import json
import re
import runpy
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from exporter.catalogue import family_names
from exporter.telemetry import OWN_FAMILIES
from tests.dashboards import dashboard_expressions, dashboard_panels
from tests.tools import require

GRAFANA = Path(__file__).parent.parent / "deploy" / "grafana"
FLEET = GRAFANA / "fleet.json"
PANELS = dashboard_panels(FLEET)
QUERIES = dashboard_expressions(FLEET)
DASHBOARD = json.loads(FLEET.read_text())

by_title = pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])


def test_the_committed_file_is_what_the_generator_makes() -> None:
    assert FLEET.read_text() == runpy.run_path(str(GRAFANA / "build.py"))["text"]()


def test_every_query_parses(tmp_path: Path) -> None:
    rules = [{"record": f"query:{number}", "expr": query} for number, (_, query) in enumerate(QUERIES)]
    file = tmp_path / "queries.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    command = [require("promtool", "prometheus"), "check", "rules", str(file)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_every_metric_exists() -> None:
    exposed = family_names() | {own.name for own in OWN_FAMILIES}
    asked = {name for _, query in QUERIES for name in re.findall(r"\bdrs_\w+", query)}
    assert asked
    assert {re.sub(r"_(bucket|sum|count)$", "", name) for name in asked} <= exposed


@by_title
def test_every_panel_explains_itself(panel: dict[str, Any]) -> None:
    assert panel["type"] in {"stat", "bargauge", "timeseries", "table"}
    assert panel["title"]
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["fieldConfig"]["defaults"]["thresholds"]["steps"][0]["value"] is None


@by_title
def test_every_query_asks_the_chosen_data_source_about_the_chosen_projects(panel: dict[str, Any]) -> None:
    assert panel["datasource"]["uid"] == "${datasource}"
    for target in panel["targets"]:
        assert target["datasource"]["uid"] == "${datasource}"
        selectors = re.findall(r"\bdrs_\w+\{(.*?)\}", target["expr"])
        assert len(selectors) == len(re.findall(r"\bdrs_", target["expr"]))
        assert all('account=~"$account", region=~"$region"' in selector for selector in selectors)


def test_choices_narrow_from_account_to_region_to_project() -> None:
    choices = {one["name"]: one for one in DASHBOARD["templating"]["list"]}
    assert list(choices) == ["datasource", "account", "region", "project"]
    assert "$account" in choices["region"]["definition"]
    assert "$region" in choices["project"]["definition"]


def test_panels_have_ids_of_their_own_and_do_not_overlap() -> None:
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in DASHBOARD["panels"])
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


def test_a_variable_that_has_no_value_is_reported(tmp_path: Path) -> None:
    file = tmp_path / "unknown.json"
    panel = {"type": "stat", "title": "t", "targets": [{"expr": "up > $limit"}]}
    file.write_text(json.dumps({"templating": {"list": []}, "panels": [panel]}))
    with pytest.raises(ValueError, match="limit"):
        dashboard_expressions(file)
