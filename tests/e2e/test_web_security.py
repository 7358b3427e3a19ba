"""TLS, passwords and limits over real TCP: with Prometheus, curl, and clients that behave badly."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import ssl
import sys
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from exporter.web_server import MAX_CONNECTIONS
from tests.certificates import Authority, Pair, hashed
from tests.e2e.programs import COMMAND, LISTEN, TIMEOUT, Exporter, Program, run, until
from tests.e2e.test_prometheus import Prometheus
from tests.tools import require

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LOGIN = ("prometheus", "apple")
GET = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic cHJvbWV0aGV1czphcHBsZQ==\r\n\r\n"


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


class Secured:
    """A demo with a web configuration, a client for it, and its certificate.

    Args:
        start: starts an exporter.
        folder: where the web configuration goes.
        authority: signs the exporter's certificate.
        keys: of tls_server_config.
        options: of the command line.
    """

    def __init__(
        self,
        start: Callable[..., Exporter],
        folder: Path,
        authority: Authority,
        keys: str = "",
        options: tuple[str, ...] = (),
    ) -> None:
        self._authority = authority
        self.pair = authority.issue(f"server-{folder.name}")
        self.file = folder / "web.yml"
        self.file.write_text(
            f"tls_server_config:\n  cert_file: {self.pair.cert}\n  key_file: {self.pair.key}\n{keys}"
            f"basic_auth_users: {{{LOGIN[0]}: {hashed(LOGIN[1])}}}\n"
            "http_server_config: {headers: {Strict-Transport-Security: max-age=5}}\n"
        )
        self.exporter = start("demo", LISTEN, f"--web.config.file={self.file}", *options)
        self.url = self.exporter.url
        assert self.url.startswith("https://")
        self._address = ("127.0.0.1", int(self.url.rpartition(":")[2]))
        self.context = ssl.create_default_context(cafile=authority.cert)

    def get(self, path: str = "/metrics", *, login: Any = LOGIN, **options: Any) -> httpx.Response:
        with httpx.Client(trust_env=False, timeout=TIMEOUT, verify=self.context) as http:
            return http.request(options.pop("method", "GET"), f"{self.url}{path}", auth=login, **options)

    def ready(self) -> Secured:
        self.exporter.until(lambda: self.get("/-/ready").status_code == 200, "it is ready")
        return self

    def value(self, family: str) -> float:
        return float(re.findall(rf"^{family} (\S+)$", self.get().text, re.MULTILINE)[0])

    def connections(self) -> int:
        """How many are open, as the kernel knows."""
        port = f":{self._address[1]:04X}"
        rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return sum(row[1].endswith(port) and row[3] == "01" for row in rows)

    def tcp(self) -> socket.socket:
        """A connection that has said nothing yet."""
        return socket.create_connection(self._address, timeout=TIMEOUT)

    def tls(self, context: ssl.SSLContext | None = None) -> ssl.SSLSocket:
        """A connection after the handshake."""
        return (context or self.context).wrap_socket(self.tcp(), server_hostname="localhost")


@pytest.fixture
def secured(start: Callable[..., Exporter], tmp_path: Path, authority: Authority) -> Secured:
    return Secured(start, tmp_path, authority)


class Hasty(Exporter):
    """A demo whose server has less patience, or few places.

    Args:
        setting: of the server, as `HEADER_SECONDS = 0.5`.
        arguments: of the command line.
        folder: where it runs.
    """

    def __init__(self, setting: str, *arguments: str, folder: Path) -> None:
        code = (
            f"import sys\nfrom exporter import cli, web_server\nweb_server.{setting}\nsys.exit(cli.main(sys.argv[1:]))"
        )
        Program.__init__(self, [sys.executable, "-c", code, *arguments], folder)


@pytest.fixture
def hasty(tmp_path: Path, authority: Authority) -> Iterator[Callable[[str], Secured]]:
    with ExitStack() as stack:

        def start(setting: str) -> Secured:
            def exporter(*arguments: str) -> Exporter:
                return stack.enter_context(Hasty(setting, *arguments, folder=tmp_path / "hasty"))

            return Secured(exporter, tmp_path, authority)

        yield start


def is_open(connection: socket.socket) -> bool:
    """Whether the exporter has neither closed it nor said anything."""
    connection.settimeout(0)
    try:
        return connection.recv(1) != b""
    except (BlockingIOError, ssl.SSLWantReadError):
        return True
    except OSError:
        return False


def rest_of(connection: socket.socket) -> bytes:
    """What comes until the exporter closes it, well or not."""
    received = bytearray()
    with suppress(ConnectionError, ssl.SSLError):
        while data := connection.recv(2**16):
            received += data
    return bytes(received)


def test_prometheus_scrapes_with_tls_and_a_password(secured: Secured, authority: Authority, tmp_path: Path) -> None:
    secured.ready()
    name, password = LOGIN
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
    assert [result["value"][1] for result in failed] == ["0"]


def test_a_scrape_without_the_password_is_refused_and_counted(secured: Secured) -> None:
    assert secured.get(login=None).status_code == 401
    assert [secured.get(login=("prometheus", "pear")).status_code for _ in range(3)] == [401] * 3
    secured.exporter.until(lambda: secured.value("drs_exporter_web_logins_failed_total") == 3, "3 are counted")


def test_headers_are_there_and_the_page_is_strict(secured: Secured) -> None:
    for path in ("/", "/metrics", "/-/healthy", "/nothing"):
        for login in (LOGIN, None):
            assert secured.get(path, login=login).headers["strict-transport-security"] == "max-age=5"
    assert secured.get("/").headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")


@pytest.mark.parametrize("options", [(), ("--web.health-without-auth",)])
def test_health_with_and_without_a_password(
    start: Callable[..., Exporter], tmp_path: Path, authority: Authority, options: tuple[str, ...]
) -> None:
    secured = Secured(start, tmp_path, authority, options=options)
    assert secured.get("/-/healthy", login=None).status_code == (200 if options else 401)
    assert secured.get("/metrics", login=None).status_code == 401


def test_curl_needs_a_certificate_with_the_right_name(
    start: Callable[..., Exporter], tmp_path: Path, authority: Authority
) -> None:
    keys = (
        f"  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: {authority.cert}\n"
        "  client_allowed_sans: [prometheus.example]\n"
    )
    secured = Secured(start, tmp_path, authority, keys)

    def curl(*certificate: str | Path) -> tuple[int, str]:
        done = run(
            *(
                require("curl", "curl"),
                "--silent",
                "--noproxy",
                "*",
                "--user",
                ":".join(LOGIN),
                "--output",
                "/dev/null",
            ),
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


def test_a_new_certificate_is_served_without_a_start(secured: Secured, authority: Authority) -> None:
    def serial() -> Any:
        with secured.tls() as connection:
            certificate = connection.getpeercert()
            assert certificate
            return certificate["serialNumber"]

    first = serial()
    with secured.tls() as old:
        new = authority.issue("renewed")
        shutil.copy(new.cert, secured.pair.cert)
        assert serial() == first  # its key is not there yet
        shutil.copy(new.key, secured.pair.key)
        assert serial() != first
        old.sendall(GET)
        assert old.recv(100).startswith(b"HTTP/1.1 200 ")
    assert secured.exporter.stderr.count("can't be used; the old one holds") == 1


def test_a_new_password_counts_at_once_and_a_bad_file_changes_nothing(secured: Secured) -> None:
    secured.ready()
    text = secured.file.read_text()
    secured.file.write_text(text.replace("basic_auth_users", "basic_auth_user"))
    assert secured.get().status_code == 200
    secured.file.write_text(re.sub(r"basic_auth_users: .*", f"basic_auth_users: {{bob: {hashed('banana')}}}", text))
    assert secured.get().status_code == 401
    assert secured.get(login=("bob", "banana")).status_code == 200
    assert "did you mean basic_auth_users?" in secured.exporter.stderr


@pytest.mark.parametrize("command", ["demo", "run --cloud=otc --region=eu-de"])
def test_a_bad_file_ends_it_at_the_start(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_fifty_idle_connections_do_not_delay_a_scrape(secured: Secured) -> None:
    secured.ready()
    with ExitStack() as stack:
        idle = [stack.enter_context(secured.tcp() if number % 2 else secured.tls()) for number in range(50)]
        assert secured.get().text.endswith("\n")
        assert all(map(is_open, idle))  # it did not wait for the end of any


def test_more_idle_connections_than_places_do_not_stop_a_scrape(secured: Secured) -> None:
    secured.ready()
    with ExitStack() as stack:
        idle = [stack.enter_context(secured.tcp()) for _ in range(MAX_CONNECTIONS + 50)]
        assert [secured.get().status_code for _ in range(5)] == [200] * 5
        left = [number for number, connection in enumerate(idle) if is_open(connection)]
        assert len(left) < MAX_CONNECTIONS
        assert min(left, default=50) >= 50  # those who had waited longest gave way


@pytest.mark.parametrize("stage", ["tcp", "tls", "header"])
def test_slow_clients_are_cut_off(hasty: Callable[[str], Secured], stage: str) -> None:
    secured = hasty("HEADER_SECONDS = 1.0")
    with secured.tcp() if stage == "tcp" else secured.tls() as slow:
        sent = iter(GET)

        def gone() -> bool:
            if stage == "header":
                slow.settimeout(TIMEOUT)
                try:
                    slow.sendall(bytes([next(sent)]))
                except OSError:
                    return True
            return not is_open(slow)

        until(gone, lambda: f"it is cut off at {stage}")
        assert next(sent, None) is not None


def test_who_does_not_take_the_response_is_cut_off(hasty: Callable[[str], Secured]) -> None:
    secured = hasty("RESPONSE_SECONDS = 1.0").ready()
    with secured.tls() as greedy:
        greedy.sendall(GET * 1000)
        assert greedy.recv(1)  # its response has begun
        assert secured.connections() == 1
        secured.exporter.until(lambda: secured.connections() == 0, "it is cut off")
        assert rest_of(greedy).count(b"HTTP/1.1 200 ") < 1000


def test_where_all_connections_are_at_work_more_are_told_so(hasty: Callable[[str], Secured]) -> None:
    secured = hasty("MAX_CONNECTIONS = 2").ready()
    with secured.tls() as one, secured.tls() as other:
        for greedy in (one, other):
            greedy.sendall(GET * 1000)
            assert greedy.recv(1)  # its response has begun
        assert [secured.get().status_code for _ in range(3)] == [503] * 3
    secured.exporter.until(lambda: secured.get().status_code == 200, "there is room again")


def test_a_body_and_a_long_header_are_refused(secured: Secured) -> None:
    assert secured.get(method="POST", content=b"x" * 100_000).status_code == 413
    assert secured.get(headers={"X-Long": "x" * 60_000}).status_code == 200
    assert secured.get(headers={"X-Long": "x" * 70_000}).status_code in {400, 431}


def test_a_signal_ends_it_whatever_is_open(secured: Secured) -> None:
    secured.ready()
    with secured.tcp(), secured.tls(), secured.tls() as greedy:
        greedy.sendall(GET * 1000)
        code, seconds = secured.exporter.ends_on(signal.SIGTERM)
    assert code == 0
    assert seconds < 4
    assert "Traceback" not in secured.exporter.stderr
