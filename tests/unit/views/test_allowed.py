from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.views.allowed import allowed
from tests.lib.commands import CANARY

TEXT = st.builds(lambda before, after: f"{before}{CANARY} x{after}", st.text(max_size=3), st.text(max_size=3))
KEYS = TEXT | st.sampled_from(
    ["item", "key", "result", "status", "data", "db_param", "logs", "error_code", "sync_type_policy", "target_value"]
)
JOBS = st.recursive(
    TEXT | st.none() | st.booleans() | st.integers() | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
)


@given(st.dictionaries(KEYS, JOBS))
def test_no_text_of_the_cloud_is_shown(job: dict[str, Any]) -> None:
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
        ({"status": None, "result": {"x": 1}, "user_list": [{}]}, {}, 2),
        ({"sync_type_policy": "tableData,tableStructure"}, {"sync_type_policy": "tableData,tableStructure"}, 0),
        ({"support_ddl_info": "ADD_INDEX, shop.users"}, {"support_ddl_info": "ADD_INDEX,other"}, 0),
        (
            {"available_actions": ["RETRY", "shop.users", "", None, 7], "dml_types": [], "description": ["RETRY"]},
            {"available_actions": ["RETRY", "other"]},
            4,
        ),
        (
            {"speed_limit": [{"begin": "16:00", "end": "15:59", "speed": "10"}]},
            {"speed_limit": [{"begin": "16:00", "end": "15:59", "speed": "10"}]},
            0,
        ),
        (
            {"db_param": {"common": [{"key": "max_connections", "target_value": "800"}]}},
            {"db_param": {"common": [{"key": "max_connections", "target_value": "800"}]}},
            0,
        ),
        (
            {"tuning_params": {"full_sync": [{"param_name": "a b", "param_value": "/data", "availability": True}]}},
            {"tuning_params": {"full_sync": [{"availability": True}]}},
            2,
        ),
        ({"target_value": "ON", "tags": [{"key": "team"}]}, {"target_value": "ON"}, 1),
    ],
)
def test_what_is_shown(job: dict[str, Any], shown: dict[str, Any], left_out: int) -> None:
    assert allowed(job) == (shown, left_out)
