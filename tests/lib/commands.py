"""Shared by the tests of commands: configurations, clouds, and the outcomes of commands on them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from email.utils import formatdate
from pathlib import Path
from typing import Any

import httpx
import pytest

from exporter.commands.check import check
from exporter.commands.explain import TEXT, Form, explain
from exporter.commands.findings import Finding
from exporter.commands.main import main
from exporter.commands.outcome import Outcome
from exporter.commands.query import query
from exporter.config import Config, from_mapping
from exporter.simulator import Fault, SimTask, SimulatedCloud, World
from tests.lib.daemon import PROJECT_ID, cloud_of, sim_task
from tests.lib.paths import GOLDEN
from tests.lib.settings import AK_SK, account, settings
from tests.lib.transport import InProcess
from tests.lib.virtual_time import clock, now, simulate

OTHER_ID = "5237e10fe9aa4ad5b16b6a5245248314"
WHERE = "acme/cn-north-4/payments"
CANARY = "kanari"
"""Text of the cloud, of users and of secrets that no output may contain."""


async def interrupted(*_: object, **__: object) -> Outcome:
    """Take the place of the work of a command, during which the user presses Ctrl-C."""
    os.kill(os.getpid(), signal.SIGINT)
    await asyncio.sleep(60)
    raise AssertionError


class CommandLine:
    """Runs commands in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *words: str) -> tuple[int, str, str]:
        """The exit code, standard output and standard error."""
        return main(words), *self._capsys.readouterr()

    def error(self, *words: str, code: int = 2) -> str:
        """The message of a command that prints one line and no output."""
        ended, out, err = self(*words)
        prefix, message = err.split(": ", 1)
        assert (ended, out, prefix, message.count("\n")) == (code, "", "drs-exporter", 1)
        return message

    def help(self, *words: str) -> str:
        """The help of a command."""
        with pytest.raises(SystemExit) as ended:
            main([*words, "--help"])
        assert ended.value.code == 0
        return self._capsys.readouterr().out


def project(project_id: str = PROJECT_ID, **keys: Any) -> dict[str, Any]:
    """A project of the configuration."""
    return {"region": "cn-north-4", "name": "payments", "project_id": project_id, **keys}


def config_for(*projects: dict[str, Any], **options: Any) -> Config:
    """One account with these projects, all collectors but logs, and calls that need not wait for each other."""
    return from_mapping(settings_for(*(projects or (project(),)), **options))


def settings_for(
    *projects: dict[str, Any],
    secret_key: object = "SK",  # noqa: S107
    collectors: dict[str, Any] | None = None,
    **sections: Any,
) -> dict[str, Any]:
    """The configuration of `config_for` as it is written in a file."""
    credentials = {**AK_SK, "secret_key": secret_key}
    return {**settings(account("acme", *projects, credentials=credentials), **sections), "collectors": collectors or {}}


def config_file(folder: Path, **options: Any) -> str:
    """The option that names a configuration of one project, written to a file."""
    file = folder / "config.yaml"
    file.write_text(json.dumps(settings_for(project(), **options)))
    return f"--config.file={file}"


def two_projects(*tasks: SimTask) -> tuple[SimulatedCloud, Config]:
    """A cloud with a second project, which has these tasks, and the configuration of both projects."""
    cloud = cloud_of(sim_task("orders", engine="mysql"))
    cloud.worlds.append(World(project_id=OTHER_ID, tasks=list(tasks)))
    return cloud, config_for(project(), project(OTHER_ID, name="shipping"))


class Dated(httpx.AsyncBaseTransport):
    """The transport to a cloud whose responses have dates; its clock may be behind by some seconds."""

    def __init__(self, cloud: SimulatedCloud, behind: float = 0.0) -> None:
        self._way = InProcess(cloud)
        self._behind = behind
        cloud.now = lambda: now() - behind

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._way.handle_async_request(request)
        response.headers["Date"] = formatdate(now() - self._behind, usegmt=True)
        return response


def explained(
    cloud: SimulatedCloud,
    wanted: str = "orders",
    config: Config | None = None,
    fault: Fault | None = None,
    form: Form = TEXT,
) -> Outcome:
    """The outcome of `explain` for a task of a cloud, which may have a fault."""
    cloud.faults += [fault] if fault else []
    return simulate(explain(config or config_for(), wanted, form, transport=InProcess(cloud), clock=clock))


def golden(name: str) -> str:
    """The expected output of a command."""
    return (GOLDEN / f"{name}.txt").read_text()


def group(text: str, name: str) -> str:
    """The only group that starts with this text."""
    (found,) = [block for block in text.split("\n\n") if block.startswith(name)]
    return found


def reasons(text: str, heading: str = "cut-over") -> dict[str, tuple[str, str]]:
    """The verdict of each reason, and the age of its fact."""
    rows = [line.split() for line in group(text, heading).splitlines()[2:]]
    return {row[0]: (row[1], row[-2] if row[-1] == "old" else row[-1]) for row in rows}


def shops(**facts: Any) -> SimTask:
    """A task with three subtasks."""
    children = [
        sim_task("south", role="child", delay=9),
        sim_task("north", role="child"),
        sim_task("west", role="child", status="RELEASE_CHILD_TRANSFER_COMPLETE"),
    ]
    return sim_task("shops", relation="multi_to_single", role="parent", children=children, **facts)


def fleet(**options: Any) -> SimulatedCloud:
    """A cloud with a task for each operation."""
    return cloud_of(
        sim_task("orders", comparison="equal"),
        sim_task("dr", scenario="cloudDataGuard", engine="cloudDataGuard-mysql"),
        sim_task("draft", status="CONFIGURATION"),
        sim_task("cache", scenario="migration", engine="redis-to-gaussredis"),
        sim_task("sessions", scenario="migration", engine="redis-to-gaussredis"),
        **options,
    )


def checked(
    cloud: SimulatedCloud,
    config: Config | None = None,
    *faults: Fault,
    behind: float = 0.0,
    transport: httpx.AsyncBaseTransport | None = None,
) -> tuple[bool, str]:
    """Whether nothing fails on a cloud with these faults, and all findings."""
    lines: list[str] = []

    def show(finding: Finding, width: int) -> None:
        lines.append(f"{finding.line(width)}\n")

    cloud.faults = list(faults) or cloud.faults
    code, _ = simulate(check(config or config_for(), show, transport=transport or Dated(cloud, behind), now=now))
    assert lines.pop().split()[1] == "summary"
    return code == 0, "".join(lines)


def findings(text: str) -> list[str]:
    """The lines without the place."""
    return [" ".join(line.replace(WHERE, "").split()) for line in text.splitlines()]


def finding(text: str, word: str) -> str:
    """The only line with this word, without the place."""
    (line,) = [line for line in findings(text) if word in line]
    return line


def queried(
    cloud: SimulatedCloud, kind: str, task: str = "orders", run: str = "", config: Config | None = None
) -> Outcome:
    """The outcome of `query`."""
    return simulate(query(config or config_for(), task, kind, run, transport=InProcess(cloud), now=now))
