#!/usr/bin/env python3
"""Makes fleet.json, which Grafana imports, from fleet.yaml. Run it after a change there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

Json = dict[str, Any]

HERE = Path(__file__).parent
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
WIDTH = 24
REDUCED = {"calcs": ["lastNotNull"], "fields": "", "values": False}
KINDS: dict[str, tuple[str, Json]] = {
    "stat": ("stat", {"reduceOptions": REDUCED, "colorMode": "value", "graphMode": "none", "textMode": "value"}),
    "bars": (
        "bargauge",
        {
            "reduceOptions": REDUCED,
            "displayMode": "basic",
            "orientation": "horizontal",
            "sizing": "manual",
            "minVizHeight": 16,
            "maxVizHeight": 32,
            "text": {"titleSize": 14, "valueSize": 14},
        },
    ),
    "table": ("table", {"showHeader": True, "cellHeight": "sm"}),
    "lines": (
        "timeseries",
        {
            "legend": {"showLegend": True, "displayMode": "list", "placement": "bottom", "calcs": []},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
    ),
}
"""The kinds of panels in fleet.yaml: Grafana's type and its options."""


def expand(query: str, words: dict[str, str]) -> str:
    """Replace each <word> by what it stands for, in which there may be words again."""
    return re.sub(r"<(\w+)>", lambda word: expand(words[word[1]], words), query)


def defaults(spec: Json, thresholds: dict[str, dict[str, float | None]]) -> Json:
    """How a panel shows its values."""
    colors = thresholds[spec["thresholds"]] if "thresholds" in spec else {"text": None}
    made: Json = {
        "unit": spec.get("unit", "none"),
        "noValue": spec.get("empty", "no data"),
        "thresholds": {
            "mode": "absolute",
            "steps": [{"color": color, "value": value} for color, value in colors.items()],
        },
    }
    if "values" in spec:
        names = {str(value): {"text": name, "index": value} for value, name in spec["values"].items()}
        made["mappings"] = [{"type": "value", "options": names}]
    if "bars" in spec or "lines" in spec:
        made |= {"min": 0} | ({"max": 1} if spec.get("unit") == "percentunit" else {})
    if "lines" in spec:
        made["color"] = {"mode": "palette-classic"}
        made["custom"] = {
            "lineWidth": 1,
            "fillOpacity": 40 if spec.get("stacked") else 10,
            "showPoints": "never",
            "spanNulls": False,
            "stacking": {"mode": "normal" if spec.get("stacked") else "none", "group": "A"},
            "thresholdsStyle": {"mode": "dashed" if "thresholds" in spec else "off"},
        }
    return made


def override(field: str, setting: str, value: Any) -> Json:
    """One setting of one column, or of one series."""
    return {"matcher": {"id": "byName", "options": field}, "properties": [{"id": setting, "value": value}]}


def overrides(spec: Json, shared: Json) -> list[Json]:
    """What differs between the columns or the series of a panel."""
    colors = shared["colors"][spec["colors"]] if "colors" in spec else {}
    columns: dict[str, str] = spec.get("columns", {})
    made = [override(name, "color", {"mode": "fixed", "fixedColor": color}) for name, color in colors.items()]
    for source, name in columns.items():
        if name in shared["widths"]:
            made.append(override(name, "custom.width", shared["widths"][name]))
        if source == "Value":
            made.append(override(name, "custom.cellOptions", {"type": "color-text"}))
    return made


def panel(spec: Json, shared: Json) -> Json:
    """One panel, without id and place."""
    kind = next(kind for kind in KINDS if kind in spec)
    grafana_type, options = KINDS[kind]
    target = {
        "refId": "A",
        "datasource": SOURCE,
        "expr": expand(spec["query"], shared["words"]),
        "legendFormat": spec.get("legend", "__auto"),
        "instant": kind != "lines",
        "range": kind == "lines",
        "format": "table" if kind == "table" else "time_series",
    }
    made: Json = {
        "type": grafana_type,
        "title": spec[kind],
        "description": spec["about"],
        "datasource": SOURCE,
        "targets": [target],
        "fieldConfig": {"defaults": defaults(spec, shared["thresholds"]), "overrides": overrides(spec, shared)},
        "options": options,
    }
    if kind == "table":
        columns = spec["columns"]
        arrange = {
            "excludeByName": {name: True for name in ("Time", "Value") if name not in columns},
            "indexByName": {name: position for position, name in enumerate(columns)},
            "renameByName": columns,
        }
        made["transformations"] = [{"id": "organize", "options": arrange}]
    return made


def layout(shared: Json) -> list[Json]:
    """All panels, each as high up below the heading of its row as it fits."""
    placed: list[Json] = []
    top = 0
    for row in shared["rows"]:
        heading = {"type": "row", "title": row["title"], "collapsed": False, "panels": []}
        placed.append({**heading, "gridPos": {"x": 0, "y": top, "w": WIDTH, "h": 1}})
        floor = [top + 1] * WIDTH
        for spec in row["panels"]:
            width, height = spec["size"]
            y, x = min((max(floor[left : left + width]), left) for left in range(WIDTH - width + 1))
            floor[x : x + width] = [y + height] * width
            placed.append({**panel(spec, shared), "gridPos": {"x": x, "y": y, "w": width, "h": height}})
        top = max(floor)
    return [{"id": number, **made} for number, made in enumerate(placed, 1)]


def variable(name: str, label: str, query: str) -> Json:
    """A choice among the values of a label."""
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": query, "refId": name},
        "definition": query,
        "refresh": 2,  # as the shown time changes
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": ["All"], "value": ["$__all"]},
    }


def dashboard() -> Json:
    """The whole of it."""
    spec = yaml.safe_load((HERE / "fleet.yaml").read_text())
    region = spec["words"]["region"]
    return {
        "uid": "drs-fleet",
        "title": "DRS fleet",
        "description": "All DRS tasks: what is broken, what lags, what is stale.",
        "tags": ["drs"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "timezone": "",
        "time": {"from": "now-3h", "to": "now"},
        "refresh": "30s",
        "annotations": {"list": []},
        "links": [],
        "templating": {
            "list": [
                {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"},
                variable("account", "Account", "label_values(drs_up, account)"),
                variable("region", "Region", 'label_values(drs_up{account=~"$account"}, region)'),
                variable("project", "Project", f"label_values(drs_up{{{region}}}, project)"),
            ]
        },
        "panels": layout(spec),
    }


def text() -> str:
    """The content of fleet.json."""
    return json.dumps(dashboard(), indent=2) + "\n"


if __name__ == "__main__":
    (HERE / "fleet.json").write_text(text())
