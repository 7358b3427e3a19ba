from __future__ import annotations

import time
from typing import TYPE_CHECKING

from exporter.commands import explain as explaining
from exporter.commands.explain import explanation
from exporter.commands.lookup import columns
from exporter.commands.options import config_of
from exporter.config.load import duration_text
from exporter.model import cutover
from exporter.model.subject import Subject
from exporter.model.task import Identity, Listed, Project, Task
from exporter.runtime.escape import printable
from tests.lib.commands import config_file, config_for, group
from tests.lib.daemon import cloud_of, sim
from tests.lib.transport import InProcess
from tests.lib.virtual_time import EPOCH

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.lib.commands import CommandLine


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


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command_line: CommandLine) -> None:
    cloud = cloud_of(sim("orders"))
    cloud.now = time.time
    monkeypatch.setattr(explaining, "cloud_of", lambda options: (config_of(options), InProcess(cloud)))
    code, out, err = command_line("explain", "orders", config_file(tmp_path))
    assert (code, err) == (0, "")
    assert out.startswith(
        "orders: nothing known blocks it\nnot considered, by the settings of cutover: logs\n"
        "\nidentity\n  account    acme\n"
    )
    assert out.endswith("\n")
    error = command_line.error("explain", "oders", config_file(tmp_path), code=1)
    assert error == "no task has the id or the name 'oders', did you mean orders?\n"
