"""scripts/install.sh installs exactly a lock file, whatever newer releases there are, with old and new pip."""

from __future__ import annotations

import os
import subprocess
from importlib.metadata import distributions, version
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.install.distributions import OLDEST_PIP, empty_venv, installed_pip
from tests.install.locks import LOCKS, entries, index, newer, rehashed
from tests.lib.paths import ROOT


def hermetic(**more: str) -> dict[str, str]:
    """The environment without any setting of pip but these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    return kept | {"PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1"} | more


def ran(*command: str | Path, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module", params=["oldest", "newest"])
def pip(request: pytest.FixtureRequest, newest_pip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The oldest and the newest pip."""
    if request.param == "newest":
        return newest_pip
    return installed_pip(OLDEST_PIP, tmp_path_factory.mktemp("pip"))


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A folder with two wheels of each package, and the hashes of those with the locked version."""
    folder = tmp_path_factory.mktemp("wheels")
    return folder, index(folder, entries(LOCKS["dev"].read_text()))


def installed(pip: Path, lock: Path, wheels: Path, folder: Path) -> dict[str, Version]:
    """Run scripts/install.sh with a folder of wheels; return the installed versions by name."""
    python = empty_venv(folder / "venv")
    here = hermetic(PIP_NO_INDEX="1", PIP_FIND_LINKS=str(wheels), PIP_PYTHON=str(python))
    done = ran("sh", "scripts/install.sh", pip, lock, environment=here)
    assert (done.returncode, done.stderr) == (0, "")
    (packages,) = (folder / "venv" / "lib").glob("python*/site-packages")
    there = distributions(path=[str(packages)])
    return {canonicalize_name(package.name): Version(package.version) for package in there}


@pytest.mark.parametrize("name", LOCKS)
def test_exactly_the_lock_is_installed(
    pip: Path, wheels: tuple[Path, dict[str, str]], name: str, tmp_path: Path
) -> None:
    folder, hashes = wheels
    text = LOCKS[name].read_text()
    lock = tmp_path / "lock.txt"
    lock.write_text(rehashed(text, hashes))
    wanted = {entry.name: entry.version for entry in entries(text) if entry.holds()}
    assert installed(pip, lock, folder, tmp_path) == wanted


def test_nothing_is_installed_that_the_lock_does_not_list(
    pip: Path, wheels: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    folder, hashes = wheels
    lock = tmp_path / "lock.txt"
    lock.write_text(f"pytest-cov=={version('pytest-cov')} --hash=sha256:{hashes['pytest-cov']}\n")
    assert installed(pip, lock, folder, tmp_path) == {"pytest-cov": Version(version("pytest-cov"))}


def test_each_package_has_a_newer_release(wheels: tuple[Path, dict[str, str]]) -> None:
    for entry in entries(LOCKS["dev"].read_text()):
        found = wheels[0].glob(f"{entry.name.replace('-', '_')}-[0-9]*.whl")
        versions = sorted(Version(file.name.split("-")[1]) for file in found)
        assert versions == [entry.version, newer(entry.version)]


@pytest.mark.parametrize(("python", "code"), [("3.9", 1), ("3.10", 1), ("3.11", 0), ("3.20", 0)])
def test_a_pip_of_an_old_python_is_refused_in_one_line(python: str, code: int, tmp_path: Path) -> None:
    pip = tmp_path / "pip"
    pip.write_text(f"#!/bin/sh\n[ $1 != --version ] || echo 'pip 25.1 from {tmp_path} (python {python})'\n")
    pip.chmod(0o755)
    done = ran("sh", "scripts/install.sh", pip, "requirements/run.txt")
    text = f"drs-exporter needs Python 3.11 or newer; that of {pip} is older\n"
    assert (done.returncode, done.stderr) == (code, text if code else "")
