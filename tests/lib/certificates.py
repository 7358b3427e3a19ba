"""Certificates that are made when they are needed, and hashes of passwords that cost little."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import NamedTuple

import bcrypt

from tests.lib.tools import tool

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
_NAMES = "DNS:localhost,IP:127.0.0.1,IP:::1"


class Pair(NamedTuple):
    """A certificate and its key, in PEM."""

    cert: Path
    key: Path


class Authority:
    """A CA.

    Args:
        folder: for its files.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.pair = self._pair("ca")
        usage = "keyUsage=critical,keyCertSign"  # which Python insists on from 3.13 on
        self._openssl(
            *("req", "-x509", *_KEY, "-keyout", self.pair.key, "-out", self.pair.cert),
            *("-days", "2", "-subj", "/CN=test CA", "-addext", usage),
        )

    @property
    def cert(self) -> Path:
        """Its certificate."""
        return self.pair.cert

    def issue(self, name: str, alternatives: str = _NAMES) -> Pair:
        """A new certificate with some alternative names, as openssl writes them."""
        pair = self._pair(name)
        request, names = (self._folder / f"{name}.{end}" for end in ("csr", "ext"))
        names.write_text(f"subjectAltName={alternatives}\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n")
        self._openssl("req", *_KEY, "-keyout", pair.key, "-out", request, "-subj", f"/CN={name}")
        self._openssl(
            *("x509", "-req", "-in", request, "-days", "2", "-extfile", names, "-out", pair.cert),
            *("-CA", self.pair.cert, "-CAkey", self.pair.key, "-CAcreateserial"),
        )
        return pair

    def encrypted(self, key: Path) -> Path:
        """The same key, behind a passphrase."""
        result = self._folder / "encrypted.key"
        self._openssl("ec", "-in", key, "-aes128", "-passout", "pass:secret", "-out", result)
        return result

    def _pair(self, name: str) -> Pair:
        return Pair(self._folder / f"{name}.pem", self._folder / f"{name}.key")

    @staticmethod
    def _openssl(*arguments: str | Path) -> None:
        subprocess.run([tool("openssl"), *map(str, arguments)], check=True, capture_output=True)


def hashed(password: str, cost: int = 4) -> str:
    """The bcrypt hash of a password, by default of the lowest cost."""
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(cost)).decode()
