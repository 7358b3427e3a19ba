"""Names and labels are those of the contract, and every family is well-formed."""

from __future__ import annotations

import re
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import pytest

from exporter.metrics.family import PROJECT_LABELS, TASK_LABELS, WAVE_LABELS
from exporter.metrics.projects import PROJECT_FAMILIES
from exporter.metrics.self_metrics import SELF_METRICS
from exporter.metrics.tasks import TASK_FAMILIES
from exporter.metrics.waves import WAVE_FAMILIES
from tests.lib.paths import DATA

if TYPE_CHECKING:
    from collections.abc import Iterable

    from exporter.metrics.family import Family
    from exporter.metrics.self_metrics import SelfMetric
    from exporter.model.task import Task

    AnyFamily = Family[Any] | SelfMetric[Any]

ALL: tuple[AnyFamily, ...] = (*TASK_FAMILIES, *PROJECT_FAMILIES, *WAVE_FAMILIES, *SELF_METRICS)
NAME = attrgetter("name")
FORBIDDEN = {"job", "instance", "endpoint", "service", "namespace", "pod", "container", "node", "cluster", "host"}
UNITS = ("seconds", "bytes", "ratio", "per_second", "total", "info")
WITHOUT_UNIT = {
    *("drs_up", "drs_tasks", "drs_apply_state", "drs_side_up", "drs_precheck_items", "drs_async_jobs"),
    *(f"drs_task_{name}" for name in ("status", "phase", "action_available", "current_action", "switching")),
    "drs_task_target_read_only_lifted",
    *(f"drs_task_{name}" for name in ("objects_source", "objects_target", "objects_status")),
    *(f"drs_task_cutover_{name}" for name in ("ready", "blocker", "unchecked")),
    *(f"drs_comparison_{name}" for name in ("status", "consistent", "results", "rows_source", "rows_target")),
    *(f"drs_comparison_{name}_rows" for name in ("different", "missing", "extra")),
    *("drs_comparison_objects_source", "drs_comparison_objects_target", "drs_quota_used", "drs_quota_limit"),
    *(f"drs_exporter_{name}" for name in ("collector_success", "list_success", "list_complete", "listed_tasks")),
    "drs_exporter_source_published",
    *(f"drs_task_{name}" for name in ("order_status", "order_auto_renew", "target_read_only", "alarm_enabled")),
    *("drs_task_restart_required", "drs_task_eip_bound", "drs_node_status"),
    "drs_exporter_config_last_reload_successful",
    "drs_exporter_storage_success",
    *("drs_wave_tasks", "drs_wave_expected_tasks", "drs_wave_ready"),
}
"""Counts, states and flags."""
CONTRACT = {
    section.partition(":")[0]: section for section in (DATA / "metrics_contract.txt").read_text().split("\n# ")[1:]
}


@pytest.mark.parametrize(
    ("section", "families"),
    [("tasks", TASK_FAMILIES), ("projects", PROJECT_FAMILIES), ("waves", WAVE_FAMILIES), ("exporter", SELF_METRICS)],
)
def test_names_and_labels_are_those_of_the_contract(section: str, families: Iterable[AnyFamily]) -> None:
    lines = {f"{family.name}{{{', '.join(family.labels)}}}" for family in families}
    head, *promised = CONTRACT[section].rstrip().splitlines()
    more = lines - set(promised)
    assert set(promised) <= lines
    assert not more or section == "exporter"
    labels = {"tasks": TASK_LABELS, "projects": PROJECT_LABELS, "waves": WAVE_LABELS, "exporter": ()}[section]
    assert head == f"{section}: {', '.join(labels)}".rstrip()


def test_the_help_names_every_code_that_is_no_status() -> None:
    (requests,) = (metric for metric in SELF_METRICS if metric.name == "drs_exporter_api_requests_total")
    assert all(word in requests.help for word in ("timeout", "network", "decode", "credentials", "cancelled", "paused"))


def test_names_are_unique() -> None:
    names = [family.name for family in ALL]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("family", ALL, ids=NAME)
def test_each_family_is_well_formed(family: AnyFamily) -> None:
    assert re.fullmatch(r"drs_[a-z]+(_[a-z]+)*", family.name)
    assert family.type in {"gauge", "counter", "histogram"}
    assert (family.type == "counter") == family.name.endswith("_total")
    assert family.name.endswith(UNITS) != (family.name in WITHOUT_UNIT)
    assert not re.search(r"milli|micro|mega|giga|percent|minutes|hours|_ms\b|_mb\b", family.name)
    assert re.fullmatch(r"[A-Z1].*\.", family.help)
    assert "\n" not in family.help
    assert "|" not in family.help  # it becomes a cell of a table
    words = family.name.removeprefix("drs_").replace("_", " ")
    assert words not in family.help.lower().removesuffix(".").split(" of ")[:1]
    assert not FORBIDDEN.intersection(family.labels)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", label) for label in family.labels)


@pytest.mark.parametrize("family", TASK_FAMILIES, ids=NAME)
def test_family_labels_differ_from_the_labels_of_a_task(family: Family[Task]) -> None:
    assert not set(TASK_LABELS).intersection(family.labels)
    assert not FORBIDDEN.intersection(TASK_LABELS)


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("drs_node_{}_bytes_per_second", "network_receive network_transmit disk_read disk_write"),
        ("drs_apply_average_{}_seconds", "execute commit"),
        ("drs_apply_{}_per_second", "rows transactions ddls"),
        ("drs_node_{}_usage_ratio", "cpu memory"),
    ],
)
def test_units_that_the_cloud_does_not_document_are_called_inferred(pattern: str, names: str) -> None:
    helps = {family.name: family.help for family in TASK_FAMILIES}
    assert [name for name in names.split() if "inferred" not in helps[pattern.format(name)]] == []
