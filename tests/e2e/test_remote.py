"""`tasks --url` and `explain --url` on a running exporter, with TLS and a password."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import termios
import tty
from pathlib import Path

import pytest

from tests.e2e.programs import COMMAND, Exporter, Program, run
from tests.e2e.secured import LOGIN, Secured
from tests.lib.certificates import Authority
from tests.lib.commands import CommandLine
from tests.lib.tools import needs


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """Runs commands in this process; the first test, and those of a terminal, run each command in its own."""
    return CommandLine(capsys)


def test_a_running_exporter_is_read_without_a_configuration(demo: Exporter) -> None:
    done = run(COMMAND, "tasks", f"--url={demo.url}")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"^orders-to-rds +demo/cn-north-4/cn-north-4 +incremental ", done.stdout, re.MULTILINE)
    done = run(COMMAND, "explain", "orders-to-rds", f"--url={demo.url}/", "--output=json")
    assert (done.returncode, done.stderr, json.loads(done.stdout)["task_name"]) == (0, "", "orders-to-rds")
    assert run(COMMAND, "explain", "legacy-crm", f"--url={demo.url}", "--exit-code").returncode == 5


def test_a_terminal_shows_the_tasks_in_place_until_ctrl_c(demo: Exporter, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    tty.setraw(ours)
    termios.tcsetwinsize(theirs, (24, 100))
    command = [COMMAND, "tasks", f"--url={demo.url}", "--watch=1s"]
    with Program(command, tmp_path / "watch", {"TERM": "xterm"}, stdout=theirs) as watching:
        os.close(theirs)
        shown = b""
        while shown.count(b"\x1b[H") < 3:
            shown += os.read(ours, 65536)
        watching.ends_on(signal.SIGINT)
        assert watching.stderr == ""
    os.close(ours)
    assert shown.count(b"\x1b[2J") == 1
    assert re.search(rb"\x1b\[H[0-9-]+ [0-9:]+Z, every 1s\x1b\[K", shown)
    assert b" more lines\x1b[K\x1b[J" in shown


@needs("openssl")
def test_tls_and_a_password(command: CommandLine, secured: Secured, authority: Authority, tmp_path: Path) -> None:
    file, (user, password) = tmp_path / "http.yml", LOGIN
    (tmp_path / "password").write_text(f"{password}\n")
    url = secured.url.replace("127.0.0.1", "localhost")

    def tasks(config: str) -> tuple[int, str, str]:
        file.write_text(config)
        code, out, err = command("tasks", f"--url={url}", f"--http.config.file={file}")
        return code, out, err.removeprefix(f"drs-exporter: {url}: ")

    tls = f"tls_config: {{ca_file: {authority.cert}}}\n"
    code, out, err = tasks(f"{tls}basic_auth: {{username: {user}, password_file: password}}\n")
    assert (code, err, "orders-to-rds" in out) == (0, "", True)
    code, out, err = tasks(f"{tls}basic_auth: {{username: {user}, password: pear}}\n")
    assert (code, out, err.startswith("401: it needs a user and password, or refuses these")) == (1, "", True)
    code, out, err = tasks(f"basic_auth: {{username: {user}, password: {password}}}\n")
    assert (code, out, err.startswith("its TLS certificate is not trusted, or is for another name")) == (1, "", True)
    assert password not in err


def test_wait_ends_with_the_exit_code_of_what_happened(command: CommandLine, demo: Exporter) -> None:
    def waited(*words: str) -> tuple[int, str]:
        code, out, err = command("wait", *words, f"--url={demo.url}")
        assert "Traceback" not in err
        return code, out

    assert waited("orders-to-rds", "--for=full-load") == (0, "full load complete: 1 of 1 task\n")
    assert waited("orders-to-rds", "--for=ended", "--timeout=1s") == (4, "ended: 0 of 1 task after 1s\n")
    assert waited("legacy-crm", "--for=ended") == (3, "ended: 0 of 1 task; legacy-crm failed\n")
    assert waited("no-such-task", "--for=ended") == (1, "")


def test_wait_shows_a_line_on_a_terminal_and_ends_with_130_on_ctrl_c(demo: Exporter, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    tty.setraw(ours)
    termios.tcsetwinsize(theirs, (24, 100))
    command = [COMMAND, "wait", "orders-to-rds", "--for=ended", f"--url={demo.url}"]
    with Program(command, tmp_path / "wait", {"TERM": "xterm"}, stderr=theirs) as waiting:
        os.close(theirs)
        shown = b""
        while b"ended: 0 of 1 task; orders-to-rds: in phase incremental" not in shown:
            shown += os.read(ours, 65536)
        waiting.send_signal(signal.SIGINT)
        assert waiting.exit_code() == 130
        assert waiting.stdout == ""
    os.close(ours)


def test_the_tasks_of_a_wave_are_listed_and_waited_for(command: CommandLine, demo: Exporter) -> None:
    code, out, err = command("tasks", f"--url={demo.url}", "--wave=weekend-1")
    assert (code, err) == (0, "")
    assert re.match(r"weekend-1, running.*\nNot ready: ", out)
    assert "orders-to-rds" in out
    code, out, _ = command("wait", "--wave=weekend-1", "--for=ended", "--timeout=1s", f"--url={demo.url}")
    assert (code in {3, 4}, out[:7]) == (True, "ended: ")  # in the demo, a task of it may have failed
    message = command.error("wait", "--wave=weekend-2", "--for=ended", f"--url={demo.url}", code=1)
    assert message == "no wave has the name 'weekend-2', did you mean weekend-1?\n"
