from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from exporter.simulator import Fault, SimulatedCloud

ROOT = Path(__file__).parents[2]


def test_the_module_serves_the_demo() -> None:
    command = [sys.executable, "-m", "exporter.simulator", "--listen", "127.0.0.1:0", "--speed", "30"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert "DEMOACCESSKEY / demo-secret-key" in line
        url = line.split()[3].rstrip(",")
        assert httpx.get(f"{url}/v3/projects").status_code == 401
        process.send_signal(signal.SIGTERM)
        assert process.stdout.read() == ""


def test_a_reset_breaks_the_connection_in_mid_body(cloud: SimulatedCloud, ask: Any) -> None:
    cloud.faults.append(Fault(match="/jobs", kind="reset", times=1))
    server = uvicorn.Server(uvicorn.Config(cloud, port=0, log_level="critical"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    url = f"http://127.0.0.1:{port}/v5/{cloud.worlds[0].project_id}/jobs?job_type=sync"
    try:
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(url, headers={"X-Auth-Token": ask.token})
        answer = httpx.get(url, headers={"X-Auth-Token": ask.token})
        assert answer.json()["total_count"] == 3
    finally:
        server.should_exit = True
        thread.join()
