from __future__ import annotations

import json
import re
import runpy
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from tests.lib.dashboards import dashboard_annotations, dashboard_expressions, dashboard_panels
from tests.lib.paths import DEPLOY
from tests.lib.promql import faults, first_aggregations, selectors
from tests.lib.rules import RECORDED, promtool
from tests.lib.tools import needs

if TYPE_CHECKING:
    from pathlib import Path

GRAFANA = DEPLOY / "grafana"
FILES = sorted(GRAFANA.glob("*.json"))
NAMES = {"cutover", "exporter", "fleet", "recovery", "task"}
with pytest.MonkeyPatch.context() as patch:
    patch.syspath_prepend(GRAFANA)  # as Python does for a script
    BUILD = runpy.run_path(str(GRAFANA / "build.py"))
PANELS = [
    pytest.param(path, panel, id=f"{path.stem} {panel['title']}") for path in FILES for panel in dashboard_panels(path)
]
QUERIES = [
    pytest.param(query, id=f"{path.stem} {title}") for path in FILES for title, query in dashboard_expressions(path)
]
WITHOUT_ACCOUNT = {
    "up",
    "process_cpu_seconds_total",
    "process_resident_memory_bytes",
    "drs_exporter_api_request_duration_seconds_bucket",
    "drs_exporter_build_info",
    "drs_exporter_config_last_reload_success_timestamp_seconds",
    "drs_exporter_config_last_reload_successful",
    "drs_exporter_shard_info",
    "drs_wave_expected_tasks",
    "drs:exporter_shard",
    "drs:wave_ready",
    "drs:wave_tasks:sum",
}
"""Metrics without the label account."""

each_dashboard = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
each_panel = pytest.mark.parametrize(("path", "panel"), PANELS)


def test_all_dashboards_exist() -> None:
    assert {path.stem for path in FILES} == NAMES == set(BUILD["TITLES"])


@each_dashboard
def test_the_committed_file_is_fresh(path: Path) -> None:
    assert path.read_text() == BUILD["text"](path.stem)


@each_dashboard
def test_it_is_a_dashboard_of_the_official_schema(path: Path) -> None:
    register_default_plugins()
    read = json.loads(path.read_text())
    for events in read["annotations"]["list"]:
        del events["titleFormat"], events["useValueForTime"]  # which the data source defines
    assert json.loads(json.dumps(Dashboard.from_json(read), cls=JSONEncoder)) == read


@pytest.mark.parametrize("query", QUERIES)
def test_every_query_selects_names_and_labels_that_exist(query: str) -> None:
    assert faults(query, RECORDED) == []


@pytest.mark.parametrize("query", QUERIES)
def test_a_task_that_several_exporters_show_counts_once(query: str) -> None:
    """Before anything else, the labels of targets are removed; the dashboard of the exporter keeps job and instance."""
    for name, operator, labels in first_aggregations(query):
        assert operator in {"max", "min"}, name
        assert not labels & {"pod", "replica", "host", "cluster"}, name


@each_panel
def test_a_missing_value_has_no_colour_in_columns_with_thresholds(path: Path, panel: dict[str, Any]) -> None:
    for column in panel["fieldConfig"]["overrides"]:
        found = {setting["id"]: setting["value"] for setting in column["properties"]}
        if "thresholds" in found and "noValue" in found:
            special = [each["options"] for each in found["mappings"] if each["type"] == "special"]
            look = {"match": "null", "result": {"text": "-", "color": "text"}}
            assert special == [look], f"{path.stem} {column['matcher']['options']}"


@each_panel
def test_every_panel_has_a_description_and_links(path: Path, panel: dict[str, Any]) -> None:
    assert panel["type"] in {"stat", "bargauge", "timeseries", "state-timeline", "table"}
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["fieldConfig"]["defaults"]["noValue"]
    assert "value" not in panel["fieldConfig"]["defaults"]["thresholds"]["steps"][0] or (
        panel["fieldConfig"]["defaults"]["thresholds"]["steps"][0]["value"] is None
    )
    (link,) = panel["links"]
    assert f"/d/drs-{path.stem}?" not in link["url"]
    assert link["url"].partition("/d/drs-")[2].partition("?")[0] in NAMES


