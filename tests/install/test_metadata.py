"""What the package says of its repository, whose address is known only where the package is built."""

from __future__ import annotations

import re
import runpy
import shutil
from pathlib import Path

import pytest

from tests.e2e.programs import run
from tests.lib.paths import ROOT
from tests.lib.tools import needs, tool

README = (ROOT / "README.md").read_text()
LINKS = re.compile(r"\]\(([^)\s]+)\)|(?:src|srcset)=\"([^\"]+)\"")
long_description = runpy.run_path(str(ROOT / "scripts" / "metadata.py"))["long_description"]


def links(text: str) -> list[str]:
    return [markdown or html for markdown, html in LINKS.findall(text)]


def test_links_lead_to_files_of_the_repository() -> None:
    made = links(long_description(README, "https://git.example/drs"))
    assert len(made) == len(links(README)) > 30
    for link in made:
        kind, path = re.fullmatch(r"https://git\.example/drs/(raw|blob)/HEAD/([^#]+)(?:#.*)?", link).groups()  # type: ignore[union-attr]
        assert (ROOT / path).exists()
        assert (kind == "raw") == (path.endswith(".png"))


def test_absolute_links_and_those_to_headings_stay() -> None:
    text = "[a](https://a.example/) [b](#b) [c](mailto:c@c.example)"
    assert long_description(text, "https://git.example/drs") == text
    assert long_description(text, "") == text


def test_without_an_address_links_and_pictures_are_their_text() -> None:
    assert links(long_description(README, "")) == []
    assert "<" not in long_description("<picture>\n<img src='a.png' alt=\"A page\">\n</picture>", "")
    assert (
        long_description("[![A `b`](c.png)](d.md#e), [f](https://f.example/)", "") == "A `b`, [f](https://f.example/)"
    )


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with nothing but the script."""
    monkeypatch.delenv("PROJECT_URL", raising=False)
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "project_url.sh", tmp_path / "scripts")
    assert run(tool("git"), "init", tmp_path).returncode == 0
    return tmp_path


def address(clone: Path, origin: str) -> str:
    (clone / ".git" / "config").write_text(f'[remote "origin"]\nurl = "{origin}"\n')
    done = run("sh", clone / "scripts" / "project_url.sh")
    assert done.returncode == 0  # an address that is unknown fails no build
    return done.stdout


@needs("git")
@pytest.mark.parametrize(
    ("origin", "url"),
    [
        ("https://github.com/owner/drs.git", "https://github.com/owner/drs\n"),
        ("https://user:password@gitlab.com/group/part/drs", "https://gitlab.com/group/part/drs\n"),
        ("git@github.com:owner/drs.git", "https://github.com/owner/drs\n"),
        ("git@gitlab.com:/owner/drs", "https://gitlab.com/owner/drs\n"),
        ("ssh://git@github.com/owner/drs/", "https://github.com/owner/drs\n"),
        ("ssh://user:password@github.com/owner/drs", "https://github.com/owner/drs\n"),
        ("ssh://git@github.com:22/owner/drs", ""),
        ("https://git.corp.example/owner/drs", ""),
        ("https://github.com.corp.example/owner/drs", ""),
        ("/srv/git/github.com/owner/drs", ""),
        ("https://user:pass@word@github.com/owner/drs", ""),
        ("https://github.com/owner/drs?private_token=secret", ""),
        ("https://github.com/owner//drs", ""),
    ],
)
def test_the_address_is_that_of_a_public_origin(origin: str, url: str, clone: Path) -> None:
    assert address(clone, origin) == url


@needs("git")
def test_the_environment_comes_before_git(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROJECT_URL", "https://git.corp.example/drs/")
    assert address(clone, "https://github.com/owner/drs") == "https://git.corp.example/drs\n"


@needs("git")
def test_a_folder_within_another_repository_has_no_address(clone: Path) -> None:
    (inner := clone / "vendor" / "scripts").mkdir(parents=True)
    shutil.copy(ROOT / "scripts" / "project_url.sh", inner)
    assert address(clone, "https://github.com/owner/drs")
    assert run("sh", inner / "project_url.sh").stdout == ""
    (clone / "vendor" / ".git").mkdir()
    assert run("sh", inner / "project_url.sh").stdout == ""


@needs("git")
def test_a_hook_of_another_repository_does_not_give_its_address(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(tool("git"), "init", clone / "other").returncode == 0
    (clone / "other" / ".git" / "config").write_text('[remote "origin"]\nurl = "https://github.com/owner/other"\n')
    monkeypatch.setenv("GIT_DIR", str(clone / "other" / ".git"))
    assert address(clone, "https://github.com/owner/drs") == "https://github.com/owner/drs\n"


@needs("git")
def test_a_worktree_has_the_address_of_its_repository(clone: Path) -> None:
    assert address(clone, "https://github.com/owner/drs")
    author = ("-c", "user.name=a", "-c", "user.email=a@a.example")
    assert run(tool("git"), "-C", clone, *author, "commit", "--allow-empty", "-m", "a").returncode == 0
    assert run(tool("git"), "-C", clone, "worktree", "add", clone / "tree").returncode == 0
    shutil.copytree(clone / "scripts", clone / "tree" / "scripts")
    assert run("sh", clone / "tree" / "scripts" / "project_url.sh").stdout == "https://github.com/owner/drs\n"


@pytest.mark.parametrize(
    "url",
    [
        "http://a.example",
        "https://user@a.example",
        "https://user:password@a.example\nhttps://a.example",
        "https://a.example/?b",
        "https://a.example/:",
        "https://",
        "a.example",
    ],
)
def test_a_wrong_address_fails_the_build(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROJECT_URL", url)
    done = run("sh", ROOT / "scripts" / "project_url.sh")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("PROJECT_URL is not an https:// address")
