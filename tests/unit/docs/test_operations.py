"""docs/operations.md is fresh, complete and true."""

from __future__ import annotations

import runpy

import pytest

from exporter.cloud.http.error_codes import CODES
from exporter.cloud.operations import OPERATIONS
from exporter.config import COLLECTORS
from exporter.docs import operations
from exporter.docs.operations import operations_markdown
from tests.lib.documents import rows
from tests.lib.paths import DOCS

ROLE, ACTION = "role", "`drs:dataGuardJob:list`"
TEXT = operations_markdown()
ROWS = rows(TEXT)


def test_the_file_is_fresh() -> None:
    """Else: make docs."""
    parts = (path.read_text() for path in sorted((DOCS / "parts").glob("*.md")))
    assert (DOCS / "operations.md").read_text() == "".join([TEXT, *parts])


def test_the_module_prints_the_operations(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(operations.__file__, run_name="__main__")
    assert capsys.readouterr() == (TEXT, "")


def test_every_operation_is_documented() -> None:
    assert ROWS.keys() == {operation.name for operation in OPERATIONS}


def test_every_error_code_is_documented_with_its_remedy() -> None:
    assert [row.code for row in CODES if f"`{row.code.replace('APIG.', 'APIGW.')}`" not in TEXT] == []
    lines = [line for line in TEXT.splitlines() if "`DRS.M00101`" in line]
    assert len(lines) == 1
    assert lines[0].endswith("| 403 | once | no | grant the permission of the operation |")


@pytest.mark.parametrize(
    ("name", "call", "more"),
    [
        (
            "v3_batch_rpo_and_rto",
            "POST `/v3/{project_id}/jobs/batch-rpo-and-rto`",
            f"recovery | 30s | `ceil(dr / 10)` | {ROLE}, {ACTION}",
        ),
        (
            "v5_job_progress",
            "GET `/v5/{project_id}/jobs/{job_id}?type=progress`",
            "progress, node, objects | 30s | `active` | none",
        ),
        (
            "v5_list_jobs",
            "GET `/v5/{project_id}/jobs`",
            "tasks | 30s, 5m with `api: auto` | `max(1, ceil(tasks / 100))` | none",
        ),
        ("v3_quotas", "GET `/v3/{project_id}/quotas`", f"quota | 1h | `1` | {ROLE}"),
        ("v5_job_log", "GET `/v5/{project_id}/jobs/{job_id}?type=log`", "logs | 5m, when enabled | `active` | none"),
        ("v5_job_query", "GET `/v5/{project_id}/jobs/{job_id}`", "`drs-exporter query`"),
    ],
)
def test_the_cells_of_an_operation(name: str, call: str, more: str) -> None:
    assert " | ".join(ROWS[name]) == f"{call} | {more}"


def test_every_collector_has_an_operation() -> None:
    called = {name for cells in ROWS.values() if len(cells) > 2 for name in cells[1].split(", ")}
    assert called == COLLECTORS.keys()
