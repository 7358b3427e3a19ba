"""Describe the distributions in a folder: a CycloneDX SBOM, the licences of all packages, and checksums.

python scripts/inventory.py dist
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = "drs-exporter"
SBOM = "sbom.cdx.json"
LICENCES = "LICENCES.md"
CHECKSUMS = "SHA256SUMS"
TEXTS = {"Neither the name of": "BSD-3-Clause", "Permission is hereby granted, free of charge": "MIT"}
"""A phrase of each licence whose whole text packages declare, and its SPDX identifier."""


def required(name: str) -> list[str]:
    """Return the names of the packages that a package needs here, without its extras."""
    needs = map(Requirement, distribution(name).requires or ())
    return sorted({canonicalize_name(need.name) for need in needs if not need.marker or need.marker.evaluate()})


def runtime() -> list[str]:
    """Return the names of the exporter and of all packages that it needs."""
    found: set[str] = set()
    waiting = [PROJECT]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += required(name)
    return sorted(found)


def expression(package: Distribution) -> str:
    """Return the SPDX expression that the package declares, or an empty text."""
    return "".join(package.metadata.get_all("License-Expression", []))


def licence(package: Distribution) -> str:
    """Return the licence that the package declares by an SPDX expression, or else by a name, or else by its text."""
    classifiers = package.metadata.get_all("Classifier", [])
    classified = [text.rpartition(" :: ")[2] for text in classifiers if text.startswith("License")]
    declared = "".join(package.metadata.get_all("License", [])).strip()
    return expression(package) or " OR ".join(classified) or named(declared) or "unknown"


def named(declared: str) -> str:
    """Return the name of a licence that is declared by its name or by its text; empty for a text that is not known."""
    if "\n" not in declared:
        return declared
    words = " ".join(declared.split())
    return next((name for phrase, name in TEXTS.items() if phrase in words), "")


def component(name: str) -> dict[str, Any]:
    """Return a package as a component of CycloneDX."""
    package = distribution(name)
    purl = f"pkg:pypi/{name}@{package.version}"
    stated: dict[str, Any] = {"license": {"name": licence(package)}}
    if spdx := expression(package):
        stated = {"expression": spdx}
    kind = "application" if name == PROJECT else "library"
    found = {"type": kind, "bom-ref": purl, "name": name, "version": package.version, "purl": purl}
    return {**found, "licenses": [stated]}


def sbom(names: list[str]) -> dict[str, Any]:
    """Return the bill of materials: the exporter, its packages, and which needs which."""
    components = {name: component(name) for name in names}
    refs = {name: part["bom-ref"] for name, part in components.items()}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": components.pop(PROJECT)},
        "components": list(components.values()),
        "dependencies": [{"ref": refs[name], "dependsOn": [refs[need] for need in required(name)]} for name in names],
    }


def licences(names: list[str]) -> Iterator[str]:
    """Yield the lines of a table of packages and their licences."""
    yield "| package | version | licence |"
    yield "|---|---|---|"
    for name in names:
        package = distribution(name)
        yield f"| {name} | {package.version} | {licence(package)} |"


def main(folder: Path) -> None:
    names = runtime()
    (folder / SBOM).write_text(json.dumps(sbom(names), indent=2) + "\n")
    (folder / LICENCES).write_text("\n".join(licences(names)) + "\n")
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name != CHECKSUMS)
    sums = (f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files)
    (folder / CHECKSUMS).write_text("".join(sums))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
