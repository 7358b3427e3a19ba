from __future__ import annotations

import time
from typing import TYPE_CHECKING

import httpx
import pytest

from exporter.commands import explain as explaining
from exporter.commands import main as cli
from exporter.commands.explain import explanation
from exporter.commands.lookup import columns
from exporter.config.load import duration_text
from exporter.model import cutover
from exporter.model.subject import Subject
from exporter.model.task import Identity, Listed, Project, Task
from exporter.runtime import logs
from exporter.runtime.escape import printable
from tests.lib.commands import config_file, config_for, group
from tests.lib.daemon import cloud_of, sim
from tests.lib.virtual_time import EPOCH

if TYPE_CHECKING:
    from pathlib import Path

    from exporter.commands.outcome import Outcome
    from exporter.config.load import Config


@pytest.fixture(autouse=True)
def _logging_untouched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set up by these tests, it would outlive their streams."""
    monkeypatch.setattr(logs, "configure", lambda *_: None)


def test_a_task_whose_list_has_aged_out() -> None:
    config = config_for()
    task = Task(Identity("acme", "cn-north-4", "payments", "id", "orders"))
    text = explanation(
        Subject(task, None, frozenset({"v3"}), {}, None),
        (),
        Project("acme", "cn-north-4", "payments"),
        config.accounts[0],
        EPOCH,
    )
    assert group(text, "status") == "status, unknown\n  status  unknown"
    assert group(text, "progress") == "progress: unknown, no operation that provides it is available here"
    assert group(text, "cut-over") == "cut-over: out of the question, the status is unknown"


def test_every_reason_has_a_fact_that_fits_a_line() -> None:
    config = config_for(
        cutover=dict.fromkeys(("endpoints", "objects", "comparison", "logs"), "required"),
        collectors={"logs": {"enabled": True}},
    )
    listed = Listed("id", "orders", "INCRE_TRANSFER_STARTED", "cloudDataGuard", task_type="FULL_INCR_TRANS")
    task = Task(Identity("acme", "cn-north-4", "payments", "id", "orders"), listed)
    facts = cutover.Facts(task, stale=False, subtasks_blocked=False, settings=config.accounts[0].cutover)
    subject = Subject(task, None, frozenset({"v3"}), {}, facts)
    text = explanation(subject, (), Project("acme", "cn-north-4", "payments"), config.accounts[0], EPOCH)
    told = group(text, "cut-over").splitlines()[2:]
    assert len(told) == len([reason for reason in cutover.REASONS if reason.applies(facts)]) > 12
    assert all(line.endswith("unknown") for line in told)


def test_columns_of_nothing() -> None:
    assert columns([]) == []
    assert printable("a\tb\u202ec") == "a\\tb\\u202ec"
    assert duration_text(0) == "0s"


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    cloud = cloud_of(sim("orders"))
    cloud.now = time.time

    explain = explaining.explain

    async def answered(config: Config, wanted: str, transport: None) -> Outcome:
        return await explain(config, wanted, transport=httpx.ASGITransport(app=cloud))

    monkeypatch.setattr(explaining, "explain", answered)
    option = config_file(tmp_path)
    assert cli.main(["explain", "orders", option]) == 0
    out, err = capsys.readouterr()
    assert out.startswith(
        "orders: nothing known blocks it\nnot considered, by the settings of cutover: logs\n"
        "\nidentity\n  account    acme\n"
    )
    assert out.endswith("\n")
    assert err == ""
    assert cli.main(["explain", "oders", option]) == 1
    assert capsys.readouterr() == (
        "",
        "drs-exporter: no task has the id or the name 'oders', did you mean orders?\n",
    )


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("explain", 2),
        ("explain a b --config.file=x", 2),
        ("explain a", 2),
        ("explain a --config.file=none.yaml", 1),  # it may not be there yet
    ],
)
def test_bad_usage(words: str, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(words.split()) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("drs-exporter: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize("command", ["tasks", "explain", "check", "query"])
def test_the_help_shows_an_example(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        cli.main([command, "--help"])
    text = capsys.readouterr().out
    assert f"Examples:\n  drs-exporter {command} " in text
    assert "Exit codes: 0 " in text
    assert max(map(len, text.splitlines())) <= 80
