"""The runbooks as HTML: what an alert means, and what to do. Alerts and the pages of tasks link to them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

import mistune
from markupsafe import Markup

from exporter.runtime.shipped_rules import Rule, shipped_groups

_ERRORS = "../../views/task_errors.md"
"""The path of the page /errors in the repository."""
_RUNBOOK = re.compile(r"(\w+)\.md(#[\w-]+)?")
_SIMPLE_ID = re.compile(r"[A-Za-z0-9_-]+")
"""An ID that is the same in PromQL and in a shell, as those of the cloud are."""


@cache
def names() -> frozenset[str]:
    """Return the names of all runbooks, which are those of the alerts."""
    found = (path.name for path in (files("exporter.web") / "runbooks").iterdir())
    return frozenset(name.removesuffix(".md") for name in found if name.endswith(".md"))


def rules(name: str) -> Sequence[Rule]:
    """Return the rules of an alert as they ship, from the files of the package when it is first called."""
    return _rules()[name]


@cache
def _rules() -> Mapping[str, Sequence[Rule]]:
    found = defaultdict[str, list[Rule]](list)
    for rule in (rule for group in shipped_groups() for rule in group["rules"] if "alert" in rule):
        found[rule["alert"]].append(rule)
    return found


def html(name: str, task_id: str | None = None) -> Markup:
    """Return the content of one of `names`, with links to other documents only where they are served.

    Args:
        name: of the runbook.
        task_id: replaces TASK_ID in its queries and commands, so that they can be pasted as they are.
    """
    content = _html(name)
    return content.replace("TASK_ID", task_id) if task_id and _SIMPLE_ID.fullmatch(task_id) else content


@cache
def _html(name: str) -> Markup:
    text = (files("exporter.web") / "runbooks" / f"{name}.md").read_text(encoding="utf-8")
    render = mistune.create_markdown(renderer=_Renderer(escape=True), plugins=["table"])
    return Markup(render(text))  # noqa: S704 - our own file, and the renderer escapes


class _Renderer(mistune.HTMLRenderer):
    def link(self, text: str, url: str, title: str | None = None) -> str:
        other = _RUNBOOK.fullmatch(url)
        if other and other[1] in names():
            return super().link(text, f"{other[1]}{other[2] or ''}", title)
        if url.startswith(_ERRORS):
            return super().link(text, "../errors", title)
        return super().link(text, url, title) if url.startswith("https://") else text
