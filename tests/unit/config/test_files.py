"""Secrets and CAs in files: read again when they change, and never on the event loop."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import certifi
import pytest
from structlog.testing import capture_logs

from exporter.config import CaFile, ConfigError, NotReadyError, Secret, from_mapping, stamp
from exporter.config import files as config_files
from exporter.runtime.threads import DaemonPool
from tests.lib.settings import fault_of, otc_account
from tests.lib.virtual_time import in_real_time

AUTHORITIES = Path(certifi.where()).read_text()
END = "-----END CERTIFICATE-----\n"
FIRST = AUTHORITIES[AUTHORITIES.index("-----BEGIN") : AUTHORITIES.index(END) + len(END)]


@pytest.fixture
def hang(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], threading.Event]]:
    """Lets reading a file hang from its call on until the event is set."""
    event = threading.Event()

    def begin() -> threading.Event:
        monkeypatch.setattr(config_files, "FILES", DaemonPool("test-files", threads=4, timeout=0.05))
        monkeypatch.setattr(config_files, "_hanging", set())
        monkeypatch.setattr(config_files, "stamp", lambda path: event.wait() and stamp(path))
        return event

    yield begin
    event.set()


@in_real_time
async def test_a_secret_is_read_again_when_its_file_changes(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("one\n")
    secret = Secret(file=file)
    assert await secret.current() == "one"
    file.write_text("renewed\n")
    assert await secret.current() == "renewed"


@pytest.mark.parametrize("written", [None, "", "\n"], ids=["missing", "empty", "blank"])
@in_real_time
async def test_an_unusable_secret_file_is_logged_and_its_last_secret_used(written: str | None, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("one")
    secret = Secret(file=file)
    with capture_logs() as logged:
        assert await secret.current() == "one"
        file.unlink()
        if written is not None:
            file.write_text(written)
        assert [await secret.current() for _ in range(3)] == ["one"] * 3
        file.write_text("renewed")
        assert [await secret.current() for _ in range(2)] == ["renewed"] * 2
    assert [(line["log_level"], line["event"]) for line in logged] == [
        ("error", "a secret file can't be used; the last secret stays in use"),
        ("info", "a secret file can be used again"),
    ]
    assert f"secret file '{file}' " in logged[0]["error"]


def test_a_secret_file_that_never_was_readable_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NotReadyError, match="No such file"):
        asyncio.run(Secret(file=tmp_path / "token").current())


async def test_a_secret_that_is_no_file_needs_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRS_TOKEN", "two")
    monkeypatch.delattr(config_files, "FILES")
    assert [await secret.current() for secret in (Secret("one"), Secret(env="DRS_TOKEN"))] == ["one", "two"]


def test_a_secret_that_became_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    pipe = tmp_path / "token"
    os.mkfifo(pipe)
    with pytest.raises(ConfigError, match=r"secret file '.*token' is a pipe or a device, not a file\. It must be"):
        Secret(file=pipe).reveal()
    with pytest.raises(ConfigError, match="is a pipe or a device"):
        Secret(file=Path(os.devnull)).reveal()


@in_real_time
async def test_while_a_file_hangs_the_secret_of_before_is_used(
    tmp_path: Path, hang: Callable[[], threading.Event]
) -> None:
    file = tmp_path / "token"
    file.write_text("one")
    secret = Secret(file=file)
    assert secret.reveal() == "one"
    file.write_text("renewed")
    event = hang()
    with capture_logs() as logged:
        assert [await secret.current() for _ in range(3)] == ["one"] * 3
    assert [(line["event"], line["file"], line["reason"]) for line in logged] == [
        ("a file cannot be read now; the value read before is used", str(file), "its file system does not respond")
    ]
    event.set()
    config_files.FILES.timeout = 10
    assert await secret.current() == "renewed"


def test_a_file_that_never_responded_is_an_error(hang: Callable[[], threading.Event], tmp_path: Path) -> None:
    hang()
    with pytest.raises(NotReadyError, match="cannot be read: its file system does not respond"):
        asyncio.run(Secret(file=tmp_path / "token").current())


def test_without_a_thread_the_error_does_not_blame_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(NotReadyError, match="cannot be read: the system can start no thread"):
        asyncio.run(Secret(file=tmp_path / "token").current())


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        *[("${DRS_SK}", "{env: NAME}"), ("$DRS_SK", "{env: NAME}"), ("${DRS_SK:-}", "{env: NAME}")],
        *[("%DRS_SK%", "{env: NAME}"), ("env:DRS_SK", "{env: NAME}"), ("{{ .Values.sk }}", "{env: NAME}")],
        *[("$(cat /run/secrets/sk)", "{file: PATH}"), ("file:/run/secrets/sk", "{file: PATH}")],
    ],
)
def test_a_reference_of_another_program_is_not_taken_for_a_secret(text: str, remedy: str) -> None:
    fault = f".token: variables and files are not expanded in a text: write {remedy}"
    assert fault_of(token, text).endswith(fault)


@pytest.mark.parametrize("text", ["$ecret1", "pa$$word", "$", "100%", "a{b}", "$2y$10$abc"])
def test_a_secret_may_hold_the_characters_of_references(text: str) -> None:
    assert token(text).reveal() == text


@pytest.mark.parametrize("name", ["$DRS_SK", "${DRS_SK}", "a b", ""])
def test_the_name_of_a_variable_is_given_alone(name: str) -> None:
    with pytest.raises(ConfigError, match=r"expected \{env: NAME\} with the name alone, without \$ and braces"):
        token({"env": name})


def token(written: object) -> Secret:
    account = otc_account(credentials={"type": "token", "token": written})
    read = from_mapping({"accounts": [account]}).accounts[0].credentials
    assert read.type == "token"
    return read.token


def count(cas: CaFile) -> int:
    return len(cas.context.get_ca_certs())


@in_real_time
async def test_renewed_cas_are_used_and_logged(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text(FIRST)
    cas = CaFile(file)
    await cas.refresh()
    assert count(cas) == 1
    file.write_text(AUTHORITIES)
    with capture_logs() as logged:
        await cas.refresh()
        await cas.refresh()
    assert count(cas) > 10
    assert [line["event"] for line in logged] == ["ca_file reloaded"]


@pytest.mark.parametrize("written", ["", FIRST[:200], "nothing", None], ids=["empty", "half", "text", "missing"])
@in_real_time
async def test_unusable_cas_are_logged_once_and_the_old_ones_stay(tmp_path: Path, written: str | None) -> None:
    file = tmp_path / "ca.pem"
    file.write_text(FIRST)
    cas = CaFile(file)
    before = cas.context
    if written is None:
        file.unlink()
    else:
        file.write_text(written)
    with capture_logs() as logged:
        for _ in range(3):
            await cas.refresh()
    assert cas.context is before
    assert [line["event"] for line in logged] == ["ca_file has changed and can't be used; the old CAs stay in use"]
    file.write_text(AUTHORITIES)
    await cas.refresh()
    assert count(cas) > 10


def test_while_the_file_of_cas_hangs_the_old_ones_stay(tmp_path: Path, hang: Callable[[], threading.Event]) -> None:
    file = tmp_path / "ca.pem"
    file.write_text(FIRST)
    cas = CaFile(file)
    hang()
    asyncio.run(cas.refresh())
    assert count(cas) == 1


def test_a_file_of_cas_is_checked_with_the_configuration(tmp_path: Path) -> None:
    with pytest.raises(NotReadyError, match=r"file '.*none\.pem' is missing or not readable"):
        CaFile(tmp_path / "none.pem")
    (tmp_path / "text.pem").write_text("nothing")
    with pytest.raises(ConfigError, match=r"file '.*text\.pem' contains no PEM certificates"):
        CaFile(tmp_path / "text.pem")
    with pytest.raises(ConfigError, match=r"is a directory, not a file"):
        CaFile(tmp_path)


@pytest.mark.parametrize("content", ["", "\n", FIRST[:-40], FIRST[:40]])
def test_a_file_of_cas_that_is_half_written_may_be_right_soon(tmp_path: Path, content: str) -> None:
    (tmp_path / "half.pem").write_text(content)
    with pytest.raises(NotReadyError, match=r"file '.*half\.pem' contains no PEM certificates"):
        CaFile(tmp_path / "half.pem")


def test_files_of_cas_are_equal_where_their_paths_are(tmp_path: Path) -> None:
    for name in ("a.pem", "b.pem"):
        (tmp_path / name).write_text(FIRST)
    first, same, other = CaFile(tmp_path / "a.pem"), CaFile(tmp_path / "a.pem"), CaFile(tmp_path / "b.pem")
    assert (first, hash(first)) == (same, hash(same))
    assert first not in {other, str(first)}
    assert repr(first) == f"CaFile('{tmp_path / 'a.pem'}')"


def test_a_credential_is_a_file_in_the_directory_of_systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret_key").write_text("one\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    secret = token({"credential": "secret_key"})
    assert repr(secret) == "Secret(credential secret_key)"
    assert secret.reveal() == "one"
    assert in_real_time(secret.current)() == "one"
    with pytest.raises(NotReadyError, match=r"secret file '.*/other' cannot be read"):
        token({"credential": "other"})


def test_a_credential_outside_of_a_service_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    with pytest.raises(NotReadyError, match="CREDENTIALS_DIRECTORY is not set: systemd sets it for services"):
        token({"credential": "secret_key"})


@pytest.mark.parametrize("name", ["/etc/passwd", "..", "", "a/b", "$SK"])
def test_the_name_of_a_credential_is_no_path(name: str) -> None:
    with pytest.raises(ConfigError, match=r"expected \{credential: NAME\} with the name alone"):
        token({"credential": name})
