"""The web configuration is read again when it, or a file that it names, changes; a bad one changes nothing."""

from __future__ import annotations

import os
import shutil
import ssl
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from exporter.config_file import ConfigError
from exporter.web_watch import Settings, WebFile
from tests.certificates import Authority, Pair, hashed
from tests.tools import needs

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = needs("openssl")

TLS = "tls_server_config: {cert_file: server.pem, key_file: server.key}\n"
AGAIN = {"event": "the web configuration has been read again", "log_level": "info"}
CANNOT = "the web configuration has changed and can't be used; the old one holds"
NOT_SUPPORTED = "the web configuration asks for what is not supported"


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


def test_without_a_file_nothing_is_asked() -> None:
    web = WebFile()
    assert web.now() == Settings()
    assert web.context() is None
    assert not web.tls
    assert web.open_paths == frozenset()


def test_what_a_file_says(files: Files) -> None:
    stored = hashed("secret")
    headers = "http_server_config: {headers: {X-Frame-Options: deny, X-XSS-Protection: ''}}\n"
    web = WebFile(
        files.write(f"{headers}basic_auth_users: {{jürgen: {stored}}}\nrate_limit: {{interval: 2s, burst: 3}}")
    )
    now = web.now()
    assert now.users == {"jürgen".encode(): stored.encode()}
    assert now.headers == ((b"x-frame-options", b"deny"),)
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
    web = WebFile(files.write("http_server_config: {headers: {X-Frame-Options: deny}}"))
    with capture_logs() as logged:
        assert web.now() is web.now()
        files.write("http_server_config: {headers: {X-Frame-Options: sameorigin}}")
        assert web.now().headers == ((b"x-frame-options", b"sameorigin"),)
        assert web.now() is web.now()
    assert logged == [AGAIN]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("tls: {}", "1: tls: unknown key "),
        ("{", "1:2: not valid YAML: "),
        ("basic_auth_users: {alice: hunter2}", "1: basic_auth_users: expected a bcrypt hash "),
        (TLS.replace("server.key", "other.key"), "1: tls_server_config.key_file: file "),
        (TLS, " tls_server_config comes and goes at the start only: start anew"),
    ],
)
def test_a_bad_file_is_said_once_and_changes_nothing(files: Files, text: str, fault: str) -> None:
    web = WebFile(files.write(""))
    before = web.now()
    with capture_logs() as logged:
        files.write(text)
        assert web.now() is before
        assert web.now() is before
        assert [line["event"] for line in logged] == [CANNOT]
        assert logged[0]["fault"].startswith(f"{files.path}:{fault}")
        assert "hunter2" not in str(logged)
        assert "alice" not in str(logged)
        files.write("")
        assert web.now() == before
        files.path.unlink()
        assert web.now() == before
        assert web.now() == before
    assert [line["event"] for line in logged] == [CANNOT, AGAIN["event"], CANNOT]


def test_tls_is_not_switched_off(files: Files) -> None:
    web = WebFile(files.write(TLS))
    files.write("")
    with capture_logs() as logged:
        assert web.now().context is not None
    assert logged[0]["fault"].endswith("comes and goes at the start only: start anew")


def test_a_new_certificate_is_taken_once_its_key_is_there(files: Files, pairs: tuple[Pair, Pair]) -> None:
    web = WebFile(files.write(TLS))
    assert web.tls
    first = web.now().context
    with capture_logs() as logged:
        shutil.copy(pairs[1].cert, files.folder / "server.pem")
        assert web.now().context is first
        assert web.now().context is first
        assert [line.get("fault", "").partition(": ")[2] for line in logged] == [
            "tls_server_config: the key does not belong to the certificate"
        ]
        files.place(pairs[1])
        assert web.now().context is not first
        assert web.now() is web.now()
    assert [line["event"] for line in logged] == [CANNOT, AGAIN["event"]]


def test_a_certificate_that_comes_after_its_name_is_taken(files: Files, pairs: tuple[Pair, Pair]) -> None:
    web = WebFile(files.write(TLS))
    first = web.now()
    files.write(TLS.replace("server.", "new."))
    assert web.now() is first
    shutil.copy(pairs[1].cert, files.folder / "new.pem")
    assert web.now() is first
    shutil.copy(pairs[1].key, files.folder / "new.key")
    assert web.now() is not first


def test_new_connections_get_what_holds_then(files: Files, pairs: tuple[Pair, Pair]) -> None:
    web = WebFile(files.write(TLS))
    context = web.context()
    assert context
    first = context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_side=True)
    assert first.context is web.now().context
    files.place(pairs[1])
    second = context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_side=True)
    assert second.context is web.now().context is not first.context


def test_who_may_connect(files: Files) -> None:
    text = TLS.replace("}", ", client_auth_type: RequireAndVerifyClientCert, client_ca_file: server.pem%s}")
    assert WebFile(files.write(text % "")).now().allowed_sans is None
    assert WebFile(files.write(text % ", client_allowed_sans: [a, b]")).now().allowed_sans == frozenset("ab")


def test_what_is_not_supported_is_said_once(files: Files) -> None:
    text = f"{TLS.replace('}', ', min_version: TLS11}')}http_server_config: {{http2: true}}\n"
    with capture_logs() as logged:
        web = WebFile(files.write(text))
        files.write(f"{text}# changed\n")
        web.now()
        files.write(text.replace("TLS11", "TLS10"))
        web.now()
    said = [line["what"] for line in logged if line["event"] == NOT_SUPPORTED]
    assert said == [
        "tls_server_config.min_version: TLS11 is not served, TLS12 is the oldest",
        "http_server_config.http2: HTTP/1.1 is served",
        "tls_server_config.min_version: TLS10 is not served, TLS12 is the oldest",
    ]
