"""Durations, secrets, addresses: what each kind of value accepts, gives and refuses."""

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from exporter.config import Config, Duration, Proxy, Secret, duration_text, from_mapping
from exporter.config.values import DurationOrZero
from tests.lib.settings import fault_of, otc_account

DURATION: TypeAdapter[float] = TypeAdapter(Duration)
DURATION_OR_ZERO: TypeAdapter[float] = TypeAdapter(DurationOrZero)
PATH = "accounts[0].credentials.token"
MUST = "It must be readable for this user and contain nothing but the secret."


def config_with(**keys: Any) -> Config:
    return from_mapping({"accounts": [otc_account(**keys)]})


def secret_of(value: object) -> Secret:
    credentials: Any = config_with(credentials={"type": "token", "token": value}).accounts[0].credentials
    token = credentials.token
    assert isinstance(token, Secret)
    return token


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("5m", 300), ("7d", 604_800), ("1h30m", 5400), ("500ms", 0.5), ("1s500ms", 1.5), (2.5, 2.5), (9, 9)],
)
def test_duration(text: object, seconds: float) -> None:
    assert DURATION.validate_python(text) == seconds


@pytest.mark.parametrize(
    "wrong",
    [
        *("", "0s", "-5s", "5", "5 s", "3w", "1.5h", "30m1h", "3651d", "9" * 13 + "s", "१s"),
        *(0, -1, 10**400, float("inf"), float("nan"), True, None, []),
    ],
)
def test_no_duration(wrong: object) -> None:
    with pytest.raises(ValidationError, match="units d, h, m, s, ms in this order"):
        DURATION.validate_python(wrong)


@pytest.mark.parametrize("text", ["0s", "0m", 0, 0.0])
def test_a_duration_that_may_be_zero(text: object) -> None:
    assert DURATION_OR_ZERO.validate_python(text) == 0
    for wrong in ("", "-5s", -1, False):
        with pytest.raises(ValidationError, match="or a number of seconds; at most 3650d"):
            DURATION_OR_ZERO.validate_python(wrong)


@given(st.integers(min_value=1, max_value=3650 * 86_400_000))
def test_duration_round_trip(milliseconds: int) -> None:
    assert DURATION.validate_python(duration_text(milliseconds / 1000)) == milliseconds / 1000


def test_duration_text() -> None:
    assert [duration_text(seconds) for seconds in (5400, 0.25, 604_800, 0)] == ["1h30m", "250ms", "7d", "0s"]


def test_literal_secret() -> None:
    secret = secret_of("hush")
    assert (secret.reveal(), f"{secret} {secret!r}") == ("hush", "Secret(***) Secret(***)")


def test_secret_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRS_TOKEN", "one")
    secret = secret_of({"env": "DRS_TOKEN"})
    assert repr(secret) == "Secret(env DRS_TOKEN)"
    monkeypatch.setenv("DRS_TOKEN", "two")
    assert secret.reveal() == "two"
    monkeypatch.setenv("DRS_TOKEN", "")
    missing = "environment variable DRS_TOKEN is not set or empty: export DRS_TOKEN=..."
    assert fault_of(secret.reveal) == missing


@pytest.mark.parametrize(
    ("written", "secret"),
    [("hush\n", "hush"), ("hush\r\n", "hush"), ("hush\n\n", "hush\n"), (" hush", " hush"), ("\ufeffhush", "hush")],
)
def test_secret_file_loses_one_newline(tmp_path: Path, written: str, secret: str) -> None:
    file = tmp_path / "token"
    file.write_bytes(written.encode())
    assert secret_of({"file": str(file)}).reveal() == secret


def test_secret_file_is_read_again_only_when_it_changes(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("one")
    secret = secret_of({"file": str(file)})
    assert repr(secret) == f"Secret(file {file})"
    before = file.stat()
    file.write_text("two")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))  # the same time, size and inode: not read
    assert secret.reveal() == "one"
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert secret.reveal() == "two"
    replacement = tmp_path / "token.new"
    replacement.write_text("three")
    replacement.rename(file)
    assert secret.reveal() == "three"


