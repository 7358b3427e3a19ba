"""The members of waves that change while they run, and settings that no poll has used yet."""

from __future__ import annotations

from exporter.config import Wave, from_mapping
from exporter.model.details import Detail
from exporter.model.facts import Progress
from exporter.model.waves import Incomplete
from tests.lib.daemon import listed_task
from tests.lib.project_waves import OTHERS, fixture_of, states, status_of, wave
from tests.lib.settings import account, settings
from tests.lib.virtual_time import simulated

SLOW = Progress(full_ratio=1, delay_seconds=3)


@simulated
async def test_a_member_is_unknown_until_it_is_judged_by_the_settings_of_a_reload() -> None:
    fixture = await fixture_of(wave())
    await fixture.lists(listed_task())
    await fixture.page_with({"a": [SLOW]})
    assert (states(fixture), status_of(fixture).ready) == ({"task a": "ready"}, True)
    fixture.run(wave(cutover={"max_delay": "1s"}))
    assert (states(fixture), status_of(fixture).ready) == ({"task a": "unknown"}, False)
    await fixture.scrape()
    assert states(fixture) == {"task a": "blocked"}


@simulated
async def test_the_tasks_of_a_wave_that_a_reload_removes_are_judged_again() -> None:
    fixture = await fixture_of(wave(cutover={"max_delay": "1s"}))
    await fixture.lists(listed_task())
    page = await fixture.page_with({"a": [SLOW]})
    assert (page.value("drs_task_cutover_ready"), page.value("drs_task_wave_info", wave="w")) == (0, 1)
    fixture.run()
    page = await fixture.scrape()
    assert (page.value("drs_task_cutover_ready"), page.value("drs_task_wave_info", wave="w")) == (1, None)


@simulated
async def test_a_project_with_a_member_concerns_the_wave_whatever_its_rules_are_now() -> None:
    fixture = await fixture_of(wave())
    await fixture.lists(listed_task())
    await fixture.scrape()
    moved = Wave.model_validate(wave({"project": "other"}, cutover={"max_delay": "1s"}))
    fixture.store.context.waves.configure((moved,))
    fixture.waves.configure((moved,))
    await fixture.lists(listed_task(), complete=False)
    page = await fixture.page_with({"a": [SLOW]})
    assert (states(fixture), page.value("drs_task_cutover_ready")) == ({"task a": "blocked"}, 0)
    assert [project.reason for project in status_of(fixture).incomplete] == [Incomplete.LISTS]
    assert fixture.store.context.waves.strictest.max_delay == 1


@simulated
async def test_a_list_with_the_status_deleted_proves_the_deletion_of_a_task_that_rules_exclude() -> None:
    fixture = await fixture_of(wave())
    await fixture.lists(listed_task())
    await fixture.scrape()
    rules = from_mapping(settings(account("acme", {"region": "x"}), tasks={"exclude": [{"name": "gone"}]}))
    fixture.store.context.filter.__init__(rules.accounts[0].tasks)  # type: ignore[misc]
    await fixture.page_of(listed_task(name="gone"))
    assert states(fixture) == {"task a": "unknown"}
    for _ in range(2):
        for job_type in OTHERS:
            await fixture.lists(job_type=job_type)
        await fixture.page_of(listed_task(status="DELETED", name="gone"))
    assert states(fixture) == {}
    assert [member.task_id for member in status_of(fixture).deleted] == ["a"]


@simulated
async def test_the_tags_of_a_parent_are_those_of_its_subtasks() -> None:
    fixture = await fixture_of(wave({"tag": "team=shop"}))
    await fixture.lists(listed_task("p", is_parent=True), listed_task("c", parent_id="p", root_id="p"))
    await fixture.page_with({"p": [Progress(full_ratio=1, delay_seconds=0)]})
    assert states(fixture) == {}
    await fixture.page_with({"c": [Detail(tags=(("team", "shop"),))]})
    assert states(fixture) == {"task p": "blocked"}
