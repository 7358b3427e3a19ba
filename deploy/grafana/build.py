#!/usr/bin/env python3
"""Generates the dashboards for Grafana from their descriptions: fleet.json from fleet.yaml, and so on.

Run it after a change there. The words, thresholds, colours and columns of all dashboards stand in shared.yaml.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml
from grafana_foundation_sdk.builders import bargauge, common, stat, table, timeseries
from grafana_foundation_sdk.builders import dashboard as dashboards
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as kinds
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

Json = dict[str, Any]

HERE = Path(__file__).parent
SOURCE = models.DataSourceRef(type_val="prometheus", uid="${datasource}")
WIDTH = 24
REDUCED = common.ReduceDataOptions().calcs(["lastNotNull"]).fields("").values(False)
SHARED: Json = yaml.safe_load((HERE / "shared.yaml").read_text())
TITLES: dict[str, str] = SHARED["dashboards"]
"""The names of the dashboards in links."""
HIDDEN = ("task_id", "__name__")
"""Labels of results that are a column only if the description names them."""
TASK_ID = "Task id"
"""The hidden column of tables with tasks, for the links to the dashboard of a task."""

CHOSEN = "${datasource:queryparam}&${account:queryparam}&${region:queryparam}&${project:queryparam}"


def expand(query: str, words: dict[str, str]) -> str:
    """Replace each <word> by its definition, recursively."""
    return re.sub(r"<(\w+)>", lambda word: expand(words[word[1]], words), query)


def thresholds(name: str) -> dashboards.ThresholdsConfig:
    """The thresholds with this name in shared.yaml."""
    steps = [models.Threshold(value, color) for color, value in SHARED["thresholds"][name].items()]
    return dashboards.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(steps)


def mapping(words: dict[Any, str], *, to_color: bool = False) -> models.ValueMap:
    """Map values to words, or words to colours."""
    key = "color" if to_color else "text"
    numbered = enumerate(words.items())
    return models.ValueMap(
        {str(of): models.ValueMappingResult(index=index, **{key: to}) for index, (of, to) in numbered}
    )


def target(spec: Json, query: Json, number: int, words: dict[str, str]) -> Dataquery:
    """One query of a panel; an instant query except for lines."""
    made = (
        Dataquery()
        .ref_id("ABCDEFGHIJ"[number])
        .datasource(SOURCE)
        .expr(expand(query["query"], words))
        .legend_format(str(query.get("legend", spec.get("legend", "__auto"))))
        .format(PromQueryFormat.TABLE if "table" in spec else PromQueryFormat.TIME_SERIES)
    )
    return made.range() if "lines" in spec else made.instant()


def stat_panel(spec: Json) -> stat.Panel:
    """A number or, with `text: name`, the name of the series."""
    named = spec.get("text") == "name"
    return (
        stat.Panel()
        .color_mode(kinds.BigValueColorMode.VALUE)
        .graph_mode(kinds.BigValueGraphMode.NONE)
        .text_mode(kinds.BigValueTextMode.NAME if named else kinds.BigValueTextMode.VALUE)
        .text(common.VizTextDisplayOptions().title_size(28).value_size(28))
        .reduce_options(REDUCED)
    )


def bars_panel(_: Json) -> bargauge.Panel:
    """Horizontal bars, one for each series."""
    return (
        bargauge.Panel()
        .display_mode(kinds.BarGaugeDisplayMode.BASIC)
        .orientation(kinds.VizOrientation.HORIZONTAL)
        .sizing(kinds.BarGaugeSizing.MANUAL)
        .min_viz_height(16)
        .max_viz_height(32)
        .text(common.VizTextDisplayOptions().title_size(12).value_size(14))  # Grafana gives names the room of 12
        .reduce_options(REDUCED)
    )


def lines_panel(spec: Json) -> timeseries.Panel:
    """Lines over the selected time range; gaps are not connected."""
    stacked = spec.get("stacked", False)
    style = (
        kinds.GraphThresholdsStyleMode.DASHED
        if spec.get("thresholds", "none") != "none"
        else kinds.GraphThresholdsStyleMode.OFF
    )
    stacking = kinds.StackingMode.NORMAL if stacked else kinds.StackingMode.NONE
    legend = common.VizLegendOptions().show_legend(True).display_mode(kinds.LegendDisplayMode.LIST)
    return (
        timeseries.Panel()
        .line_width(1)
        .fill_opacity(40 if stacked else 10)
        .show_points(kinds.VisibilityMode.NEVER)
        .span_nulls(False)
        .stacking(common.StackingConfig().mode(stacking).group("A"))
        .thresholds_style(common.GraphThresholdsStyleConfig().mode(style))
        .color_scheme(dashboards.FieldColor().mode(models.FieldColorModeId.PALETTE_CLASSIC))
        .legend(legend.placement(kinds.LegendPlacement.BOTTOM))
        .tooltip(common.VizTooltipOptions().mode(kinds.TooltipDisplayMode.MULTI).sort(kinds.SortOrder.DESCENDING))
    )


def columns_of(spec: Json) -> dict[str, str]:
    """The names of columns by label, with the hidden one of tables with tasks."""
    columns: dict[str, str] = spec.get("columns", {})
    return columns | {"task_id": TASK_ID} if columns.get("task_name") == "Task" else columns


def table_panel(spec: Json) -> table.Panel:
    """A table with a row for each set of labels, and the columns in the order of the description."""
    columns = columns_of(spec)
    many = len(spec.get("queries", "1")) > 1
    values = [f"Value #{'ABCDEFGHIJ'[number]}" for number in range(len(spec["queries"]))] if many else ["Value"]
    arrange = {
        "excludeByName": {name: True for name in ("Time", *HIDDEN, *values) if name not in columns},
        "indexByName": {name: position for position, name in enumerate(columns)},
        "renameByName": columns,
    }
    made = table.Panel().show_header(True).cell_height(kinds.TableCellHeight.SM).align(kinds.FieldTextAlignment.AUTO)
    if many:
        made.with_transformation(models.DataTransformerConfig(id_val="merge", options={}))
    return made.with_transformation(models.DataTransformerConfig(id_val="organize", options=arrange))


MAKERS = {"stat": stat_panel, "bars": bars_panel, "lines": lines_panel, "table": table_panel}


def column_settings(name: str) -> list[models.DynamicConfigValue]:
    """The overrides of a column from shared.yaml."""
    spec = SHARED["columns"].get(name, {})
    found: list[tuple[str, Any]] = [
        (setting, spec[key])
        for key, setting in (("width", "custom.width"), ("unit", "unit"), ("decimals", "decimals"))
        if key in spec
    ]
    if "hidden" in spec:
        found += [("custom.hidden", True), ("custom.hideFrom", {"viz": True})]  # up to Grafana 12.1, and since then
    if "thresholds" in spec:
        found.append(("thresholds", thresholds(spec["thresholds"]).build()))
    if "values" in spec:
        found.append(("mappings", [mapping(spec["values"])]))
    if "colors" in spec:
        found.append(("mappings", [mapping(SHARED["colors"][spec["colors"]], to_color=True)]))
    if "thresholds" in spec or "colors" in spec:
        found.append(("custom.cellOptions", {"type": "color-text"}))
    return [models.DynamicConfigValue(id_val=setting, value=value) for setting, value in found]


def row_link(columns: dict[str, str], down: str) -> list[models.DynamicConfigValue]:
    """A link from the name of a task or project to its dashboard."""
    wanted = {"account": "Account", "region": "Region", "project": "Project", "task": TASK_ID}
    found = {key: name for key, name in wanted.items() if name in columns.values()}
    chosen = "&".join(f"var-{key}=${{__data.fields[{json.dumps(name)}]:percentencode}}" for key, name in found.items())
    url = f"/d/drs-{down}?${{datasource:queryparam}}&{chosen}&${{__url_time_range}}"
    return [models.DynamicConfigValue(id_val="links", value=[{"title": TITLES[down], "url": url}])]


def colored(made: Any, spec: Json) -> None:
    """The same colour for the same word in all panels."""
    for name, color in SHARED["colors"][spec["colors"]].items():
        fixed = models.DynamicConfigValue(id_val="color", value={"mode": "fixed", "fixedColor": color})
        made.override_by_name(name, [fixed])


def standstill(made: Any, spec: Json) -> None:
    """The style of phases, which are series of 1: a word instead of a number, a background behind lines."""
    unseen = {"unit": "none", "min": 0, "max": 1, "custom.axisPlacement": "hidden", "custom.lineWidth": 0}
    for name in spec.get("standstill", []):
        color = SHARED["colors"]["phases"][name]
        word = models.ValueMap({"1": models.ValueMappingResult(text=name, color=color, index=0)})
        shade = {**unseen, "custom.fillOpacity": 25, "color": {"mode": "fixed", "fixedColor": color}}
        look = shade if "lines" in spec else {"mappings": [word], "unit": "none"}
        made.override_by_name(name, [models.DynamicConfigValue(id_val=key, value=value) for key, value in look.items()])


def bounds(made: Any, spec: Json) -> None:
    """The range of an axis: from 0, and for ratios to 1, unless the description sets another one."""
    if not ("bars" in spec or "lines" in spec) or spec.get("signed"):
        return
    made.min(0)
    if spec.get("unit") == "percentunit" and not spec.get("open"):
        made.max(1)


def panel(spec: Json, words: dict[str, str], down: str) -> Any:
    """One panel without its position."""
    kind = next(kind for kind in MAKERS if kind in spec)
    down = spec.get("down", down)
    made: Any = MAKERS[kind](spec)
    made.title(spec[kind]).description(spec["about"]).datasource(SOURCE).unit(spec.get("unit", "none"))
    made.no_value(
        "-" if "table" in spec and "queries" in spec else spec["empty"] if "lines" not in spec else "no data"
    ).thresholds(thresholds(spec.get("thresholds", "none")))
    link = dashboards.DashboardLink(TITLES[down]).type(models.DashboardLinkType.LINK)
    made.links([link.url(f"/d/drs-{down}?{CHOSEN}&${{__url_time_range}}")])
    for number, query in enumerate(spec.get("queries", [spec])):
        made.with_target(target(spec, query, number, words))
    bounds(made, spec)
    standstill(made, spec)
    if "values" in spec:
        made.mappings([mapping(spec["values"])])
    if "colors" in spec:
        colored(made, spec)
    columns = columns_of(spec)
    for name in columns.values():
        settings = column_settings(name)
        linked = "Task" if "Task" in columns.values() else "Project"
        if name == linked and {"Account", "Region", "Project"} <= set(columns.values()):
            settings += row_link(columns, "task" if linked == "Task" else "exporter")
        if settings:
            made.override_by_name(name, settings)
    return made


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