def test_secret_file_lost_after_loading(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("one")
    secret = secret_of({"file": str(file)})
    file.unlink()
    for _ in range(2):  # what was read before must not come back
        assert fault_of(secret.reveal) == f"secret file '{file}' cannot be read: No such file or directory. {MUST}"


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"\xff\xfe", "is not UTF-8 text (byte 1): save it as UTF-8"),
        (b"x" * 65_537, "is larger than 64 KiB"),
    ],
)
def test_secret_file_that_holds_no_secret(tmp_path: Path, written: bytes, fault: str) -> None:
    file = tmp_path / "token"
    file.write_bytes(written)
    assert fault_of(secret_of, {"file": str(file)}) == f"{PATH}: secret file '{file}' {fault}. {MUST}"


@pytest.mark.parametrize("wrong", [5, True, [], {}, {"env": "A", "file": "b"}, {"env": 5}, {"file": 5}, {"hush": None}])
def test_no_secret(wrong: object) -> None:
    expected = "expected text (quote a number), {env: NAME}, {file: PATH} or {credential: NAME}"
    assert fault_of(secret_of, wrong) == f"{PATH}: {expected}"


def test_secrets_stay_out_of_every_dump(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRS_SK", "hush")
    config = config_with(credentials={"type": "ak_sk", "access_key": "hush", "secret_key": {"env": "DRS_SK"}})
    dumps = [repr(config), str(config), repr(config.model_dump()), config.model_dump_json()]
    assert [dump for dump in dumps if "hush" in dump] == []
    assert '"access_key":"Secret(***)","secret_key":"Secret(env DRS_SK)"' in dumps[-1]


def test_configurations_compare_by_what_is_written() -> None:
    first, same, other = (config_with(credentials={"type": "token", "token": token}) for token in "aab")
    assert first == same
    assert first != other


@pytest.mark.parametrize(
    ("written", "endpoint"),
    [
        ("https://drs.example", "https://drs.example"),
        ("HTTPS://drs.example:8443/", "https://drs.example:8443"),
        *[("http://localhost:1", "http://localhost:1"), ("http://127.0.0.2", "http://127.0.0.2")],
        *[("http://[::1]:8080/", "http://[::1]:8080"), ("http://169.254.169.254", "http://169.254.169.254")],
        *((f"https://iam.example:8443{end}", "https://iam.example:8443") for end in ("", "/", "/v3", "/v3/")),
    ],
)
def test_endpoint(written: str, endpoint: str) -> None:
    account = config_with(iam_endpoint=written).accounts[0]
    assert account.iam_endpoint == account.iam_endpoint_for("eu-de") == endpoint


NO_ORIGIN = "expected https://HOST or https://HOST:PORT, without a user, a path such as /v3, or a query"
NO_HTTPS = "must begin with https://; http is for loopback addresses and 169.254.169.254 only"


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ("https://user:hush@drs.example", NO_ORIGIN),
        ("https://drs.example/v5", NO_ORIGIN),
        ("https://drs.example?a=b", NO_ORIGIN),
        ("https://drs.example#a", NO_ORIGIN),
        *[("https://drs.example:99999", NO_ORIGIN), ("ftp://drs.example", NO_ORIGIN), ("drs.example", NO_ORIGIN)],
        *[("http://drs.example", NO_HTTPS), ("http://127.0.0.1.example", NO_HTTPS), ("http://10.0.0.1", NO_HTTPS)],
    ],
)
def test_no_endpoint(written: str, fault: str) -> None:
    assert fault_of(config_with, iam_endpoint=written) == f"accounts[0].iam_endpoint: {fault}"


def test_the_endpoint_of_drs_has_no_version() -> None:
    project = {"region": "eu-de", "endpoint": "https://drs.example/v3"}
    assert fault_of(config_with, projects=[project]) == f"accounts[0].projects[0].endpoint: {NO_ORIGIN}"


def test_proxy_may_be_plain_http() -> None:
    account = config_with(proxy="http://proxy.example:3128").accounts[0]
    assert account.proxy == Proxy(url="http://proxy.example:3128")
