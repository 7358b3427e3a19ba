"""The runbooks, and the queries in their sections."""

from __future__ import annotations

import re

from tests.lib.paths import ROOT

RUNBOOKS = {path.stem: path.read_text() for path in sorted((ROOT / "exporter" / "web" / "runbooks").glob("*.md"))}


def sections(name: str) -> dict[str, str]:
    """The sections of a runbook by their headings."""
    found = re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", RUNBOOKS[name], re.MULTILINE | re.DOTALL)
    return {heading: text.strip() for heading, text in found}


def queries(name: str) -> list[str]:
    """The queries of a runbook, as they are to be pasted."""
    return re.findall(r"^```promql\n(.*?)\n```$", RUNBOOKS[name], re.MULTILINE | re.DOTALL)
