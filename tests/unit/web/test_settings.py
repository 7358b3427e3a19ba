"""The web configuration is read again when it, or a file that it names, changes; a bad one changes nothing."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import ssl
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from exporter.config import ConfigError
from exporter.web.settings import Settings, WebFile
from tests.lib.certificates import Authority, Pair, hashed
from tests.lib.tools import needs
from tests.lib.virtual_time import simulate

pytestmark = needs("openssl")

TLS = "tls_server_config: {cert_file: server.pem, key_file: server.key}\n"
USERS = f"basic_auth_users: {{alice: {hashed('apple')}}}\n"
ALL = USERS + TLS.replace(
    "}", ", client_auth_type: RequireAndVerifyClientCert, client_ca_file: server.pem, client_allowed_sans: [a, b]}"
)
NO_SANS = ALL.replace(", client_allowed_sans: [a, b]", "")
AGAIN = {"event": "web configuration reloaded", "log_level": "info"}
CANNOT = "the web configuration has changed and can't be used; the old one stays in use"
NOT_SUPPORTED = "a setting of the web configuration is not supported"


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Pair, Pair]:
    authority = Authority(tmp_path_factory.mktemp("authority"))
    return authority.issue("first"), authority.issue("second")


class Files:
    """A web configuration beside a certificate and its key."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "web.yml"
        self._time = 1_000_000_000

    def write(self, text: str) -> Path:
        self.path.write_text(text)
        self._touched(self.path)
        return self.path

    def seen_by(self, web: WebFile) -> Settings:
        """The settings in force, once the files have not changed for a while."""
        web.check()
        web.check()
        return web.now()

    def place(self, pair: Pair) -> None:
        for file, name in zip(pair, ("server.pem", "server.key"), strict=True):
            shutil.copy(file, self.folder / name)
            self._touched(self.folder / name)

    def _touched(self, file: Path) -> None:
        """As if a second had passed since the last one."""
        self._time += 1
        os.utime(file, (self._time, self._time))


@pytest.fixture
def files(tmp_path: Path, pairs: tuple[Pair, Pair]) -> Files:
    result = Files(tmp_path)
    result.place(pairs[0])
    return result


def test_without_a_file_nothing_is_required() -> None:
    web = WebFile()
    assert (web.now(), web.context(), web.tls, web.open_paths) == (Settings(), None, False, frozenset())
    web.check()
    simulate(web.follow())  # there is nothing to follow
    assert web.now() == Settings()


def test_the_settings_of_a_file(files: Files) -> None:
    stored = hashed("secret")
    headers = "http_server_config: {headers: {X-Frame-Options: deny, X-XSS-Protection: ''}}\n"
    users, rate = f"basic_auth_users: {{jürgen: {stored}}}\n", "rate_limit: {interval: 2s, burst: 3}\n"
    web = WebFile(files.write(headers + users + rate))
    now = web.now()
    assert (now.users, now.headers) == ({"jürgen".encode(): stored.encode()}, ((b"x-frame-options", b"deny"),))
    assert (now.rate.interval, now.rate.burst) == (2, 3)
    assert (now.context, now.allowed_sans, web.context()) == (None, None, None)
    assert stored not in repr(now)


def test_faults_at_the_start_are_raised(files: Files) -> None:
    with pytest.raises(ConfigError, match=r"web.yml:1: tls: unknown key"):
        WebFile(files.write("tls: {}"))
    (files.folder / "server.key").write_text("junk")
    with pytest.raises(ConfigError, match=r"web.yml:2: tls_server_config: not a certificate and its key, both PEM"):
        WebFile(files.write(f"\n{TLS}"))
    with pytest.raises(ConfigError, match=r"gone.yml: cannot be read: No such file or directory$"):
        WebFile(files.folder / "gone.yml")


