from __future__ import annotations

import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from exporter import __main__
from exporter.commands import COMMANDS, metrics
from exporter.commands import main as cli
from exporter.commands import run as run_command
from exporter.metrics.own import OWN_FAMILIES
from exporter.metrics.projects import family_names
from exporter.runtime import logs

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _nothing_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Logging, once set up, would outlive the streams of these tests, and a daemon would never end."""
    monkeypatch.setattr(logs, "configure", lambda *_: None)
    monkeypatch.setattr(run_command, "Exporter", lambda *_, **__: pytest.fail("it serves"))


def help_text(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as ended:
        cli.main([*words, "--help"])
    assert ended.value.code == 0
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("", "--config.file=FILE is missing; config.example.yaml shows what goes into it"),
        ("", "drs-exporter demo needs none"),
        ("run", "--config.file=FILE is missing"),
        ("once", "--config.file=FILE is missing"),
        ("onse", f"unknown command 'onse', did you mean once? (commands: {', '.join(COMMANDS)})"),
        ("config.yaml", "unknown command 'config.yaml' (commands: "),
        ("demo --web.listen-adress=:1", "unknown option --web.listen-adress, did you mean --web.listen-address?"),
        (
            "--config-file=key",
            "unknown option --config-file, did you mean --config.file? (see drs-exporter run --help)",
        ),
        ("--config=key", "unknown option --config, did you mean --config.file?"),
        ("once --zzz", "unknown option --zzz (see drs-exporter once --help)"),
        ("once -x", "unknown option -x (see drs-exporter once --help)"),
        ("metrics --config.file=x", "unknown option --config.file"),
        ("once config.yaml", "unexpected argument 'config.yaml'"),
        ("--log.level=debug once", "unexpected argument 'once': the command comes first"),
        ("demo --log.level=loud", "argument --log.level: invalid choice: 'loud' (choose from "),
        ("run --config.file", "argument --config.file: expected one argument"),
        ("--config.file=", "argument --config.file: expected the path of a file, not an empty text"),
        ("demo --web.config.file=", "argument --web.config.file: expected the path of a file, not an empty text"),
        ("--config.file=/", "/: is a directory, not a file"),
        ("demo --web.listen-address=10826", "'10826' is not HOST:PORT or :PORT, such as 127.0.0.1:10826, [::1]:10"),
        ("demo --web.listen-address=localhost:http", "'localhost:http' is not HOST:PORT"),
        ("demo --web.listen-address=localhost:65536", "'localhost:65536' is not HOST:PORT"),
        ("demo --web.listen-address=ä:0", "'ä:0' is not HOST:PORT"),
    ],
)
def test_bad_usage_is_one_line_with_the_remedy(words: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(words.split()) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("drs-exporter: ")
    assert message in err
    assert err.count("\n") == 1


def test_the_value_of_a_mistyped_option_is_not_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["once", "--secret-key=hunter2"]) == 2
    assert "hunter2" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("written", "code"),
    [
        (None, 1),
        ("accounts: [{name: a, cloud: otc, credentials: {type: token, token: {file: none}}, regions: [eu-de]}]", 1),
        ("accounts: [{name: a, cloud: otc, credentials: {type: token, token: {env: NONE}}, regions: [eu-de]}]", 1),
        (
            "accounts: [{name: a, cloud: otc, credentials: {type: token, token: t}, regions: [eu-de], ca_file: none}]",
            1,
        ),
        ("accounts: [{name: a, cloud: x, credentials: {type: token, token: {file: none}}, regions: [eu-de]}]", 2),
        ("accounts: [", 2),
    ],
    ids=["no file", "no secret", "no variable", "no CAs", "wrong as well", "no YAML"],
)
def test_what_is_not_there_yet_is_no_wrong_configuration(
    written: str | None, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("NONE", raising=False)
    file = tmp_path / "config.yaml"
    if written is not None:
        file.write_text(written)
    assert cli.main(["run", f"--config.file={file}"]) == code
    assert capsys.readouterr().err.startswith(f"drs-exporter: {file}:")


@pytest.mark.parametrize("command", [[], ["run"], ["once"]], ids=lambda words: " ".join(words) or "none")
def test_every_fault_of_the_configuration_is_a_line(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("accounts: []\npol: {}\n")
    assert cli.main([*command, f"--config.file={file}"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    first, second = err.splitlines()
    assert first.startswith(f"drs-exporter: {file}:1: accounts: ")
    assert second.startswith(f"drs-exporter: {file}:2: pol: unknown key; did you mean poll?")


def test_the_help_tells_a_newcomer_where_to_begin(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = help_text(monkeypatch, capsys)
    assert all(re.search(rf"^    {command}\s+\w", text, re.MULTILINE) for command in COMMANDS)
    assert "drs-exporter demo " in text
    assert "config.example.yaml" in text
    assert (
        "Exit codes: 0 fine, 1 the cloud, a project or the environment failed, 2 bad\nusage or configuration." in text
    )


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("run", ["--config.file FILE", "config.example.yaml", "default: :10826", "/metrics"]),
        ("run", ["--web.config.file FILE", "deploy/web-config.example.yml", "--web.health-without-auth"]),
        ("demo", ["needs no account", "--web.listen-address", "Ctrl-C"]),
        ("once", ["--config.file FILE", "1 any project failed", "--demo"]),
        ("completion", ["SHELL", "bash, zsh, fish", "~/.bashrc"]),
        ("metrics", ["Markdown"]),
    ],
)
def test_the_help_of_a_command_says_what_it_needs(
    command: str, words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = " ".join(help_text(monkeypatch, capsys, command).split())
    assert [word for word in words if word not in text] == []


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_the_help_fits_a_terminal(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = help_text(monkeypatch, capsys, *command.split())
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize(("shell", "word"), [("bash", "complete "), ("zsh", "#compdef"), ("fish", "complete -c")])
def test_completion_knows_every_command(shell: str, word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert word in script
    assert [command for command in COMMANDS if command not in script] == []
    assert "--config.file" in script


def test_importing_the_command_line_leaves_the_heavy_parts_alone() -> None:
    heavy = "aiohttp", "jinja2", "starlette", "uvicorn", "exporter.cloud", "exporter.simulator", "shtab"
    code = f"import sys, exporter.commands.main; print(*({{*sys.modules}} & {{*{heavy!r}}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"


def test_metrics_prints_every_family(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["metrics"]) == 0
    named = set(re.findall(r"^\| `(drs_\w+)`", capsys.readouterr().out, re.MULTILINE))
    assert named == family_names() | {own.name for own in OWN_FAMILIES}


def test_a_group_of_groups_has_single_exceptions() -> None:
    first, second, third = ValueError(), KeyError(), OSError()
    group = BaseExceptionGroup("all", [ExceptionGroup("some", [first, ExceptionGroup("one", [second])]), third])
    assert cli.leaves(group) == [first, second, third]
    assert cli.leaves(first) == [first]


def test_a_bug_quotes_nothing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def crash(_options: object) -> int:
        raise ValueError("s3cr3t") from KeyError("s3cr3t")

    monkeypatch.setattr(metrics, "run", crash)
    assert cli.main(["metrics"]) == 1
    said = "".join(capsys.readouterr())
    assert "ValueError" in said
    assert "test_main.py" in said
    assert "s3cr3t" not in said


@pytest.mark.parametrize("redirection", ["2>/dev/full", "2>&-"])
def test_wrong_usage_has_its_exit_code_where_standard_error_cannot_be_written(redirection: str) -> None:
    command = ["bash", "-c", f'"$@" {redirection}', "bash", sys.executable, "-m", "exporter", "--nonsense"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")


def test_signals_wait_while_the_command_line_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    blocked: list[object] = []
    monkeypatch.setattr(signal, "pthread_sigmask", lambda *arguments: blocked.append(arguments))
    monkeypatch.setattr(cli, "main", lambda: len(blocked))
    assert __main__.main() == 1
    assert blocked == [(signal.SIG_BLOCK, {signal.SIGHUP, signal.SIGINT})]
