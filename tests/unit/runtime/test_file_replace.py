"""A file has its old content until it has the new."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from exporter.runtime.file_replace import replace_content, verify_replaceable
from tests.lib.imports import imports
from tests.lib.paths import ROOT

OLD, NEW = "old content\n" * 3, "new\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "shapes.json"
    file.write_text(OLD)
    file.chmod(0o640)
    return file


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_content_is_replaced_and_the_permissions_stay(file: Path) -> None:
    verify_replaceable(file)
    assert file.read_text() == OLD
    replace_content(file, NEW)
    assert (file.read_text(), stat.S_IMODE(file.stat().st_mode), left(file.parent)) == (NEW, 0o640, [file.name])


def test_a_new_file_is_created_with_the_usual_permissions(tmp_path: Path) -> None:
    usual, file = tmp_path / "usual", tmp_path / "shapes.json"
    usual.touch()
    verify_replaceable(file)
    assert left(tmp_path) == ["usual"]
    replace_content(file, NEW)
    assert (file.read_text(), file.stat().st_mode) == (NEW, usual.stat().st_mode)


@pytest.mark.parametrize("exists", [True, False])
def test_a_symbolic_link_remains_one(file: Path, tmp_path: Path, exists: bool) -> None:  # noqa: FBT001
    if not exists:
        file.unlink()
    (folder := tmp_path / "other").mkdir()
    link = folder / "link"
    link.symlink_to("../shapes.json")
    verify_replaceable(link)
    replace_content(link, NEW)
    assert link.is_symlink()
    assert (file.read_text(), left(folder)) == (NEW, ["link"])


def broken(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("failure", [broken, interrupted])
@pytest.mark.parametrize(("owner", "step"), [(os, "fsync"), (os, "fchmod"), (Path, "replace")])
def test_a_failure_at_any_step_leaves_the_old_content(
    file: Path, monkeypatch: pytest.MonkeyPatch, owner: object, step: str, failure: Callable[..., None]
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(owner, step, failure)
        with pytest.raises((OSError, KeyboardInterrupt)):
            replace_content(file, NEW)
    assert (file.read_text(), left(file.parent)) == (OLD, [file.name])


def test_a_full_disk_leaves_the_old_content(file: Path) -> None:
    """The limit of the size of a file fails a write halfway, as a full disk does."""
    code = (
        f"import resource, signal, sys\n{imports(Path, replace_content)}"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "replace_content(Path(sys.argv[1]), 'x' * 100_000)"
    )
    done = subprocess.run([sys.executable, "-c", code, file], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.endswith("OSError: [Errno 27] File too large\n")) == (1, True)
    assert (file.read_text(), left(file.parent)) == (OLD, [file.name])


def test_the_owner_stays(file: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a file to another user")
    os.chown(file, 12345, 23456)
    replace_content(file, NEW)
    assert (file.stat().st_uid, file.stat().st_gid) == (12345, 23456)


def test_an_owner_that_cannot_be_kept_is_no_failure(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "fchown", refused)
    replace_content(file, NEW)
    assert file.read_text() == NEW


def test_a_file_that_cannot_be_written_is_found_before(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FileNotFoundError):
        verify_replaceable(file.parent / "none" / "shapes.json")
    with pytest.raises(NotADirectoryError):
        verify_replaceable(file / "shapes.json")
    with pytest.raises(IsADirectoryError):
        verify_replaceable(file.parent)
    monkeypatch.setattr(os.path, "ismount", lambda _: True)
    with pytest.raises(OSError, match="busy"):
        verify_replaceable(file)


def test_a_named_pipe_is_written_to(tmp_path: Path) -> None:
    pipe, received = tmp_path / "pipe", list[str]()
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: received.append(pipe.read_text()))
    reader.start()
    verify_replaceable(pipe)
    replace_content(pipe, NEW)
    reader.join()
    assert received == [NEW]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize("redirected", [True, False])
def test_standard_output_is_written_to(tmp_path: Path, redirected: bool) -> None:  # noqa: FBT001
    code = (
        f"{imports(Path, replace_content, verify_replaceable)}print('first', flush=True)\n"
        "verify_replaceable(Path('/dev/stdout')); replace_content(Path('/dev/stdout'), 'second\\n')"
    )
    out = tmp_path / "out"
    with out.open("w") as target:
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, stdout=target if redirected else subprocess.PIPE, check=True
        )
    assert (out.read_text() if redirected else done.stdout.decode(), left(tmp_path)) == ("first\nsecond\n", ["out"])


def test_a_device_remains_one() -> None:
    device = Path(os.devnull)
    before = device.stat()
    verify_replaceable(device)
    replace_content(device, NEW)
    assert (device.stat().st_rdev, device.stat().st_mode) == (before.st_rdev, before.st_mode)
