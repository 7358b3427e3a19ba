"""The panels of the dashboards, made from their descriptions."""

from __future__ import annotations

import json
from typing import Any

from grafana_foundation_sdk.builders import bargauge, common, stat, statetimeline, table, timeseries
from grafana_foundation_sdk.builders import dashboard as dashboards
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.models import common as kinds
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.prometheus import PromQueryFormat
from shared import PHASES, SHARED, SOURCE, TITLES, Json, expand, mapping, states, thresholds, unknown

REDUCED = common.ReduceDataOptions().calcs(["lastNotNull"]).fields("").values(False)
HIDING = [
    models.DynamicConfigValue(id_val="custom.hidden", value=True),  # up to Grafana 12.1
    models.DynamicConfigValue(id_val="custom.hideFrom", value={"viz": True}),
]
"""The settings of a hidden column, which links can use."""
HIDDEN = ("task_id", "__name__")
"""Labels of results that are a column only if the description names them."""
TASK_ID = "Task id"
"""The hidden column of tables with tasks, for the links to the dashboard of a task."""
CHOSEN = "${datasource:queryparam}&${account:queryparam}&${region:queryparam}&${project:queryparam}"
REFS = "ABCDEFGHIJ"


def target(spec: Json, query: Json, number: int, words: dict[str, str]) -> Dataquery:
    """One query of a panel; an instant query except for lines and timelines."""
    made = (
        Dataquery()
        .ref_id(REFS[number])
        .datasource(SOURCE)
        .expr(expand(query["query"], words))
        .legend_format(str(query.get("legend", spec.get("legend", "__auto"))))
        .format(PromQueryFormat.TABLE if "table" in spec else PromQueryFormat.TIME_SERIES)
    )
    return made.range() if "lines" in spec or "timeline" in spec else made.instant()


TEXTS = {
    "value": kinds.BigValueTextMode.VALUE,
    "name": kinds.BigValueTextMode.NAME,
    "both": kinds.BigValueTextMode.VALUE_AND_NAME,
}


