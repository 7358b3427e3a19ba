"""`drs-exporter once`, and what ends at once: bad usage and bad configuration."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.e2e.programs import COMMAND, TIMEOUT, account, configuration, run
from tests.lib.tools import needs, tool

if TYPE_CHECKING:
    from pathlib import Path


def projects(exposition: str) -> dict[str, str]:
    """Value of drs_up by project."""
    return dict(re.findall(r'^drs_up\{.*project="([^"]+)"\} (\d)$', exposition, re.MULTILINE))


@needs("promtool")
def test_once_prints_the_metrics(cloud: str, tmp_path: Path) -> None:
    done = run(COMMAND, "once", configuration(tmp_path / "config.yaml", account("prod", cloud, 0, 1)))
    assert (done.returncode, done.stderr) == (0, "")
    assert projects(done.stdout) == {"cn-north-4": "1", "eu-de": "1"}
    assert {"drs_task_phase", "drs_task_incremental_delay_seconds", "drs_node_cpu_usage_ratio"} <= set(
        re.findall(r"^(\w+)\{", done.stdout, re.MULTILINE)
    )
    checked = run(tool("promtool"), "check", "metrics", stdin=done.stdout)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_once_fails_where_one_project_fails_and_prints_the_other(cloud: str, tmp_path: Path) -> None:
    accounts = account("wrong", cloud, 0, secret_key="guessed"), account("right", cloud, 1)
    done = run(COMMAND, "once", configuration(tmp_path / "config.yaml", *accounts))
    assert done.returncode == 1
    assert projects(done.stdout) == {"cn-north-4": "0", "eu-de": "1"}
    assert 'task_name="webshop-mysql"' in done.stdout
    assert "account=wrong" in done.stderr
    assert "guessed" not in done.stdout + done.stderr


def test_once_into_a_pipe_that_closes_says_nothing(cloud: str, tmp_path: Path) -> None:
    option = configuration(tmp_path / "config.yaml", account("prod", cloud, 0))
    with subprocess.Popen([COMMAND, "once", option], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            process.stdout.close()
            assert process.wait(TIMEOUT) == 1
            assert process.stderr is not None
            assert process.stderr.read() == b""
        finally:
            process.kill()


def test_a_faulty_configuration_is_one_message_with_its_line(tmp_path: Path) -> None:
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
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == run(COMMAND, "--version").stdout
    assert re.fullmatch(r"drs-exporter \d+\.\d+\.\d+\S*\n", done.stdout)


def test_bad_usage_comes_without_a_traceback() -> None:
    done = run(COMMAND, "demmo")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("drs-exporter: unknown command 'demmo', did you mean demo?")
