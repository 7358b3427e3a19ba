"""docs/migration.md: its names exist, its expressions parse, and its two alerts fire for the same delay."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import promql_parser
import yaml

from tests.lib.paths import DOCS
from tests.lib.promql import faults
from tests.lib.rules import promtool
from tests.lib.tools import needs

if TYPE_CHECKING:
    from pathlib import Path

TEXT = (DOCS / "migration.md").read_text(encoding="utf-8")
VENDOR = [
    "cpu_util",
    "mem_util",
    "disk_util",
    "network_incoming_bytes_rate",
    "network_outgoing_bytes_rate",
    "disk_read_bytes_rate",
    "disk_write_bytes_rate",
    "extract_bytes_rate",
    "extract_rows_rate",
    "extract_latency",
    "apply_bytes_rate",
    "apply_rows_rate",
    "apply_transactions_rate",
    "apply_ddls_rate",
    "apply_latency",
    "apply_average_execute_time",
    "apply_average_commit_time",
    "apply_current_state",
    "apply_thread_workers",
    "apply_job_status",
    "apply_ddls_number",
]
"""The metrics of SYS.DRS that the vendor's exporter forwards."""


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def rows() -> dict[str, str]:
    """The second column of the table of metrics, by the first."""
    section = TEXT.partition("\n## Metrics\n")[2].partition("\n## ")[0]
    lines = [line.split("|") for line in section.splitlines() if line.startswith("| `") and "sys_drs" not in line]
    return {re.findall(r"`(\w+)`", first)[0]: second.strip() for _, first, second, *_ in lines}


def documents() -> dict[str, dict[str, Any]]:
    loaded = [yaml.safe_load(block) for block in blocks("yaml")]
    return {group["name"]: data for data in loaded for group in data.get("groups", ())}


def test_each_metric_of_the_vendors_exporter_has_a_row() -> None:
    assert list(rows()) == VENDOR


def test_each_name_of_ours_exists() -> None:
    names = set(re.findall(r"\bdrs_\w+", TEXT)) - {"drs_exporter"}
    assert len(names) > 25
    assert [fault for name in sorted(names) for fault in faults(name, set())] == []


def test_expressions_have_names_and_labels_that_exist() -> None:
    rules = [rule["expr"] for data in documents().values() for group in data["groups"] for rule in group["rules"]]
    for expression in (*blocks("promql"), *rules):
        promql_parser.parse(expression)
    ours = [expression for expression in (*blocks("promql"), *rules) if "huaweicloud_" not in expression]
    assert len(ours) == 3
    assert [fault for expression in ours for fault in faults(expression, set())] == []


def test_the_vendors_exporter_beside_ours_keeps_what_has_no_twin() -> None:
    (data,) = [data for block in blocks("yaml") if "scrape_configs" in (data := yaml.safe_load(block))]
    (relabel,) = data["scrape_configs"][0]["metric_relabel_configs"]
    kept = [name for name in VENDOR if re.fullmatch(relabel["regex"], f"huaweicloud_sys_drs_{name}")]
    assert kept == [name for name, ours in rows().items() if ours.startswith("no twin")]


@needs("promtool")
def test_both_alerts_fire_for_the_same_delay(tmp_path: Path) -> None:
    for name, data in documents().items():
        (tmp_path / f"{name}.yml").write_text(yaml.safe_dump(data))
    labels = {"account": "a", "region": "r", "project": "p", "task_id": "1", "task_name": "orders"}
    ours = ", ".join(f'{name}="{value}"' for name, value in labels.items())
    fired = [{"exp_labels": {"name": "orders", "instance_id": "1"}}, {"exp_labels": labels}]
    known = {
        "interval": "1m",
        "input_series": [
            {
                "series": 'huaweicloud_sys_drs_apply_latency{name="orders", instance_id="1"}',
                "values": "59000x10 61000x20",
            },
            {"series": f'drs_task_incremental_delay_seconds{{{ours}, job="d", instance="i"}}', "values": "59x10 61x20"},
            {"series": f'drs_task_phase{{{ours}, phase="incremental"}}', "values": "1x30"},
        ],
        "alert_rule_test": [
            {"eval_time": "10m", "alertname": "OrdersLag", "exp_alerts": []},
            {"eval_time": "25m", "alertname": "OrdersLag", "exp_alerts": fired},
            {"eval_time": "25m", "alertname": "OrdersLagUnknown", "exp_alerts": []},
        ],
    }
    unknown = {
        "interval": "1m",
        "input_series": [{"series": f'drs_task_phase{{{ours}, phase="incremental"}}', "values": "1x30"}],
        "alert_rule_test": [
            {"eval_time": "15m", "alertname": "OrdersLagUnknown", "exp_alerts": [{"exp_labels": labels}]},
        ],
    }
    test = {"rule_files": ["before.yml", "after.yml"], "tests": [known, unknown]}
    (tmp_path / "test.yml").write_text(yaml.safe_dump(test))
    promtool("test", "rules", str(tmp_path / "test.yml"))
