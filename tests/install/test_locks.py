"""The lock files are complete: what they list needs nothing that they do not list."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.install.distributions import install
from tests.install.locks import LOCKS, Locked, entries, requirements_of
from tests.lib.paths import ROOT

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
PYTHONS = [
    found[1] for line in PROJECT["project"]["classifiers"] if (found := re.fullmatch(r".*Python :: (3\.\d+)", line))
]
NPM = ROOT / "scripts" / "pictures" / "grafana"
each_lock = pytest.mark.parametrize("name", LOCKS)


def locked(name: str) -> list[Locked]:
    return entries(LOCKS[name].read_text())


def group(name: str) -> Iterator[str]:
    """The requirements of a dependency group, with those of the groups that it includes."""
    for item in PROJECT["dependency-groups"][name]:
        if isinstance(item, str):
            yield item
        else:
            yield from group(item["include-group"])


def unmet(
    requirements: list[Requirement], extras: set[str], lock: list[Locked], environment: dict[str, str]
) -> list[str]:
    """The requirements that a lock does not meet in an environment.

    Args:
        requirements: of a package.
        extras: those of the package that are installed.
        lock: the entries.
        environment: the variables of markers.
    """
    there = {entry.name: entry for entry in lock if entry.holds(environment)}

    def met(requirement: Requirement) -> bool:
        entry = there.get(canonicalize_name(requirement.name))
        return (
            entry is not None
            and requirement.specifier.contains(entry.version, prereleases=True)
            and requirement.extras <= entry.requirement.extras
        )

    def counts(requirement: Requirement) -> bool:
        marker = requirement.marker
        return marker is None or any(marker.evaluate(environment | {"extra": extra}) for extra in {"", *extras})

    return [str(requirement) for requirement in requirements if counts(requirement) and not met(requirement)]


def environment(python: str) -> dict[str, str]:
    """The variables of markers here, with another Python."""
    return {**default_environment(), "python_version": python, "python_full_version": f"{python}.0"}  # type: ignore[dict-item]


@each_lock
@pytest.mark.parametrize("python", PYTHONS)
def test_a_lock_contains_all_that_its_packages_need(name: str, python: str) -> None:
    lock, here = locked(name), environment(python)
    for entry in lock:
        needed = [Requirement(text) for text in requirements_of(entry.name)]
        assert not unmet(needed, entry.requirement.extras, lock, here), entry.name


@each_lock
def test_a_lock_contains_all_that_the_project_needs(name: str) -> None:
    needed = [*PROJECT["project"]["dependencies"], *group("build"), *(group("dev") if name == "dev" else ())]
    for python in PYTHONS:
        assert not unmet([Requirement(text) for text in needed], set(), locked(name), environment(python))


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_each_package_has_a_wheel_for_each_machine(machine: str, newest_pip: Path, tmp_path: Path) -> None:
    platforms = [f"--platform={glibc}_{machine}" for glibc in ("manylinux2014", "manylinux_2_17", "manylinux_2_28")]
    options = ("-q", "--dry-run", "--no-deps", "--only-binary=:all:", f"--target={tmp_path}", *platforms)
    install(newest_pip, "install", *options, "-r", LOCKS["run"], folder=tmp_path)


def test_a_missing_requirement_is_found() -> None:
    here = environment("3.11")
    lock = [entry for entry in locked("dev") if entry.name != "coverage"]
    (needed,) = [Requirement(text) for text in requirements_of("pytest-cov") if "coverage" in text]
    assert (needed.extras, unmet([needed], set(), locked("dev"), here)) == ({"toml"}, [])
    assert unmet([needed], set(), lock, here) == [str(needed)]
    plain = Locked(Requirement("coverage==99"), Version("99"))
    assert unmet([needed], set(), [*lock, plain], here) == [str(needed)]


def test_both_locks_have_the_same_versions() -> None:
    assert {str(entry.requirement) for entry in locked("run")} <= {str(entry.requirement) for entry in locked("dev")}


def test_the_tests_run_with_the_locked_versions() -> None:
    wanted = {entry.name: entry.version for entry in locked("dev") if entry.holds()}
    assert {name: Version(version(name)) for name in wanted} == wanted, "make test installs them"


def test_the_packages_of_the_pictures_are_locked_with_hashes_and_name_no_registry() -> None:
    lock = json.loads((NPM / "package-lock.json").read_text())
    root = lock["packages"].pop("")
    assert root["dependencies"] == json.loads((NPM / "package.json").read_text())["dependencies"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", wanted) for wanted in root["dependencies"].values())
    for path, package in lock["packages"].items():
        assert package["integrity"].startswith("sha512-"), path
        assert "resolved" not in package, path
    assert '"npm", "ci"' in (NPM.parent / "draw.py").read_text()


def test_the_lock_of_the_pictures_contains_all_that_its_packages_need() -> None:
    packages = json.loads((NPM / "package-lock.json").read_text())["packages"]

    def found(path: str, name: str) -> bool:
        """Node.js looks in the package's own node_modules, then in those of the folders above."""
        while path and f"{path}/node_modules/{name}" not in packages:
            path = path.rpartition("node_modules/")[0].rstrip("/")
        return bool(path) or f"node_modules/{name}" in packages

    for path, package in packages.items():
        for name in package.get("dependencies", ()):
            assert found(path, name), f"{path} needs {name}"
    assert not found("", "left-pad")
