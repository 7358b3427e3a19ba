"""`tasks --url` and `explain --url` on a running exporter."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from exporter.commands import remote
from exporter.commands.explain import Form, explain, explain_at
from exporter.commands.outcome import Outcome
from exporter.commands.remote import Remote
from exporter.commands.tasks import tasks, tasks_at
from exporter.config import Config, ConfigError
from exporter.runtime.terminal import Screen
from exporter.simulator import SimulatedCloud, faults
from exporter.web.app import application
from tests.lib.commands import WHERE, CommandLine, config_for, group, shops, two_projects
from tests.lib.daemon import PROJECT_ID, cloud_of, exporter_on, polling, sim_task
from tests.lib.remote import URL, Answering, WithPrefix, running
from tests.lib.transport import InProcess
from tests.lib.virtual_time import clock, simulate, simulated

PIPE = Screen()


@simulated
async def listed(cloud: SimulatedCloud, screen: Screen | None = PIPE, config: Config | None = None) -> Outcome:
    async with running(cloud, config) as transport:
        return await tasks_at(Remote(URL, None, transport), screen)


@simulated
async def explained(
    cloud: SimulatedCloud, wanted: str = "orders", form: Form | None = None, config: Config | None = None
) -> Outcome:
    async with running(cloud, config) as transport:
        return await explain_at(Remote(URL, None, transport), wanted, form or Form())


def fleet() -> SimulatedCloud:
    names: dict[str, dict[str, Any]] = {
        "plain": {},
        "or\x1b[2Jders": {},
        "late": {"delay": 1140},
        "broken": {"status": "INCRE_TRANSFER_FAILED"},
    }
    listed = (sim_task(name, overrides={"v3_list": {"name": name}}, **facts) for name, facts in names.items())
    return cloud_of(shops(), *listed, published={"v3"})


@pytest.mark.parametrize("screen", [PIPE, Screen(60), Screen(80), Screen(130, colour=True)])
def test_the_table_of_a_running_exporter_is_that_of_the_cloud(screen: Screen) -> None:
    polled = simulate(tasks(config_for(), screen, transport=InProcess(fleet()), clock=clock))
    assert listed(fleet(), screen) == polled
    assert "or\\x1b[2Jders" in polled.text


def test_the_json_of_a_running_exporter_has_the_keys_of_the_one_of_the_cloud() -> None:
    polled = json.loads(simulate(tasks(config_for(), None, transport=InProcess(fleet()), clock=clock)).text)
    found = json.loads(listed(fleet(), None).text)
    assert found.keys() == polled.keys()
    by_name = {task["task_name"]: task for task in polled["tasks"]}
    assert {task["task_name"] for task in found["tasks"]} == by_name.keys()
    assert found["tasks"][0].keys() == by_name["plain"].keys()


@pytest.mark.parametrize("form", [Form(), Form(as_json=True), Form(exit_code=True)])
@pytest.mark.parametrize("wanted", ["plain", "late", "broken", "shops", "north", "or\x1b[2Jders"])
def test_the_explanation_of_a_running_exporter_is_that_of_the_cloud(wanted: str, form: Form) -> None:
    polled = simulate(explain(config_for(), wanted, form, transport=InProcess(fleet()), clock=clock))
    assert explained(fleet(), wanted, form) == polled
    assert "\x1b" not in polled.text


def test_a_task_is_found_by_its_id_as_well() -> None:
    orders = sim_task("orders", delay=9)
    assert explained(cloud_of(orders, sim_task("orders-2")), orders.id).text.startswith("orders: blocked by delay_high")


def test_a_name_that_no_task_or_several_tasks_have() -> None:
    assert explained(cloud_of(sim_task("orders")), "oders") == Outcome(
        1, notes=("no task has the id or the name 'oders', did you mean orders?",)
    )
    cloud, config = two_projects(sim_task("orders", seed="others"))
    outcome = explained(cloud, "orders", config=config)
    assert (outcome.code, outcome.notes[0].splitlines()[0]) == (
        2,
        "2 tasks are called 'orders'; give the id of one of them:",
    )


def test_a_project_that_fails_is_named_and_the_task_of_another_one_is_explained() -> None:
    cloud, config = two_projects(sim_task("parcels"))
    cloud.faults = [faults.broken(PROJECT_ID)]
    outcome = listed(cloud, config=config)
    assert outcome.code == 1
    assert outcome.notes[0].startswith(f"{WHERE}: failed, and so unknown or incomplete: tasks")
    assert outcome.notes[1].startswith("  the newest error: ")
    assert explained(cloud, "parcels", config=config).code == 0
    missing = explained(cloud, "orders", config=config)
    assert (missing.code, missing.notes[0]) == (1, outcome.notes[0])
    assert missing.notes[-1] == "no task of the lists that could be read has the id or the name 'orders'"


@simulated
async def test_an_exporter_before_its_first_poll() -> None:
    async with exporter_on(cloud_of(sim_task("orders")), config_for()) as exporter:
        outcome = await tasks_at(Remote(URL, None, WithPrefix(application(exporter))), PIPE)
    note = "the first poll of the exporter has not ended: tasks may be missing"
    assert (outcome.code, outcome.notes) == (1, (note,))
    assert outcome.text == "0 tasks; those of 1 project unknown or incomplete"


@simulated
async def test_all_pages_are_read_and_each_task_is_shown_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "_PAGE", 3)
    names = [f"task-{number}" for number in range(7)]
    async with running(cloud_of(*map(sim_task, names))) as transport:
        outcome = await tasks_at(Remote(URL, None, transport), PIPE)
        requests = len(transport.requests)
    assert (outcome.code, outcome.notes, requests) == (0, (), 3)
    assert [line.split()[0] for line in outcome.text.splitlines()[1:]] == names


async def test_a_running_exporter_has_trend_history_and_events() -> None:
    late, calm = sim_task("late", delay=1000), sim_task("calm")
    async with polling(cloud_of(late, calm, published={"v3"}), config_for()) as exporter:
        for delay in range(1000, 300, -50):
            late.delay = delay
            await asyncio.sleep(60)
        transport = WithPrefix(application(exporter))
        table = (await tasks_at(Remote(URL, None, transport), PIPE)).text.splitlines()
        text = (await explain_at(Remote(URL, None, transport), "late")).text
        quiet = (await explain_at(Remote(URL, None, transport), calm.id)).text
        late.pin("INCRE_TRANSFER_FAILED")
        await asyncio.sleep(60)
        failed = (await explain_at(Remote(URL, None, transport), "late")).text
    cells = [re.split(r"  +", line) for line in table]
    assert cells[0] == ["TASK", "PROJECT", "PHASE", "PROGRESS", "DELAY", "TREND", "AGE", "CUT-OVER"]
    assert re.fullmatch(r"shrinking, caught up in [67]m\d*s?", cells[1][5])
    assert (cells[2][0], cells[2][5]) == ("calm", "steady")
    assert cells[2][7].startswith("ready for 11m")
    assert re.search(r"^The target is 5m50s behind .*; the delay is shrinking\. At$", text, re.MULTILINE)
    assert group(text, "history").splitlines() == [
        "history since 2026-01-01 00:00:00Z",
        "  Delay, last hour  5m50s to 15m50s, last 5m50s",
    ]
    assert "\n\nevents: none since 2026-01-01 00:00:00Z\n\n" in text
    assert re.match(r"calm: ready for 11m\S*\n", quiet)
    head, *_, event = group(failed, "events").splitlines()
    assert head == "events since 2026-01-01 00:00:00Z, the newest first"
    assert re.fullmatch(r"  2026-01-01 00:1\S+Z  Task late failed; it was in phase incremental before\.", event)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("localhost:10826", "--url: expected http://HOST:PORT, or https://HOST:PORT/PREFIX, without a query"),
        ("", "--url: expected http://HOST:PORT"),
        ("ftp://host", "--url: expected http://HOST:PORT"),
        ("http://", "--url: expected http://HOST:PORT"),
        ("http://host:port", "--url: expected http://HOST:PORT"),
        ("http://host/?q=x", "--url: expected http://HOST:PORT"),
        ("http://host/#x", "--url: expected http://HOST:PORT"),
        ("http://bob:hunter2@host", "--url: write the user and password into the file of --http.config.file"),
    ],
)
def test_a_url_that_cannot_be_used(url: str, message: str, command_line: CommandLine) -> None:
    error = command_line.error("tasks", f"--url={url}")
    assert error.startswith(message)
    assert "hunter2" not in error


@pytest.mark.parametrize("command", ["tasks", "explain orders"])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--url=http://host --demo", "--url reads from a running exporter: leave --config.file, --demo, --cloud and "),
        ("--url=http://host --config.file=x", "--url reads from a running exporter: leave --config.file, --demo, "),
        ("--http.config.file=x --demo", "--http.config.file is about the exporter at --url, which is missing"),
    ],
)
def test_options_that_contradict_each_other(
    command: str, options: str, message: str, command_line: CommandLine
) -> None:
    assert command_line.error(*command.split(), *options.split()).startswith(message)


def test_a_file_that_cannot_be_used_is_an_error_of_the_configuration(tmp_path: Path, command_line: CommandLine) -> None:
    file = tmp_path / "http.yml"
    file.write_text("basic_auth: {user: bob}\n")
    error = command_line.error("tasks", "--url=http://host", f"--http.config.file={file}")
    assert error.startswith(f"{file}:1: basic_auth.user: unknown key; did you mean username? (allowed: password, ")
    with pytest.raises(ConfigError):
        simulate(tasks_at(Remote(URL, tmp_path / "none.yml", Answering(lambda _: httpx.Response(200)))))
