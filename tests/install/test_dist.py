"""What `make dist` writes beside the wheel and the sdist."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from tests.e2e.programs import run
from tests.install.locks import LOCKS, entries
from tests.lib.paths import ROOT


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    (folder / "drs_exporter.whl").write_bytes(b"wheel")
    described = run(sys.executable, "scripts/inventory.py", folder, folder=ROOT)
    assert described.returncode == 0, described.stderr
    return folder


def test_the_sbom_has_each_locked_package_that_the_exporter_needs(dist: Path) -> None:
    bom = json.loads((dist / "sbom.cdx.json").read_text())
    assert (bom["bomFormat"], bom["specVersion"]) == ("CycloneDX", "1.6")
    assert bom["metadata"]["component"]["name"] == "drs-exporter"
    locked = {f"pkg:pypi/{entry.name}@{entry.version}" for entry in entries(LOCKS["run"].read_text()) if entry.holds()}
    found = {part["purl"] for part in bom["components"]}
    assert found <= locked
    tools = {re.split("[/@]", purl)[1] for purl in locked - found}
    assert tools == {"editables", "hatchling", "packaging", "pathspec", "pluggy", "tomlkit", "trove-classifiers"}
    refs = found | {bom["metadata"]["component"]["bom-ref"]}
    assert {entry["ref"] for entry in bom["dependencies"]} == refs
    assert {need for entry in bom["dependencies"] for need in entry["dependsOn"]} <= refs


def test_every_licence_is_known(dist: Path) -> None:
    lines = (dist / "LICENCES.md").read_text().splitlines()
    assert any("| drs-exporter |" in line and "Apache-2.0" in line for line in lines)
    named = r"\| [a-z0-9-]+ \| [0-9.]+ \| [^|]*\b(Apache|BSD|MIT|MPL|PSF|Python Software|Mozilla)\b[^|]* \|"
    assert [line for line in lines[2:] if not re.fullmatch(named, line)] == []


def test_the_checksums_are_those_of_all_files(dist: Path) -> None:
    sums = (dist / "SHA256SUMS").read_text()
    assert {line.split()[1] for line in sums.splitlines()} == {"LICENCES.md", "drs_exporter.whl", "sbom.cdx.json"}
    assert run("sha256sum", "--check", "SHA256SUMS", folder=dist).returncode == 0
