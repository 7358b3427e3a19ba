"""The members of waves in one project, their states, and the settings that hold for them."""

from __future__ import annotations

import pytest

from exporter.config import from_mapping
from exporter.model.details import Detail
from exporter.model.facts import Progress
from exporter.model.waves import Incomplete, Stage, WaveState
from tests.lib.daemon import StoreFixture, listed_task
from tests.lib.project_waves import ENDED, FINE, OTHERS, fixture_of, states, status_of, wave
from tests.lib.settings import account, settings
from tests.lib.virtual_time import simulated


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


@pytest.mark.parametrize(
    ("rule", "reason"), [({"tag": "team=shop"}, Incomplete.TAGS), ({"name": "(a|aa)+b"}, Incomplete.NAMES)]
)
@simulated
async def test_a_planned_wave_reports_why_it_may_have_more_tasks(rule: dict[str, str], reason: Incomplete) -> None:
    fixture = await fixture_of(wave(rule, {"id": "a"}, **{"from": "2026-01-01T01:00:00Z"}))
    await fixture.lists(listed_task("a"), listed_task("b", name="a" * 40))
    await fixture.scrape()
    assert (status_of(fixture).stage, [*states(fixture)]) == (Stage.PLANNED, ["task a"])
    assert [project.reason for project in status_of(fixture).incomplete] == [reason]
