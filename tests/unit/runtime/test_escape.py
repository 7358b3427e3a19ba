"""Names with control characters, which users of the cloud may give to tasks, are harmless in every format."""

from __future__ import annotations

import json
import unicodedata

import pytest
import structlog

from exporter.commands.explain import explain
from exporter.commands.lookup import no_match
from exporter.commands.tasks import tasks
from exporter.metrics.page import Format
from exporter.metrics.self_metrics import DECODE_ERRORS, Telemetry
from exporter.runtime import logs
from exporter.runtime.terminal import Screen
from tests.lib.commands import config_for
from tests.lib.daemon import cloud_of, exporter_on, get, sim_task
from tests.lib.transport import InProcess
from tests.lib.virtual_time import clock, simulate

NAMES = {
    "line feed": "or\nders",
    "carriage return": "or\rders",
    "tab": "or\tders",
    "zero width": "or\u200b\u200dde\ufeffrs\u00ad\u2060",
    "null": "or\0ders",
    "escape": "or\x1b[2J\x1b]0;title\x07ders",
    "delete": "or\x7fders",
    "second control set": "or\x9b31m\x85ders",
    "line separator": "or\u2028\u2029ders",
    "writing direction": "or\u202eders\u202c\u2066x\u2069\u200f\u061c",
}


def harmful(text: str) -> set[str]:
    """The invisible characters of a text, but for line feeds."""
    return {
        letter for letter in text.replace("\n", "") if unicodedata.category(letter) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
    }


def visible(name: str) -> str:
    return name.encode("unicode_escape").decode()


PAGES = {
    "exposition": ("/metrics", "*/*"),
    "openmetrics": ("/metrics", Format.OPENMETRICS.value),
    "status page": ("/", "*/*"),
    "task page": ("/tasks/{id}", "*/*"),
    "json api": ("/api/v1/tasks", "*/*"),
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("form", PAGES)
async def test_pages(form: str, name: str) -> None:
    task, (path, accepted) = sim_task(name), PAGES[form]
    async with exporter_on(cloud_of(task)) as exporter:
        await exporter.poll_once()
        text = (await get(exporter, path.format(id=task.id), accept_type=accepted)).body.decode()
    assert harmful(text) == set()
    if form == "json api":
        assert [shown["task_name"] for shown in json.loads(text)["tasks"]] == [name]
    else:  # the expositions escape backslashes
        assert (visible(name) if "page" in form else visible(name).replace("\\", "\\\\")) in text


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_commands(name: str) -> None:
    transport = InProcess(cloud_of(sim_task(name)))
    table = simulate(tasks(config_for(), Screen(), transport=transport, clock=clock)).text
    document = simulate(tasks(config_for(), None, transport=transport, clock=clock)).text
    explained = simulate(explain(config_for(), name, transport=transport, clock=clock)).text
    assert harmful(table + document + explained + no_match(name, [])) == set()
    assert visible(name) in table
    assert visible(name) in explained
    assert json.loads(document)["tasks"][0]["task_name"] == name


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("form", logs.FORMATS)
def test_log_lines(form: str, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", form)
    structlog.get_logger().info("x", project=name)
    logs.drain(5)
    text = capsys.readouterr().err
    assert (text.count("\n"), harmful(text)) == (1, set())
    assert visible(name) in text.replace("\\\\", "\\")


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_own_metrics(name: str) -> None:
    telemetry = Telemetry()
    telemetry.series(DECODE_ERRORS, "prod", "eu-de", name, "node").inc()
    text = b"".join(telemetry.render()).decode()
    assert harmful(text) == set()
    assert 'collector="node"' in text
    telemetry.forget(account="prod", region="eu-de", project=name)
    assert 'collector="node"' not in b"".join(telemetry.render()).decode()