def stat_panel(spec: Json) -> stat.Panel:
    """A number, the name of the series (`text: name`), or both."""
    text = spec.get("text", "value")
    size = 28 if text == "value" else 20  # of words, which are longer
    return (
        stat.Panel()
        .color_mode(kinds.BigValueColorMode.VALUE)
        .graph_mode(kinds.BigValueGraphMode.NONE)
        .text_mode(TEXTS[text])
        .text(common.VizTextDisplayOptions().title_size(size).value_size(size))
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
    """Lines over the selected time range, with their last and highest values; gaps are not connected."""
    stacked, limits = spec.get("stacked", False), spec.get("thresholds", "none") != "none"
    style = kinds.GraphThresholdsStyleMode.DASHED if limits else kinds.GraphThresholdsStyleMode.OFF
    stacking = kinds.StackingMode.NORMAL if stacked else kinds.StackingMode.NONE
    legend = common.VizLegendOptions().show_legend(True).display_mode(kinds.LegendDisplayMode.TABLE)
    beside = spec["size"][0] >= 12  # noqa: PLR2004 - half of the width
    legend.placement(kinds.LegendPlacement.RIGHT if beside else kinds.LegendPlacement.BOTTOM)
    made = (
        timeseries.Panel()
        .line_width(1)
        .fill_opacity(40 if stacked else 0 if "{{" in spec.get("legend", "") else 10)
        .show_points(kinds.VisibilityMode.NEVER)
        .span_nulls(False)
        .stacking(common.StackingConfig().mode(stacking).group("A"))
        .thresholds_style(common.GraphThresholdsStyleConfig().mode(style))
        .color_scheme(dashboards.FieldColor().mode(models.FieldColorModeId.PALETTE_CLASSIC))
        .legend(legend.calcs(["last", "max"]))
        .tooltip(common.VizTooltipOptions().mode(kinds.TooltipDisplayMode.MULTI).sort(kinds.SortOrder.DESCENDING))
    )
    if spec.get("wide"):  # small and large values in one panel
        wide = common.ScaleDistributionConfig().type(kinds.ScaleDistribution.SYMLOG).log(10).linear_threshold(1)
        made.scale_distribution(wide)
    return made


def timeline_panel(_: Json) -> statetimeline.Panel:
    """States over the selected time range, a row for each series; the numbers are those in `states`."""
    return (
        statetimeline.Panel()
        .merge_values(True)
        .show_value(kinds.VisibilityMode.AUTO)
        .align_value(kinds.TimelineValueAlignment.LEFT)
        .row_height(0.8)
        .fill_opacity(70)
        .line_width(0)
        .color_scheme(dashboards.FieldColor().mode(models.FieldColorModeId.THRESHOLDS))
        .legend(common.VizLegendOptions().show_legend(False).display_mode(kinds.LegendDisplayMode.LIST))
        .tooltip(common.VizTooltipOptions().mode(kinds.TooltipDisplayMode.SINGLE))
    )


def columns_of(spec: Json) -> dict[str, str]:
    """The names of columns by label, with the hidden one of tables with tasks."""
    columns: dict[str, str] = spec.get("columns", {})
    return columns | {"task_id": TASK_ID} if columns.get("task_name") == "Task" else columns


def table_panel(spec: Json) -> table.Panel:
    """A table with a row for each set of labels, and the columns in the order of the description.

    With `facts` it shows one such row as a column.
    """
    columns = columns_of(spec)
    many = len(spec.get("queries", "1")) > 1
    values = [f"Value #{REFS[number]}" for number in range(len(spec["queries"]))] if many else ["Value"]
    arrange = {
        "excludeByName": {name: True for name in ("Time", *HIDDEN, *values) if name not in columns},
        "indexByName": {name: position for position, name in enumerate(columns)},
        "renameByName": columns,
    }
    made = table.Panel().show_header(True).cell_height(kinds.TableCellHeight.SM).align(kinds.FieldTextAlignment.AUTO)
    if many:
        made.with_transformation(models.DataTransformerConfig(id_val="merge", options={}))
    made.with_transformation(models.DataTransformerConfig(id_val="organize", options=arrange))
    if spec.get("facts"):
        turned = {"firstFieldName": "Fact", "restFieldsName": ""}
        made.with_transformation(models.DataTransformerConfig(id_val="transpose", options=turned))
    return made


MAKERS = {
    "stat": stat_panel,
    "bars": bars_panel,
    "lines": lines_panel,
    "table": table_panel,
    "timeline": timeline_panel,
}


def column_settings(name: str) -> list[models.DynamicConfigValue]:
    """The overrides of a column from shared.yaml."""
    spec = SHARED["columns"].get(name, {})
    found: list[tuple[str, Any]] = [
        (setting, spec[key])
        for key, setting in (
            ("width", "custom.width"),
            ("least", "custom.minWidth"),
            ("unit", "unit"),
            ("decimals", "decimals"),
        )
        if key in spec
    ]
    mappings: list[Any] = [mapping(spec["values"])] if "values" in spec else []
    if "colors" in spec:
        mappings.append(mapping(SHARED["colors"][spec["colors"]], to_color=True))
    if "thresholds" in spec:
        found.append(("thresholds", thresholds(spec["thresholds"]).build()))
        mappings.append(unknown())
    if mappings:
        found.append(("mappings", mappings))
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
    """Phases, which are series of 1, as words."""
    for name in spec.get("standstill", []):
        word = models.ValueMap({"1": models.ValueMappingResult(text=name, color=PHASES[name], index=0)})
        look = {"mappings": [word], "unit": "none"}
        made.override_by_name(name, [models.DynamicConfigValue(id_val=key, value=value) for key, value in look.items()])


LIMIT = {
    "custom.lineStyle": {"fill": "dash", "dash": [6, 6]},
    "custom.fillOpacity": 0,
    "color": {"mode": "fixed", "fixedColor": "text"},
    "custom.hideFrom": {"legend": True, "tooltip": False, "viz": False},
}
"""The look of limits, beside the lines that they are about."""


def query_settings(made: Any, query: Json, number: int) -> None:
    """The settings of the series of one query, where they differ from those of the panel."""
    look: Json = LIMIT if query.get("limit") else {}
    if "unit" in query:
        look = look | {"unit": query["unit"], "decimals": 1, "thresholds": thresholds("none").build()}
    if "states" in query:
        look = look | {"mappings": [states(query["states"])]}
    if look:
        made.override_by_query(
            REFS[number], [models.DynamicConfigValue(id_val=key, value=value) for key, value in look.items()]
        )


def bounds(made: Any, spec: Json) -> None:
    """The range of an axis: from 0, and for ratios to 1, unless the description sets another one."""
    if not ("bars" in spec or "lines" in spec) or spec.get("signed"):
        return
    made.min(0)
    if spec.get("unit") == "percentunit" and not spec.get("open"):
        made.max(1)


def column_overrides(made: Any, spec: Json) -> None:
    """The widths, units, colours and links of the columns of a table."""
    columns = columns_of(spec)
    for name in columns.values():
        settings = [models.DynamicConfigValue(id_val="noValue", value="-"), *column_settings(name)]
        if name in (TASK_ID, *spec.get("hidden", [])):
            settings += HIDING
        linked = "Task" if "Task" in columns.values() else "Project"
        if name == linked and {"Account", "Region", "Project"} <= set(columns.values()):
            settings += row_link(columns, "task" if linked == "Task" else "exporter")
        made.override_by_name(name, settings)


def panel(spec: Json, words: dict[str, str], down: str) -> Any:
    """One panel without its position."""
    kind = next(kind for kind in MAKERS if kind in spec)
    down = spec.get("down", down)
    made: Any = MAKERS[kind](spec)
    made.title(spec[kind]).description(spec["about"]).datasource(SOURCE).unit(spec.get("unit", "none"))
    made.no_value(spec.get("empty", "no data")).thresholds(thresholds(spec.get("thresholds", "none")))
    link = dashboards.DashboardLink(TITLES[down]).type(models.DashboardLinkType.LINK)
    made.links([link.url(f"/d/drs-{down}?{CHOSEN}&${{__url_time_range}}")])
    if "decimals" in spec:
        made.decimals(spec["decimals"])
    for number, query in enumerate(spec.get("queries", [spec])):
        made.with_target(target(spec, query, number, words))
        if query is not spec:
            query_settings(made, query, number)
    bounds(made, spec)
    standstill(made, spec)
    if "values" in spec:
        made.mappings([mapping(spec["values"])])
    if "timeline" in spec:
        made.mappings([states(spec["states"])])
    if "colors" in spec:
        colored(made, spec)
    column_overrides(made, spec)
    return made
