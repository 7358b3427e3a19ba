"""The configuration that --cloud and --region stand for, with the key in the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from exporter.commands import main as cli
from exporter.commands import once as once_command
from exporter.commands.outcome import Outcome
from exporter.config import ConfigError, from_environment, from_mapping
from exporter.runtime import logs

PROJECT_ID = "054ba152d480d55b2f5dc0069e7ddef0"
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
    written = from_mapping(
        {"accounts": [{"name": "default", "cloud": "otc", "credentials": credentials, "regions": ["eu-de"]}]}
    )
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
    with pytest.raises(ConfigError) as caught:
        from_environment("huaweicloud", "CN")
    assert sorted(str(caught.value).splitlines()) == [
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
    command: str, words: str, message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(f"{PREFIX}AK", "hush")
    monkeypatch.setattr(logs, "configure", lambda *_: None)
    assert cli.main([command, *words.split()]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert f"drs-exporter: {message.format(command=command)}" in err
    assert err.count("\n") == 1
    assert "hush" not in err


def test_a_missing_key_is_no_bad_usage(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv(f"{PREFIX}AK", "hush")
    monkeypatch.setattr(logs, "configure", lambda *_: None)
    assert cli.main(["once", "--cloud=otc", "--region=eu-de"]) == 1
    expected = "environment variable HUAWEICLOUD_SDK_SK is not set or empty: export HUAWEICLOUD_SDK_SK=..."
    assert capsys.readouterr().err == f"drs-exporter: {expected}\n"


def test_once_polls_what_they_stand_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    polled = []

    async def once(config: Any, transport: None) -> Outcome:
        polled.append(config)
        return Outcome(0)

    export(monkeypatch)
    monkeypatch.setattr(once_command, "once", once)
    monkeypatch.setattr(logs, "configure", lambda *_: None)
    assert cli.main(["once", "--cloud=otc", "--region=eu-nl"]) == 0
    assert [account.region for config in polled for account in config.accounts[0].all_projects()] == ["eu-nl"]
