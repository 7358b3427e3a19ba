"""Programs in the background. Tests wait for their effects by polling a condition, and never sleep."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx

from exporter.config import Collectors
from exporter.simulator import DEMO_ACCESS_KEY, DEMO_PROJECTS, DEMO_SECRET_KEY

T = TypeVar("T")

COMMAND = str(Path(sys.executable).parent / "drs-exporter")
LISTEN = "--web.listen-address=127.0.0.1:0"
TIMEOUT = 90.0
"""Seconds to wait for what takes one or two. They pass only if a test fails."""
_UNVERIFIED = httpx.create_ssl_context(verify=False)  # a context for each request takes more time than the request


def until(condition: Callable[[], T | None], what: Callable[[], object], seconds: float = TIMEOUT) -> T:
    """Return the first true result of a condition; fail with `what` when the time is up."""
    end, pause = time.monotonic() + seconds, 0.02
    while not (result := condition()):
        assert time.monotonic() < end, f"not within {seconds:g} s: {what()}"
        time.sleep(pause)
        pause = min(1.5 * pause, 0.2)  # a condition may take as much processor time as what it waits for
    return result


def free_port() -> int:
    """A port that was free a moment ago, for programs that do not print the port that they chose."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Program:
    """A program in the background. Its output is written to files, so that it never waits for a reader.

    Args:
        command: the program and its arguments.
        folder: its working directory, which contains its output.
        env: environment variables beside those of the test.
        options: of `subprocess.Popen`, in place of the defaults here.
    """

    def __init__(
        self, command: Sequence[str | Path], folder: Path, env: Mapping[str, str] | None = None, **options: Any
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._out, self._err = folder / "stdout", folder / "stderr"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            ours: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": out, "stderr": err, "cwd": folder}
            ours["process_group"] = 0  # so that the programs that it starts end with it
            environment = {**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})}
            self._process: subprocess.Popen[bytes] = subprocess.Popen(
                [str(part) for part in command], env=environment, **(ours | options)
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        """Kill it and the programs that it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(TIMEOUT)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def stdout(self) -> str:
        return self._out.read_text()

    @property
    def stderr(self) -> str:
        return self._err.read_text()

    def until(self, condition: Callable[[], T | None], what: Callable[[], object] | str, seconds: float = TIMEOUT) -> T:
        """Return the first true result of a condition; fail when the time is up or the program has ended."""

        def alive() -> T | None:
            ended = self._process.poll() is not None
            result = condition()
            assert result or not ended, "it has ended"
            return result

        return until(alive, lambda: f"{what() if callable(what) else what}; {self.stdout}{self.stderr}", seconds)

    def exit_code(self, seconds: float = TIMEOUT) -> int:
        """Wait for its end, and return its exit code."""
        return self._process.wait(seconds)

    def send_signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def ends_on(self, number: signal.Signals, *codes: int, seconds: float = TIMEOUT) -> None:
        """Send a signal, and fail unless it ends in time without a traceback, with 0 or one of these exit codes."""
        self.send_signal(number)
        code = self.exit_code(seconds)
        assert code in (codes or (0,)), f"it ended with {code}; {self.stderr}"
        assert "Traceback" not in self.stderr


class WebProgram(Program):
    """A program of Prometheus: it listens at `--web.listen-address`, and `/-/ready` responds when it serves.

    Args:
        command: without the address.
        folder: for its files.
        url: its address; by default with a free port.
    """

    def __init__(self, command: Sequence[str | Path], folder: Path, url: str | None = None) -> None:
        self.url = url or f"http://127.0.0.1:{free_port()}"
        super().__init__([*command, f"--web.listen-address={self.url.removeprefix('http://')}"], folder)

    def ready(self) -> bool:
        """Return whether it serves."""
        try:
            return get(f"{self.url}/-/ready").status_code == 200
        except httpx.TransportError:
            return False


class Exporter(Program):
    """`drs-exporter` with some arguments, in the background; another `command` may run it."""

    def __init__(self, *arguments: str, folder: Path, command: Sequence[str] = (COMMAND,), **options: Any) -> None:
        super().__init__([*command, *arguments], folder, **options)

    def urls(self, addresses: int = 1) -> list[str]:
        """The URLs of its metrics, as it prints or logs them."""

        def announced() -> list[str] | None:
            found = re.findall(r"https?://\S+/metrics(?=[\s\"])", self.stdout + self.stderr)
            return found if len(found) >= addresses else None

        return [url.removesuffix("/metrics") for url in self.until(announced, "it prints its address")]

    @property
    def url(self) -> str:
        """Its first address, without a slash at the end."""
        return self.urls()[0]

    def get(self, path: str = "/metrics", **options: Any) -> httpx.Response:
        """A response; `options` are those of httpx."""
        return get(f"{self.url}{path}", **options)

    def ready(self) -> Self:
        """Wait for the end of the first poll."""
        self.until(lambda: self.get("/-/ready").status_code == 200, "it is ready")
        return self

    def families(self) -> set[str]:
        """The names of the families on the page."""
        return set(re.findall(r"^# TYPE (\S+) ", self.get().text, re.MULTILINE))


class Simulator(Program):
    """The simulated cloud in a process of its own, where by default three and a half minutes pass in a second."""

    def __init__(self, folder: Path, speed: float = 210) -> None:
        command = (sys.executable, "-m", "exporter.simulator", "--listen", "127.0.0.1:0", "--speed", f"{speed:g}")
        super().__init__(command, folder)

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return self.until(lambda: re.search(r"http://[\d.:]+", self.stdout), "the cloud prints its address")[0]


def account(name: str, endpoint: str, *projects: int, secret_key: str = DEMO_SECRET_KEY, api: str = "auto") -> Any:
    """An account of a configuration, with projects of the simulated cloud by their index."""
    return {
        "name": name,
        "cloud": "huaweicloud",
        "credentials": {"type": "ak_sk", "access_key": DEMO_ACCESS_KEY, "secret_key": secret_key},
        "projects": [
            {"region": region, "name": project, "project_id": project_id, "endpoint": endpoint, "api": api}
            for region, project, project_id in (DEMO_PROJECTS[number] for number in projects)
        ],
    }


def configuration(file: Path, *accounts: Any, **sections: Any) -> str:
    """Write a configuration with the shortest interval for each collector, and return the option that names it."""
    poll = {"interval": "1s", "rate_limit": 1000, "burst": 1000}
    collectors = {name: {"enabled": True, "interval": "1s"} for name in Collectors.model_fields}
    collectors["detail"]["audit"] = True
    cutover = {"stable_for": "1s"}
    text = {"accounts": accounts, "poll": poll, "collectors": collectors, "cutover": cutover, **sections}
    file.write_text(json.dumps(text))
    return f"--config.file={file}"


def get(url: str, method: str = "GET", *, verify: ssl.SSLContext = _UNVERIFIED, **options: Any) -> httpx.Response:
    """A response, whatever proxies the environment names; `options` are those of httpx."""
    with httpx.Client(trust_env=False, timeout=TIMEOUT, verify=verify) as http:
        return http.request(method, url, **options)


def run(
    *arguments: str | Path, stdin: str | None = None, folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, with whatever exit code."""
    return subprocess.run(
        [str(part) for part in arguments],
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        text=True,
        timeout=2 * TIMEOUT,
        check=False,
        cwd=folder,
    )
