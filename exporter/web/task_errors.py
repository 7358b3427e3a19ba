"""The error codes and messages of tasks as HTML. The pages of failed tasks and runbooks link to them."""

from __future__ import annotations

import re
from functools import cache

import mistune
from markupsafe import Markup

from exporter.views.task_errors import markdown

_CODE = re.compile(r"<code>(DRS\.\w+)</code>")


@cache
def html() -> Markup:
    """Return the document, in which each code is an anchor."""
    content = str(mistune.create_markdown(escape=True, plugins=["table"])(markdown()))
    return Markup(_CODE.sub(r'<code id="\1">\1</code>', content))  # noqa: S704 - our own file, escaped by mistune
