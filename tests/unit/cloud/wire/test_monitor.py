"""Node sizes and reachability: v5 monitor-data, v3 disaster-recovery-monitoring-data."""

from __future__ import annotations

from typing import Any

import pytest

from exporter.cloud.http.errors import DecodeError
from exporter.model.facts import Monitor
from tests.lib.facts import ID, fetched, only_facts

V3, V5 = "v3_dr_monitoring", "v5_monitor_data"


def body(name: str, figures: Any) -> dict[str, Any]:
    return figures if name == V5 else {"results": [{"id": ID, "data_guard_minitor": figures}], "count": 1}


@pytest.mark.parametrize("name", [V3, V5])
def test_figures_without_a_documented_unit_are_left_out(name: str) -> None:
    delays = {"src_delay": 3, "sr_delay": 3, "dst_delay": 4, "src_io": "12", "dst_io": "x", "trans_data": "7"}
    offsets = {"src_offset": "N/A", "sr_offset": "mysql-bin.001731:544", "node_offset": None, "trans_inMB": "7"}
    assert only_facts(name, body(name, {**delays, **offsets, "src_rps": "N/A"}), kind=Monitor) == (Monitor(), 0)


@pytest.mark.parametrize("answer", [{}, {"message": "no such thing"}])
def test_a_response_of_v5_without_any_figure_is_a_decode_error(answer: dict[str, Any]) -> None:
    with pytest.raises(DecodeError):
        fetched(V5, answer)


@pytest.mark.parametrize(
    ("block", "answer", "errors"),
    [(None, (), 0), ({}, (), 0), ([], (), 1), ("x", (), 1), ({"src_normal": True}, (Monitor(source_up=True),), 0)],
)
def test_an_item_of_v3_without_its_block_has_no_facts(block: Any, answer: tuple[Any, ...], errors: int) -> None:
    results, lost, _ = fetched(V3, body(V3, block))
    assert (results, lost) == ({ID: answer}, errors)
