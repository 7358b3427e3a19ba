"""`drs-exporter tasks --wave`: the tasks of a wave, polled once or read from a running exporter."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from exporter.commands.outcome import Outcome
from exporter.commands.remote import Remote, RemoteError
from exporter.commands.tasks import tasks, tasks_at, watch_cloud
from exporter.commands.waves import NoWaveError
from exporter.config import Config
from exporter.runtime.terminal import Screen
from exporter.simulator import SimulatedCloud
from exporter.views.waves import SHARDED
from tests.lib.commands import CommandLine, config_for, project, shops, two_projects
from tests.lib.daemon import cloud_of, sim_task
from tests.lib.remote import URL, Answering, page, running
from tests.lib.transport import InProcess
from tests.lib.virtual_time import clock, simulate, simulated

WAVE = {"name": "night", "include": [{"name": "w-.*"}, {"name": "shops"}]}
PIPE = Screen()


def config_with(**wave: Any) -> Config:
    return config_for(cutover={"stable_for": "0s"}, waves=[{**WAVE, **wave}])


def fleet() -> SimulatedCloud:
    return cloud_of(sim_task("w-one"), sim_task("w-late", delay=900), shops(), sim_task("other"), published={"v3"})


def polled(cloud: SimulatedCloud, config: Config, screen: Screen | None = PIPE, wave: str = "night") -> Outcome:
    return simulate(tasks(config, screen, wave=wave, transport=InProcess(cloud), clock=clock))


@simulated
async def listed(cloud: SimulatedCloud, config: Config, screen: Screen | None = PIPE, wave: str = "night") -> Outcome:
    async with running(cloud, config) as transport:
        return await tasks_at(Remote(URL, None, transport), screen, wave=wave)


async def document_of_wave() -> dict[str, Any]:
    async with running(fleet(), config_with()) as transport, Remote(URL, None, transport) as remote:
        return await remote.wave("night")


@pytest.mark.parametrize("screen", [PIPE, Screen(60), Screen(130, colour=True)])
def test_the_tasks_of_a_wave_with_their_subtasks_below_its_verdict(screen: Screen) -> None:
    found = polled(fleet(), config_with(expected=4), screen)
    assert found == listed(fleet(), config_with(expected=4), screen)
    head, verdict, _, *table = found.text.splitlines()
    assert head == "night, running; no end is set"
    assert verdict.startswith(
        "Not ready: 1 of 4 ready; 1 not fully checked; 2 blocked: shops and w-late; 1 of 4 expected missing"
    )
    assert "other" not in found.text
    assert all(name in "\n".join(table) for name in ("w-one", "w-late", "shops", "north"))
    assert found.code == 0


def test_as_json() -> None:
    documents = [json.loads(get(fleet(), config_with(), None).text) for get in (polled, listed)]
    for document in documents:
        assert {task["task_name"] for task in document["tasks"]} == {
            "w-one",
            "w-late",
            "shops",
            "south",
            "north",
            "west",
        }
        assert document["wave"]["name"] == "night"
        assert document["wave"]["ready"] is False
        assert document["wave"]["states"]["blocked"] == 2
        assert "members" not in document["wave"]
    assert documents[0]["wave"].keys() == documents[1]["wave"].keys()


def test_a_member_without_a_verdict_has_its_state_in_the_wave_in_place_of_one() -> None:
    cloud = cloud_of(
        sim_task("w-one"),
        sim_task("w-new", status="CONFIGURATION"),
        sim_task("w-end", status="RELEASE_RESOURCE_STARTED"),
    )
    for get in (polled, listed):
        text = get(cloud, config_with(), Screen(200)).text
        assert "blocked: the phase is preparing" in text
        assert "blocked: the phase is ending" in text
        rows = json.loads(get(cloud, config_with(), None).text)["tasks"]
        states = {row["task_name"]: row["state"] for row in rows}
        assert states == {"w-one": "ready", "w-new": "blocked", "w-end": "blocked"}


def test_an_id_that_is_not_found_is_named_and_other_projects_are_left_out() -> None:
    cloud, config = two_projects(sim_task("w-parcels"))
    waves = [{"name": "night", "include": [{"project": "shipping"}, {"id": "gone"}]}]
    config = config_for(
        *[project(str(found.project_id), name=found.name) for found in config.accounts[0].projects], waves=waves
    )
    found = polled(cloud, config)
    assert "gone (not found)" in found.text
    assert [row["project"] for row in json.loads(polled(cloud, config, None).text)["projects"]] == ["shipping"]


def test_a_name_that_no_wave_has() -> None:
    for get in (polled, listed):
        with pytest.raises(NoWaveError, match=r"^no wave has the name 'nigth', did you mean night\?$"):
            get(fleet(), config_with(), wave="nigth")


def test_watched(capsys: pytest.CaptureFixture[str]) -> None:
    async def run() -> None:
        async with asyncio.timeout(30):
            await watch_cloud(config_with(), 10, wave="night", transport=InProcess(fleet()), clock=clock)

    with pytest.raises(TimeoutError):
        simulate(run())
    out = capsys.readouterr().out
    assert out.count("night, running; no end is set\nNot ready: 1 of 3 ready") >= 2


def test_a_wave_without_tasks(command_line: CommandLine) -> None:
    assert command_line("tasks", "--demo", "--wave=night")[::2] == (
        1,
        "drs-exporter: no wave has the name 'night' (waves: weekend-1)\n",
    )


def test_a_wave_of_another_program_is_refused() -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=page("one") if request.url.path.endswith("/tasks") else {"name": "night"})

    with pytest.raises(RemoteError, match=r"not a drs-exporter, or an older one: now_timestamp_seconds is not as "):
        simulate(tasks_at(Remote(URL, None, Answering(respond)), PIPE, wave="night"))


def test_a_member_without_its_cells_is_refused() -> None:
    document = simulate(document_of_wave())
    for member in document["members"]:
        del member["cells"]

    def respond(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=page("one") if request.url.path.endswith("/tasks") else document)

    with pytest.raises(RemoteError, match=r"not a drs-exporter, or an older one: members.0.cells is not as expected"):
        simulate(tasks_at(Remote(URL, None, Answering(respond)), PIPE, wave="night"))


def test_an_exporter_with_shards_refuses() -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/tasks"):
            return httpx.Response(200, json=page("one"))
        return httpx.Response(404, json={"errors": [SHARDED]})

    with pytest.raises(RemoteError, match="This exporter polls only a part of the tasks"):
        simulate(tasks_at(Remote(URL, None, Answering(respond)), PIPE, wave="night"))
