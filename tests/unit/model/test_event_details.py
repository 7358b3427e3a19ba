"""The details of stored events: damaged ones, and those of another version, must not reach pages and reports."""

from __future__ import annotations

import pytest

from exporter.model.event_details import check_details
from exporter.model.events import Kind
from exporter.model.task_record import TaskRecord
from exporter.views.events import event_json, sentence
from tests.lib.reports import recorded, task_record
from tests.lib.storage import event

VALUES = {
    "phase": "full",
    "phase_before": "preparing",
    "name_before": "orders",
    "error_code": "DRS.M1",
    "reasons": "delay_high",
    "type": "lines",
    "result": "equal",
    "tasks": "3",
    "events": "4",
    "error": "timeout",
    "seconds": "90",
}


def shown(record: TaskRecord) -> object:
    return record.phases, record.comparisons, record.names_before, record.readiness, record.shown, record.never_checked


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("damaged", [None, *VALUES])
def test_an_event_whose_details_are_valid_is_shown(kind: Kind, damaged: str | None) -> None:
    missing = {name: value for name, value in VALUES.items() if name != damaged}
    for detail in (missing, missing if damaged is None else {**VALUES, damaged: "\x00nan"}):
        made = event(kind=kind)._replace(detail=detail)
        try:
            check_details(made)
        except ValueError:
            continue
        assert sentence(made)
        assert event_json(made)
        assert shown(task_record("a", [made], at=recorded()))


@pytest.mark.parametrize(
    ("kind", "detail"),
    [
        (Kind.PHASE_CHANGED, {"phase": "full"}),
        (Kind.PHASE_CHANGED, {"phase": "fulm", "phase_before": "preparing"}),
        (Kind.FAILED, {}),
        (Kind.COMPARED, {"type": "lines", "result": "equam"}),
        (Kind.TASKS_STALE, {"tasks": "many"}),
        (Kind.RESTARTED, {"seconds": "nan"}),
        (Kind.LEFT_OUT, {"events": "1"}),
    ],
)
def test_damaged_details_are_refused(kind: Kind, detail: dict[str, str]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the text is for nobody
        check_details(event(kind=kind)._replace(detail=detail))
