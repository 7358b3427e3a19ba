"""Node sizes and reachability: v5 monitor-data, v3 disaster-recovery-monitoring-data."""

from __future__ import annotations

from typing import Any

import pytest

from exporter.cloud.http.errors import DecodeError
from exporter.model.facts import Monitor
from tests.lib.facts import ID, part, told

V3, V5 = "v3_dr_monitoring", "v5_monitor_data"
MIB, GIB = 2**20, 2**30
Row = tuple[Any, Any, int]
FLAGS: list[Row] = [(True, True, 0), (False, False, 0), (None, None, 0), ("", None, 0), ("true", None, 1), (1, None, 1)]
MEGABYTES: list[Row] = [
    ("16384", 16384 * MIB, 0),
    (16384, 16384 * MIB, 0),
    ("0.5", MIB // 2, 0),
    ("-1", None, 0),
    ("N/A", None, 0),
    ("16 GB", None, 1),
]
GIGABYTES: list[Row] = [
    (100, 100 * GIB, 0),
    ("12.25", 12.25 * GIB, 0),
    (0, 0, 0),
    (None, None, 0),
    ("null", None, 0),
    ("12.25GB", None, 1),
]
PERCENT: list[Row] = [
    ("12.5", 0.125, 0),
    ("12.5%", 0.125, 0),
    (50, 0.5, 0),
    ("", None, 0),
    ("-", None, 0),
    ("-1", None, 0),
    ("low", None, 1),
]
NUMBERS: list[Row] = [
    ("150.5", 150.5, 0),
    (0, 0, 0),
    ("0", 0, 0),
    (-1, None, 0),
    ("NA", None, 0),
    ("", None, 0),
    ({}, None, 1),
]
FIELDS: list[tuple[str, str, str, list[Row]]] = [
    ("is_src_normal", "src_normal", "source_up", FLAGS),
    ("is_dst_normal", "dst_normal", "target_up", FLAGS),
    ("src_rps", "src_rps", "source_requests_per_second", NUMBERS),
    ("dst_rps", "dst_rps", "target_requests_per_second", NUMBERS),
    ("used_volumes", "volume_used_inGB", "disk_used_bytes", GIGABYTES),
    ("node_volume_size", "node_volume_inGB", "disk_size_bytes", GIGABYTES),
    ("used_memory", "mem_used_inMB", "memory_used_bytes", MEGABYTES),
    ("node_memory_size", "node_mem_inMB", "memory_size_bytes", MEGABYTES),
    ("used_cpu_percent", "cpuUsed_percent", "cpu_ratio", PERCENT),
    ("apply_rate", "migration_bytes_per_second", "apply_bytes_per_second", NUMBERS),
]
"""Key in v5, key in v3, where it goes."""
CASES = [
    (name, key, attribute, row)
    for v5, v3, attribute, rows in FIELDS
    for name, key in ((V5, v5), (V3, v3))
    for row in rows
]


def body(name: str, figures: Any) -> dict[str, Any]:
    return figures if name == V5 else {"results": [{"id": ID, "data_guard_minitor": figures}], "count": 1}


@pytest.mark.parametrize(("name", "key", "attribute", "row"), CASES)
def test_one_field(name: str, key: str, attribute: str, row: Row) -> None:
    given, value, errors = row
    found, lost = part(name, body(name, {"bandwidth": "300", key: given}), kind=Monitor)
    assert (getattr(found, attribute), lost) == (value, errors)


@pytest.mark.parametrize(
    ("given", "moment", "errors"),
    [
        ("2023-07-19T03:09:25Z", 1_689_736_165.0, 0),
        ("2023-07-19 11:09:25", None, 0),
        ("", None, 0),
        (None, None, 0),
        ("just now", None, 1),
    ],
)
def test_when_v5_reported(given: Any, moment: float | None, errors: int) -> None:
    found, lost = part(V5, {"update_time": given}, kind=Monitor)
    assert (found, lost) == (Monitor(reported_at=moment), errors)


@pytest.mark.parametrize("name", [V3, V5])
def test_figures_without_a_documented_unit_are_left_out(name: str) -> None:
    delays = {"src_delay": 3, "sr_delay": 3, "dst_delay": 4, "src_io": "12", "dst_io": "x", "trans_data": "7"}
    offsets = {"src_offset": "N/A", "sr_offset": "mysql-bin.001731:544", "node_offset": None, "trans_inMB": "7"}
    assert part(name, body(name, {**delays, **offsets, "src_rps": "N/A"}), kind=Monitor) == (Monitor(), 0)


@pytest.mark.parametrize("answer", [{}, {"message": "no such thing"}])
def test_an_answer_of_v5_without_any_figure_is_undecodable(answer: dict[str, Any]) -> None:
    with pytest.raises(DecodeError):
        told(V5, answer)


@pytest.mark.parametrize(
    ("block", "answer", "errors"),
    [(None, (), 0), ({}, (), 0), ([], (), 1), ("x", (), 1), ({"src_normal": True}, (Monitor(source_up=True),), 0)],
)
def test_an_item_of_v3_without_its_block_tells_nothing(block: Any, answer: tuple[Any, ...], errors: int) -> None:
    answers, lost, _ = told(V3, body(V3, block))
    assert (answers, lost) == ({ID: answer}, errors)


@pytest.mark.parametrize("key", ["id", "job_id"])
def test_the_id_stands_under_either_key_in_v3(key: str) -> None:
    answers, lost, asked = told(V3, {"results": [{key: ID, "data_guard_minitor": {"dst_normal": False}}]})
    assert (answers, lost) == ({ID: (Monitor(target_up=False),)}, 0)
    assert asked.bodies == [{"jobs": [ID]}]
