"""The samples of each family of a project: unknown values have no series."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

import pytest

from exporter.metrics.projects import PROJECT_FAMILIES
from exporter.model.facts import Access, AsyncJobs, CollectorFacts, Quota
from exporter.model.task import Phase, Project
from exporter.model.task_lists import Gap, ListFacts

if TYPE_CHECKING:
    from exporter.metrics.family import Family


@pytest.mark.parametrize("family", PROJECT_FAMILIES, ids=attrgetter("name"))
def test_a_project_before_its_first_poll_has_no_series(family: Family[Project]) -> None:
    assert len(family.samples(Project("a", "r", "p"))) == 0


def test_a_project() -> None:
    project = Project(
        "a",
        "r",
        "p",
        up=False,
        counts={("sync", Phase.FULL): 0},
        lists={
            ("v3", "sync"): ListFacts(success=False),
            ("v5", "sync"): ListFacts(success=True, tasks=0),
            ("v5", "migration"): ListFacts(success=False, tasks=1, gap=Gap.TOTAL, incomplete_since=7.0),
        },
        collectors={"node": CollectorFacts(60.0), "tasks": CollectorFacts(30.0, True, 0.5, 9.0, 300.0, 40.0)},  # noqa: FBT003
        sources={("node", "v5_monitor"): False},
        quota=Quota((("tasks", 3, None), ("nodes", None, 5))),
        async_jobs=AsyncJobs((("FAILED", 1),), (("id", 4.0),)),
        access=Access(clock_skew_seconds=-0.5, credentials_type="token", credentials_expire_at=5.0),
    )
    shown = {family.name: dict(family.samples(project)) for family in PROJECT_FAMILIES}
    assert shown == {
        "drs_up": {(): 0},
        "drs_tasks": {("sync", "full"): 0},
        "drs_exporter_collector_success": {("tasks",): 1},
        "drs_exporter_collector_duration_seconds": {("tasks",): 0.5},
        "drs_exporter_collector_last_success_timestamp_seconds": {("tasks",): 9},
        "drs_exporter_collector_interval_seconds": {("node",): 60, ("tasks",): 30},
        "drs_exporter_collector_oldest_seconds": {("tasks",): 40},
        "drs_exporter_collector_max_age_seconds": {("tasks",): 300},
        "drs_exporter_list_success": {("v3", "sync"): 0, ("v5", "sync"): 1, ("v5", "migration"): 0},
        "drs_exporter_listed_tasks": {("v5", "sync"): 0, ("v5", "migration"): 1},
        "drs_exporter_list_complete": {("v5", "sync"): 1, ("v5", "migration"): 0},
        "drs_exporter_source_published": {("node", "v5_monitor"): 0},
        "drs_quota_used": {("tasks",): 3},
        "drs_quota_limit": {("nodes",): 5},
        "drs_async_jobs": {("FAILED",): 1},
        "drs_async_job_failed_timestamp_seconds": {("id",): 4},
        "drs_exporter_clock_skew_seconds": {(): -0.5},
        "drs_exporter_credentials_expire_timestamp_seconds": {("token",): 5},
    }
