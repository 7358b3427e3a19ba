"""The web configuration: every message literally, with the lines of the file; and the example with every key."""

from __future__ import annotations

import re
import string
from contextlib import nullcontext
from pathlib import Path

import bcrypt
import pytest
import yaml

from exporter.config import ConfigError, Document, Section, read_document
from exporter.web.schema import CIPHERS, Headers, RateLimit, TlsServer, WebConfig, checked, files_named
from tests.lib.certificates import hashed
from tests.lib.paths import DEPLOY
from tests.lib.settings import fault_of
from tests.unit.config.test_example import defaults_of, keys_in, keys_of

EXAMPLE = (DEPLOY / "web-config.example.yml").read_text(encoding="utf-8")
COMPLETE = re.sub(r"^( *)#(?=[a-zA-Z])", r"\1", EXAMPLE, flags=re.MULTILINE)
HASH = "$2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG"
PAIR = "tls_server_config:\n  cert_file: a.pem\n  key_file: a.pem\n"
TLS_KEYS = (
    "(allowed: cert, cert_file, cipher_suites, client_allowed_sans, client_auth_type, client_ca, client_ca_file, "
    "curve_preferences, key, key_file, max_version, min_version, prefer_server_cipher_suites)"
)
HEADER_KEYS = (
    "(allowed: Content-Security-Policy, Strict-Transport-Security, X-Content-Type-Options, X-Frame-Options, "
    "X-XSS-Protection)"
)
NO_HASH = "expected a bcrypt hash of cost 4 to 16, as `htpasswd -nBC 10 USER` prints it after the colon"
KEYS = tuple(keys_of(WebConfig))
VERIFY = "RequireAndVerifyClientCert"
CLIENT_CA, ANY_CLIENT = "client_ca_file: a.pem", "client_auth_type: RequireAnyClientCert"
TWO_CAS = f"{CLIENT_CA}\n  client_ca: x\n  client_auth_type: {VERIFY}"
AUTH_TYPES = (
    "NoClientCert, RequestClientCert, RequireClientCert, RequireAnyClientCert, VerifyClientCertIfGiven or "
    "RequireAndVerifyClientCert"
)
CIPHER = "a cipher suite by its name in Go's crypto/tls, such as TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
HEADERS = "http_server_config:\n  headers:\n    "


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.pem").write_text("not read here")


def load(text: str) -> WebConfig:
    Path("web.yml").write_text(text)
    return checked(read_document(Path("web.yml")), Path())


