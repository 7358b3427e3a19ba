from __future__ import annotations

import sys

from tests.e2e.programs import run
from tests.lib.imports import imports
from tests.lib.paths import ROOT
from tests.lib.processes import adopt_orphans, children, kill_children

PROGRAM = f"""
import subprocess, sys
{imports(adopt_orphans, children, kill_children)}
sleep = '[sys.executable, "-c", "import time; time.sleep(600)"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL'
parent = f"import subprocess, sys; print(subprocess.Popen({{sleep}}).pid)"
adopt_orphans()
orphan = subprocess.run([sys.executable, "-c", parent], capture_output=True, check=True).stdout
assert children() == [int(orphan)]
kill_children()
assert children() == []
"""


def test_a_process_whose_parent_has_ended_is_killed() -> None:
    done = run(sys.executable, "-c", PROGRAM, folder=ROOT)
    assert (done.returncode, done.stderr) == (0, "")
