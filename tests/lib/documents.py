"""Reads the tables of generated documents."""

from __future__ import annotations


def rows(text: str) -> dict[str, list[str]]:
    """The further cells of each row of the tables, by the first, which is code."""
    tables = [line[2:-2].split(" | ") for line in text.splitlines() if line.startswith("| `")]
    return {cells[0].strip("`"): [cell.strip() for cell in cells[1:]] for cells in tables}