@each_panel
def test_every_query_follows_the_data_source_and_the_variables(path: Path, panel: dict[str, Any]) -> None:
    assert panel["datasource"]["uid"] == "${datasource}"
    for target in panel["targets"]:
        assert target["datasource"]["uid"] == "${datasource}"
        for selector in selectors(re.sub(r"\$__\w+", "5m", target["expr"])):
            if selector.name not in WITHOUT_ACCOUNT:
                chosen = {matcher.name: matcher.value for matcher in selector.matchers.matchers}
                assert chosen["account"].removesuffix("|") == "$account"
                assert chosen["region"].removesuffix("|") == "$region"


@each_dashboard
def test_variables_narrow_from_account_to_region_to_project_to_task(path: Path) -> None:
    choices = {variable["name"]: variable for variable in json.loads(path.read_text())["templating"]["list"]}
    assert list(choices) == ["datasource", "account", "region", "project", "task"][: len(choices)]
    assert ("task" in choices) == (path.stem != "exporter")
    names = list(choices)[1:]
    for number, name in enumerate(names):
        assert all(f'=~"${wider}"' in choices[name]["query"]["query"] for wider in names[:number])
        assert choices[name].get("includeAll", False) == ((path.stem, name) != ("task", "task"))


@each_dashboard
def test_the_variable_task_has_ids_as_values_and_names_as_texts(path: Path) -> None:
    for variable in json.loads(path.read_text())["templating"]["list"]:
        assert ("regex" in variable) == (variable["name"] == "task")
        if variable["name"] == "task":
            # How Grafana writes a series of query_result; it reads all matches of the expression together.
            series = (
                '{account="a",project="p",region="r",task_id="11jb101",task_name="the \\"old\\", 2"} 1 1700000000000'
            )
            expression = variable["regex"].removeprefix("/").removesuffix("/g").replace("?<", "?P<")
            found = [match.groupdict() for match in re.finditer(expression, series)]
            assert found == [{"value": "11jb101", "text": None}, {"value": None, "text": 'the \\"old\\", 2'}]


@needs("promtool")
def test_tasks_of_the_same_name_stay_apart_and_replicas_count_once(tmp_path: Path) -> None:
    of = dict(reversed(dashboard_expressions(GRAFANA / "fleet.json")))
    named = 'account="a",project="{}",region="r",task_id="{}",task_name="{}"'
    tasks = [named.format("p1", "1jb", "orders"), named.format("p2", "2jb", "orders"), named.format("p1", "3jb", "pay")]
    targets = [f'job="{job}",instance="{job}:1",replica="{job}",host="{job}"' for job in ("one", "two")]
    series = [
        {"series": f"{family},{task},{target}}}", "values": "1x10"}
        for family in ('drs_task_status{status="PAUSING"', 'drs_task_phase{phase="paused"')
        for task in tasks
        for target in targets
    ]
    choices = [
        named.format("p1", "1jb", "orders, p1, 1jb"),
        named.format("p2", "2jb", "orders, p2, 2jb"),
        named.format("p1", "3jb", "pay"),
    ]
    expected = {
        of["variable task"]: [f"{{{labels}}}" for labels in choices],
        of["Failed and paused tasks"]: [f'{{{labels},phase="paused",status="PAUSING"}}' for labels in tasks],
    }
    cases = [
        {"expr": query, "eval_time": "5m", "exp_samples": [{"labels": labels, "value": 1} for labels in samples]}
        for query, samples in expected.items()
    ]
    cases.append({"expr": of["Paused tasks"], "eval_time": "5m", "exp_samples": [{"labels": "{}", "value": 3}]})
    test = {"tests": [{"interval": "1m", "input_series": series, "promql_expr_test": cases}]}
    (tmp_path / "test.yml").write_text(json.dumps(test))
    promtool("test", "rules", tmp_path / "test.yml")


