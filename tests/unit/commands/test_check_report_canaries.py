from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from exporter.cloud import operations
from exporter.commands.check import check
from exporter.commands.check_report import ProjectReport, document
from exporter.config import Config
from exporter.simulator import SimulatedCloud, faults
from exporter.views.known_words import KEYS
from tests.lib.commands import CANARY, Dated, config_for, project
from tests.lib.daemon import cloud_of, sim_task
from tests.lib.virtual_time import now, simulate


def canaries(text: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds(lambda before, after: before + CANARY + after, text, text)


TEXT = canaries(
    st.text(max_size=5) | st.sampled_from(["DRS.M00102", "2026-06-26T17:08:57Z", "%", "-1", "PAUSING", "\n"])
)
KEY = TEXT | st.sampled_from(sorted(KEYS))
BODY = st.recursive(
    TEXT | st.none() | st.booleans() | st.integers() | st.floats(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEY, inner, max_size=4),
    max_leaves=20,
)


@given(
    answers=st.lists(st.tuples(st.integers(100, 599), st.dictionaries(TEXT, TEXT, max_size=2), BODY), max_size=4),
    region=TEXT,
)
def test_no_text_of_the_cloud_is_in_the_report(answers: list[Any], region: str) -> None:
    report = ProjectReport(cloud="otc", region=region, api="auto")
    for status, headers, body in answers:
        report.add_response("v3_list_jobs", status, headers, body, 0.1)
    report.add_failure("v3_list_jobs", "timeout", 10.0)
    written = json.dumps(document("1.2.3", [report]))
    assert CANARY not in written
    assert json.loads(written)["projects"][0]["region"] == "other"


def places(wire: Any) -> Any:
    """The same object with a canary in place of each string, and one more key."""
    if isinstance(wire, dict):
        return {**{key: places(value) for key, value in wire.items()}, f"{CANARY}_key": {CANARY: [CANARY]}}
    if isinstance(wire, list):
        return [places(value) for value in wire]
    return f"{CANARY} at 192.0.2.7, user root" if isinstance(wire, str) else wire


def report_text(cloud: SimulatedCloud, config: Config) -> str:
    return simulate(check(config, lambda *_: None, transport=Dated(cloud), now=now))[1]


def report_of(*fault: Any, **overrides: Any) -> dict[str, Any]:
    """The report of one project with one task whose responses contain the overrides."""
    cloud = cloud_of(sim_task("orders", overrides=overrides))
    cloud.faults = list(fault)
    text = report_text(cloud, config_for())
    assert [part for part in (CANARY, "orders") if part in text] == []
    (report,) = json.loads(text)["projects"]
    return dict(report)


def test_a_whole_report() -> None:
    report = report_of()
    assert {key: value for key, value in report.items() if key != "operations"} == {
        "answers_have_a_date": True,
        "api": "auto",
        "cloud": "huaweicloud",
        "region": "cn-north-4",
    }
    assert report["operations"]["v3_quotas"] == {
        "200": {
            "calls": 1,
            "seconds_min": 0.0,
            "seconds_max": 0.0,
            "body": {
                ".": "object",
                "quotas": "object",
                "quotas.resource": "object",
                "quotas.resource.type": "string instances",
                **{f"quotas.resource.{key}": "integer number" for key in ("max", "min", "quota", "used")},
            },
            "unknown_keys": {},
        }
    }
    assert report["operations"].keys() <= {operation.name for operation in operations.OPERATIONS}
    assert report["operations"]["v3_list_jobs"]["200"]["calls"] == 3


def test_a_report_of_errors() -> None:
    report = report_of(
        faults.refused("/quotas", 403, "DRS.M00102", f"{CANARY} lacks drs:quota:list"),
        faults.Fault(match="batch-async", kind="slow", seconds=60),
        faults.Fault(match="monitor-data", kind="body", status=502, body=f"<html>{CANARY}</html>"),
    )
    assert report["operations"]["v3_quotas"]["403"]["body"] == {
        ".": "object",
        "error_code": "string DRS.M00102",
        "error_msg": "string text",
    }
    assert report["operations"]["v5_batch_async_jobs"] == {
        "timeout": {"calls": 3, "seconds_min": 10.0, "seconds_max": 10.0, "body": {}, "unknown_keys": {}}
    }
    assert report["operations"]["v5_monitor_data"]["502"]["body"] == {".": "null"}


def test_a_report_of_a_cloud_that_sends_only_canaries() -> None:
    bodies = (
        *(f"v3_{kind}" for kind in ("progress", "detail", "compare")),
        *(f"v5_{kind}" for kind in ("monitor", "progress", "detail", "compare", "is_writable")),
    )
    overrides = {
        "v3_list": {
            key: places("") for key in ("name", "engine_type", "net_type", "description", "ip", "target_ip", CANARY)
        },
        "v5_list": {key: places("") for key in ("name", "engine_type", "enterprise_project_id", CANARY)},
        **{name: places({"error_code": "", "message": "", "data": [""]}) for name in bodies},
    }
    report = report_of(**overrides)
    assert report["operations"]["v3_list_jobs"]["200"]["unknown_keys"] == {"jobs[]": 1}
    assert "string text" in report["operations"]["v3_list_jobs"]["200"]["body"]["jobs[].engine_type"]


def test_a_private_region_is_not_named() -> None:
    text = report_text(cloud_of(), config_for(project(region="secret-site-1")))
    assert "secret-site" not in text
    assert json.loads(text)["projects"][0]["region"] == "other"
