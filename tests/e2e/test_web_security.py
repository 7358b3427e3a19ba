"""TLS and passwords over real TCP, with Prometheus and curl."""

from __future__ import annotations

import re
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.programs import COMMAND, LISTEN, get, run
from tests.e2e.prometheus import Prometheus
from tests.e2e.secured import GET, LOGIN, Secured
from tests.lib.certificates import Authority, Pair, hashed
from tests.lib.tools import needs, tool

pytestmark = needs("openssl")


@needs("prometheus")
def test_prometheus_scrapes_with_tls_and_a_password(secured: Secured, authority: Authority, tmp_path: Path) -> None:
    name, password = LOGIN
    before = secured.value("drs_exporter_web_logins_failed_total")  # other tests of this file have failed to log in
    (folder := tmp_path / "prometheus").mkdir()
    more: dict[str, Any] = {
        "scheme": "https",
        "tls_config": {"ca_file": str(authority.cert), "server_name": "localhost"},
        "basic_auth": {"username": name, "password": password},
    }
    with Prometheus(folder, secured.url.removeprefix("https://"), **more) as prometheus:
        prometheus.until(prometheus.ready, "it is ready")
        prometheus.until(lambda: prometheus.query('up{job="drs-exporter"} == 1'), "the exporter is up")
        failed = prometheus.until(lambda: prometheus.query("drs_exporter_web_logins_failed_total"), "it is scraped")
    assert [float(result["value"][1]) for result in failed] == [before]


def test_a_scrape_without_the_password_is_refused_and_counted(secured: Secured) -> None:
    failed = "drs_exporter_web_logins_failed_total"
    before = secured.value(failed)
    assert secured.get(auth=None).status_code == 401
    assert [secured.get(auth=("prometheus", "pear")).status_code for _ in range(3)] == [401] * 3
    secured.until(lambda: secured.value(failed) == before + 3, "3 are counted")


def test_all_responses_have_the_headers_and_the_page_is_strict(secured: Secured) -> None:
    for path in ("/", "/metrics", "/-/healthy", "/nothing"):
        for auth in (LOGIN, None):
            headers = secured.get(path, auth=auth).headers
            assert headers["strict-transport-security"] == "max-age=5"
            assert headers.get_list("x-content-type-options") == ["nosniff"]
    assert secured.get("/").headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")


def test_only_an_option_opens_health_to_clients_without_a_password(
    secured: Secured, start_secured: Callable[..., Secured]
) -> None:
    for exporter, status in (secured, 401), (start_secured("--web.health-without-auth"), 200):
        assert exporter.get("/-/healthy", auth=None).status_code == status
        assert exporter.get("/metrics", auth=None).status_code == 401


def test_the_health_listener_needs_neither_tls_nor_a_certificate_and_serves_health_only(
    start_secured: Callable[..., Secured], authority: Authority
) -> None:
    secured = start_secured(
        "--web.health-address=127.0.0.1:0",
        "--web.route-prefix=/drs",
        tls=f"  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: {authority.cert}\n",
    )
    announced = secured.until(lambda: re.search(r"health +(http:.+)/-/healthy\n", secured.stdout), "it is announced")
    address = announced[1]
    secured.until(lambda: get(f"{address}/-/ready").status_code == 200, "it is ready")
    assert get(f"{address}/-/healthy").text == "healthy\n"
    for path in ("/", "/metrics", "/-/reload", "/drs/metrics", "/drs/-/healthy", "/api/v1/tasks"):
        assert get(address + path).status_code == 404
    secured.ends_on(signal.SIGTERM)


@needs("curl")
def test_curl_needs_a_certificate_with_the_right_name(
    start_secured: Callable[..., Secured], tmp_path: Path, authority: Authority
) -> None:
    secured = start_secured(
        tls=f"  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: {authority.cert}\n"
        "  client_allowed_sans: [prometheus.example]\n"
    )

    def curl(*certificate: str | Path) -> tuple[int, str]:
        done = run(
            *(tool("curl"), "--silent", "--noproxy", "*", "--user", ":".join(LOGIN), "--output", "/dev/null"),
            *("--write-out", "%{http_code}", "--cacert", authority.cert, *certificate, f"{secured.url}/-/healthy"),
        )
        return done.returncode, done.stdout

    def with_pair(pair: Pair) -> tuple[int, str]:
        return curl("--cert", pair.cert, "--key", pair.key)

    assert with_pair(authority.issue("prometheus", "DNS:prometheus.example")) == (0, "200")
    for code, status in (
        curl(),
        with_pair(authority.issue("other", "DNS:other.example")),
        with_pair(Authority(tmp_path / "stranger").issue("prometheus", "DNS:prometheus.example")),
    ):
        assert code != 0
        assert status == "000"


def test_a_new_certificate_is_served_without_a_restart(
    start_secured: Callable[..., Secured], authority: Authority
) -> None:
    secured = start_secured()

    def serial() -> Any:
        with secured.tls() as connection:
            certificate = connection.getpeercert()
            assert certificate
            return certificate["serialNumber"]

    first = serial()
    with secured.tls() as old:
        new = authority.issue("renewed")
        shutil.copy(new.cert, secured.pair.cert)
        unusable = "can't be used; the old one stays in use"
        secured.until(lambda: unusable in secured.stderr, "the certificate without its key is logged")
        assert serial() == first
        shutil.copy(new.key, secured.pair.key)
        secured.until(lambda: serial() != first, "the new certificate is served")
        old.sendall(GET)
        assert old.recv(100).startswith(b"HTTP/1.1 200 ")
    assert secured.stderr.count(unusable) == 1


def test_a_new_password_replaces_the_old_one_and_an_invalid_file_changes_nothing(
    start_secured: Callable[..., Secured],
) -> None:
    secured = start_secured().ready()
    text = secured.file.read_text()
    secured.file.write_text(text.replace("basic_auth_users", "basic_auth_user"))
    secured.until(lambda: "did you mean basic_auth_users?" in secured.stderr, "the wrong key is logged")
    secured.file.write_text("")
    secured.until(lambda: "basic_auth_users would switch" in secured.stderr, "the empty file is logged")
    assert [secured.get(auth=auth).status_code for auth in (LOGIN, None)] == [200, 401]
    secured.file.write_text(re.sub(r"basic_auth_users: .*", f"basic_auth_users: {{bob: {hashed('banana')}}}", text))
    secured.until(lambda: secured.get().status_code == 401, "the old password is refused")
    assert secured.get(auth=("bob", "banana")).status_code == 200


@pytest.mark.parametrize("command", ["demo", "run --cloud=otc --region=eu-de"])
def test_an_invalid_file_prevents_the_start(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK"):
        monkeypatch.setenv(name, "invented")
    file = tmp_path / "web.yml"
    file.write_text("tls_server_config:\n  cert: a\n  keyfile: b\n")
    done = run(COMMAND, *command.split(), LISTEN, f"--web.config.file={file}")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(
        f"drs-exporter: {file}:3: tls_server_config.keyfile: unknown key; did you mean key_file? (allowed: cert, "
    )
    assert done.stderr.count("\n") == 1
