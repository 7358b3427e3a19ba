"""The settings of waves, and their members over other lists, runs and configurations."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from exporter.config import Wave, from_mapping
from exporter.model.facts import Progress
from exporter.model.task import Listed, ProjectKey
from exporter.model.waves import Incomplete, matches_wave
from exporter.storage import Member, Storage
from exporter.store import project_waves
from tests.lib.daemon import StoreFixture, listed_task
from tests.lib.project_waves import ENDED, FINE, OTHERS, fixture_of, states, status_of, wave
from tests.lib.settings import account, settings
from tests.lib.virtual_time import simulated


@simulated
async def test_subtasks_are_no_members_but_follow_the_settings_of_the_wave() -> None:
    fixture = await fixture_of(wave(cutover={"max_delay": "1s"}))
    parent, child = listed_task("p", is_parent=True), listed_task("c", parent_id="p", root_id="p")
    await fixture.lists(child, parent)
    page = await fixture.page_with({"p": [FINE], "c": [Progress(full_ratio=1, delay_seconds=3)]})
    assert states(fixture) == {"task p": "blocked"}
    assert page.value("drs_task_cutover_blocker", task_id="c", reason="delay_high") == 1
    assert len(page.samples("drs_task_wave_info")) == 1


@simulated
async def test_of_two_waves_the_strictest_setting_holds() -> None:
    first = wave(cutover={"max_delay": "1s", "stable_for": "4m"})
    second = wave({"id": "a"}, cutover={"max_age": "80s", "comparison": "required"}) | {"name": "second"}
    fixture = await fixture_of(first, second)
    await fixture.lists(listed_task("a"), listed_task("b"))
    found = fixture.store.context.waves.settings("a")
    assert (found.max_delay, found.stable_for, found.max_age, found.comparison) == (1, 240, 80, "required")
    assert fixture.store.context.waves.settings("b").comparison == "if_available"
    assert [wave.name for wave in fixture.store.context.waves.of("a")] == ["w", "second"]


@simulated
async def test_stricter_settings_start_stable_for_again() -> None:
    fixture = StoreFixture(cutover={"stable_for": "1m"})
    fixture.store.state.polls_on = True
    for job_type in OTHERS:
        await fixture.lists(job_type=job_type)

    async def page_after(seconds: float) -> float | None:
        await fixture.scrape(seconds)
        await fixture.lists(listed_task("a"))
        return (await fixture.page_with({"a": [FINE]})).value("drs_task_cutover_ready")

    assert [await page_after(seconds) for seconds in (0, 50, 20)] == [0, 0, 1]
    fixture.run(wave(cutover={"max_delay": "1s"}))
    assert [await page_after(seconds) for seconds in (0, 50, 20)] == [0, 0, 1]
    fixture.run(wave(cutover={"max_delay": "1s", "stable_for": "2m"}))
    assert [await page_after(seconds) for seconds in (0, 40, 40)] == [0, 0, 1]
    fixture.run()
    assert await page_after(0) == 1


@simulated
async def test_another_name_starts_a_wave_without_its_old_members() -> None:
    fixture = await fixture_of()
    await fixture.lists(listed_task("a"), listed_task("b"))
    await fixture.scrape()
    fixture.run(wave({"id": "a"}))
    await fixture.scrape()
    assert states(fixture) == {"task a": "blocked", "task b": "blocked"}
    fixture.run(wave({"id": "a"}) | {"name": "other"})
    await fixture.scrape()
    other = fixture.waves.status("other")
    assert other is not None
    assert [member.task_id for member in other.members] == ["a"]


@simulated
async def test_a_wave_that_begins_again_has_no_members_of_its_earlier_run() -> None:
    fixture = await fixture_of(wave())
    await fixture.lists(listed_task("a"), listed_task("b"))
    await fixture.scrape()
    await fixture.lists(listed_task("a"), listed_task("b", ENDED))
    await fixture.scrape(60)
    assert states(fixture) == {"task a": "blocked", "task b": "ended"}
    fixture.run(wave(**{"from": "2026-01-01T00:00:30Z"}))
    await fixture.lists(listed_task("a"), listed_task("b", ENDED))
    await fixture.scrape()
    assert set(states(fixture)) == {"task a"}


@simulated
async def test_a_task_whose_lists_contradict_its_end_is_unknown() -> None:
    fixture = await fixture_of()
    await fixture.lists(listed_task("a"))
    await fixture.scrape()
    await fixture.lists(listed_task("a", ENDED, contradicted=True))
    await fixture.scrape()
    assert states(fixture) == {"task a": "unknown"}


@simulated
async def test_a_list_that_the_cloud_filters_by_status_proves_no_deletion() -> None:
    fixture = await fixture_of()
    tasks = {"include": [{"status": "INCRE_TRANSFER_STARTED"}]}
    rules = from_mapping(settings(account("acme", {"region": "x"}), tasks=tasks)).accounts[0].tasks
    fixture.store.context.filter.__init__(rules)  # type: ignore[misc]
    await fixture.page_of(listed_task("a"))
    for _ in range(3):
        await fixture.page_of()
        for job_type in OTHERS:
            await fixture.lists(job_type=job_type)
    assert states(fixture) == {"task a": "unknown"}


@simulated
async def test_a_task_is_matched_again_only_if_its_entry_in_the_list_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    matched: list[str] = []

    def counted(wave: Wave, key: ProjectKey, task: Listed, tags: Mapping[str, str] | None) -> bool | Incomplete:
        matched.append(f"{wave.name} {task.name}")
        return matches_wave(wave, key, task, tags)

    monkeypatch.setattr(project_waves, "matches_wave", counted)
    fixture = await fixture_of(wave(), {"name": "v", "include": [{"name": "other"}]})
    await fixture.lists(listed_task())
    assert sorted(matched) == ["v task a", "w task a"]
    matched.clear()
    for _ in range(3):
        await fixture.page_with({"a": [FINE]})
        await fixture.lists(listed_task())
    assert matched == []
    await fixture.lists(listed_task(name="other"))
    page = await fixture.scrape()
    assert "v other" in matched
    assert page.by("wave", "drs_task_wave_info", task_name="other") == {"v": 1.0, "w": 1.0}


@simulated
async def test_a_deleted_task_that_is_listed_again_is_a_member_again() -> None:
    fixture = await fixture_of()
    for tasks in ((listed_task(),), (), (), (listed_task(),)):
        await fixture.lists(*tasks)
        await fixture.scrape()
        assert [*states(fixture)] == (["task a"] if tasks else []), tasks


@simulated
async def test_other_work_goes_on_while_the_members_of_many_waves_are_found_and_no_wave_is_ready_meanwhile() -> None:
    fixture = await fixture_of()
    ids = [f"id-{number}" for number in range(50)]
    await fixture.lists(*map(listed_task, ids))
    await fixture.page_with({key: [FINE] for key in ids})
    assert status_of(fixture).ready
    fixture.run(wave(), *({"name": f"other-{number}", "include": [{"name": "other"}]} for number in range(99)))
    seen: list[tuple[bool | None, set[str]]] = []

    async def watch() -> None:
        while True:
            seen.append((status_of(fixture).ready, {*states(fixture).values()}))
            await asyncio.sleep(0)

    watching = asyncio.create_task(watch())
    await fixture.store.context.waves.tick()
    watching.cancel()
    assert len(seen) >= 4
    assert all(found == (False, {"unknown"}) for found in seen)


@simulated
async def test_only_members_that_have_changed_are_recorded_before_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    recorded: list[tuple[str, str]] = []

    def record(_storage: Storage, _wave: str, _key: ProjectKey, task_id: str, member: Member) -> None:
        recorded.append((task_id, member.state))

    monkeypatch.setattr(Storage, "set_member", record)
    fixture = await fixture_of()
    await fixture.lists(listed_task("a"), listed_task("b"))
    await fixture.scrape()
    assert sorted(recorded) == [("a", "blocked"), ("b", "blocked")]
    recorded.clear()
    await fixture.scrape(5)
    assert recorded == []
    await fixture.page_with({"b": [FINE]})
    assert recorded == [("b", "ready")]
