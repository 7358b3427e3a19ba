"""The panels and queries of the dashboards in deploy/grafana."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_INTERVALS = {"__rate_interval": "5m", "__interval": "1m", "__range": "1h"}


def dashboard_panels(path: Path) -> list[dict[str, Any]]:
    """All panels of a dashboard, also in collapsed rows, without the headings of rows."""
    return list(_panels(json.loads(path.read_text())["panels"]))


def dashboard_expressions(path: Path) -> list[tuple[str, str]]:
    """The title and expression of each query of a dashboard, as Grafana sends it if all values are selected.

    Queries of panels come first, then those of annotations, then those of variables whose values are series.

    Raises:
        ValueError: a variable is left in a query.
    """
    queries = [
        *((panel["title"], target["expr"]) for panel in dashboard_panels(path) for target in panel["targets"]),
        *((events["name"], events["expr"]) for events in dashboard_annotations(path)),
        *((f"variable {name}", query) for name, query in dashboard_choices(path).items()),
    ]
    all_values = {variable["name"]: variable.get("allValue", ".*") for variable in _variables(path)}
    return [(title, _substitute(query, all_values | _INTERVALS)) for title, query in queries]


def dashboard_annotations(path: Path) -> list[dict[str, Any]]:
    """The annotations of a dashboard."""
    return list(json.loads(path.read_text()).get("annotations", {}).get("list", ()))


def dashboard_choices(path: Path) -> dict[str, str]:
    """The query of each variable whose values are taken from series instead of from one label, by its name."""
    choices = {
        variable["name"]: re.fullmatch(r"query_result\((.+)\)", variable["query"]["query"])
        for variable in _variables(path)
    }
    return {name: found[1] for name, found in choices.items() if found}


def dashboard_labels(path: Path) -> list[tuple[str, str]]:
    """The name of each variable whose values are those of a label, and a query for them if all values are selected."""
    found = {
        each["name"]: re.fullmatch(r"label_values\((.+), (\w+)\)", each["query"]["query"]) for each in _variables(path)
    }
    queries = {name: f"count by ({of[2]}) ({of[1]})" for name, of in found.items() if of}
    return [(name, _substitute(query, dict.fromkeys(found, ".*"))) for name, query in queries.items()]


def _variables(path: Path) -> list[dict[str, Any]]:
    """The variables of a dashboard whose values are queried."""
    return [each for each in json.loads(path.read_text())["templating"]["list"] if each["type"] == "query"]


def _panels(panels: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for panel in panels:
        if panel["type"] == "row":
            yield from _panels(panel["panels"])
        else:
            yield panel


def _substitute(query: str, variables: dict[str, str]) -> str:
    every = re.sub(r'="\$', '=~"$', query)  # a variable with one value as well
    made = re.sub(r"\$(?:(\w+)|\{(\w+)\})", lambda name: variables.get(name[1] or name[2], name[0]), every)
    if "$" in made:
        raise ValueError(f"a variable is left in {made}")
    return made
