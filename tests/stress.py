"""`make stress`: runs the tests of the daemon and of its processes again and again, on a machine that is too busy.

python -m tests.stress [RUNS]      ten runs, unless a number is given; each in a random order, with four workers, beside
                                   a process that does nothing but take processor time

A run that fails ends the command; its order can be repeated with TEST_ORDER=SEED.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from itertools import groupby
from typing import TYPE_CHECKING

from tests.lib.paths import ROOT

if TYPE_CHECKING:
    import pytest

_RUNS = 10
_FOLDERS = ("tests/daemon", "tests/e2e", "tests/unit/web")
"""The tests of what runs for long, listens or starts processes."""


def shuffle(items: list[pytest.Item], seed: str) -> None:
    """Put tests in a random order in place; those of one file stay together, as they share fixtures."""
    chance = random.Random(seed)  # noqa: S311 - an order is no secret
    files = [list(group) for _, group in groupby(items, key=lambda item: item.path)]
    for file in files:
        chance.shuffle(file)
    chance.shuffle(files)
    items[:] = [item for file in files for item in file]


def main() -> int:
    """Run the tests; the exit code is that of the first run that fails."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else _RUNS
    command = [sys.executable, "-m", "pytest", "-q", "-n", "4", *_FOLDERS]
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as busy:
        try:
            for number in range(1, runs + 1):
                seed = str(random.randrange(10**6))  # noqa: S311
                print(f"run {number} of {runs}, TEST_ORDER={seed}", flush=True)
                code = subprocess.run(command, cwd=ROOT, env=os.environ | {"TEST_ORDER": seed}, check=False).returncode
                if code:
                    return code
        finally:
            busy.kill()
    return 0


if __name__ == "__main__":
    sys.exit(main())
