"""What the settings for TLS mean in a handshake, which happens in memory here."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import Any

import pytest

from exporter.config import ConfigError
from exporter.runtime.tls_context import CurrentContext
from exporter.web.schema import TlsServer
from exporter.web.tls import names_of, server_context
from tests.lib.certificates import Authority, Pair
from tests.lib.settings import fault_of
from tests.lib.tools import needs

pytestmark = needs("openssl")

ECDSA = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def server(authority: Authority) -> Pair:
    return authority.issue("server")


def settings(pair: Pair, **keys: Any) -> TlsServer:
    return TlsServer.model_validate({"cert_file": str(pair.cert), "key_file": str(pair.key), **keys})


def client(authority: Authority, pair: Pair | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=authority.cert)
    if pair:
        context.load_cert_chain(*pair)
    return context


def refuses(server_side: ssl.SSLContext, client_side: ssl.SSLContext) -> bool:
    try:
        shake(server_side, client_side)
    except ssl.SSLError:
        return True
    return False


def shake(server_side: ssl.SSLContext, client_side: ssl.SSLContext) -> tuple[ssl.SSLObject, ssl.SSLObject]:
    """Both ends of a connection on which a byte has passed; a handshake that fails raises an SSLError."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    near = client_side.wrap_bio(to_client, to_server, server_hostname="localhost")
    far = server_side.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(3):
        for end in (near, far):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    far.write(b"x")
    assert near.read() == b"x"
    return near, far


def test_a_plain_pair_of_certificate_and_key(authority: Authority, server: Pair) -> None:
    context, unsupported = server_context(settings(server))
    asking = client(authority)
    asking.set_alpn_protocols(["h2", "http/1.1"])
    near, _ = shake(context, asking)
    assert (near.version(), near.selected_alpn_protocol()) == ("TLSv1.3", "http/1.1")
    assert context.options & ssl.OP_NO_RENEGOTIATION
    assert unsupported == []


def test_a_pair_in_the_file_itself_never_touches_a_disk(authority: Authority, server: Pair) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    context, _ = server_context(TlsServer(cert=server.cert.read_text(), key=server.key.read_text()))
    shake(context, client(authority))
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_pair_in_the_file_needs_linux_and_a_free_descriptor(server: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_name: str) -> int:
        raise OSError(24, "Too many open files")

    tls = TlsServer(cert=server.cert.read_text(), key=server.key.read_text())
    monkeypatch.setattr(os, "memfd_create", refuse)
    with pytest.raises(ConfigError, match=r"^the certificate or its key cannot be read: Too many open files$"):
        server_context(tls)
    monkeypatch.delattr(os, "memfd_create")
    with pytest.raises(ConfigError, match=r"^cert and key need Linux: use cert_file and key_file$"):
        server_context(tls)


def test_a_pair_that_is_none(authority: Authority, server: Pair, tmp_path: Path) -> None:
    junk = tmp_path / "junk"
    junk.write_text("-----BEGIN hunter2")
    other = authority.issue("other")
    form = "not a certificate and its key, both PEM, the key not encrypted"
    for cert, key, fault in (
        (server.cert, other.key, "the key does not belong to the certificate"),
        (junk, server.key, form),
        (server.cert, junk, form),
        (server.key, server.cert, form),
        (server.cert, authority.encrypted(server.key), form),
    ):
        assert fault_of(server_context, settings(Pair(cert, key))) == fault


def test_the_reason_of_openssl_for_a_weak_pair_is_reported(server: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object, **_options: object) -> None:
        error = ssl.SSLError()
        error.reason = "EE_KEY_TOO_SMALL"
        raise error

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", refuse)
    with pytest.raises(ConfigError, match=r"not encrypted \(EE_KEY_TOO_SMALL\)$"):
        server_context(settings(server))


def test_files_that_went_after_they_were_found(authority: Authority, server: Pair) -> None:
    pair = authority.issue("gone")
    tls = settings(pair)
    pair.key.unlink()
    with pytest.raises(ConfigError, match=r"^the certificate or its key cannot be read: No such file or directory$"):
        server_context(tls)
    ca = pair.cert.rename(pair.cert.with_name("gone too"))
    tls = settings(server, client_auth_type="RequireAndVerifyClientCert", client_ca_file=str(ca))
    ca.unlink()
    with pytest.raises(ConfigError, match=r"^client_ca_file cannot be read: No such file or directory$"):
        server_context(tls)


@pytest.mark.parametrize("form", ["client_ca", "client_ca_file"])
def test_clients_need_a_certificate_of_their_ca(authority: Authority, server: Pair, tmp_path: Path, form: str) -> None:
    ca = {form: str(authority.cert) if form.endswith("_file") else authority.cert.read_text()}
    context, unsupported = server_context(settings(server, client_auth_type="RequireAndVerifyClientCert", **ca))
    assert unsupported == []
    _, seen = shake(context, client(authority, authority.issue("prometheus", "DNS:prometheus.example")))
    assert names_of(seen.getpeercert()) == {"prometheus.example"}
    assert refuses(context, client(authority))
    assert refuses(context, client(authority, Authority(tmp_path / "stranger").issue("prometheus")))


def test_clients_may_have_a_certificate(authority: Authority, server: Pair, tmp_path: Path) -> None:
    tls = settings(server, client_auth_type="VerifyClientCertIfGiven", client_ca_file=str(authority.cert))
    context, _ = server_context(tls)
    _, seen = shake(context, client(authority))
    assert seen.getpeercert() is None
    shake(context, client(authority, server))
    assert refuses(context, client(authority, Authority(tmp_path / "stranger").issue("prometheus")))


