"""Causes and remedies of the error codes of tasks, from the tables of task_errors.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from exporter.cloud.http.error_codes import full_code

_CODE = re.compile(r"`(DRS\.[0-9A-Z]+)`")


class Meaning(NamedTuple):
    """The documented meaning of an error code.

    Attributes:
        code: the code with its service, such as DRS.M01504; the anchor of its row on the page /errors.
        cause: a sentence.
        remedy: a sentence or two.
    """

    code: str
    cause: str
    remedy: str


def meaning(code: str | None) -> Meaning | None:
    """Return the meaning of the error code of a task; None if DRS does not document the code."""
    return None if code is None else _meanings().get(full_code(code))


@cache
def markdown() -> str:
    """Return the document with the tables of codes and messages."""
    return (files(__package__) / "task_errors.md").read_text(encoding="utf-8")


@cache
def _meanings() -> dict[str, Meaning]:
    return dict(_rows(markdown()))


def _rows(text: str) -> Iterator[tuple[str, Meaning]]:
    """Return the rows of the table of codes; only its first cells contain codes of DRS."""
    for line in text.splitlines():
        first, *cells = (cell.strip() for cell in line.strip("|").split("|"))
        yield from ((code, Meaning(code, *cells)) for code in _CODE.findall(first))
