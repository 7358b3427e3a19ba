"""The fields in the responses of the vendor's pages, by table, and how the exporter shows them or why it does not.

Each file has one page, each section one table: its number, and the fields that it describes. The keys of a section
have words, or pairs `word:word`:

* `read_by`: the wire models that read the table, each with the facts that its fields become (a field of `Task` or
  `Project`).
* `shown`: the fields that a metric, a label or `drs-exporter query` shows. Which one follows from the wire models, the
  families and the allow list of `query`.
* `becomes`: the facts (`facts.field`), metrics or label of those whose name in the wire model is not that of the fact.
* `tables`: the fields with a table of their own, and its number.
* a key of `ELSEWHERE` or `NOT_SHOWN`: the fields to which its text applies.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files

ELSEWHERE: Mapping[str, str] = {
    "in_list": "as in the task list",
    "repeats": "as in another table of this page",
    "cutover": "the verdict on the cut-over",
    "used": "decides which of the other values count",
    "paging": "compared with the number of items that were received",
    "errors": "the log, `check` and the status page, by its [meaning](operations.md#errors)",
}
"""What shows fields that need no metric of their own, or uses them."""
NOT_SHOWN: Mapping[str, str] = {
    "secret": "a password, a key or a certificate",
    "host": "an address of a host",
    "user": "a user, a role or a tenant",
    "name": "a name that users choose, such as that of a database",
    "text": "free text, such as a message",
    "data": "data of the user's tables",
    "network": "the network or place of a database, not of the node",
    "id": "an internal id",
    "length": "the number of items in the response",
    "console": "says nothing about the state of the task",
    "undocumented": "its values are not documented, and may be names",
    "derived": "follows from the numbers of rows in its table",
}
"""Reasons why fields are not shown."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a page; see the keys above.

    Attributes:
        number: on the page.
        name: the fields that it describes.
        reasons: by field, a key of `ELSEWHERE` or `NOT_SHOWN`.
    """

    number: int
    name: str
    read_by: Mapping[str, str]
    shown: tuple[str, ...]
    becomes: Mapping[str, tuple[str, ...]]
    tables: Mapping[str, int]
    reasons: Mapping[str, str]

    @property
    def fields(self) -> tuple[str, ...]:
        return (*self.shown, *self.tables, *self.reasons)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the vendor's documentation.

    Attributes:
        queried: the number of the table of the object that `drs-exporter query` prints; 0 if it prints none.
    """

    title: str
    api: str
    queried: int
    tables: Mapping[int, Table]


def _pairs(text: str) -> Mapping[str, str]:
    return dict(pair.split(":", 1) for pair in text.split())


def _table(heading: str, section: dict[str, str]) -> Table:
    number, _, name = heading.partition(" ")
    read_by, becomes, tables = (_pairs(section.pop(key, "")) for key in ("read_by", "becomes", "tables"))
    return Table(
        int(number),
        name,
        read_by,
        tuple(section.pop("shown", "").split()),
        {field: tuple(targets.split(",")) for field, targets in becomes.items()},
        {field: int(table) for field, table in tables.items()},
        {field: reason for reason, fields in section.items() for field in fields.split()},
    )


def _page(text: str) -> Page:
    content = tomllib.loads(text)
    title, api, queried = content.pop("title"), content.pop("api"), content.pop("queried", 0)
    tables = (_table(heading, section) for heading, section in content.items())
    return Page(title, api, queried, {table.number: table for table in tables})


def _pages() -> Iterator[Page]:
    for path in sorted(files(__package__).iterdir(), key=lambda path: path.name):
        if path.name.endswith(".toml"):
            yield _page(path.read_text())


PAGES = tuple(_pages())
FIELDS = frozenset(field for page in PAGES for table in page.tables.values() for field in table.fields)
"""All keys of these responses."""
