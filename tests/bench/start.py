"""From nothing: importing everything, and the demo's first page with tasks."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from subprocess import PIPE, STDOUT

from exporter.commands.demo import simulated
from exporter.commands.main import main
from exporter.daemon.serve import serve
from tests.bench.measure import Result, Row, spread
from tests.bench.peers import Peer, fetch
from tests.e2e.programs import COMMAND, LISTEN
from tests.lib.imports import imports

_IMPORT = (
    "import gc, sys, time\ngc.disable()\n"  # as the program does
    "sys.modules.update(pygments=None, rich=None)\n"  # which are installed for the tools only
    f"{imports(main, serve, simulated)}print(time.process_time())"
)
_NOTHING = "import time; print(time.process_time())"
_DEAREST = 5


async def measure(rounds: int) -> Result:
    """Off the loop, since it waits for others."""
    return Result(await asyncio.to_thread(lambda: [_importing(rounds), _demo(rounds)]))


def _importing(rounds: int) -> Row:
    """CPU seconds of the interpreter with all of the exporter; without it, as figures."""
    _python("-c", _IMPORT)  # compiles what is not compiled yet
    everything = [float(_python("-c", _IMPORT)) for _ in range(rounds)]
    nothing = [float(_python("-c", _NOTHING)) for _ in range(rounds)]
    figures = f"CPU; of it Python by itself {spread(nothing)} s"
    return Row("importing everything", "s", everything, 0.33, figures=figures, why=_dearest())


def _dearest() -> str:
    """The packages whose own modules take longest to import."""
    packages: dict[str, int] = {}
    for own, name in re.findall(
        r"import time:\s+(\d+) \|\s+\d+ \|\s+(\w+)", _python("-X", "importtime", "-c", _IMPORT)
    ):
        packages[name] = packages.get(name, 0) + int(own)
    found = sorted(packages.items(), key=lambda item: -item[1])[:_DEAREST]
    return "modules by themselves: " + ", ".join(f"{name} {own / 1000:.0f} ms" for name, own in found)


def _demo(rounds: int) -> Row:
    walls, cpus = [], []
    with tempfile.TemporaryDirectory() as name:
        for number in range(rounds):
            started = time.perf_counter()
            with Peer([COMMAND, "demo", LISTEN], Path(name) / str(number)) as demo:
                while b"drs_task_info{" not in fetch(f"{demo.url}/metrics")[1]:
                    time.sleep(0.01)
                walls.append(time.perf_counter() - started)
                cpus.append(demo.cpu())
    figures = f"of the wall; {spread(cpus)} s of CPU"
    why = f"of {spread(cpus)} s of CPU the imports take those above"
    return Row("demo: from start to the first page with tasks", "s", walls, 1.5, figures=figures, why=why)


def _python(*arguments: str) -> str:
    """Return what it prints; with compiled modules, as an installed package has them."""
    compiled = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=compiled, stdout=PIPE, stderr=STDOUT, text=True, check=True).stdout
