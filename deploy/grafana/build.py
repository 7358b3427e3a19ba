#!/usr/bin/env python3
"""Generates the dashboards for Grafana from their descriptions: fleet.json from fleet.yaml, and so on.

Run it after a change there. The words, thresholds, colours and columns of all dashboards stand in shared.yaml.
"""

from __future__ import annotations

import json
from pathlib import Path

import yaml
from grafana_foundation_sdk.builders import dashboard as dashboards
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as models
from panels import panel
from shared import SHARED, SOURCE, TITLES, Json, expand

HERE = Path(__file__).parent
WIDTH = 24


def places(rows: list[Json]) -> list[tuple[Json, models.GridPos]]:
    """Headings and panels, each panel at the highest free position below the heading of its row."""
    placed: list[tuple[Json, models.GridPos]] = []
    top = 0
    for row in rows:
        placed.append((row, models.GridPos(h=1, w=WIDTH, x=0, y=top)))
        floor = [top + 1] * WIDTH
        for spec in row["panels"]:
            width, height = spec["size"]
            y, x = min((max(floor[left : left + width]), left) for left in range(WIDTH - width + 1))
            floor[x : x + width] = [y + height] * width
            placed.append((spec, models.GridPos(h=height, w=width, x=x, y=y)))
        top = max(floor)
    return placed


def variable(name: str) -> dashboards.QueryVariable:
    """A variable with the values of a label, filtered by the variables before it."""
    label, query = SHARED["variables"][name]
    made = (
        dashboards.QueryVariable(name.rpartition(" ")[2])
        .label(label)
        .datasource(SOURCE)
        .query({"query": expand(query, SHARED["words"]), "refId": "variable"})
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_ASC)
    )
    if "query_result" in query:
        made.regex(SHARED["choice"])
    if name == "one task":
        return made.multi(False)
    everything = models.VariableOption(text=["All"], value=["$__all"], selected=True)
    return made.multi(True).include_all(True).all_value(".*").current(everything)


def annotation(name: str, words: dict[str, str]) -> dashboards.AnnotationQuery:
    """The query of the events with this name in shared.yaml."""
    spec = SHARED["annotations"][name]
    made = dashboards.AnnotationQuery().name(spec["title"]).datasource(SOURCE).enable(True).icon_color(spec["color"])
    return made.expr(expand(spec["query"], words))


def annotation_settings(name: str) -> Json:
    """The settings of an annotation that only Prometheus as its data source has, and the schema does not contain."""
    spec = SHARED["annotations"][name]
    return {"titleFormat": spec["text"], "useValueForTime": spec["at"] == "value"}


def dashboard(name: str) -> dashboards.Dashboard:
    """A complete dashboard."""
    spec = yaml.safe_load((HERE / f"{name}.yaml").read_text())
    words = SHARED["words"] | spec.get("words", {})
    others = dashboards.DashboardLink("DRS").type(models.DashboardLinkType.DASHBOARDS).tags(["drs"])
    made = (
        dashboards.Dashboard(spec["title"])
        .uid(spec["uid"])
        .description(spec["about"])
        .tags(["drs"])
        .editable()
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .time("now-3h", "now")
        .refresh("30s")
        .timezone("browser")
        .with_variable(dashboards.DatasourceVariable("datasource").label("Data source").type("prometheus"))
        .link(others.as_dropdown(True).keep_time(True).include_vars(True))
    )
    for choice in spec["variables"]:
        made.with_variable(variable(choice))
    for events in spec["annotations"]:
        made.annotation(annotation(events, words))
    for number, (part, place) in enumerate(places(spec["rows"]), 1):
        if "panels" in part:
            made.with_row(dashboards.Row(part["title"]).id(number).grid_pos(place))
        else:
            made.with_panel(panel(part, words, spec["down"]).id(number).grid_pos(place))
    return made


def text(name: str) -> str:
    """The content of a dashboard's JSON file."""
    document = json.loads(json.dumps(dashboard(name).build(), cls=JSONEncoder))
    spec = yaml.safe_load((HERE / f"{name}.yaml").read_text())
    for made, events in zip(document["annotations"]["list"], spec["annotations"], strict=True):
        made.update(annotation_settings(events))
    return json.dumps(document, indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    for each in TITLES:
        (HERE / f"{each}.json").write_text(text(each))
