"""The storage survives kill -9 at random points.

20 times; SOAK_KILLS=200 makes it 200.
"""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys
from pathlib import Path

from tests.lib.paths import ROOT

KILLS = int(os.environ.get("SOAK_KILLS", "20"))


def test_kill_9_at_random_points_loses_no_committed_event_and_damages_nothing(tmp_path: Path) -> None:
    seed = str(secrets.randbelow(1_000_000))  # the message of a failure contains it
    command = [sys.executable, "-m", "tests.soak.storage_kills", str(tmp_path / "storage"), str(KILLS), seed]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert ended.returncode == 0, ended.stderr[-2000:]
    found = re.fullmatch(r"(\d+) kills, (\d+) of them after a commit, (\d+) events\n", ended.stdout)
    assert found is not None
    assert int(found[1]) == KILLS
    assert int(found[2]) >= KILLS / 4
    assert int(found[3]) > 10 * KILLS
