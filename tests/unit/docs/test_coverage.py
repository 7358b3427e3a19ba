"""docs/api-coverage.md is fresh, and every field of the vendor's pages is shown or left out for a reason."""

from __future__ import annotations

import runpy

import pytest

from exporter.cloud.api_fields import ELSEWHERE, NOT_SHOWN, PAGES, Page, Table
from exporter.docs import coverage
from exporter.docs.coverage import MODELS, coverage_markdown, facts_of, metrics_of, printed, shown_by, verdict
from tests.lib.paths import DOCS

TEXT = coverage_markdown()
TABLES = [(page, table) for page in PAGES for table in page.tables.values()]
FIELDS = [(page, table, field) for page, table in TABLES for field in table.fields if field not in table.tables]
OTHER_PAGES = """
BatchItemWire ContentBlockWire DetailWire JobWire ComparisonWire DetailsWire DifferencesWire DifferentRowWire
LagWire LineBlockWire ListBlockWire MonitorItemWire MonitorWire ObjectBlockWire PrecheckItemWire CheckWire
ProgressItemWire QuotaWire RecoveryItemWire
"""
"""Wire models of operations on other pages, and bases."""


def where(page: Page, table: Table, field: str = "") -> str:
    return f"{page.api} {page.title}, table {table.number} {table.name} {field}".strip()


def test_the_file_is_fresh() -> None:
    """Else: make docs."""
    assert (DOCS / "api-coverage.md").read_text() == TEXT


def test_the_module_prints_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(coverage.__file__, run_name="__main__")
    assert capsys.readouterr() == (TEXT, "")


def test_every_field_is_shown_or_left_out_for_a_reason() -> None:
    """Else: read it in a wire model and add a metric, let `query` print it, or give a reason."""
    assert [where(*field) for field in FIELDS if verdict(*field) is None] == []


def test_every_field_that_a_wire_model_reads_is_shown_by_a_metric_or_used() -> None:
    """Else: name the fact in `becomes`."""
    unused = [
        where(page, table, field)
        for page, table, field in FIELDS
        if facts_of(table, field) and not metrics_of(table, field) and table.reasons.get(field) not in ELSEWHERE
    ]
    assert unused == []


def test_no_field_that_is_left_out_is_shown() -> None:
    """Else: move it to `shown`."""
    shown = [
        where(page, table, field)
        for page, table, field in FIELDS
        if (reason := table.reasons.get(field))
        and (metrics_of(table, field) or (reason in NOT_SHOWN and printed(page, table, field)))
    ]
    assert shown == []


def test_becomes_names_only_facts_that_do_not_follow_from_the_wire_model() -> None:
    for page, table in TABLES:
        assert table.becomes.keys() <= {*table.shown}, where(page, table)
        for field, targets in table.becomes.items():
            facts = facts_of(table, field)
            assert facts, f"{where(page, table, field)}: no wire model reads it"
            assert targets != facts, f"{where(page, table, field)}: follows from the wire model"
            assert [target for target in targets if not [*shown_by(target)]] == []


def test_every_wire_model_of_these_pages_is_named() -> None:
    """Else: name it in `read_by` of its table, or in OTHER_PAGES."""
    named = {model for _, table in TABLES for model in table.read_by}
    here = {name for name, model in MODELS.items() if model.__module__.startswith("exporter.cloud.wire")}
    assert here - named - {*OTHER_PAGES.split()} == set()
    assert named <= here
