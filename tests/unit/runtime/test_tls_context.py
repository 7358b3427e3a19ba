"""TLS contexts of libraries: they trust no CA of the host, and nothing else changes."""

from __future__ import annotations

import os
import ssl

import pytest

from exporter.runtime.tls_context import without_cas_of_host


def test_a_context_trusts_no_ca_of_the_host_and_the_environment_is_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "file")
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    with without_cas_of_host():
        assert ssl.create_default_context().get_ca_certs() == []
        assert os.environ["SSL_CERT_FILE"] == os.environ["SSL_CERT_DIR"] == os.devnull
    assert os.environ["SSL_CERT_FILE"] == "file"
    assert "SSL_CERT_DIR" not in os.environ
