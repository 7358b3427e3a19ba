"""docs/metrics.md is fresh, complete and true."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from exporter.config import NEEDS, Collectors, Cutover
from exporter.docs import examples
from exporter.docs.catalogue import catalogue_markdown, unit_text
from exporter.docs.sources import feed_of
from exporter.metrics.projects import PROJECT_FAMILIES
from exporter.metrics.self_metrics import SELF_METRICS
from exporter.metrics.tasks import TASK_FAMILIES
from exporter.metrics.waves import WAVE_FAMILIES
from exporter.model.cutover import REASONS, judge
from exporter.model.cutover_input import CutoverInput
from exporter.model.cutover_reason import Outcome
from exporter.model.cutover_words import ADVICE
from exporter.model.facts import Progress, Recovery
from tests.lib.documents import rows
from tests.lib.paths import DOCS

if TYPE_CHECKING:
    from exporter.metrics.family import Family
    from exporter.metrics.self_metrics import SelfMetric

ALL: tuple[Family[Any] | SelfMetric[Any], ...] = (*TASK_FAMILIES, *PROJECT_FAMILIES, *WAVE_FAMILIES, *SELF_METRICS)
ROLE, ACTION, BOTH = "role", "`drs:dataGuardJob:list`", "v3: role; v5: none"
LISTS, PROGRESS_V5 = "v3_list_jobs v5_list_jobs", "v5_job_progress v5_monitor_data"
COMPARE_V3 = "v3_query_compare_result v3_batch_precheck_result"
ALL_V5 = f"{PROGRESS_V5} v5_job_detail v5_job_is_writable v5_job_compare v5_job_log"
TEXT = catalogue_markdown()


def section(heading: str) -> str:
    """The text below a heading, up to the next one."""
    return TEXT.partition(f"\n{heading}\n")[2].partition("\n##")[0]


FAMILIES, _, SOURCES_AND_EXAMPLES = TEXT.partition("## Sources")
METRICS = {name: cells for name, cells in rows(FAMILIES).items() if name.startswith("drs_")}
REASONS_TOLD = rows(section("### Reasons against a cut-over"))
SOURCES = rows(SOURCES_AND_EXAMPLES)


def test_the_file_is_fresh() -> None:
    """Else: make docs."""
    assert (DOCS / "metrics.md").read_text() == TEXT


@pytest.mark.parametrize("family", ALL, ids=lambda family: family.name)
def test_a_family_is_documented_in_full(family: Family[Any] | SelfMetric[Any]) -> None:
    labels = ", ".join(f"`{name}`" for name in family.labels)
    assert METRICS[family.name] == [family.type, unit_text(family.name), labels, family.help]
    (line,) = (line for line in SOURCES_AND_EXAMPLES.splitlines() if re.match(f"{family.name}(_count)?[{{ ]", line))
    ((sample,),) = (read.samples for read in text_string_to_metric_families(line.replace("{…", '{x="y"')))
    assert sample.name.removesuffix("_count") == family.name
    common = set() if family in SELF_METRICS else {"x"}
    assert set(sample.labels) == common | {name for name in family.labels if sample.labels.get(name)}
    assert family.name == "drs_task_detail_info" or set(family.labels) <= set(sample.labels) | {"role", "node_role"}


def test_nothing_else_is_documented() -> None:
    assert METRICS.keys() == {family.name for family in ALL}
    about_the_cloud: tuple[Family[Any], ...] = (*TASK_FAMILIES, *PROJECT_FAMILIES)
    assert SOURCES.keys() == {family.name for family in about_the_cloud if feed_of(family).collectors}
    assert not [name for name in SOURCES if name.startswith("drs_exporter_")]


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("drs_task_rpo_seconds", "seconds"),
        ("drs_task_created_timestamp_seconds", "Unix time in seconds"),
        ("drs_apply_rows_per_second", "rows per second"),
        ("drs_node_disk_read_bytes_per_second", "bytes per second"),
        ("drs_node_memory_size_bytes", "bytes"),
        ("drs_node_cpu_usage_ratio", "ratio of 1"),
        ("drs_comparison_different_rows", "rows"),
        ("drs_task_failures_total", "count"),
        ("drs_task_info", "always 1"),
        ("drs_exporter_source_published", ""),
        ("drs_task_objects_source", ""),
        ("drs_up", ""),
    ],
)
def test_the_unit_is_the_end_of_the_name(name: str, unit: str) -> None:
    assert unit_text(name) == unit
    assert METRICS[name][1] == unit


@pytest.mark.parametrize(
    ("name", "collectors", "fed_by", "permission"),
    [
        ("task_phase", "tasks", LISTS, BOTH),
        ("task_created_timestamp_seconds", "tasks, detail", f"{LISTS} v3_batch_detail v5_job_detail", BOTH),
        ("task_updated_timestamp_seconds", "detail", "v3_batch_detail", ROLE),
        ("task_auto_stop_after_seconds", "detail", "v5_job_detail", "none"),
        ("node_cpu_usage_ratio", "node", f"v3_dr_monitoring {PROGRESS_V5}", BOTH),
        ("task_rpo_seconds", "recovery", "v3_batch_rpo_and_rto", f"{ROLE}, {ACTION}"),
        (
            "task_collected_timestamp_seconds",
            "progress, node, recovery, objects, detail, comparison, precheck, logs",
            f"v3_batch_progress v3_batch_rpo_and_rto v3_dr_monitoring v3_batch_detail {COMPARE_V3} {ALL_V5}",
            f"v3: {ROLE}, {ACTION}; v5: none",
        ),
        ("quota_used", "quota", "v3_quotas", ROLE),
        ("async_jobs", "async_jobs", "v5_batch_async_jobs", "none"),
    ],
)
def test_the_sources_and_permissions_of_a_family(name: str, collectors: str, fed_by: str, permission: str) -> None:
    words = ", ".join(f"`{operation}`" for operation in fed_by.split())
    assert SOURCES[f"drs_{name}"] == [collectors, words, permission]


def test_every_reason_against_a_cut_over_is_explained() -> None:
    assert [*REASONS_TOLD] == [reason.name for reason in REASONS]
    _, means, remedy, scope = ADVICE["delay_high"]
    assert REASONS_TOLD["delay_high"] == [f"{means} {scope}", remedy, "progress", "`cutover.max_delay`: 5s"]
    assert REASONS_TOLD["log_error"][2:] == ["logs", "`cutover.logs`: ignore"]
    assert all(re.fullmatch(r"[A-Z][^|]*\.", text) for cells in REASONS_TOLD.values() for text in cells[:2])
    assert {cells[2] for cells in REASONS_TOLD.values()} <= set(Collectors.model_fields)


def test_the_setting_of_a_reason_removes_or_relaxes_it() -> None:
    """Over tasks of which nothing is known but that they are late."""
    parts: dict[str, Any] = {"progress": Progress(delay_seconds=9), "recovery": Recovery(9, 9)}
    task = replace(examples.REPLICATING, **parts, monitor=None, objects=None, comparison=None, logs=None, detail=None)
    strict = Cutover(max_delay=5, **dict.fromkeys(NEEDS, "required"))  # type: ignore[arg-type]

    def judged(settings: Cutover) -> set[tuple[str, Outcome]]:
        return {*judge(CutoverInput(task, settings, report_advances=True))}

    for setting in ("max_delay", *NEEDS):
        mild = strict.model_copy(update={setting: 60.0 if setting == "max_delay" else "ignore"})
        differ = {name for name, _ in judged(strict) ^ judged(mild)}
        assert differ == {reason.name for reason in REASONS if reason.setting == setting}, setting


def test_the_examples_fit_the_model() -> None:
    assert all(task.identity.task_id == (task.listed and task.listed.id) for task in examples.TASKS)
    assert not re.search(r"\d+\.\d+\.\d+\.\d+|password=|user=", TEXT)
