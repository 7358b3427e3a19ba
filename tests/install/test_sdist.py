"""The sdist holds the whole repository, and its own Makefile installs and starts it."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.e2e.programs import Program, get, run
from tests.install.distributions import built, install
from tests.install.locks import LOCKS
from tests.lib.paths import ROOT
from tests.lib.tools import needs, tool

URL = "https://git.example/drs"
"""The address of the repository from which the sdist is built."""


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist, unpacked in an empty folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PROJECT_URL", URL)
        sdist = built("sdist", tmp_path_factory.mktemp("sdist"))
    folder = tmp_path_factory.mktemp("unpacked")
    assert run("tar", "-xzf", sdist, folder=folder).returncode == 0
    return folder / sdist.name.removesuffix(".tar.gz")


@needs("git")
def test_it_holds_the_files_of_the_repository_and_no_others(unpacked: Path) -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not in a clone")
    listed = run(tool("git"), "ls-files", "-z", folder=ROOT).stdout.split("\0")[:-1]
    there = [path.relative_to(unpacked) for path in unpacked.rglob("*") if not path.is_dir()]
    assert sorted({*map(str, there)} - {"PKG-INFO"}) == sorted(listed)
    assert all((unpacked / name).stat().st_mode & 0o111 == (ROOT / name).stat().st_mode & 0o111 for name in listed)


def test_its_packages_name_the_repository_from_which_it_was_built(
    unpacked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PROJECT_URL", raising=False)
    metadata = json.loads(run(sys.executable, "-m", "hatchling", "metadata", folder=unpacked).stdout)
    assert metadata["urls"] == {
        "Homepage": URL,
        "Documentation": f"{URL}/blob/HEAD/README.md#documentation",
        "Changelog": f"{URL}/blob/HEAD/CHANGELOG.md",
        "Issues": f"{URL}/issues",
    }
    assert f"({URL}/blob/HEAD/docs/running.md)" in metadata["readme"]["text"]


def test_its_tests_pass(unpacked: Path) -> None:
    """Some that read many of the files; that all files are there, the test above shows."""
    quick = ("tests/deploy/test_compose.py", "tests/unit/docs")
    done = run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *quick, folder=unpacked)
    assert done.returncode == 0, done.stdout


@pytest.fixture(scope="module")
def prepared(unpacked: Path, newest_pip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked sdist, with the virtual environment of `make run`."""
    packages = tmp_path_factory.mktemp("packages")
    install(newest_pip, "download", "--require-hashes", "--no-deps", "-q", "-r", LOCKS["run"], folder=packages)
    local = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(packages)}
    install(tool("make"), ".venv/run.stamp", f"PYTHON={sys.executable}", folder=unpacked, **local)
    return unpacked


@needs("make")
def test_make_run_starts_the_demo(prepared: Path) -> None:
    with Program([tool("make"), "-C", prepared, "run", "ADDRESS=127.0.0.1:0"], prepared.parent / "running") as demo:
        found = demo.until(lambda: re.search(r"(http://\S+)/metrics", demo.stdout), "it says where it serves")
        demo.until(lambda: "drs_exporter_build_info" in get(f"{found[1]}/metrics").text, "a page")


@needs("make")
def test_make_dist_needs_no_other_packages_than_the_demo(prepared: Path) -> None:
    done = run(tool("make"), "-C", prepared, "dist")
    assert done.returncode == 0, done.stderr
    sums = (prepared / "dist" / "SHA256SUMS").read_text()
    kinds = [re.sub(r"^.*  (drs_exporter-[0-9.]*[0-9])?", "", line) for line in sums.splitlines()]
    assert kinds == ["LICENCES.md", "-py3-none-any.whl", ".tar.gz", "sbom.cdx.json"]
    (wheel,) = (prepared / "dist").glob("*.whl")
    with ZipFile(wheel) as packed:
        (metadata,) = (packed.read(name).decode() for name in packed.namelist() if name.endswith("/METADATA"))
    assert f"Project-URL: Homepage, {URL}\n" in metadata
