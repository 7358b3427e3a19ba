"""Programs in the background, and waiting for what they do: conditions are polled, never slept for."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

import httpx

from exporter.config import Collectors
from exporter.simulator import DEMO_ACCESS_KEY, DEMO_PROJECTS, DEMO_SECRET_KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

T = TypeVar("T")

COMMAND = str(Path(sys.executable).parent / "drs-exporter")
LISTEN = "--web.listen-address=127.0.0.1:0"
TIMEOUT = 90.0
"""Seconds for what takes one or two, on a machine that may be busy: they pass only where a test fails."""


def until(condition: Callable[[], T | None], what: Callable[[], object], seconds: float = TIMEOUT) -> T:
    """The first result of a condition that is true; fails when time is up, and says what was waited for."""
    end = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < end, f"not within {seconds:g} s: {what()}"
        time.sleep(0.02)
    return result


def free_port() -> int:
    """A port that was free a moment ago, for programs that can't tell which one they took."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Program:
    """A program in the background; what it prints goes to files, so that it never waits for us.

    Args:
        command: the program and its arguments.
        folder: where its output goes, and where it runs.
        env: variables beside those of the test.
        options: of `subprocess.Popen`, in place of ours.
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
        """End it and the programs that it started, if they have not ended yet."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(TIMEOUT)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """True until it has ended."""
        return self._process.poll() is None

    @property
    def stdout(self) -> str:
        """What it has printed so far."""
        return self._out.read_text()

    @property
    def stderr(self) -> str:
        """What it has logged so far."""
        return self._err.read_text()

    def until(self, condition: Callable[[], T | None], what: Callable[[], object] | str, seconds: float = TIMEOUT) -> T:
        """The first result of a condition that is true; fails when time is up or the program has ended."""

        def alive() -> T | None:
            ended = self._process.poll() is not None
            result = condition()
            assert result or not ended, "it has ended"
            return result

        return until(alive, lambda: f"{what() if callable(what) else what}; {self.stdout}{self.stderr}", seconds)

    def exit_code(self, seconds: float = TIMEOUT) -> int:
        """Its exit code, once it has ended by itself."""
        return self._process.wait(seconds)

    def tell(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def ends_on(self, number: signal.Signals) -> tuple[int, float]:
        """Exit code, and seconds until it had ended, after a signal."""
        started = time.monotonic()
        self._process.send_signal(number)
        return self.exit_code(), time.monotonic() - started


class Exporter(Program):
    """`drs-exporter` with some arguments, in the background; another `command` may run it."""

    def __init__(self, *arguments: str, folder: Path, command: Sequence[str] = (COMMAND,), **options: Any) -> None:
        super().__init__([*command, *arguments], folder, **options)

    def urls(self, addresses: int = 1) -> list[str]:
        """Where it serves its metrics, as it says itself."""

        def announced() -> list[str] | None:
            found = re.findall(r"https?://\S+/metrics(?=[\s\"])", self.stdout + self.stderr)
            return found if len(found) >= addresses else None

        return [url.removesuffix("/metrics") for url in self.until(announced, "it says where it listens")]

    @property
    def url(self) -> str:
        """Where it serves, without a slash at the end."""
        return self.urls()[0]

    def ready(self) -> Self:
        """Itself, once the first poll has ended."""
        self.until(lambda: get(f"{self.url}/-/ready").status_code == 200, "it is ready")
        return self

    def families(self) -> set[str]:
        """The names of the families on the page now."""
        return set(re.findall(r"^# TYPE (\S+) ", get(f"{self.url}/metrics").text, re.MULTILINE))


class Simulator(Program):
    """The simulated cloud in a process of its own, where three and a half minutes pass in a second."""

    def __init__(self, folder: Path) -> None:
        command = (sys.executable, "-m", "exporter.simulator", "--listen", "127.0.0.1:0", "--speed", "210")
        super().__init__(command, folder)

    @property
    def url(self) -> str:
        """Where it serves, without a slash at the end."""
        return self.until(lambda: re.search(r"http://[\d.:]+", self.stdout), "the cloud says where it is")[0]


def account(name: str, endpoint: str, *projects: int, secret_key: str = DEMO_SECRET_KEY, api: str = "auto") -> Any:
    """An account of a configuration, with projects of the simulated cloud by their number."""
    return {
        "name": name,
        "cloud": "huaweicloud",
        "credentials": {"type": "ak_sk", "access_key": DEMO_ACCESS_KEY, "secret_key": secret_key},
        "projects": [
            {"region": region, "name": project, "project_id": project_id, "endpoint": endpoint, "api": api}
            for region, project, project_id in (DEMO_PROJECTS[number] for number in projects)
        ],
    }


def configuration(file: Path, *accounts: Any) -> str:
    """The option that names a configuration, written to the file: all collectors, as quick as they may be."""
    poll = {"interval": "1s", "rate_limit": 1000, "burst": 1000}
    collectors = {name: {"enabled": True, "interval": "1s"} for name in Collectors.model_fields}
    file.write_text(json.dumps({"accounts": accounts, "poll": poll, "collectors": collectors}))
    return f"--config.file={file}"


def get(url: str, **parameters: str) -> httpx.Response:
    """A GET, whatever the environment says of proxies."""
    with httpx.Client(trust_env=False, timeout=TIMEOUT) as http:
        return http.get(url, params=parameters or None)


def run(
    *arguments: str | Path, stdin: str | None = None, folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """A program to its end; its exit code is the caller's to judge."""
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
