"""The rules `tasks.include` and `tasks.exclude`, in the exporter and in queries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from exporter.config import Tasks
from exporter.model.filters import ListQuery, TaskFilter
from exporter.model.task import Listed
from tests.lib.daemon import Scrape, calls, cloud_of, config_of, polling, sim_task

if TYPE_CHECKING:
    from exporter.simulator import SimulatedCloud

TASK = Listed(
    id="a1",
    name="orders-to-rds",
    status="INCRE_TRANSFER_STARTED",
    job_type="sync",
    engine_type="mysql",
    enterprise_project_id="0",
)


def rules(include: list[dict[str, str]] | None = None, exclude: list[dict[str, str]] | None = None) -> TaskFilter:
    return TaskFilter(Tasks.model_validate({"include": include or [], "exclude": exclude or []}))


@pytest.mark.parametrize(
    ("rule", "matches"),
    [
        ({"name": "orders-.*"}, True),
        ({"name": "orders"}, False),  # the whole name
        ({"id": "a1"}, True),
        ({"id": "a2"}, False),
        ({"job_type": "sync"}, True),
        ({"job_type": "migration"}, False),
        ({"engine_type": "mysql"}, True),
        ({"engine_type": "mysql-to-mysql"}, False),
        ({"status": "INCRE_TRANSFER_STARTED"}, True),
        ({"status": "PAUSING"}, False),
        ({"enterprise_project_id": "0"}, True),
        ({"enterprise_project_id": "1"}, False),
        ({"name": ".*", "id": "a1", "job_type": "sync"}, True),
        ({"name": ".*", "id": "a2"}, False),  # all that a rule names must hold
        ({"tag": "team"}, True),
        ({"tag": "team=dba"}, True),
        ({"tag": "team=web"}, False),
        ({"tag": "stage"}, False),
    ],
)
def test_a_rule_matches_when_all_that_it_names_holds(rule: dict[str, str], *, matches: bool) -> None:
    tags = {"team": "dba"}
    assert rules(include=[rule]).wants(TASK, tags) is matches
    assert rules(exclude=[rule]).wants(TASK, tags) is not matches


@pytest.mark.parametrize(
    ("include", "exclude", "wanted"),
    [
        ([], [], True),
        ([{"id": "x"}, {"id": "a1"}], [], True),
        ([{"id": "a1"}], [{"id": "x"}, {"job_type": "sync"}], False),
        ([{"tag": "team"}], [], False),  # unknown tags neither include nor exclude
        ([], [{"tag": "team"}], True),
    ],
)
def test_any_include_rule_includes_and_any_exclude_rule_excludes(
    include: list[dict[str, str]], exclude: list[dict[str, str]], *, wanted: bool
) -> None:
    assert rules(include, exclude).wants(TASK, None) is wanted


def test_a_list_keeps_tasks_whose_tags_may_include_them() -> None:
    assert rules(include=[{"tag": "team", "job_type": "sync"}]).select([TASK]) == [TASK]
    assert rules(include=[{"tag": "team", "job_type": "migration"}]).select([TASK]) == []


def test_subtasks_are_selected_with_their_outermost_parent() -> None:
    parent = Listed(id="p", name="shops", status="INCRE_TRANSFER_STARTED", job_type="sync", is_parent=True)
    middle = Listed(id="m", name="north", status="PAUSING", job_type="sync", parent_id="p", is_parent=True)
    inner = Listed(id="c", name="north-1", status="PAUSING", job_type="sync", parent_id="m", root_id="p")
    family = [parent, middle, inner]
    assert rules(include=[{"name": "shops"}]).select(family) == family
    assert rules(include=[{"name": "north"}]).select(family) == rules(exclude=[{"name": "shops"}]).select(family) == []


@pytest.mark.parametrize(
    ("include", "query"),
    [
        ([], ListQuery()),
        ([{"id": "a1"}, {"id": "a2"}], ListQuery(ids=("a1", "a2"))),
        ([{"id": "a1"}, {"job_type": "sync"}], ListQuery()),  # the second rule wants other ids as well
        ([{"status": "PAUSING"}], ListQuery(status="PAUSING")),
        ([{"status": "PAUSING"}, {"status": "FROZEN"}], ListQuery()),  # the cloud takes one
        ([{"enterprise_project_id": "0"}, {"enterprise_project_id": "1"}], ListQuery(("0", "1"))),
        ([{"engine_type": "mongodb"}], ListQuery()),  # the cloud would return mongodb-to-dds
    ],
)
def test_the_cloud_filters_by_values_that_all_include_rules_share(
    include: list[dict[str, str]], query: ListQuery
) -> None:
    assert rules(include=include).query(()) == query


def test_enterprise_projects_of_the_project_replace_those_of_rules() -> None:
    assert rules(include=[{"enterprise_project_id": "0"}]).query(("7",)).enterprise_project_ids == ("7",)


def test_ids_are_split_by_the_limit_of_a_list_and_each_enterprise_project_needs_a_list() -> None:
    query = ListQuery(("0", "1"), ("a", "b", "c"), "PAUSING")
    parts = query.parts(2)
    lists = [(project, filters["name"]) for project, filters in parts]
    assert lists == [("0", "a,b"), ("0", "c"), ("1", "a,b"), ("1", "c")]
    assert all(filters["status"] == "PAUSING" for _, filters in parts)


def _cloud() -> SimulatedCloud:
    return cloud_of(
        sim_task("orders", scenario="sync", tags={"team": "dba"}),
        sim_task("crm", scenario="migration"),
        sim_task("dr", scenario="cloudDataGuard", engine="mysql"),
    )


async def _page(cloud: SimulatedCloud, api: str, *collectors: str, after: float = 2, **tasks: Any) -> Scrape:
    async with polling(cloud, config_of(api, ("tasks", "progress", *collectors), tasks=tasks)) as exporter:
        return await Scrape.after(after, exporter)


@pytest.mark.parametrize("api", ["v3", "v5"])
async def test_job_types_that_no_rule_includes_are_not_listed(api: str) -> None:
    cloud = _cloud()
    page = await _page(cloud, api, include=[{"job_type": "sync"}])
    assert page.tasks() == {"orders"}
    assert set(page.by("phase", "drs_tasks", job_type="sync")) == {*page.by("phase", "drs_tasks")}
    assert calls(cloud)[f"{api} jobs"] == 1


@pytest.mark.parametrize("api", ["v3", "v5"])
async def test_excluded_tasks_are_neither_exposed_nor_counted_nor_queried(api: str) -> None:
    cloud = _cloud()
    page = await _page(cloud, api, exclude=[{"name": "crm"}, {"name": "dr"}])
    assert page.tasks() == {"orders"}
    assert sum(value for _, value in page.samples("drs_tasks")) == 1
    assert len([call for call in cloud.calls if "progress" in call.path or "progress" in str(call.query)]) == 1


@pytest.mark.parametrize("api", ["v3", "v5"])
async def test_ids_are_filtered_by_the_cloud(api: str) -> None:
    cloud = _cloud()
    page = await _page(cloud, api, include=[{"id": cloud.worlds[0].tasks[1].at(cloud.now()).id}])
    assert page.tasks() == {"crm"}
    assert sum(value for _, value in page.samples("drs_exporter_listed_tasks")) == 1


async def test_rules_about_tags_apply_once_the_details_are_known() -> None:
    page = await _page(_cloud(), "v3", "detail", after=65, include=[{"tag": "team=dba"}])
    assert page.tasks() == {"orders"}
    assert sum(value for _, value in page.samples("drs_tasks")) == 1
    assert page.value("drs_task_full_progress_ratio") is not None


@pytest.mark.parametrize(
    ("rule", "shown"),
    [
        ({"include": [{"tag": "team=dba"}]}, {"edited", "edit", "shops", "north"}),
        ({"exclude": [{"tag": "team=dba"}]}, {"shops", "south"}),
    ],
)
async def test_subtasks_have_the_tags_of_their_parent_and_a_parent_without_tags_follows_its_subtasks(
    rule: dict[str, Any], shown: set[str]
) -> None:
    edited = sim_task("edited", relation="edit", children=[sim_task("edit", role="child")], tags={"team": "dba"})
    children = [sim_task("north", role="child", tags={"team": "dba"}), sim_task("south", role="child")]
    shops = sim_task("shops", relation="multi_to_single", children=children)
    page = await _page(cloud_of(edited, shops), "v3", "detail", after=95, **rule)
    assert page.tasks() == shown
