"""The definitions in shared.yaml: words, thresholds, and the words and colours of values."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from grafana_foundation_sdk.builders import dashboard as dashboards
from grafana_foundation_sdk.models import dashboard as models

Json = dict[str, Any]

SOURCE = models.DataSourceRef(type_val="prometheus", uid="${datasource}")
SHARED: Json = yaml.safe_load((Path(__file__).parent / "shared.yaml").read_text())
TITLES: dict[str, str] = SHARED["dashboards"]
"""The names of the dashboards in links."""
PHASES: dict[str, str] = SHARED["colors"]["phases"]


def number(colors: str, word: str, metric: str, label: str) -> None:
    """Define a word for the state of each task as a number, and its text and colour in timelines.

    Args:
        colors: the states and their colours in shared.yaml: 1 is the first one.
        word: for the query.
        metric: 1 for the current state of a task.
        label: contains the state.
    """
    numbered = dict(enumerate(SHARED["colors"][colors].items(), 1))
    SHARED["states"][colors] = {n: {"text": name, "color": color} for n, (name, color) in numbered.items()}
    states = " or ".join(f'{n} * ({metric}{{<where>, {label}="{name}"}} == 1)' for n, (name, _) in numbered.items())
    SHARED["words"][word] = f"max by (<task>) ({states})"


number("phases", "phase_number", "drs_task_phase", "phase")
number("appliers", "applier_number", "drs_apply_state", "state")


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


def unknown() -> models.SpecialValueMap:
    """Show a missing value without a colour: by the thresholds it would be as bad as the lowest value."""
    look = models.ValueMappingResult(text="-", color="text")
    return models.SpecialValueMap(models.DashboardSpecialValueMapOptions(models.SpecialValueMatch.NULL, look))


def states(name: str) -> models.ValueMap:
    """The words and colours of numbers in a timeline, from shared.yaml."""
    looks: dict[int, dict[str, str]] = SHARED["states"][name]
    return models.ValueMap(
        {str(of): models.ValueMappingResult(index=index, **look) for index, (of, look) in enumerate(looks.items())}
    )
