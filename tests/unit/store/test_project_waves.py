"""The members of waves in one project, their states, and the settings that hold for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from exporter.config import Wave, from_mapping
from exporter.model.details import Detail
from exporter.model.facts import Progress
from exporter.model.task import Listed, ProjectKey
from exporter.model.waves import Incomplete, WaveState, WaveStatus, matches_wave
from exporter.store import project_waves
from tests.lib.daemon import StoreFixture, listed_task
from tests.lib.settings import account, settings
from tests.lib.virtual_time import simulated

FINE = Progress(full_ratio=1, delay_seconds=0)
ENDED = "RELEASE_RESOURCE_COMPLETE"
OTHERS = ("migration", "cloudDataGuard")


def wave(*rules: dict[str, str], **keys: Any) -> dict[str, Any]:
    return {"name": "w", "include": rules or [{"name": "task .*"}], **keys}


async def fixture_of(*waves: dict[str, Any]) -> StoreFixture:
    fixture = StoreFixture()
    fixture.run(*(waves or (wave(),)))
    await fixture.scrape()
    for job_type in OTHERS:
        await fixture.lists(job_type=job_type)
    return fixture


def status_of(fixture: StoreFixture) -> WaveStatus:
    status = fixture.waves.status("w")
    assert status is not None
    return status


def states(fixture: StoreFixture) -> dict[str, str]:
    return {member.task_name: member.state.value for member in status_of(fixture).members}


@pytest.mark.parametrize(
    ("status", "facts", "state"),
    [
        ("INCRE_TRANSFER_STARTED", FINE, WaveState.READY),
        ("INCRE_TRANSFER_STARTED", Progress(full_ratio=1, delay_seconds=9), WaveState.BLOCKED),
        ("CONFIGURATION", None, WaveState.BLOCKED),
        ("RELEASE_RESOURCE_STARTED", None, WaveState.BLOCKED),
        ("INCRE_TRANSFER_FAILED", FINE, WaveState.FAILED),
        ("NEW_WORD", None, WaveState.UNKNOWN),
    ],
)
@simulated
async def test_the_state_of_a_member_follows_from_its_phase_and_its_verdict(
    status: str, facts: Progress | None, state: WaveState
) -> None:
    fixture = await fixture_of()
    await fixture.lists(listed_task(status=status))
    await fixture.page_with({"a": [facts]} if facts else {})
    assert states(fixture) == {"task a": state}


@simulated
async def test_a_standby_is_excluded_and_does_not_count() -> None:
    fixture = await fixture_of(wave(expected=2))
    await fixture.lists(listed_task("a"), listed_task("b", role="slave"))
    page = await fixture.page_with({"a": [FINE], "b": [FINE]})
    assert states(fixture) == {"task a": "ready", "task b": "excluded"}
    assert page.value("drs_wave_ready") == 0


@simulated
async def test_a_task_that_ended_before_the_wave_saw_it_is_no_member_without_its_id() -> None:
    fixture = await fixture_of(wave({"name": "task .*"}, {"id": "b"}))
    await fixture.lists(listed_task("a", ENDED), listed_task("b", ENDED), listed_task("c"))
    await fixture.scrape()
    assert states(fixture) == {"task b": "ended", "task c": "blocked"}


@simulated
async def test_a_task_that_ends_during_the_wave_counts_as_ended() -> None:
    fixture = await fixture_of(wave(expected=2))
    await fixture.lists(listed_task("a"), listed_task("b"))
    await fixture.page_with({"a": [FINE]})
    await fixture.lists(listed_task("a"), listed_task("b", ENDED))
    page = await fixture.scrape()
    assert states(fixture) == {"task a": "ready", "task b": "ended"}
    assert page.value("drs_wave_ready") == 1


@simulated
async def test_an_ended_wave_is_not_ready() -> None:
    fixture = await fixture_of(wave(expected=1))
    await fixture.lists(listed_task("a"))
    await fixture.scrape()
    await fixture.lists(listed_task("a", ENDED))
    assert (await fixture.scrape()).value("drs_wave_ready") == 0


@simulated
async def test_a_renamed_member_stays_and_follows_the_settings_of_the_wave() -> None:
    fixture = await fixture_of(wave(cutover={"max_delay": "1s"}))
    await fixture.lists(listed_task("a"))
    await fixture.scrape()
    await fixture.lists(listed_task("a", name="renamed"))
    page = await fixture.page_with({"a": [Progress(full_ratio=1, delay_seconds=3)]})
    assert states(fixture) == {"renamed": "blocked"}
    assert page.value("drs_task_wave_info", task_id="a") == 1


@simulated
async def test_a_member_stays_unknown_until_lists_prove_its_deletion() -> None:
    fixture = await fixture_of(wave(expected=1))
    await fixture.lists(listed_task("a"), listed_task("b"))
    await fixture.page_with({"a": [FINE], "b": [FINE]})
    page = await fixture.page_with({}, missing=["b"])
    assert (states(fixture), page.value("drs_wave_ready")) == ({"task a": "ready", "task b": "unknown"}, 0)
    await fixture.lists(listed_task("a"), complete=False)
    assert (await fixture.scrape()).value("drs_wave_ready") == 0
    for job_type in OTHERS:
        await fixture.lists(job_type=job_type)
    page = await fixture.page_of(listed_task("a"))
    assert (states(fixture), page.value("drs_wave_ready")) == ({"task a": "ready"}, 1)
    assert [(member.task_id, member.state) for member in status_of(fixture).deleted] == [("b", WaveState.READY)]


@simulated
async def test_a_member_that_a_list_lacks_is_removed_at_once() -> None:
    fixture = await fixture_of()
    await fixture.lists(listed_task("a"), listed_task("b"))
    await fixture.scrape()
    await fixture.page_of(listed_task("a"))
    assert states(fixture) == {"task a": "blocked"}


@simulated
async def test_a_member_that_only_the_rules_exclude_is_unknown() -> None:
    fixture = await fixture_of()
    await fixture.lists(listed_task("a"))
    await fixture.scrape()
    rules = from_mapping(settings(account("acme", {"region": "x"}), tasks={"exclude": [{"name": "gone"}]}))
    fixture.store.context.filter.__init__(rules.accounts[0].tasks)  # type: ignore[misc]
    for _ in range(3):
        await fixture.page_of(listed_task("a", name="gone"))
        for job_type in OTHERS:
            await fixture.lists(job_type=job_type)
    assert states(fixture) == {"task a": "unknown"}


@simulated
async def test_a_member_without_a_fresh_status_is_unknown() -> None:
    fixture = await fixture_of()
    await fixture.lists(listed_task("a"))
    await fixture.page_with({"a": [FINE]})
    await fixture.scrape(91)
    assert states(fixture) == {"task a": "unknown"}


@simulated
async def test_an_id_that_is_not_found_is_unknown_and_keeps_the_wave_from_being_ready() -> None:
    fixture = await fixture_of(wave({"name": "task .*"}, {"id": "z"}))
    await fixture.lists(listed_task("a"))
    page = await fixture.page_with({"a": [FINE]})
    assert page.value("drs_wave_tasks", state="unknown") == 1
    assert (status_of(fixture).missing_ids, page.value("drs_wave_ready")) == (("z",), 0)


@simulated
async def test_an_incomplete_list_keeps_the_wave_from_being_ready() -> None:
    fixture = await fixture_of()
    await fixture.lists(listed_task("a"), complete=False)
    page = await fixture.page_with({"a": [FINE]})
    assert (states(fixture), page.value("drs_wave_ready")) == ({"task a": "ready"}, 0)
    assert [project.reason for project in status_of(fixture).incomplete] == [Incomplete.LISTS]


@simulated
async def test_before_the_first_poll_nothing_is_known_of_a_wave() -> None:
    fixture = StoreFixture()
    fixture.store.state.ready = False
    fixture.run(wave(expected=1))
    page = await fixture.scrape()
    assert page.names() & {"drs_wave_ready", "drs_wave_tasks", "drs_wave_expected_tasks"} == {"drs_wave_expected_tasks"}


@simulated
async def test_a_task_with_unknown_tags_keeps_the_wave_from_being_ready() -> None:
    fixture = await fixture_of(wave({"tag": "team=shop"}))
    await fixture.lists(listed_task("a"), listed_task("b"), listed_task("c", "CONFIGURATION"))
    await fixture.page_with({"a": [FINE, Detail(tags=(("team", "shop"),))]})
    assert states(fixture) == {"task a": "ready"}
    assert [project.reason for project in status_of(fixture).incomplete] == [Incomplete.TAGS]
    page = await fixture.page_with({"b": [Detail(tags=())]})
    assert page.value("drs_wave_ready") == 1


@simulated
async def test_a_name_that_takes_too_long_keeps_the_wave_from_being_ready() -> None:
    fixture = await fixture_of(wave({"name": "(a|aa)+b"}, {"id": "a"}))
    await fixture.lists(listed_task("a"), listed_task("b", name="a" * 40))
    page = await fixture.page_with({"a": [FINE]})
    assert (states(fixture), page.value("drs_wave_ready")) == ({"task a": "ready"}, 0)
    assert [project.reason for project in status_of(fixture).incomplete] == [Incomplete.NAMES]


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
