"""A machine that systemd boots in a container, from an overlay over the file system of this one."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.e2e.programs import Program, run, until
from tests.lib.paths import DEPLOY
from tests.lib.tools import tool

COMMAND = """#!/usr/bin/env -S LD_LIBRARY_PATH=/opt/python/lib /opt/python/bin/{python} -Es
import sys
sys.path[:0] = ["/opt/source", "/opt/packages"]
sys.dont_write_bytecode = True
from drs_exporter import main
sys.exit(main())
"""
"""`drs-exporter` in the machine: this Python and its packages at paths that the service may read."""
_UNWANTED = ("systemd-networkd-wait-online", "NetworkManager-wait-online", "systemd-resolved", "systemd-networkd")


class Machine:
    """A machine that has booted, with the network of this one."""

    def __init__(self, root: Path, leader: int) -> None:
        self.root = root
        self._leader = leader

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a program in the machine to its end, with whatever exit code."""
        return run("nsenter", "--all", f"--target={self._leader}", *command)

    def systemctl(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.run("systemctl", "--no-pager", *arguments)

    def properties(self, unit: str) -> dict[str, str]:
        """The properties of a unit by their name."""
        lines = self.systemctl("show", unit).stdout.splitlines()
        return {name: value for name, _, value in (line.partition("=") for line in lines)}

    def journal(self, unit: str) -> str:
        return self.run("journalctl", "--no-pager", "--output=cat", f"--unit={unit}").stdout


@contextmanager
def overlay(folder: Path) -> Iterator[Path]:
    """A writable view of this machine's file system. What is written to it is lost afterwards."""
    with ExitStack() as stack:

        def mount(*arguments: str | Path) -> None:
            mounted = run("mount", *arguments)
            if mounted.returncode:  # a container without this capability
                pytest.skip(f"this machine can't be copied: {mounted.stderr}")
            stack.callback(run, "umount", "--lazy", arguments[-1])

        mount("-t", "tmpfs", "tmpfs", folder)
        upper, work, root = (folder / name for name in ("upper", "work", "root"))
        for created in (upper, work, root):
            created.mkdir()
        mount("-t", "overlay", "-o", f"lowerdir=/,upperdir={upper},workdir={work}", "overlay", root)
        yield root


@contextmanager
def booted(root: Path, output: Path) -> Iterator[Machine]:
    """Boot systemd as far as basic.target in a container whose `drs-exporter` is the one under test."""
    command = root / "opt/drs-exporter/bin/drs-exporter"
    command.parent.mkdir(parents=True)
    command.write_text(COMMAND.format(python=Path(os.path.realpath(sys.executable)).name))
    command.chmod(0o755)
    binds = {sys.base_prefix: "python", sysconfig.get_path("purelib"): "packages", str(DEPLOY.parent): "source"}
    options = [f"--bind-ro={source}:/opt/{target}" for source, target in binds.items()]
    options += ["--register=no", "--keep-unit", "--resolv-conf=off", "--link-journal=no", "--timezone=off"]
    masks = [f"systemd.mask={name}.service" for name in _UNWANTED]
    options += [f"--directory={root}", "--machine=drs-exporter-test"]
    tried = run(tool("systemd-nspawn"), *options, "true")
    if tried.returncode:  # inside of another container
        pytest.skip(f"this machine can't run systemd-nspawn: {tried.stderr}")
    options += ["--boot", "systemd.unit=basic.target", *masks]
    with Program([tool("systemd-nspawn"), *options], output) as container:
        leader = container.until(lambda: _systemd_below(container.pid), "systemd starts")
        machine = Machine(root, leader)
        container.until(lambda: machine.systemctl("is-active", "basic.target").returncode == 0, "it boots")
        try:
            yield machine
        finally:
            machine.systemctl("poweroff", "--force", "--force")
            until(lambda: not Path(f"/proc/{leader}").exists(), lambda: "the machine stops")


def _systemd_below(pid: int) -> int | None:
    """The process that is systemd among the descendants of a process."""
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        if Path(f"/proc/{child}/comm").read_text() == "systemd\n":
            return int(child)
        if found := _systemd_below(int(child)):
            return found
    return None
