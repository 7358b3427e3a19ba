"""The data about the fields of the vendor's pages is complete and consistent."""

from __future__ import annotations

from collections import Counter

from exporter.cloud.api_fields import ELSEWHERE, NOT_SHOWN, PAGES

TABLES = [(page, table) for page in PAGES for table in page.tables.values()]
FIELDS_AT_FIRST = {
    "Querying Tasks": 46,
    "Querying Task Details": 280,
    "Querying Task Details in Batches": 78,
    "Querying Tasks of a Tenant": 28,
    "Querying the List of Tasks Created Asynchronously in Batches": 9,
}
"""The number of fields on each page when it was read; the vendor adds some."""


def test_every_table_is_reached_once_it_is_documented() -> None:
    for page in PAGES:
        reached = {number for table in page.tables.values() for number in table.tables.values()}
        roots = {table.number for table in page.tables.values() if table.name in {"response", "error"}}
        assert reached | roots == page.tables.keys(), page.title


def test_every_field_is_in_its_table_once() -> None:
    for page, table in TABLES:
        assert [field for field, count in Counter(table.fields).items() if count > 1] == [], (page.title, table.number)
        assert set(table.reasons.values()) <= ELSEWHERE.keys() | NOT_SHOWN.keys(), (page.title, table.number)


def test_no_page_lost_a_field() -> None:
    fields = Counter(page.title for page, table in TABLES for _ in table.fields)
    assert fields.keys() == FIELDS_AT_FIRST.keys()
    assert {title: fields[title] for title, count in FIELDS_AT_FIRST.items() if fields[title] < count} == {}
