"""The file of --http.config.file, in the format of promtool."""

from __future__ import annotations

import json
import ssl
import subprocess
from pathlib import Path

import pytest

from exporter.commands.http_config import HttpConfig, authorization_of, context_of, proxy_of, read
from exporter.config import ConfigError, NotReadyError
from tests.lib.certificates import Authority
from tests.lib.tools import needs, tool


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "word").write_text(" hunter2\n")


def load(text: str) -> HttpConfig:
    Path("http.yml").write_text(text)
    return read(Path("http.yml"))


def fault(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        authorization_of(load(text))
    assert "hunter2" not in str(caught.value)
    return str(caught.value)


def test_an_empty_file_changes_nothing() -> None:
    config = load("")
    assert (config, authorization_of(config), proxy_of(config, "http://host")) == (HttpConfig(), {}, None)
    context = context_of(config.tls_config)
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("basic_auth: {username: bob, password: banana}", "Basic Ym9iOmJhbmFuYQ=="),
        ("basic_auth: {username: bob, password: bänana}", "Basic Ym9iOmLDpG5hbmE="),
        ("basic_auth: {username: bob, password_file: word}", "Basic Ym9iOmh1bnRlcjI="),
        ("basic_auth: {username_file: word}", "Basic aHVudGVyMjo="),
        ("authorization: {credentials: abc}", "Bearer abc"),
        ("authorization: {type: Token, credentials_file: word}", "Token hunter2"),
    ],
)
def test_the_header_authorization(text: str, header: str) -> None:
    assert authorization_of(load(text)) == {"Authorization": header}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("basic_auth: {user: hunter2}", "http.yml:1: basic_auth.user: unknown key; did you mean username? (allowed: "),
        ("tls_conf: {}", "http.yml:1: tls_conf: unknown key; did you mean tls_config? (allowed: authorization, basic_"),
        ("basic_auth: hunter2", "http.yml:1: basic_auth: expected keys with values"),
        (
            "basic_auth: {password: 5}",
            "http.yml:1: basic_auth.password: expected text, but YAML reads this value as a ",
        ),
        ("tls_config: {ca_file: none}", "http.yml:1: tls_config.ca_file: file 'none' is missing or not readable"),
        (
            "tls_config: {min_version: TLS9}",
            "http.yml:1: tls_config.min_version: expected TLS10, TLS11, TLS12 or TLS13",
        ),
        ("oauth2: {client_secret: hunter2}", "http.yml:1: oauth2: is not supported: use authorization with a "),
        (
            "bearer_token: hunter2",
            "http.yml:1: bearer_token: is not supported: write authorization: {credentials: ...}",
        ),
        ("http_headers: {X: {values: [hunter2]}}", "http.yml:1: http_headers: is not supported: use authorization"),
        ("no_proxy: x", "http.yml:1: no_proxy: is not supported: there is one URL"),
        ("tls_config: {key_ref: x}", "http.yml:1: tls_config.key_ref: is not supported: there is no secret manager"),
        ("basic_auth: {}\nauthorization: {}", "http.yml:2: authorization: cannot be combined with basic_auth: remove "),
        (
            "basic_auth: {password: hunter2, password_file: word}",
            "http.yml:1: basic_auth.password: cannot be combined with password_file: remove one of them",
        ),
        ("authorization: {type: basic}", "http.yml:1: authorization.type: use basic_auth for a user and a password"),
        ("tls_config: {cert_file: word}", "http.yml:1: tls_config: needs the certificate and its key: cert_file and "),
        ("tls_config: {max_version: TLS11}", "http.yml:1: tls_config.max_version: must be at least TLS12"),
        (
            "proxy_url: http://host\nproxy_from_environment: true",
            "http.yml:1: proxy_url: cannot be combined with proxy_from_environment: remove one of them",
        ),
        ("basic_auth: {username: 'a:b'}", "basic_auth.username: a user's name can't hold a colon"),
        ('authorization: {credentials: "hunter2\\nb"}', "authorization: expected one line of ASCII"),
        ("[hunter2]", "http.yml:1: expected keys with values"),
        ("[", "http.yml:1:"),
    ],
)
def test_an_error_names_line_key_and_remedy(text: str, message: str) -> None:
    assert fault(text).startswith(message)