def test_a_changed_file_is_read_again(files: Files) -> None:
    text = f"http_server_config: {{headers: {{X-Frame-Options: deny}}}}\n{ALL}"
    web = WebFile(files.write(text))
    with capture_logs() as logged:
        assert files.seen_by(web) is files.seen_by(web)
        files.write(text.replace("deny", "sameorigin").replace("alice", "bob").replace("[a, b]", "[c]"))
        now = files.seen_by(web)
        assert files.seen_by(web) is now
    assert now.headers == ((b"x-frame-options", b"sameorigin"),)
    assert ([*now.users], now.allowed_sans, logged) == ([b"bob"], frozenset({"c"}), [AGAIN])


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("tls: {}", "1: tls: unknown key "),
        ("{", "1:2: not valid YAML: "),
        ("basic_auth_users: {alice: hunter2}", "1: basic_auth_users: expected a bcrypt hash "),
        (TLS.replace("server.key", "other.key"), "1: tls_server_config.key_file: file "),
        (TLS, " tls_server_config would switch access control on, which needs a restart"),
    ],
)
def test_a_bad_file_is_logged_once_and_changes_nothing(files: Files, text: str, fault: str) -> None:
    web = WebFile(files.write(""))
    before = files.seen_by(web)
    with capture_logs() as logged:
        files.write(text)
        assert files.seen_by(web) is before
        assert files.seen_by(web) is before
        assert [line["event"] for line in logged] == [CANNOT]
        assert logged[0]["error"].startswith(f"{files.path}:{fault}")
        assert "hunter2" not in str(logged)
        assert "alice" not in str(logged)
        files.write("")
        assert files.seen_by(web) == before
        files.path.unlink()
        assert (files.seen_by(web), files.seen_by(web)) == (before, before)
    assert [line["event"] for line in logged] == [CANNOT, AGAIN["event"], CANNOT]


def test_new_connections_use_a_new_certificate_once_its_key_is_there(files: Files, pairs: tuple[Pair, Pair]) -> None:
    web = WebFile(files.write(TLS))
    context = web.context()
    assert web.tls
    assert context
    first = context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_side=True)
    assert first.context is files.seen_by(web).context
    with capture_logs() as logged:
        shutil.copy(pairs[1].cert, files.folder / "server.pem")
        assert files.seen_by(web).context is first.context
        assert files.seen_by(web).context is first.context
        assert [line.get("error", "").partition(": ")[2] for line in logged] == [
            "tls_server_config: the key does not belong to the certificate"
        ]
        files.place(pairs[1])
        second = files.seen_by(web)
        assert second.context is not first.context
        assert files.seen_by(web) is second
    assert [line["event"] for line in logged] == [CANNOT, AGAIN["event"]]
    assert context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_side=True).context is second.context


def test_a_certificate_that_comes_after_its_name_is_taken(files: Files, pairs: tuple[Pair, Pair]) -> None:
    web = WebFile(files.write(TLS))
    first = files.seen_by(web)
    files.write(TLS.replace("server.", "new."))
    assert files.seen_by(web) is first
    shutil.copy(pairs[1].cert, files.folder / "new.pem")
    assert files.seen_by(web) is first
    shutil.copy(pairs[1].key, files.folder / "new.key")
    assert files.seen_by(web) is not first


def test_the_names_of_clients_that_may_connect(files: Files) -> None:
    assert WebFile(files.write(NO_SANS)).now().allowed_sans is None
    assert WebFile(files.write(ALL)).now().allowed_sans == frozenset("ab")


def test_unsupported_keys_are_logged_once(files: Files) -> None:
    text = f"{TLS.replace('}', ', min_version: TLS11}')}http_server_config: {{http2: true}}\n"
    with capture_logs() as logged:
        web = WebFile(files.write(text))
        files.write(f"{text}# changed\n")
        files.seen_by(web)
        files.write(text.replace("TLS11", "TLS10"))
        files.seen_by(web)
    said = [line["what"] for line in logged if line["event"] == NOT_SUPPORTED]
    assert said == [
        "tls_server_config.min_version: TLS11 is not served, TLS12 is the oldest",
        "http_server_config.http2: HTTP/1.1 is served",
        "tls_server_config.min_version: TLS10 is not served, TLS12 is the oldest",
    ]


