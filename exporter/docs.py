"""The catalogue of metrics as Markdown, made from the catalogue itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exporter.catalogue import PROJECT_FAMILIES, PROJECT_LABELS, TASK_FAMILIES, TASK_LABELS
from exporter.telemetry import OWN_FAMILIES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from exporter.exposition import FamilyHead


def catalogue_markdown() -> str:
    """All families: name, type, labels, meaning."""
    return "\n".join(
        (
            "# Metrics",
            "",
            "Made by `drs-exporter metrics` from the catalogue; do not edit.",
            "",
            "A value that is not known, or too old to be believed, has no series: never 0, -1 or NaN in its place.",
            "",
            "## Tasks",
            "",
            f"Each series carries {_words(TASK_LABELS)}; the last only on subtasks, which makes counting once easy.",
            "",
            *_table(TASK_FAMILIES),
            "",
            "## Projects",
            "",
            f"Each series carries {_words(PROJECT_LABELS)}.",
            "",
            *_table(PROJECT_FAMILIES),
            "",
            "## The exporter itself",
            "",
            "Beside these, `process_*` and `python_info` of the Prometheus client library.",
            "",
            *_table(OWN_FAMILIES),
            "",
        )
    )


def _table(families: Iterable[FamilyHead]) -> list[str]:
    rows = [f"| `{one.name}` | {one.type} | {_words(one.labels)} | {one.help} |" for one in families]
    return ["| family | type | labels | meaning |", "|---|---|---|---|", *rows]


def _words(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
