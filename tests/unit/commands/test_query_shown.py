from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.commands.query import allowed
from exporter.simulator import faults
from tests.lib.commands import CANARY, queried
from tests.lib.daemon import cloud_of, sim

ORDERS = sim("orders").id


def test_words_of_the_cloud_are_not_repeated() -> None:
    said = {
        "network_results": [
            {
                "ip": CANARY,
                "result": CANARY,
                "status": CANARY,
                "error_code": f"{CANARY}.example.com",
                "error_msg": CANARY,
            },
            CANARY,
        ],
        "logs": CANARY,
        CANARY: CANARY,
    }
    cloud = cloud_of(sim("orders", overrides={"v5_file": said}))
    cloud.faults = [faults.refused("type=log", 400, f"{CANARY}.x", CANARY)]
    outcome = queried(cloud, "file")
    assert CANARY not in str(outcome)
    assert json.loads(outcome.text)["network_results"] == [{"result": "other", "status": "other"}]
    assert CANARY not in str(queried(cloud, "log", ORDERS))


TEXT = st.builds(lambda before, after: f"{before}{CANARY} x{after}", st.text(max_size=3), st.text(max_size=3))
KEYS = TEXT | st.sampled_from(
    ["item", "group", "result", "status", "data", "precheck_results", "logs", "error_code", "type"]
)
JOBS = st.recursive(
    TEXT | st.none() | st.booleans() | st.integers() | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
)


@given(st.dictionaries(KEYS, JOBS))
def test_nothing_that_anybody_says_is_shown(job: dict[str, Any]) -> None:
    assert CANARY not in json.dumps(allowed(job)[0])


@pytest.mark.parametrize(
    ("job", "shown", "left_out"),
    [
        ({"item": "dstDbDiskSize", "group": "db_params"}, {"item": "dstDbDiskSize", "group": "db_params"}, 0),
        ({"item": "table shop.users"}, {}, 1),
        (
            {"success": True, "src_count": "-1", "completed": "94 %"},
            {"success": True, "src_count": "-1", "completed": "94 %"},
            0,
        ),
        ({"start_time": "2020-12-21 10:57:49"}, {"start_time": "2020-12-21 10:57:49"}, 0),
        ({"start_time": "tomorrow", "data": "shop", "name": ""}, {}, 2),
        (
            {"progress_map": {"data": {"completed": "7%"}, "shop": {"completed": "7%"}}},
            {"progress_map": {"data": {"completed": "7%"}}},
            1,
        ),
        ({"logs": [{"level": "Info", "message": "x"}, "y"]}, {"logs": [{"level": "Info"}]}, 2),
        ({"src_count": float("nan"), "dst_count": float("inf"), "expired_days": 3}, {"expired_days": 3}, 2),
        ({"src_count": 10**400, "dst_count": -(10**400), "expired_days": 3}, {"expired_days": 3}, 2),
        ({"status": None, "result": ["x"], "speed_limit": [{}]}, {}, 2),
    ],
)
def test_what_is_shown(job: dict[str, Any], shown: dict[str, Any], left_out: int) -> None:
    assert allowed(job) == (shown, left_out)
