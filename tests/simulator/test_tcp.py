from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from exporter.simulator import Fault, SimulatedCloud
from tests.e2e.programs import Program, get
from tests.lib.serving import served


def test_the_module_serves_the_demo(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "exporter.simulator", "--listen", "127.0.0.1:0", "--speed", "30"]
    with Program(command, tmp_path) as program:
        line = program.until(lambda: program.stdout.partition("\n")[0], "it prints its address")
        assert "DEMOACCESSKEY / demo-secret-key" in line
        url = line.split()[3].rstrip(",")
        assert get(f"{url}/v3/projects").status_code == 401
        program.send_signal(signal.SIGTERM)
        program.exit_code()
        assert program.stdout == f"{line}\n"


def test_a_reset_breaks_the_connection_in_mid_body(cloud: SimulatedCloud, api: Any) -> None:
    cloud.faults.append(Fault(match="/jobs", kind="reset", times=1))
    with served(cloud) as endpoint, httpx.Client(trust_env=False, headers={"X-Auth-Token": api.token}) as http:
        url = f"{endpoint}/v5/{cloud.worlds[0].project_id}/jobs?job_type=sync"
        with pytest.raises(httpx.RemoteProtocolError):
            http.get(url)
        assert http.get(url).json()["total_count"] == 3
