"""The status of waves, and their families."""

from __future__ import annotations

from typing import Any

from exporter.model.facts import Progress
from exporter.model.waves import Stage, WaveState
from tests.lib.daemon import Scrape, StoreFixture, listed_task
from tests.lib.virtual_time import EPOCH, simulated

FINE = Progress(full_ratio=1, delay_seconds=0)
JOB_TYPES = ("migration", "cloudDataGuard")


def wave(name: str = "w", **keys: Any) -> dict[str, Any]:
    return {"name": name, "include": [{"name": "task .*"}], **keys}


def counts(page: Scrape, name: str = "w") -> dict[str, float]:
    return {state: value for state, value in page.by("state", "drs_wave_tasks", wave=name).items() if value}


async def fixture_of(*waves: dict[str, Any], **settings: Any) -> StoreFixture:
    fixture = StoreFixture(cutover=settings)
    fixture.run(*waves)
    for job_type in JOB_TYPES:
        await fixture.lists(job_type=job_type)
    return fixture


@simulated
async def test_a_wave_is_ready_once_all_its_members_are() -> None:
    fixture = await fixture_of(wave(expected=2))
    await fixture.lists(listed_task("a"), listed_task("b"))
    page = await fixture.page_with({"a": [FINE]})
    assert (counts(page), page.value("drs_wave_ready", wave="w")) == ({"ready": 1, "blocked": 1}, 0)
    page = await fixture.page_with({"b": [FINE]})
    assert (counts(page), page.value("drs_wave_ready", wave="w")) == ({"ready": 2}, 1)
    assert page.value("drs_wave_expected_tasks", wave="w") == 2
    assert page.value("drs_task_wave_info", task_id="a", wave="w") == 1
    status = fixture.waves.status("w")
    assert status is not None
    assert (status.ready, status.ready_since) == (True, EPOCH)
    assert [member.state for member in status.members] == [WaveState.READY] * 2


@simulated
async def test_a_wave_judges_by_its_rules_only_while_it_runs() -> None:
    times = {"from": "2026-01-01T00:01:00Z", "until": "2026-01-01T00:02:00Z"}
    fixture = await fixture_of(wave(cutover={"max_delay": "1s"}, **times))
    await fixture.lists(listed_task())
    slow = {"a": [Progress(full_ratio=1, delay_seconds=3)]}
    page = await fixture.page_with(slow)
    assert (page.value("drs_task_cutover_ready"), counts(page)) == (1, {})
    assert [status.stage for status in fixture.waves.all()] == [Stage.PLANNED]
    page = await fixture.scrape(60)
    assert (page.value("drs_task_cutover_ready"), counts(page)) == (0, {"blocked": 1})
    await fixture.page_with(slow)
    await fixture.lists(listed_task())
    page = await fixture.scrape(60)
    assert (page.value("drs_task_cutover_ready"), counts(page)) == (1, {})
    assert [status.stage for status in fixture.waves.all()] == [Stage.OVER]
