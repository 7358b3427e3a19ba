"""config.example.yaml, and what it needs to be loaded."""

from __future__ import annotations

import re
from pathlib import Path

import certifi
import pytest

from exporter.docs.key_comments import with_optional_keys
from tests.lib.paths import ROOT

EXAMPLE = (ROOT / "config.example.yaml").read_text(encoding="utf-8")
COMPLETE = with_optional_keys(EXAMPLE)


def provide_secrets(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the variables, and write the files into a folder, to which the example refers."""
    for name in re.findall(r"{env: (\w+)}", EXAMPLE):
        monkeypatch.setenv(name, "secret")
    for name in re.findall(r"secrets/[\w.]+", EXAMPLE):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("secret\n" if not name.endswith(".pem") else _one_ca())


def _one_ca() -> str:
    """The first CA certificate of certifi: all of them take 20 ms for each configuration that is loaded."""
    before, end, _ = Path(certifi.where()).read_text().partition("-----END CERTIFICATE-----\n")
    return before + end
