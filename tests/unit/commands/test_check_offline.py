"""The command check --offline: what it finds in a file, without secrets and without the network."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
import yaml

from exporter.commands.check_offline import offline_findings
from exporter.views.errors import Level
from tests.lib.commands import CommandLine, config_for
from tests.lib.paths import ROOT

ACCOUNT = """
accounts:
  - name: acme
    cloud: huaweicloud
    credentials: {type: ak_sk, access_key: {env: DRS_TEST_ABSENT}, secret_key: {file: absent}}
    regions: [cn-north-4]
"""

STORAGE = {"path": "/var/lib/drs-exporter"}


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def offline(command_line: CommandLine, folder: Path, text: str) -> tuple[int, str, str]:
    file = folder / "config.yaml"
    file.write_text(text)
    return command_line("check", "--offline", f"--config.file={file}")


def warnings(now: float = 0.0, **sections: Any) -> list[str]:
    findings = offline_findings(config_for(**sections), (), now)
    return [f"{each.where}: {each.what}: {each.remedy}" for each in findings[:-1] if each.level is not Level.OK]


def test_missing_secrets_are_lines_and_no_errors(command_line: CommandLine, tmp_path: Path) -> None:
    code, out, err = offline(command_line, tmp_path, ACCOUNT)
    assert (code, err) == (0, "")
    first, *secrets, last = out.splitlines()
    assert first == "ok    configuration  valid, 1 account, 1 project; the cloud was not queried"
    assert last == "warn  summary        0 fail, 2 warn, 1 ok; exit code 0"
    place = f"warn  configuration  not checked, missing here: {tmp_path}/config.yaml:5: accounts[0].credentials"
    assert [line.startswith(place) for line in secrets] == [True, True]
    assert "DRS_TEST_ABSENT is not set" in secrets[0]
    assert "No such file" in secrets[1]


def test_all_is_well_where_the_secrets_are(
    command_line: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRS_TEST_ABSENT", "kanari")
    (tmp_path / "absent").write_text("kanari\n")
    code, out, err = offline(command_line, tmp_path, ACCOUNT)
    assert (code, err) == (0, "")
    assert out.splitlines()[-1] == "ok    summary        0 fail, 0 warn, 1 ok; exit code 0"
    assert "kanari" not in out


def test_a_missing_ca_file_and_a_missing_proxy_password_are_lines(command_line: CommandLine, tmp_path: Path) -> None:
    more = "    ca_file: absent.pem\n    proxy: {url: http://p.example, user: u, password: {env: DRS_TEST_ABSENT}}\n"
    code, out, err = offline(command_line, tmp_path, ACCOUNT + more)
    assert (code, err) == (0, "")
    assert out.count("missing here") == 4


def test_a_credential_of_systemd_is_a_line_outside_of_the_service(
    command_line: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    text = ACCOUNT.replace("{file: absent}", "{credential: secret_key}")
    code, out, err = offline(command_line, tmp_path, text)
    assert (code, err) == (0, "")
    assert "secret_key: environment variable CREDENTIALS_DIRECTORY is not set" in out


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ("pol: {interval: 30s}\n", "pol: unknown key; did you mean poll?"),
        ("poll: {stale_after: 1s}\n", "stale_after (1s) must be at least interval (30s)"),
        ("cutover: {logs: required}\n", "collector logs of acme is disabled"),
    ],
)
def test_only_what_is_wrong_is_reported_for_a_wrong_file(
    command_line: CommandLine, tmp_path: Path, more: str, text: str
) -> None:
    code, out, err = offline(command_line, tmp_path, ACCOUNT + more)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert text in err


def test_a_secret_that_is_there_and_wrong_is_an_error(command_line: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "absent").mkdir()
    code, _, err = offline(command_line, tmp_path, ACCOUNT)
    assert code == 2
    assert "is a directory" in err


def test_a_file_that_cannot_be_read_is_a_fault_of_the_environment(command_line: CommandLine, tmp_path: Path) -> None:
    assert command_line("check", "--offline", f"--config.file={tmp_path / 'none.yaml'}")[0] == 1


@pytest.mark.parametrize(
    "words", [(), ("--demo",), ("--cloud=otc", "--region=eu-de"), ("--config.file=x", "--report=y")]
)
def test_it_is_about_one_file(command_line: CommandLine, words: tuple[str, ...]) -> None:
    assert "--offline needs --config.file" in command_line.error("check", "--offline", *words)


def test_the_example_is_valid_without_its_secrets(
    command_line: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HUAWEICLOUD_SDK_AK", raising=False)
    code, out, err = offline(command_line, tmp_path, (ROOT / "config.example.yaml").read_text())
    assert (code, err, out.count("missing here")) == (0, "", 2)


def test_a_mistyped_region_is_found() -> None:
    accounts = yaml.safe_load(ACCOUNT.replace("cn-north-4", "cn-noth-4"))["accounts"]
    accounts[0]["credentials"] = {"type": "ecs_agency"}
    (line,) = warnings(accounts=accounts)
    assert "did you mean cn-north-4?" in line


def test_lists_that_need_more_calls_than_are_allowed_are_found() -> None:
    assert warnings(poll={"interval": "1s", "rate_limit": 3}) == []
    (line,) = warnings(poll={"interval": "1s", "rate_limit": 2.5})
    assert line == (
        "acme/cn-north-4: the lists alone need 3 calls a second; 2.5 are allowed: all facts will be older than "
        "configured: set poll.rate_limit to more than 3, or a longer poll.interval"
    )


def wave(**keys: Any) -> dict[str, Any]:
    return {"name": "weekend", "include": [{"name": "a.*"}], "interval": "10s", **keys}


@pytest.mark.parametrize(
    ("expected", "interval", "found"),
    [
        (150, "10s", ""),
        (231, "10s", "they are polled every 16s at best"),
        (1000, "10s", "they are polled as without a wave"),
        (None, "1s", ""),
        (460, None, "they are polled as without a wave"),
    ],
)
def test_a_wave_that_cannot_get_its_interval_is_found(expected: int | None, interval: str | None, found: str) -> None:
    lines = warnings(waves=[wave(expected=expected, interval=interval)], poll={"rate_limit": 3}, storage=STORAGE)
    assert len(lines) == bool(found)
    assert all(found in line for line in lines)


def test_the_remedy_of_a_wave_is_enough() -> None:
    (line,) = warnings(waves=[wave(expected=151)], poll={"rate_limit": 3}, storage=STORAGE)
    assert "151 expected tasks every 10s need at least 1.6 calls a second of the 1.5 that waves may use" in line
    assert line.endswith("set poll.rate_limit to at least 4, or a longer interval")
    assert warnings(waves=[wave(expected=151)], poll={"rate_limit": 4}, storage=STORAGE) == []


def test_a_wave_that_is_over_is_not_judged() -> None:
    over = wave(expected=1000, until="2026-01-01T00:00:00+00:00")
    assert warnings(1e10, waves=[over], poll={"rate_limit": 3}) == []
