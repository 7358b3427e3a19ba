from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.programs import COMMAND, LISTEN, Exporter
from tests.hostile.clouds import HostileCloud
from tests.lib.tools import lacking


@pytest.fixture
def cloud() -> Iterator[HostileCloud]:
    with HostileCloud().serving() as cloud:
        yield cloud


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Exporter]]:
    """Starts `drs-exporter demo`, or `run` with a configuration; every process ends with the test.

    Arguments of the function: further command line options; `config`: a mapping; `command`: runs in place of
    `drs-exporter`, such as a program in front of it; all others are those of `subprocess.Popen`.
    """
    with ExitStack() as stack:

        def start(*arguments: str, config: Any = None, command: Sequence[str] = (COMMAND,), **options: Any) -> Exporter:
            folder = tmp_path / f"exporter{len(list(tmp_path.glob('exporter*')))}"
            folder.mkdir()
            run = ["demo"]
            if config is not None:
                (folder / "config.yaml").write_text(json.dumps(config))
                run = ["run", f"--config.file={folder / 'config.yaml'}"]
            exporter = Exporter(*run, LISTEN, *arguments, folder=folder, command=command, **options)
            return stack.enter_context(exporter)

        yield start


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB; the test is skipped where none can be mounted."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        lacking("only root can mount a small file system")
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode:
        lacking(f"this machine mounts no small file system: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
