"""Commands that end by themselves, in a process of their own, against a simulated cloud over TCP."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.programs import COMMAND, TIMEOUT, account, configuration, run
from tests.lib.tools import needs, tool


@pytest.fixture
def option(cloud: str, tmp_path: Path) -> str:
    """A configuration of two projects."""
    return configuration(tmp_path / "config.yaml", account("prod", cloud, 0, 1))


@pytest.fixture
def refused(cloud: str, tmp_path: Path) -> str:
    """A configuration of one project with the wrong key."""
    return configuration(tmp_path / "refused.yaml", account("prod", cloud, 0, secret_key="guessed"))


def output(*arguments: str) -> str:
    """The output of a command that succeeds and logs nothing."""
    done = run(COMMAND, *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def up(exposition: str) -> dict[str, str]:
    """The values of drs_up by project."""
    return dict(re.findall(r'^drs_up\{.*project="([^"]+)"\} (\d)$', exposition, re.MULTILINE))


@needs("promtool")
def test_once_prints_the_metrics(option: str) -> None:
    printed = output("once", option)
    assert up(printed) == {"cn-north-4": "1", "eu-de": "1"}
    assert {"drs_task_phase", "drs_task_incremental_delay_seconds", "drs_node_cpu_usage_ratio"} <= set(
        re.findall(r"^(\w+)\{", printed, re.MULTILINE)
    )
    checked = run(tool("promtool"), "check", "metrics", stdin=printed)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_once_fails_if_one_project_fails_and_prints_the_other(cloud: str, tmp_path: Path) -> None:
    accounts = account("wrong", cloud, 0, secret_key="guessed"), account("right", cloud, 1)
    done = run(COMMAND, "once", configuration(tmp_path / "config.yaml", *accounts))
    assert (done.returncode, up(done.stdout)) == (1, {"cn-north-4": "0", "eu-de": "1"})
    assert 'task_name="webshop-mysql"' in done.stdout
    assert "account=wrong" in done.stderr
    assert "guessed" not in done.stdout + done.stderr


def test_once_into_a_closed_pipe_fails_without_a_message(option: str) -> None:
    with subprocess.Popen([COMMAND, "once", option], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            process.stdout.close()
            assert process.wait(TIMEOUT) == 1
            assert process.stderr is not None
            assert process.stderr.read() == b""
        finally:
            process.kill()


def test_check_finds_no_fault_and_its_report_contains_no_text_of_the_cloud(option: str, tmp_path: Path) -> None:
    report = tmp_path / "shapes.json"
    printed = output("check", option, f"--report={report}")
    assert re.findall(r"^ok +prod/cn-north-4/cn-north-4 +the clock is right within \ds$", printed, re.MULTILINE)
    assert "v5 is not published here" in printed
    assert "orders-to-rds" not in report.read_text()
    first, second = json.loads(report.read_text())["projects"]
    assert (first["region"], second["region"]) == ("cn-north-4", "eu-de")
    assert first["answers_have_a_date"]
    assert first["operations"]["v3_batch_progress"]["202"]["body"]["results[].progress"] == "string number"


def test_check_reports_refused_credentials(refused: str) -> None:
    done = run(COMMAND, "check", refused)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.splitlines()[-2].startswith("fail  prod/cn-north-4/cn-north-4  the credentials are refused, 401")
    assert "guessed" not in done.stdout


def test_tasks_prints_a_table_or_json_and_reports_refused_credentials(option: str, refused: str) -> None:
    assert re.search(r"^core-dr +prod/cn-north-4/cn-north-4 +\w+ ", output("tasks", option), re.MULTILINE)
    tasks = json.loads(output("tasks", option, "--output=json"))["tasks"]
    assert "core-dr" in {task["task_name"] for task in tasks}
    done = run(COMMAND, "tasks", refused)
    assert (done.returncode, done.stdout) == (1, "0 tasks; those of 1 project unknown or incomplete\n")
    assert done.stderr.startswith(
        "drs-exporter: prod/cn-north-4/cn-north-4: failed, and so unknown or incomplete: tasks"
    )


def test_explain_and_query_print_one_task(option: str) -> None:
    explained = output("explain", "core-dr", option)
    assert re.search(r"^cut-over: .*\n  reason .*\n  phase ", explained, re.MULTILINE)
    task_id = re.search(r"^  task id +(\S+)$", explained, re.MULTILINE)
    assert task_id is not None
    by_id = run(COMMAND, "explain", task_id[1], option)
    assert (by_id.returncode, by_id.stdout.partition(":")[0]) == (0, "core-dr")
    queried = json.loads(output("query", "orders-to-rds", "--type=file", option))
    assert queried["support_import_file_resp"] == {"file_size": "2", "previous_select": "manual"}


def test_an_invalid_configuration_is_one_message_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(
        "accounts:\n- name: prod\n  cloud: huawai\n  credentials: {type: token, token: t}\n  regions: [a]\n"
    )
    done = run(COMMAND, "--config.file=config.yaml", folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(r"drs-exporter: config\.yaml:3: accounts\[0\]\.cloud: expected .*huaweicloud.*\n", done.stderr)


def test_a_missing_configuration_is_named(tmp_path: Path) -> None:
    done = run(COMMAND, "--config.file=none.yaml", folder=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "drs-exporter: none.yaml: cannot be read: No such file or directory\n"


def test_an_address_in_use_is_a_fault_of_the_environment() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = run(COMMAND, "demo", f"--web.listen-address={address}")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"drs-exporter: --web.listen-address: can't listen on {address}: Address already in use\n"


def test_it_runs_as_a_module(tmp_path: Path) -> None:
    done = run(sys.executable, "-m", "exporter", "--version", folder=tmp_path)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", output("--version"))
    assert re.fullmatch(r"drs-exporter \d+\.\d+\.\d+\S*\n", done.stdout)


def test_an_unknown_command_is_an_error_without_a_traceback() -> None:
    done = run(COMMAND, "demmo")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("drs-exporter: unknown command 'demmo', did you mean demo?")
