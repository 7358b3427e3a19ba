"""`drs-exporter wait --wave`: the tasks of a wave, those that are expected, and what keeps it from being ready."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import httpx
import pytest

from exporter.commands.outcome import Outcome
from exporter.commands.remote import RemoteError
from exporter.commands.wait import subject_of, wait
from exporter.commands.wait_goals import GOALS
from exporter.commands.waves import NoWaveError
from exporter.config import Config, NotReadyError
from exporter.simulator import SimTask, faults
from exporter.views.waves import SHARDED
from exporter.web.app import application
from tests.lib.commands import WHERE, CommandLine, config_for
from tests.lib.daemon import cloud_of, polling, sim_task
from tests.lib.remote import Answering, WithPrefix
from tests.lib.virtual_time import simulate
from tests.lib.waiting import FAST, Waiter, later, url_source

ENDED = "RELEASE_RESOURCE_COMPLETE"


@pytest.fixture(params=["cloud", "url"])
def waited(request: pytest.FixtureRequest) -> Waiter:
    return Waiter(with_url=request.param == "url")


def config_with(**wave: Any) -> Config:
    """A configuration with one wave, of the tasks whose names begin with `w-`."""
    others = ("node", "objects", "comparison", "precheck", "quota", "async_jobs")
    collectors = {name: {"enabled": False} for name in others}
    waves = [{"name": "night", "include": [{"name": "w-.*"}], **wave}]
    return config_for(**FAST, collectors=collectors, waves=waves)


def wave_tasks(**facts: Any) -> list[SimTask]:
    """Two tasks of the wave, and one that is none."""
    return [sim_task("w-one"), sim_task("w-two", **facts), sim_task("other", delay=900)]


def test_ready_when_all_tasks_of_the_wave_are(waited: Waiter) -> None:
    tasks = wave_tasks(delay=900)
    script = later((40, lambda: setattr(tasks[1], "delay", 1)))
    found = waited(cloud_of(*tasks), "ready", wave="night", script=script, config=config_with(expected=2))
    assert (found.outcome.code, found.outcome.text) == (0, "ready to cut over: 2 of 2 tasks")
    assert found.outcome.notes[0].startswith("w-one and w-two: not checked: ")
    assert 60 <= found.seconds < 80


def test_the_strictest_rules_of_the_wave_decide(waited: Waiter) -> None:
    tasks = wave_tasks(delay=3)
    config = config_with(cutover={"max_delay": "1s"})
    for goal in ("ready", "caught-up"):
        found = waited(cloud_of(*tasks), goal, wave="night", seconds=60, config=config)
        assert found.outcome.code == 4
        assert found.outcome.notes[0].startswith("w-two: ")


def test_a_wave_with_too_few_tasks_is_never_ready(waited: Waiter) -> None:
    for goal in ("ready", "full-load"):
        found = waited(cloud_of(*wave_tasks()), goal, wave="night", seconds=60, config=config_with(expected=3))
        assert (found.outcome.code, found.outcome.text.split(": ")[1]) == (4, "2 of 3 tasks after 1m")
        assert found.outcome.notes == ("1 task missing of the 3 that are expected",)


def test_an_id_that_is_not_found_keeps_the_wave_from_being_ready(waited: Waiter) -> None:
    first = sim_task("w-one")
    config = config_with(include=[{"id": first.id}, {"id": "gone"}])
    found = waited(cloud_of(first), "ready", wave="night", seconds=60, config=config)
    assert found.outcome == Outcome(4, "ready to cut over: 1 of 2 tasks after 1m", ("not found: gone",))


def test_a_wave_without_tasks(waited: Waiter) -> None:
    found = waited(cloud_of(sim_task("other")), "ended", wave="night", seconds=60, config=config_with())
    assert found.outcome == Outcome(4, "ended: 0 of 0 tasks after 1m", ("no task matches the rules of the wave",))


def test_a_task_that_fails_ends_it(waited: Waiter) -> None:
    tasks = wave_tasks(delay=900)
    script = later((40, lambda: tasks[1].pin("INCRE_TRANSFER_FAILED")))
    found = waited(cloud_of(*tasks), "ready", wave="night", script=script, config=config_with())
    assert found.outcome == Outcome(3, "ready to cut over: 1 of 2 tasks; w-two failed")


def test_tasks_that_have_ended_count_but_one_must_be_left(waited: Waiter) -> None:
    tasks = wave_tasks(delay=900)
    script = later((40, lambda: tasks[0].pin(ENDED)), (20, lambda: setattr(tasks[1], "delay", 1)))
    found = waited(cloud_of(*tasks), "ready", wave="night", script=script, config=config_with(expected=2))
    assert (found.outcome.code, found.outcome.text) == (0, "ready to cut over: 2 of 2 tasks, 1 of them ended")
    tasks[0].pin("INCRE_TRANSFER_STARTED")
    tasks[1].delay = 900
    script = later(*((20, partial(task.pin, ENDED)) for task in tasks))
    found = waited(cloud_of(*tasks), "ready", wave="night", script=script, config=config_with(expected=2))
    assert found.outcome == Outcome(3, "no task of the wave night is left to cut over")


def test_ended_when_all_have_ended_or_were_removed(waited: Waiter) -> None:
    tasks = wave_tasks()
    cloud = cloud_of(*tasks, published={"v3"})  # whose lists prove a removal soon
    script = later((20, lambda: tasks[0].pin(ENDED)), (40, lambda: cloud.worlds[0].tasks.remove(tasks[1])))
    found = waited(cloud, "ended", wave="night", script=script, config=config_with(expected=2))
    assert found.outcome == Outcome(0, "ended: 2 of 2 tasks")
    assert 60 <= found.seconds < 330


def test_a_removed_task_does_not_keep_the_others_from_being_ready(waited: Waiter) -> None:
    tasks = wave_tasks(delay=900)
    cloud = cloud_of(*tasks, published={"v3"})  # whose lists prove a removal soon
    script = later((40, lambda: cloud.worlds[0].tasks.remove(tasks[1])))
    found = waited(cloud, "ready", wave="night", script=script, config=config_with())
    assert (found.outcome.code, found.outcome.text) == (0, "ready to cut over: 1 of 1 task")


def test_a_renamed_task_stays_a_task_of_the_wave(waited: Waiter) -> None:
    tasks = wave_tasks(delay=900)
    script = later((20, lambda: setattr(tasks[1], "name", "renamed")), (20, lambda: setattr(tasks[1], "delay", 1)))
    found = waited(cloud_of(*tasks), "caught-up", wave="night", script=script, config=config_with(expected=2))
    assert found.outcome == Outcome(0, "caught up: 2 of 2 tasks")
    assert found.seconds >= 60


def dual_active() -> SimTask:
    """A task of the wave that is excluded."""
    return sim_task("w-dual", scenario="cloudDataGuard", engine="cloudDataGuard-mysql", relation="multi_write")


def test_a_wave_of_excluded_tasks_only(waited: Waiter) -> None:
    found = waited(cloud_of(dual_active()), "ready", wave="night", seconds=60, config=config_with())
    message = "no task matches the rules of the wave but excluded ones"
    assert found.outcome == Outcome(4, "ready to cut over: 0 of 0 tasks after 1m", (message,))


def test_an_excluded_task_does_not_count(waited: Waiter) -> None:
    found = waited(cloud_of(*wave_tasks(), dual_active()), "caught-up", wave="night", config=config_with())
    assert found.outcome == Outcome(0, "caught up: 2 of 2 tasks")


def test_lists_that_fail_keep_the_wave_from_being_ready(waited: Waiter) -> None:
    tasks = wave_tasks(delay=900)
    cloud = cloud_of(*tasks)

    def silence() -> None:
        tasks[1].delay = 1
        cloud.faults = [faults.broken("")]

    found = waited(cloud, "full-load", wave="night", seconds=90, script=later((20, silence)), config=config_with())
    assert found.outcome.code == 0  # they replicate
    cloud.faults = []
    found = waited(cloud, "caught-up", wave="night", seconds=90, script=later((1, silence)), config=config_with())
    assert found.outcome.code == 4
    assert found.outcome.notes == (
        "Tasks of acme/cn-north-4/payments may be missing here: a task list is unknown, incomplete or too old.",
        "w-one: its status is unknown",
        "w-two: its status is unknown",
    )


def test_a_planned_wave_is_waited_for_and_one_that_is_over_is_refused(waited: Waiter) -> None:
    planned = config_with(**{"from": "2026-01-01T00:01:00Z", "until": "2026-01-01T01:00:00Z"})
    found = waited(cloud_of(*wave_tasks()), "full-load", wave="night", config=planned)
    assert found.outcome == Outcome(0, "full load complete: 2 of 2 tasks")
    assert 60 <= found.seconds <= 75
    found = waited(cloud_of(*wave_tasks()), "full-load", wave="night", seconds=30, config=planned)
    assert (found.outcome.code, found.outcome.text) == (4, "full load complete: 0 of 2 tasks after 30s")
    assert found.outcome.notes[0].startswith("the wave night is planned: begins in ")
    over = config_with(until="2026-01-01T00:00:30Z")
    found = waited(cloud_of(*wave_tasks()), "ended", wave="night", config=over)
    assert (found.outcome.code, found.outcome.text) == (1, "")
    assert found.outcome.notes[0].startswith("the wave night does not run: over for ")
    assert found.seconds <= 40


def test_a_name_that_no_wave_has(waited: Waiter) -> None:
    with pytest.raises(NoWaveError, match=r"^no wave has the name 'nigth', did you mean night\?$"):
        waited(cloud_of(*wave_tasks()), "ended", wave="nigth", config=config_with())
    with pytest.raises(NoWaveError, match=r"^no wave has the name 'x' \(waves: night\)$"):
        waited(cloud_of(*wave_tasks()), "ended", wave="x", config=config_with())
    with pytest.raises(NoWaveError, match=r"^no wave has the name 'x' \(waves: none\)$"):
        waited(cloud_of(*wave_tasks()), "ended", wave="x")


def test_an_exporter_with_shards_refuses() -> None:
    source = url_source(Answering(lambda _: httpx.Response(404, json={"errors": [SHARDED]})))
    with pytest.raises(RemoteError, match="This exporter polls only a part of the tasks"):
        simulate(wait(subject_of(source, GOALS["ready"], "night"), GOALS["ready"], 60))


@pytest.mark.parametrize("words", ["--for=ready", "orders --wave=night --for=ready"])
def test_either_tasks_or_a_wave(words: str, command_line: CommandLine) -> None:
    message = command_line.error("wait", *words.split(), "--url=http://host")
    assert message.startswith("expected TASK, or --wave=NAME (see drs-exporter wait --help)")


def test_a_task_that_an_exporter_without_storage_has_forgotten_is_unknown() -> None:
    tasks = [sim_task("w-one"), sim_task("w-two", delay=900)]
    exporters: list[WithPrefix] = []

    async def respond(request: httpx.Request) -> httpx.Response:
        return await exporters[-1].handle_async_request(request)

    async def life() -> None:
        for name, seconds in (("w-two", 20), ("renamed", 60)):
            tasks[1].name = name
            async with polling(cloud_of(*tasks), config_with()) as exporter:
                exporters.append(WithPrefix(application(exporter)))
                await asyncio.sleep(seconds)

    async def run() -> Outcome:
        living = asyncio.create_task(life())
        await asyncio.sleep(1)
        source = url_source(Answering(respond))
        outcome = await wait(subject_of(source, GOALS["caught-up"], "night"), GOALS["caught-up"], 75)
        await asyncio.gather(living)
        return outcome

    assert simulate(run()) == Outcome(
        4, "caught up: 1 of 2 tasks after 1m15s", ("w-two: not found any more, and not seen to be removed",)
    )


def test_a_cloud_of_which_no_project_is_readable_at_the_start_ends_it() -> None:
    cloud = cloud_of(*wave_tasks())
    cloud.faults = [faults.broken("")]
    with pytest.raises(NotReadyError, match=f"^{WHERE}: failed, and so unknown or incomplete: tasks"):
        Waiter(with_url=False)(cloud, "ended", wave="night", config=config_with())
