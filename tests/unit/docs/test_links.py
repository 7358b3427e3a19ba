"""The links in the documentation lead to files and headings that exist."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.lib.paths import ROOT

if TYPE_CHECKING:
    from pathlib import Path

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
_FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_LINKS = re.compile(r"\]\(([^)\s]+)\)|(?:src|srcset|href)=\"([^\"]+)\"")
_HEADINGS = re.compile(r"^#+ (.+)$", re.MULTILINE)


def anchors(text: str) -> set[str]:
    """The anchors of all headings, as GitHub derives them."""
    headings = _HEADINGS.findall(_FENCED.sub("", text))
    names = [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]
    before = [names[:number].count(name) for number, name in enumerate(names)]
    return {f"{name}-{count}" if count else name for name, count in zip(names, before, strict=True)}


def broken(text: str, folder: Path) -> list[str]:
    """The links within the repository whose file or heading does not exist."""
    found: list[str] = []
    for link in [markdown or html for markdown, html in _LINKS.findall(_FENCED.sub("", text))]:
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = folder / path
        there = text if not path else target.read_text() if target.suffix == ".md" and target.is_file() else ""
        if not target.exists() or (anchor and anchor not in anchors(there)):
            found.append(link)
    return found


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files_and_headings_that_exist(document: Path) -> None:
    assert broken(document.read_text(), document.parent) == []


def test_broken_links_are_found() -> None:
    text = """\
# A heading, `quoted`
[here](#a-heading-quoted) [there](README.md#drs-exporter) [away](https://example.com/none)
[1](#gone) [2](none.md) [3](README.md#gone) <img src="none.png"> <source srcset="LICENSE">
```
# no heading [4](none.md)
```
[5](#no-heading)
"""
    assert broken(text, ROOT) == ["#gone", "none.md", "README.md#gone", "none.png", "#no-heading"]


def test_equal_headings_have_different_anchors() -> None:
    assert anchors("# One two\n## One two\n### One-two!") == {"one-two", "one-two-1", "one-two-2"}