TLS_FAULTS: list[tuple[str, str, str]] = [
    ("certfile: x", "4", f".certfile: unknown key; did you mean cert_file? {TLS_KEYS}"),
    ("cert: x", "4", ".cert: cannot be combined with cert_file: remove one of them"),
    (CLIENT_CA, "1", f": has CAs for clients, and does not use them: set client_auth_type to {VERIFY}"),
    (TWO_CAS, "5", ".client_ca: cannot be combined with client_ca_file: remove one of them"),
    (f"client_auth_type: {VERIFY}", "4", ".client_auth_type: needs client_ca_file, or else client_ca"),
    (ANY_CLIENT, "4", f".client_auth_type: takes any certificate, which proves nothing: use {VERIFY}"),
    ("client_auth_type: Always", "4", f".client_auth_type: expected {AUTH_TYPES}"),
    ("client_allowed_sans: [a]", "4", f".client_allowed_sans: needs client_auth_type {VERIFY}"),
    ("client_allowed_sans: []", "4", ".client_allowed_sans: must not be empty"),
    ("min_version: 1.2", "4", ".min_version: expected TLS10, TLS11, TLS12 or TLS13"),
    ("max_version: TLS11", "4", ".max_version: must be at least TLS12"),
    ("max_version: TLS12\n  min_version: TLS13", "4", ".max_version: must be at least TLS13"),
    ("cipher_suites:\n  - TLS_AES_128_GCM_SHA256\n  - AES128-SHA", "6", f".cipher_suites[1]: expected {CIPHER}"),
    ("curve_preferences: [P-256]", "4", ".curve_preferences[0]: expected CurveP256, CurveP384, CurveP521 or X25519"),
]
"""A key of TLS beside the certificate and its key, and the line and the fault."""
HEADER_FAULTS: list[tuple[str, str]] = [
    ("X-Frame-Option: deny", f"X-Frame-Option: unknown key; did you mean X-Frame-Options? {HEADER_KEYS}"),
    ("x_frame_options: deny", f"x_frame_options: unknown key; did you mean X-Frame-Options? {HEADER_KEYS}"),
    ("X-Frame-Options: DENY", "X-Frame-Options: expected deny or sameorigin"),
    (
        'X-XSS-Protection: "0\\r\\nSet-Cookie: a=b"',
        "X-XSS-Protection: expected one line of ASCII, without space around it",
    ),
]
USER_FAULTS: list[tuple[str, str]] = [
    (f"a: {HASH}\n  hunter2: secret", f"3: basic_auth_users: {NO_HASH}"),
    ("hunter2: 5", f"2: basic_auth_users: {NO_HASH}"),
    (f"hunter2: {HASH.replace('$10$', '$17$')}", f"2: basic_auth_users: {NO_HASH}"),
    (f"hunter2: {HASH.replace('X0h1gDsPszWURQaxFh.zou', '9' * 22)}", f"2: basic_auth_users: {NO_HASH}"),
    (f"hunter2:hunter2: {HASH}", "2: basic_auth_users: a user's name can't hold a colon"),
    (f"hunter2: {HASH}\n  hunter2: {HASH}", "3: basic_auth_users: duplicate key, first set on line 2"),
]
OTHER_FAULTS: list[tuple[str, str]] = [
    ("tls: {}", "1: tls: unknown key (allowed: basic_auth_users, http_server_config, rate_limit, tls_server_config)"),
    ("tls_server_config:", "1: tls_server_config: is empty: give it a value or remove the key"),
    ("basic_auth_users:", "1: basic_auth_users: is empty: give it a value or remove the key"),
    ("basic_auth_users: [a]", "1: basic_auth_users: expected keys with values"),
    (
        "tls_server_config:\n  min_version: TLS13",
        "1: tls_server_config: needs cert_file, or else cert\n1: tls_server_config: needs key_file, or else key",
    ),
    (
        PAIR.replace("key_file: a", "key_file: b"),
        "3: tls_server_config.key_file: file 'b.pem' is missing or not readable: create it or correct the path",
    ),
    ("http_server_config: {http2: 1}", "1: http_server_config.http2: expected true or false"),
    (
        "rate_limit: {interval: 5, burst: 1}",
        "1: rate_limit.interval: expected a duration with its unit, such as 500ms or 1s; 0 switches the limit off",
    ),
    ("rate_limit: {interval: 1s}", "1: rate_limit: burst must be at least 1, else every request is refused"),
    ("rate_limit: {burst: -1}", "1: rate_limit.burst: must be at least 0"),
]


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        *((f"{PAIR}  {key}", f"{line}: tls_server_config{fault}") for key, line, fault in TLS_FAULTS),
        *((f"{HEADERS}{header}", f"3: http_server_config.headers.{fault}") for header, fault in HEADER_FAULTS),
        *((f"basic_auth_users:\n  {users}", fault) for users, fault in USER_FAULTS),
        *OTHER_FAULTS,
    ],
)
def test_a_fault(text: str, faults: str) -> None:
    said = fault_of(load, text)
    assert said == "\n".join(f"web.yml:{fault}" for fault in faults.split("\n"))
    assert "hunter2" not in said


def test_an_empty_file_sets_nothing() -> None:
    config = load("")
    assert (config, config.tls_server_config.model_fields_set) == (WebConfig(), set())
    assert (config.basic_auth_users, load("basic_auth_users: {}").basic_auth_users) == ({}, {})


@pytest.mark.parametrize("kind", ["2a", "2b", "2x", "2y"])
def test_every_kind_of_bcrypt_hash_is_taken(kind: str) -> None:
    stored = HASH.replace("2y", kind)
    assert load(f"basic_auth_users: {{a: {stored}}}").basic_auth_users == {"a": stored}


