"""Lock files, and a package index of small wheels that stand in for the locked packages."""

from __future__ import annotations

import base64
import hashlib
import re
import zipfile
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.lib.paths import ROOT

LOCKS = {name: ROOT / "requirements" / f"{name}.txt" for name in ("run", "dev")}
_ENTRY = re.compile(
    r"^(?P<requirement>[^\s#].*?) \\\n(?P<hashes>(?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE
)


class Locked(NamedTuple):
    """One entry of a lock file."""

    requirement: Requirement
    version: Version

    @property
    def name(self) -> str:
        """The normalised name of the package."""
        return canonicalize_name(self.requirement.name)

    def holds(self, environment: dict[str, str] | None = None) -> bool:
        """Return whether the entry is for an environment, given by the variables of a marker; by default for this."""
        return self.requirement.marker is None or self.requirement.marker.evaluate(environment)


def entries(text: str) -> list[Locked]:
    """The entries of a lock file; fails if a line is in no entry."""
    assert not _ENTRY.sub("", text).strip(), "each line belongs to an entry with hashes"
    found = [Requirement(match["requirement"]) for match in _ENTRY.finditer(text)]
    return [Locked(requirement, _pinned(requirement)) for requirement in found]


def _pinned(requirement: Requirement) -> Version:
    (specifier,) = requirement.specifier
    assert specifier.operator == "=="
    return Version(specifier.version)


def newer(version: Version) -> Version:
    """A release after this one."""
    epoch = f"{version.epoch}!" if version.epoch else ""
    return Version(f"{epoch}{version.base_version.split('!')[-1]}.1")


def requirements_of(name: str) -> list[str]:
    """The requirements of a package as its metadata has them; none if it is for other platforms only."""
    try:
        return distribution(name).requires or []
    except PackageNotFoundError:
        return []


def extras_of(name: str) -> list[str]:
    """The extras that a package has."""
    try:
        return distribution(name).metadata.get_all("Provides-Extra") or []
    except PackageNotFoundError:
        return []


def index(folder: Path, locked: Iterable[Locked]) -> dict[str, str]:
    """Make a folder with a wheel of each locked version and of a newer one.

    The wheels have the requirements of the real packages, and no content.

    Returns:
        The SHA-256 of the wheel of the locked version, by name of the package.
    """
    found = {}
    for entry in locked:
        _wheel(folder, entry.name, newer(entry.version))
        found[entry.name] = hashlib.sha256(_wheel(folder, entry.name, entry.version).read_bytes()).hexdigest()
    return found


def rehashed(text: str, hashes: dict[str, str]) -> str:
    """A lock file with the same entries, each with one hash by name of the package."""

    def entry(match: re.Match[str]) -> str:
        name = canonicalize_name(Requirement(match["requirement"]).name)
        return f"{match['requirement']} \\\n    --hash=sha256:{hashes[name]}\n"

    return _ENTRY.sub(entry, text)


def _wheel(folder: Path, name: str, version: Version) -> Path:
    stem = f"{name.replace('-', '_')}-{version}"
    metadata = [
        "Metadata-Version: 2.1",
        f"Name: {name}",
        f"Version: {version}",
        *(f"Provides-Extra: {extra}" for extra in extras_of(name)),
        *(f"Requires-Dist: {requirement}" for requirement in requirements_of(name)),
    ]
    files = {
        "METADATA": "\n".join(metadata) + "\n",
        "WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    made = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(made, "w") as archive:
        record = ""
        for file, text in files.items():
            archive.writestr(f"{stem}.dist-info/{file}", text)
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            record += f"{stem}.dist-info/{file},sha256={digest},{len(text.encode())}\n"
        archive.writestr(f"{stem}.dist-info/RECORD", f"{record}{stem}.dist-info/RECORD,,\n")
    return made