@pytest.mark.parametrize("length", range(0, len(ALL), 7))
def test_no_truncation_opens_the_exporter(files: Files, length: int) -> None:
    web = WebFile(files.write(ALL))
    before = web.now()
    files.write(ALL[:length])
    after = files.seen_by(web)
    assert after is before or (after.context and after.users and after.allowed_sans)


@pytest.mark.parametrize(
    ("before", "after", "keys"),
    [
        (USERS, "", ["basic_auth_users"]),
        (USERS, "# users\n", ["basic_auth_users"]),
        (USERS, "basic_auth_users: {}\n", ["basic_auth_users"]),
        ("", USERS, ["basic_auth_users"]),
        (ALL, USERS, ["tls_server_config", "client_auth_type", "client_allowed_sans"]),
        (ALL, NO_SANS, ["client_allowed_sans"]),
        (
            ALL,
            NO_SANS.replace("RequireAndVerifyClientCert", "VerifyClientCertIfGiven"),
            ["client_auth_type", "client_allowed_sans"],
        ),
        (TLS + USERS, ALL, ["client_auth_type", "client_allowed_sans"]),
        (TLS, "", ["tls_server_config"]),
    ],
    ids=itertools.count(),  # the hashes differ from process to process
)
def test_only_a_restart_switches_access_control_on_or_off(
    files: Files, before: str, after: str, keys: list[str]
) -> None:
    web = WebFile(files.write(before))
    settings = web.now()
    files.write(after)
    with capture_logs() as logged:
        for _ in range(3):
            assert files.seen_by(web) is settings
    assert [line["event"] for line in logged] == [CANNOT] * len(keys)
    for key, line in zip(keys, logged, strict=True):
        switched = "on" if len(after) > len(before) else "off"
        assert line["error"].endswith(f"{key} would switch access control {switched}, which needs a restart")
    files.write(before)
    assert files.seen_by(web).users == settings.users


def test_a_file_that_is_being_written_is_not_read(files: Files) -> None:
    web = WebFile(files.write(USERS))
    with capture_logs() as logged:
        for number in range(10):
            files.write(USERS[: number * 3])
            web.check()
        files.write(USERS)
        web.check()
        assert [*web.now().users] == [b"alice"]
        web.check()
    assert logged == [AGAIN]


def test_a_file_that_becomes_a_pipe_is_not_read(files: Files) -> None:
    web = WebFile(files.write(USERS))
    files.path.unlink()
    os.mkfifo(files.path)
    with capture_logs() as logged:
        files.seen_by(web)
    assert [line["error"].rpartition(": ")[2] for line in logged] == ["is not a file any more"]


async def test_a_changed_file_is_adopted_soon_and_a_hanging_one_is_logged(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    web = WebFile(files.write(USERS))
    run = web._pool.run

    async def hangs(*_: object) -> None:
        await asyncio.sleep(10)
        raise TimeoutError

    with capture_logs() as logged:
        following = asyncio.create_task(web.follow())
        files.write(USERS.replace("alice", "bob"))
        await asyncio.sleep(3)
        assert [*web.now().users] == [b"bob"]
        monkeypatch.setattr(web._pool, "run", hangs)
        await asyncio.sleep(60)
        monkeypatch.setattr(web._pool, "run", run)
        files.write(USERS)
        await asyncio.sleep(15)
        assert ([*web.now().users], following.done()) == ([b"alice"], False)
        following.cancel()
    late = "the web configuration cannot be read in time; the old one stays in use"
    assert [line["event"] for line in logged] == [AGAIN["event"], late, AGAIN["event"]]