def test_a_hash_is_taken_just_when_bcrypt_takes_it() -> None:
    stored = hashed("secret")
    for last in string.ascii_letters + string.digits + "./":
        changed = f"{stored[:28]}{last}{stored[29:]}"
        refused = pytest.raises(ValueError, match=f"Invalid salt|{NO_HASH}") if last not in ".Oeu" else nullcontext()
        with refused:
            bcrypt.checkpw(b"secret", changed.encode())
        with refused:
            load(f"basic_auth_users: {{a: {changed}}}")


def test_a_blank_header_is_no_header() -> None:
    headers = load("http_server_config: {headers: {X-Frame-Options: '', Content-Security-Policy: }}")
    assert headers.http_server_config.headers == Headers()


@pytest.mark.parametrize(("interval", "seconds"), [("0", 0), ("0s", 0), ("250ms", 0.25), ("1m30s", 90)])
def test_the_rate_of_requests(interval: str, seconds: float) -> None:
    assert load(f"rate_limit: {{interval: {interval}, burst: 3}}").rate_limit.interval == seconds


def test_neither_hashes_nor_the_key_are_shown() -> None:
    config = load(f"basic_auth_users: {{hunter2: {HASH}}}\ntls_server_config: {{cert: a, key: hunter2}}")
    assert "hunter2" not in repr(config)
    assert "hunter2" not in str(config)


@pytest.mark.parametrize(
    ("data", "files"),
    [
        (
            {"tls_server_config": {"cert_file": "a", "key_file": "b", "client_ca_file": "c", "cert": "d"}},
            ("a", "b", "c"),
        ),
        ({"tls_server_config": {"cert_file": 5, "key_file": None}}, ()),
        ({"tls_server_config": 5}, ()),
        ({}, ()),
        ([], ()),
    ],
)
def test_the_files_of_any_document(data: object, files: tuple[str, ...]) -> None:
    assert files_named(data) == files


def test_ciphers_are_named_as_in_go() -> None:
    assert len(CIPHERS) == 22
    assert {name.removesuffix("_SHA256").removesuffix("_SHA384").removesuffix("_SHA") for name in CIPHERS} == {
        f"TLS_{exchange}_WITH_{cipher}"
        for exchange in ("RSA", "ECDHE_RSA", "ECDHE_ECDSA")
        for cipher in ("AES_128_GCM", "AES_256_GCM", "AES_128_CBC", "AES_256_CBC", "RC4_128")
    } | {
        *("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305"),
        *("TLS_RSA_WITH_3DES_EDE_CBC", "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC"),
    }


def test_the_example_is_valid() -> None:
    for name in ("server.pem", "server.key"):
        Path(name).write_text("not read here")
    config = load(EXAMPLE)
    assert config == load("\n".join(line for line in EXAMPLE.split("\n") if not re.match(" *#", line)))
    assert config.basic_auth_users.keys() == {"prometheus"}


def test_the_example_names_every_key() -> None:
    known = {re.sub(r"(?<=headers\.)\w+$", lambda key: str(Headers.model_fields[key[0]].alias), key) for key in KEYS}
    assert set(keys_in(yaml.safe_load(COMPLETE))) - {"basic_auth_users.prometheus"} == known


@pytest.mark.parametrize(("name", "section"), [("tls_server_config", TlsServer), ("rate_limit", RateLimit)])
def test_the_example_shows_the_defaults(name: str, section: type[Section]) -> None:
    shown, defaults = yaml.safe_load(COMPLETE)[name], defaults_of(section)
    assert {key: shown[key] for key in defaults} == defaults


def test_the_example_is_short_enough_to_be_read() -> None:
    assert len(EXAMPLE.split("\n")) <= 60
    assert max(map(len, EXAMPLE.split("\n"))) <= 120


def test_plain_data_can_be_checked_too() -> None:
    with pytest.raises(ConfigError, match=r"^rate_limit: burst must be"):
        checked(Document({"rate_limit": {"interval": "1s"}}), Path())
    assert checked(Document({"basic_auth_users": {"a": hashed("b")}}), Path()).basic_auth_users