@pytest.mark.parametrize("form", ["client_ca", "client_ca_file"])
def test_cas_that_are_none(server: Pair, form: str) -> None:
    ca = {form: str(server.key)}  # a key, or junk
    with pytest.raises(ConfigError, match=r"^the CAs for clients are no PEM certificates$"):
        server_context(settings(server, client_auth_type="VerifyClientCertIfGiven", **ca))


def test_a_certificate_that_would_not_be_verified_is_not_requested(authority: Authority, server: Pair) -> None:
    context, unsupported = server_context(settings(server, client_auth_type="RequestClientCert"))
    assert unsupported == ["client_auth_type: no certificate is requested from clients, since it would not be verified"]
    shake(context, client(authority))


@pytest.mark.parametrize(
    ("keys", "best", "oldest"),
    [
        *[({}, "TLSv1.3", "TLSv1.2"), ({"min_version": "TLS13"}, "TLSv1.3", "TLSv1.3")],
        *[({"max_version": "TLS12"}, "TLSv1.2", "TLSv1.2"), ({"min_version": "TLS11"}, "TLSv1.3", "TLSv1.2")],
        ({"cipher_suites": ["TLS_AES_128_GCM_SHA256"]}, "TLSv1.3", "TLSv1.3"),
    ],
)
def test_versions(authority: Authority, server: Pair, keys: dict[str, Any], best: str, oldest: str) -> None:
    context, unsupported = server_context(settings(server, **keys))
    assert shake(context, client(authority))[0].version() == best
    assert context.minimum_version.name.replace("_", ".") == oldest
    said = ["min_version: TLS11 is not served, TLS12 is the oldest"]
    assert unsupported == (said if "TLS11" in keys.values() else [])
    old = client(authority)
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    assert refuses(context, old) == (oldest == "TLSv1.3")


def test_ciphers_by_the_names_that_go_has_for_them(authority: Authority, server: Pair) -> None:
    ciphers = [ECDSA, "TLS_RSA_WITH_RC4_128_SHA", "TLS_AES_128_GCM_SHA256"]
    context, unsupported = server_context(settings(server, cipher_suites=ciphers, max_version="TLS12"))
    assert unsupported == ["cipher_suites: TLS_RSA_WITH_RC4_128_SHA is not served, OpenSSL does not have it"]
    near, _ = shake(context, client(authority))
    assert near.cipher() == ("ECDHE-ECDSA-AES128-GCM-SHA256", "TLSv1.2", 128)
    with pytest.raises(ConfigError, match=r"^cipher_suites has none for TLS 1.2, which max_version makes the newest$"):
        server_context(settings(server, cipher_suites=ciphers[1:], max_version="TLS12"))


@pytest.mark.parametrize(("ours", "chosen"), [(True, "AES128"), (False, "AES256")])
def test_whose_order_of_ciphers_counts(authority: Authority, server: Pair, ours: bool, chosen: str) -> None:  # noqa: FBT001
    ciphers = [ECDSA, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"]
    keys = {"cipher_suites": ciphers, "prefer_server_cipher_suites": ours, "max_version": "TLS12"}
    asking = client(authority)
    asking.set_ciphers("ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256")
    near, _ = shake(server_context(settings(server, **keys))[0], asking)
    cipher = near.cipher()
    assert cipher
    assert chosen in cipher[0]


def test_one_curve_can_be_chosen_and_more_can_not(authority: Authority, server: Pair) -> None:
    context, unsupported = server_context(settings(server, curve_preferences=["CurveP384"]))
    assert unsupported == []
    asking = client(authority)
    shake(context, asking)
    asking.set_ecdh_curve("X25519")
    assert refuses(context, asking)
    context, unsupported = server_context(settings(server, curve_preferences=["CurveP384", "CurveP521"]))
    assert unsupported == ["curve_preferences: only a single curve can be set, OpenSSL chooses"]
    shake(context, asking)


@pytest.mark.parametrize("curve", ["CurveP256", "CurveP384", "CurveP521", "X25519"])
def test_every_curve_is_known(authority: Authority, server: Pair, curve: str) -> None:
    shake(server_context(settings(server, curve_preferences=[curve]))[0], client(authority))


def test_each_connection_gets_the_context_of_the_moment(authority: Authority, server: Pair) -> None:
    contexts = [server_context(settings(pair))[0] for pair in (server, authority.issue("renewed"))]
    context = CurrentContext(ssl.PROTOCOL_TLS_SERVER)
    seen = []
    for now in contexts:
        context.current = lambda now=now: now  # type: ignore[misc]
        near, _ = shake(context, client(authority))
        certificate = near.getpeercert()
        assert certificate
        seen.append(certificate["subject"])
    assert seen == [((("commonName", name),),) for name in ("server", "renewed")]


def test_the_names_in_a_certificate(authority: Authority, server: Pair) -> None:
    names = "DNS:a.example,IP:127.0.0.1,IP:2001:db8::1,URI:spiffe://a/b,email:a@b.example"
    tls = settings(server, client_auth_type="RequireAndVerifyClientCert", client_ca_file=str(authority.cert))
    _, seen = shake(server_context(tls)[0], client(authority, authority.issue("many", names)))
    assert names_of(seen.getpeercert()) == {"a.example", "127.0.0.1", "2001:db8::1", "spiffe://a/b", "a@b.example"}
    assert names_of({"subjectAltName": (("IP Address", "<invalid>"),)}) == {"<invalid>"}
    assert names_of({}) == names_of(None) == frozenset()
