"""RPO and RTO: v3 batch-rpo-and-rto."""

from __future__ import annotations

from typing import Any

import pytest

from exporter.model.facts import Recovery
from tests.lib.facts import ID, only_facts

NAME = "v3_batch_rpo_and_rto"
REAL = {
    "rpo_info": {"delay": "0", "time": "2026-06-27 01:21:18", "gtid_set": "NA", "check_point": "mysql-bin.001732:6"},
    "rto_info": {"delay": "1250", "time": "2026-06-27 01:21:18", "gtid_set": "NA", "check_point": "mysql-bin.001732:2"},
}
"""As really seen; the times are UTC+8 and no facts."""


def test_a_real_body() -> None:
    found, lost = only_facts(NAME, {"count": 1, "results": [{"job_id": ID, **REAL}]}, kind=Recovery)
    assert (found, lost) == (Recovery(rpo_seconds=0.0, rto_seconds=1.25), 0)


@pytest.mark.parametrize(
    ("item", "facts", "errors"),
    [
        ({}, Recovery(), 0),  # outside the incremental phase there are no blocks
        ({"rpo_info": None, "rto_info": {}}, Recovery(), 0),
        ({"rpo_info": {"delay": "7"}}, Recovery(rpo_seconds=0.007), 0),
        ({"rpo_info": "0", "rto_info": {"delay": "7"}}, Recovery(rto_seconds=0.007), 1),
        # Over ten years, which is no delay, and just under.
        ({"rpo_info": {"delay": "315576000001"}}, Recovery(), 0),
        ({"rpo_info": {"delay": 315_576_000_000}}, Recovery(rpo_seconds=315_576_000), 0),
        ({"error_code": "", "rto_info": {"delay": "7"}}, Recovery(rto_seconds=0.007), 0),
    ],
)
def test_a_block_that_is_not_there_is_unknown(item: dict[str, Any], facts: Recovery, errors: int) -> None:
    assert only_facts(NAME, {"results": [{"job_id": ID, **item}]}, kind=Recovery) == (facts, errors)
