from __future__ import annotations

import argparse
import gc
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import shtab

from exporter import __main__
from exporter.commands import COMMANDS, metrics
from exporter.commands import main as cli
from exporter.commands import run as run_command
from exporter.commands.options import FILES
from exporter.daemon.serve import serve
from exporter.runtime import threads
from tests.lib.commands import CommandLine
from tests.lib.daemon import FAMILY_NAMES
from tests.lib.imports import imports
from tests.lib.paths import DOCS, ROOT
from tests.lib.tools import needs, tool

QUERIES = ("tasks", "explain", "check", "query")


@pytest.fixture(autouse=True)
def _nothing_lasts(monkeypatch: pytest.MonkeyPatch, command_line: CommandLine) -> None:
    """A daemon would never end."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("NONE", raising=False)
    monkeypatch.setattr(run_command, "Exporter", lambda *_, **__: pytest.fail("it serves"))


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
        ("once --secret-key=hunter2", "unknown option --secret-key (see drs-exporter once --help)"),
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
        ("query orders --type=network", "--type=network needs --query-id=ID, which the start of that test returned"),
        ("query orders --type=precheck --query-id=", "--type=precheck needs --query-id=ID"),
        ("query orders --type=cloud_connection", "--type=cloud_connection needs --query-id=ID"),
        ("query orders --type=nonsense", "invalid choice: 'nonsense'"),
        ("query orders", "the following arguments are required: --type"),
        ("query --type=file", "the following arguments are required: TASK"),
        ("query orders --type=file", "--config.file=FILE is missing"),
        ("explain", "the following arguments are required: TASK"),
        ("explain a b --config.file=x", "unexpected argument 'b'"),
        ("explain a", "--config.file=FILE is missing"),
        ("check --demo --reports=x", "unknown option --reports, did you mean --report?"),
        ("check --demo x", "unexpected argument 'x'"),
        (
            "tasks --demo --region=eu-de",
            "--demo queries the simulated cloud: leave --config.file, --cloud and --region out",
        ),
    ],
)
def test_bad_usage_is_one_line_with_the_remedy(words: str, message: str, command_line: CommandLine) -> None:
    error = command_line.error(*words.split())
    assert message in error
    assert "hunter2" not in error


@pytest.mark.parametrize(
    ("written", "code", "lines"),
    [
        *[(None, 1, 1), ("{file: none}}, regions: [eu-de]}]", 1, 1), ("{env: NONE}}, regions: [eu-de]}]", 1, 1)],
        *[("t}, regions: [eu-de], ca_file: none}]", 1, 1), ("{file: none}}, regions: [EU]}]", 2, 2), ("[", 2, 1)],
    ],
    ids=["no file", "no secret", "no variable", "no CAs", "wrong as well", "no YAML"],
)
@pytest.mark.parametrize("command", ["run", "explain orders"])
def test_a_missing_file_or_secret_is_no_wrong_configuration(
    command: str, written: str | None, code: int, lines: int, *, tmp_path: Path, command_line: CommandLine
) -> None:
    file = tmp_path / "config.yaml"
    if written is not None:
        file.write_text("accounts: [{name: a, cloud: otc, credentials: {type: token, token: " + written)
    ended, out, err = command_line(*command.split(), f"--config.file={file}")
    assert (ended, out, err.count("\n"), err.startswith(f"drs-exporter: {file}:")) == (code, "", lines, True)


@pytest.mark.parametrize("command", ["", "run", "once", "check"])
def test_every_fault_of_the_configuration_is_a_line(command: str, tmp_path: Path, command_line: CommandLine) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("accounts: []\npol: {}\n")
    code, out, err = command_line(*command.split(), f"--config.file={file}")
    first, second = err.splitlines()
    assert (code, out, first.startswith(f"drs-exporter: {file}:1: accounts: ")) == (2, "", True)
    assert second.startswith(f"drs-exporter: {file}:2: pol: unknown key; did you mean poll?")


def test_the_help_shows_a_newcomer_where_to_begin(command_line: CommandLine) -> None:
    text = command_line.help()
    assert all(re.search(rf"^    {command}\s+\w", text, re.MULTILINE) for command in COMMANDS)
    assert [part for part in ("drs-exporter demo ", "config.example.yaml") if part not in text] == []
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
        *((command, [f"Examples: drs-exporter {command} ", "Exit codes: 0 "]) for command in QUERIES),
    ],
)
def test_the_help_of_a_command_has_what_it_needs(command: str, words: list[str], command_line: CommandLine) -> None:
    text = " ".join(command_line.help(command).split())
    assert [word for word in words if word not in text] == []


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_the_help_fits_a_terminal(command: str, command_line: CommandLine) -> None:
    assert max(map(len, command_line.help(*command.split()).splitlines())) <= 80


@pytest.mark.parametrize(("shell", "word"), [("bash", "complete "), ("zsh", "#compdef"), ("fish", "complete -c")])
def test_completion_has_every_command(shell: str, word: str, command_line: CommandLine) -> None:
    code, script, _ = command_line("completion", shell)
    assert (code, [part for part in (word, "--config.file", *COMMANDS) if part not in script]) == (0, [])


@needs("bash")
@pytest.mark.parametrize(
    ("words", "completed"),
    [
        *[("ta", "tasks"), ("--config.f", "--config.file"), ("--config.file = config.ex", "config.example.yaml")],
        *[("check --config.file config.ex", "config.example.yaml"), ("tasks --output =", "table json")],
        *[("query orders --type = pre", "precheck"), ("tasks --http.config.file = config.ex", "config.example.yaml")],
        *[("tasks --url x --wat", "--watch"), ("explain orders --exit", "--exit-code")],
    ],
)
def test_bash_completes_options_values_and_files(words: str, completed: str, command_line: CommandLine) -> None:
    _, script, _ = command_line("completion", "bash")
    typed = f"COMP_WORDS=(drs-exporter {words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))"
    command = f'{typed}; _drs_exporter; echo "${{COMPREPLY[*]}}"'
    done = subprocess.run([tool("bash"), "-c", script + command], capture_output=True, text=True, check=True, cwd=ROOT)
    assert (done.stdout, done.stderr) == (f"{completed}\n", "")


def test_shells_complete_file_names_as_shtab_documents() -> None:
    assert FILES.items() <= shtab.FILE.items()


@pytest.mark.parametrize("command", ["metrics", "once --demo", "check --demo"])
def test_output_that_cannot_be_written_is_reported_with_its_cause(command: str) -> None:
    program = [sys.executable, "-m", "exporter", *command.split()]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(program, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    message = "drs-exporter: standard output cannot be written: No space left on device\n"
    assert (done.returncode, done.stderr) == (1, message)


LIBRARIES = "aiohttp", "jinja2", "starlette", "uvicorn", "shtab"


@pytest.mark.parametrize(
    ("imported", "heavy"),
    [
        (cli, (*LIBRARIES, "exporter.cloud", "exporter.daemon", "exporter.simulator")),
        (serve, ("jinja2", "mistune", "exporter.web.pages")),
    ],
)
def test_an_import_leaves_the_heavy_parts_that_are_not_needed_alone(
    imported: Callable[..., object] | ModuleType, heavy: tuple[str, ...]
) -> None:
    code = f"import sys\n{imports(imported)}print(*({{*sys.modules}} & {{*{heavy!r}}}))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "\n"


def test_metrics_prints_every_family(command_line: CommandLine) -> None:
    code, catalogue, _ = command_line("metrics")
    assert (code, set(re.findall(r"^\| `(drs_\w+)`", catalogue, re.MULTILINE))) == (0, FAMILY_NAMES)


def test_a_group_of_groups_has_single_exceptions() -> None:
    first, second, third = ValueError(), KeyError(), OSError()
    group = BaseExceptionGroup("all", [ExceptionGroup("some", [first, ExceptionGroup("one", [second])]), third])
    assert (cli.leaves(group), cli.leaves(first)) == ([first, second, third], [first])


def test_a_bug_quotes_nothing(monkeypatch: pytest.MonkeyPatch, command_line: CommandLine) -> None:
    def crash(_options: object) -> None:
        raise ValueError("s3cr3t") from KeyError("s3cr3t")

    monkeypatch.setattr(metrics, "run", crash)
    code, *output = command_line("metrics")
    assert code == 1
    assert "ValueError" in "".join(output)
    assert Path(__file__).name in "".join(output)
    assert "s3cr3t" not in "".join(output)


@pytest.mark.parametrize("redirection", ["2>/dev/full", "2>&-"])
def test_wrong_usage_has_its_exit_code_where_standard_error_cannot_be_written(redirection: str) -> None:
    command = ["sh", "-c", f'"$@" {redirection}', "sh", sys.executable, "-m", "exporter", "--nonsense"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")


def test_signals_wait_while_the_command_line_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    blocked: list[object] = []
    monkeypatch.setattr(signal, "pthread_sigmask", lambda *arguments: blocked.append(arguments))
    monkeypatch.setattr(cli, "main", lambda: len(blocked))
    assert (__main__.main(), blocked) == (1, [(signal.SIG_BLOCK, {signal.SIGHUP, signal.SIGINT})])


def test_the_garbage_collector_is_off_only_while_modules_are_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    enabled: list[bool] = []

    def note(_: object) -> argparse.Namespace:
        enabled.append(gc.isenabled())
        return argparse.Namespace(
            log_level="info", log_format="logfmt", command="metrics", run=note, notes=(), text="", code=0
        )

    monkeypatch.setattr(cli, "parse", note)
    monkeypatch.setattr(sys, "argv", ["drs-exporter"])
    ended: list[int] = []
    monkeypatch.setattr(threads, "end_process", ended.append)
    __main__.main()
    assert ([*enabled, gc.isenabled()], ended) == ([False, True, True], [0])


def test_every_command_is_documented() -> None:
    written = set(re.findall(r"^\| `drs-exporter (\w+)", (DOCS / "commands.md").read_text(), re.MULTILINE))
    assert {*COMMANDS} - {"run"} == written
