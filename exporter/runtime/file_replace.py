"""Atomic replacement of a file: a reader gets the old content or the new, never a part."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

_PERMISSIONS = 0o666
"""Of a new file, before the umask."""


def verify_replaceable(path: Path) -> None:
    """Raise OSError if `replace_content` would fail; the file is not changed."""
    if _is_stream(path):
        return
    if path.exists():
        os.close(os.open(path, os.O_WRONLY))  # a file that must not be written is not replaced either
        if os.path.ismount(path):  # such as a single file that is mounted into a container
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
    number, new = _beside(path)
    os.close(number)
    new.unlink()


def replace_content(path: Path, text: str) -> None:
    """Replace the content of a file, or create the file.

    The content is on the disk before it replaces the file. Owner and permissions stay, and so does a symbolic link.
    Pipes, terminals and other files that cannot be replaced, such as /dev/stdout, are written to.

    Raises:
        OSError: the file still has its old content.
    """
    if _is_stream(path):
        with path.open("ab") as stream:
            stream.write(text.encode())
        return
    number, new = _beside(path)
    try:
        with os.fdopen(number, "wb") as file:
            _keep_rights(path, file.fileno())
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        new.replace(path.resolve())
    except BaseException:
        with suppress(OSError):
            new.unlink()
        raise


def _is_stream(path: Path) -> bool:
    """Return whether the file cannot be replaced.

    /dev/stdout may be a regular file that the shell has opened, and that gets other output as well.
    """
    if path.is_absolute() and path.parts[1:2] in {("dev",), ("proc",)}:
        return True
    return path.exists() and not path.is_file() and not path.is_dir()


def _beside(path: Path) -> tuple[int, Path]:
    """Create a temporary file in the same folder; return its descriptor and its path."""
    real = path.resolve()
    new = real.with_name(f".{real.name}.{secrets.token_hex(4)}")
    return os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _PERMISSIONS), new


def _keep_rights(path: Path, number: int) -> None:
    """Copy owner and permissions, if the file exists, to an open file."""
    try:
        old = path.stat()
    except FileNotFoundError:
        return
    with suppress(PermissionError):  # only root can give a file to another user
        os.fchown(number, old.st_uid, old.st_gid)
    os.fchmod(number, stat.S_IMODE(old.st_mode))
