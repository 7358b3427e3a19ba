"""The runbooks as HTML: what an alert means, and what to do. The pages of tasks link to them."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

import mistune
from markupsafe import Markup

_RUNBOOK = re.compile(r"(\w+)\.md(#[\w-]+)?")


@cache
def names() -> frozenset[str]:
    """Return the names of all runbooks, which are those of the alerts."""
    found = (path.name for path in (files("exporter.web") / "runbooks").iterdir())
    return frozenset(name.removesuffix(".md") for name in found if name.endswith(".md"))


@cache
def html(name: str) -> Markup:
    """Return the content of one of `names`, with links to other runbooks, but not to documents that are not served."""
    text = (files("exporter.web") / "runbooks" / f"{name}.md").read_text(encoding="utf-8")
    render = mistune.create_markdown(renderer=_Renderer(escape=True), plugins=["table"])
    return Markup(render(text))  # noqa: S704 - our own file, and the renderer escapes


class _Renderer(mistune.HTMLRenderer):
    def link(self, text: str, url: str, title: str | None = None) -> str:
        other = _RUNBOOK.fullmatch(url)
        if other and other[1] in names():
            return super().link(text, f"{other[1]}{other[2] or ''}", title)
        return super().link(text, url, title) if url.startswith("https://") else text