@each_panel
def test_links_to_a_task_name_it_by_its_id(path: Path, panel: dict[str, Any]) -> None:
    for override in panel["fieldConfig"]["overrides"]:
        for shown in override["properties"]:
            if shown["id"] == "links":
                (link,) = shown["value"]
                assert ("/d/drs-task?" in link["url"]) == ('var-task=${__data.fields["Task id"]' in link["url"])


@each_dashboard
def test_annotations_follow_the_variables_and_name_labels_that_their_query_returns(path: Path) -> None:
    for events in dashboard_annotations(path):
        assert events["datasource"]["uid"] == "${datasource}"
        assert events["useValueForTime"] == events["expr"].startswith("1000 * ")
        timestamps = "_timestamp_seconds" in events["expr"] or "ALERTS_FOR_STATE" in events["expr"]
        assert timestamps == events["useValueForTime"]
        for label in re.findall(r"\{\{(\w+)\}\}", events["titleFormat"]):
            assert re.search(rf"(by|group_left) \([^)]*\b{label}\b", events["expr"])
        for selector in selectors(events["expr"]):
            chosen = {matcher.name: matcher.value for matcher in selector.matchers.matchers}
            selected = (chosen.get("account", "").removesuffix("|"), chosen.get("region", "").removesuffix("|"))
            assert selector.name in WITHOUT_ACCOUNT or selected == ("$account", "$region")


@each_dashboard
def test_nothing_is_hard_coded(path: Path) -> None:
    assert not re.search(r"[0-9a-f]{16}|https?://|localhost|demo", path.read_text())


@each_dashboard
def test_panels_have_ids_of_their_own_and_do_not_overlap(path: Path) -> None:
    panels = json.loads(path.read_text())["panels"]
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24
    assert len({panel["id"] for panel in panels}) == len(panels)


@pytest.mark.parametrize("name", ["fleet", "task", "cutover", "recovery"])
def test_tasks_without_a_delay_are_shown_beside_delays(name: str) -> None:
    measures = re.compile(r"drs_task_(incremental_delay|rpo|rto)_seconds|<delay>|<rpo>|<rto>")
    phases = re.compile(r"drs_task_phase|<halted>|<now>|<with_phase>")
    rows = yaml.safe_load((GRAFANA / f"{name}.yaml").read_text())["rows"]
    texts = [json.dumps(row) for row in rows]
    measured = [number for number, row in enumerate(texts) if measures.search(row)]
    assert measured
    for number in measured:
        assert any(phases.search(row) for row in texts[max(number - 1, 0) : number + 1])


def test_ready_is_the_verdict_of_the_exporter_and_nothing_else() -> None:
    assert {name for name in RECORDED if "ready" in name} == {"drs:wave_ready"}
    shown = [
        (path.stem, panel["title"])
        for path in FILES
        for panel in dashboard_panels(path)
        if any("drs_task_cutover_ready{" in target["expr"] for target in panel["targets"])
    ]
    assert {name for name, _ in shown} == {"cutover", "fleet", "task"}


@pytest.mark.parametrize("name", sorted(NAMES))
def test_what_was_not_checked_is_shown_beside_ready(name: str) -> None:
    for row in yaml.safe_load((GRAFANA / f"{name}.yaml").read_text())["rows"]:
        text = json.dumps(row)
        ready = "<ready>" in text or "drs_task_cutover_ready{" in text
        assert ready == ("<unchecked>" in text or "drs_task_cutover_unchecked{" in text)


def test_a_variable_that_has_no_value_is_reported(tmp_path: Path) -> None:
    file = tmp_path / "unknown.json"
    panel = {"type": "stat", "title": "t", "targets": [{"expr": "up > $limit"}]}
    file.write_text(json.dumps({"templating": {"list": []}, "panels": [panel]}))
    with pytest.raises(ValueError, match="limit"):
        dashboard_expressions(file)
