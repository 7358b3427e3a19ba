"""What answers have in common: errors of single items, and the array that holds them."""

from __future__ import annotations

from typing import Any

import pytest

from exporter.cloud.answers import item_error, read_results
from exporter.cloud.errors import DecodeError, TaskGoneError, TaskRefusedError
from exporter.cloud.fields import Losses
from exporter.cloud.wire import Job
from exporter.model import Phase
from tests.cloud.helpers import document

RUNNING = "INCRE_TRANSFER_STARTED"


@pytest.mark.parametrize(
    ("code", "statuses", "kind"),
    [
        (None, (), None),
        (None, (None, None), None),
        (None, (RUNNING,), None),
        ("DRS.10000010", (), TaskGoneError),
        ("DRS.M00289", (RUNNING,), TaskGoneError),
        ("DRS.M05004", (None,), TaskGoneError),
        (None, (None, "DELETED"), TaskGoneError),
        ("DRS.M05101", ("INCRE_TRANSFER_FAILED",), None),  # the code of the task's own failure
        ("DRS.M05101", (None,), TaskRefusedError),
        ("DRS.M05101", ("failed",), TaskRefusedError),
        ("M01504", ("failed", None), TaskRefusedError),
        (None, ("failed",), TaskRefusedError),
        ("M01504", (RUNNING, "failed"), TaskRefusedError),
    ],
)
def test_what_an_item_says_against_its_task(code: str | None, statuses: Any, kind: type[Any] | None) -> None:
    error = item_error("operation", code, *statuses)
    assert (type(error) if error is not None else None) is kind
    if kind is not None:
        assert (error.operation, error.code, error.error_code) == ("operation", "200", code)  # type: ignore[union-attr]


@pytest.mark.parametrize("statuses", [(), (None,), (RUNNING,)])
def test_the_wrong_state_is_neither_a_fact_nor_an_error(statuses: Any) -> None:
    assert item_error("operation", "DRS.M00304", *statuses) == ()


def test_the_first_key_with_an_array_counts() -> None:
    losses = Losses()
    body = {"results": None, "jobs": [{"id": "a", "status": "X"}, 7]}
    assert [job.id for job in read_results("operation", body, Job, losses, keys=("results", "jobs"))] == ["a"]
    with pytest.raises(DecodeError, match="operation: decode"):
        read_results("operation", body, Job, losses)
    assert losses.count == 2


def test_the_documented_statuses_mean_phases() -> None:
    """Open Telekom Cloud, "Querying Task Statuses in Batches"; no collector asks for it, a list item has the same."""
    losses = Losses()
    items = read_results("v3_batch_status", document("v3_batch_status_doc"), Job, losses)
    assert [(one.id, one.listed("sync", losses).phase) for one in items] == [
        ("9a470239-2308-4bb5-a6bc-1040402fjb21", Phase.INCREMENTAL),
        ("dc67695a-ee3e-49b8-a022-a099bd81jb21", Phase.FAILED),
    ]
    assert losses.count == 0