def test_a_file_that_is_missing_or_empty_may_come() -> None:
    with pytest.raises(NotReadyError, match=r"none\.yml: cannot be read: No such file"):
        read(Path("none.yml"))
    Path("word").write_text("")
    with pytest.raises(NotReadyError, match="secret file 'word' is empty"):
        authorization_of(load("basic_auth: {password_file: word}"))


def test_paths_are_relative_to_the_folder_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load("authorization: {credentials_file: word}")
    monkeypatch.chdir("/")
    assert authorization_of(read(tmp_path / "http.yml")) == {"Authorization": "Bearer hunter2"}


@pytest.mark.parametrize("url", ["socks5://host", "host:3128", "http://", "http://host:port"])
def test_a_proxy_that_cannot_be_used(url: str) -> None:
    with pytest.raises(ConfigError, match=r"^proxy_url: expected the URL of a proxy"):
        proxy_of(load(f"proxy_url: {url}"), "http://exporter")


def test_a_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.test:3128")
    assert proxy_of(load(""), "http://host.test") is None
    found = proxy_of(load("proxy_from_environment: true"), "http://host.test")
    assert found is not None
    assert found.url.host == "proxy.test"


@needs("openssl")
def test_certificates_that_cannot_be_used(tmp_path: Path) -> None:
    pair, other = (Authority(tmp_path / name).pair for name in ("one", "two"))

    def tls_fault(text: str) -> str:
        with pytest.raises(ConfigError) as caught:
            context_of(load(f"tls_config: {{{text}}}").tls_config)
        return str(caught.value)

    assert tls_fault("ca_file: word") == "tls_config: the CAs are no PEM certificates"
    assert tls_fault("ca: nothing") == "tls_config: the CAs are no PEM certificates"
    config = load("tls_config: {ca_file: word}")
    Path("word").unlink()
    with pytest.raises(ConfigError, match="tls_config: ca_file cannot be read: No such file or directory"):
        context_of(config.tls_config)
    Path("word").write_text("no certificate")
    mixed = tls_fault(f"cert_file: {pair.cert}, key_file: {other.key}")
    assert mixed == "tls_config: the key does not belong to the certificate"
    assert tls_fault("cert_file: word, key_file: word").startswith("tls_config: not a certificate and its key, both ")


def test_no_verification_and_the_newest_version() -> None:
    context = context_of(load("tls_config: {insecure_skip_verify: true, min_version: TLS13}").tls_config)
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_NONE, False)
    assert context.minimum_version == ssl.TLSVersion.TLSv1_3
    oldest = context_of(load("tls_config: {min_version: TLS10}").tls_config)
    assert oldest.minimum_version == ssl.TLSVersion.TLSv1_2


@needs("openssl", "promtool")
def test_prometheus_accepts_the_same_keys(tmp_path: Path) -> None:
    pair = Authority(tmp_path / "one").pair
    tls = {"ca_file": str(pair.cert), "cert_file": str(pair.cert), "key_file": str(pair.key), "server_name": "a"}
    common = {
        "tls_config": {**tls, "insecure_skip_verify": True, "min_version": "TLS12"},
        "follow_redirects": True,
        "enable_http2": True,
        "proxy_url": "http://proxy.test:3128",
    }
    basic = {"basic_auth": {"username": "bob", "password_file": str(tmp_path / "word")}}
    other = {"authorization": {"type": "Bearer", "credentials_file": str(tmp_path / "word")}}
    jobs = []
    for name, keys in (("basic", basic | common), ("other", other | common)):
        load(json.dumps(keys))
        jobs.append({"job_name": name, "static_configs": [{"targets": ["localhost:1"]}], **keys})
    file = tmp_path / "prometheus.yml"
    file.write_text(json.dumps({"scrape_configs": jobs}))
    done = subprocess.run([tool("promtool"), "check", "config", file], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
