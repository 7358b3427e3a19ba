"""The configuration that --cloud and --region stand for, with the key in the environment."""

from __future__ import annotations

from typing import Any, cast

import pytest

from exporter.commands import once as once_command
from exporter.commands.outcome import Outcome
from exporter.config import from_environment, from_mapping
from tests.lib.commands import CommandLine
from tests.lib.daemon import PROJECT_ID
from tests.lib.settings import fault_of, otc_account

PREFIX = "HUAWEICLOUD_SDK_"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AK", "SK", "PROJECT_ID", "SECURITY_TOKEN"):
        monkeypatch.delenv(f"{PREFIX}{name}", raising=False)


def export(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in {"AK": "ak", "SK": "sk", **values}.items():
        monkeypatch.setenv(f"{PREFIX}{name}", value)


def test_it_is_one_account_with_one_project(monkeypatch: pytest.MonkeyPatch) -> None:
    export(monkeypatch)
    config = from_environment("otc", "eu-de")
    credentials: Any = {"type": "ak_sk", "access_key": "ak", "secret_key": "sk"}
    written = from_mapping({"accounts": [otc_account("default", credentials=credentials)]})
    (account,) = config.accounts
    assert (account.all_projects(), account.poll) == (written.accounts[0].all_projects(), written.accounts[0].poll)
    assert account.endpoint_for(account.projects[0]) == "https://drs.eu-de.otc.t-systems.com"
    read: Any = account.credentials
    assert (read.access_key.reveal(), read.secret_key.reveal(), read.security_token) == ("ak", "sk", None)
    assert (account.name, account.projects[0].label) == ("default", "eu-de")


@pytest.mark.parametrize(("project_id", "token"), [(PROJECT_ID, "token"), ("", "")], ids=["given", "empty"])
def test_project_and_security_token_may_be_given(project_id: str, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    export(monkeypatch, PROJECT_ID=project_id, SECURITY_TOKEN=token)
    account = from_environment("huaweicloud", "cn-north-4").accounts[0]
    (project,), read = account.projects, cast("Any", account.credentials).security_token
    assert (project.project_id, project.label) == (project_id or None, project_id or "cn-north-4")
    assert (read and read.reveal()) == (token or None)


def test_what_is_missing_is_named_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}PROJECT_ID", "hush")
    assert sorted(fault_of(from_environment, "huaweicloud", "CN").splitlines()) == [
        "--region: expected a region id such as cn-north-4 or eu-de",
        "HUAWEICLOUD_SDK_PROJECT_ID: expected a project id: 32 digits of 0-9 and a-f, in lower case",
        "environment variable HUAWEICLOUD_SDK_AK is not set or empty: export HUAWEICLOUD_SDK_AK=...",
        "environment variable HUAWEICLOUD_SDK_SK is not set or empty: export HUAWEICLOUD_SDK_SK=...",
    ]


@pytest.mark.parametrize("command", ["run", "once"])
@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--cloud=otc", "--cloud and --region go together (see drs-exporter {command} --help)"),
        ("--region=eu-de", "--cloud and --region go together (see drs-exporter {command} --help)"),
        ("--cloud=otx --region=eu-de", "argument --cloud: invalid choice: 'otx' (choose from "),
        ("--cloud=otc --region=eu-de --config.file=x", "--config.file names cloud and region: leave --cloud and "),
        ("--cloud=otc --config.file=x", "--config.file names cloud and region: leave --cloud and --region out"),
        ("--region=eu-de --config.file=x", "--config.file names cloud and region: leave --cloud and --region out"),
    ],
)
def test_bad_usage_is_reported_in_a_line(
    command: str, words: str, message: str, monkeypatch: pytest.MonkeyPatch, command_line: CommandLine
) -> None:
    monkeypatch.setenv(f"{PREFIX}AK", "hush")
    error = command_line.error(command, *words.split())
    assert error.startswith(message.format(command=command))
    assert "hush" not in error


def test_a_missing_key_is_no_bad_usage(monkeypatch: pytest.MonkeyPatch, command_line: CommandLine) -> None:
    monkeypatch.setenv(f"{PREFIX}AK", "hush")
    expected = "environment variable HUAWEICLOUD_SDK_SK is not set or empty: export HUAWEICLOUD_SDK_SK=..."
    assert command_line.error("once", "--cloud=otc", "--region=eu-de", code=1) == f"{expected}\n"


def test_once_polls_what_they_stand_for(monkeypatch: pytest.MonkeyPatch, command_line: CommandLine) -> None:
    polled = []

    async def once(config: Any, transport: None) -> Outcome:
        polled.append(config)
        return Outcome(0)

    export(monkeypatch)
    monkeypatch.setattr(once_command, "once", once)
    assert command_line("once", "--cloud=otc", "--region=eu-nl")[0] == 0
    assert [account.region for config in polled for account in config.accounts[0].all_projects()] == ["eu-nl"]
