"""The newest log entry of each level: v5 detail with type=log."""

from __future__ import annotations

from typing import Any

import pytest

from exporter.model.facts import Logs
from tests.lib.facts import ID, fetched, only_facts

NAME = "v5_job_log"
EARLY, LATE = "2022-11-07T16:15:18Z", "2022-11-07T16:15:19Z"
MOMENT = 1_667_837_718.0


def read(logs: Any) -> tuple[Logs, int]:
    return only_facts(NAME, {"job": {"id": ID, "status": "X", "total_count": 3, "logs": logs}}, kind=Logs)


@pytest.mark.parametrize(
    ("entry", "newest", "errors"),
    [
        ({"level": "Info", "create_time": EARLY}, (("info", MOMENT),), 0),
        ({"level": "ERROR", "create_time": "1667837718000"}, (("error", MOMENT),), 0),
        ({"level": "Warn", "create_time": 1_667_837_718_000}, (("warn", MOMENT),), 0),
        ({"level": "Warn", "create_time": "2022-11-08 00:15:18"}, (), 0),
        *[({"level": "Warn", "create_time": "0"}, (), 0), ({"level": "Warn"}, (), 0)],
        *[({"level": "", "create_time": EARLY}, (), 0), ({"create_time": EARLY}, (), 0)],
        ({"level": "Warn", "create_time": "late"}, (), 1),
        ({"level": "can't reach 10.0.0.1", "create_time": EARLY}, (), 1),
        ({"level": ["Warn"], "create_time": EARLY}, (), 1),
        (None, (), 1),
        ("Info", (), 1),
    ],
)
def test_one_entry(entry: Any, newest: tuple[tuple[str, float], ...], errors: int) -> None:
    assert read([entry]) == (Logs(newest), errors)


@pytest.mark.parametrize("time", [{}, {"create_time": "late"}, {"create_time": "2022-11-08 00:15:18"}])
@pytest.mark.parametrize(("level", "undated"), [("Error", True), ("error", True), ("Warn", False)])
def test_an_error_without_a_time_is_recorded(level: str, time: dict[str, str], *, undated: bool) -> None:
    found, _ = read([{"level": "Info", "create_time": LATE}, {"level": level, **time}])
    assert found == Logs((("info", MOMENT + 1),), undated)


def test_of_each_level_the_newest_counts_in_whatever_order_they_come() -> None:
    entries = [
        *({"level": "Info", "create_time": EARLY}, {"level": "Error", "create_time": LATE}),
        *({"level": "info", "create_time": LATE}, {"level": "ERROR", "create_time": EARLY}),
    ]
    assert read(entries) == (Logs((("error", MOMENT + 1), ("info", MOMENT + 1))), 0)


@pytest.mark.parametrize(("logs", "errors"), [(None, 0), ([], 0), ({}, 1), ("x", 1)])
def test_a_task_without_entries_has_none(logs: Any, errors: int) -> None:
    assert read(logs) == (Logs(), errors)


def test_messages_are_never_read() -> None:
    entry = {"level": "Error", "message": "Access denied for root@10.0.0.1", "create_time": EARLY}
    assert "root" not in repr(read([entry]))


def test_the_request_asks_for_one_page_of_the_log() -> None:
    _, _, script = fetched(NAME, {"job": {}})
    assert script.requests[0].url.query == b"type=log&offset=0&limit=100"
