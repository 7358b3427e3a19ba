"""`drs-exporter run` and `demo`: what they print and log at the start, and how a reload reads the configuration."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from exporter.commands import run
from exporter.config import Config, ConfigError
from exporter.model.shard import Shard
from exporter.runtime import logs
from exporter.web.prefix import Prefix
from tests.lib.commands import CommandLine, config_file, config_for

LISTEN = "--web.listen-address=127.0.0.1:0"
URL = r"http://127\.0\.0\.1:[0-9]+"


@pytest.fixture(autouse=True)
def loads(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], Config] | None]:
    """The functions with which daemons read the configuration again; each daemon ends after its start."""
    loads: list[Callable[[], Config] | None] = []

    async def serve(
        _exporter: None, load: Callable[[], Config] | None, *arguments: Any, prefix: Prefix, lifecycle: bool, **_: Any
    ) -> None:
        _sockets, announce, web = arguments
        announce()
        loads.append(load)
        assert (web.tls, lifecycle) == (False, False)
        assert web.open_paths == {f"{prefix.internal}/-/healthy", f"{prefix.internal}/-/ready"} & web.open_paths

    monkeypatch.setattr(run, "Exporter", lambda *_, **__: None)
    monkeypatch.setattr(run, "serve", serve)
    monkeypatch.setattr(logs, "log_ignored_exceptions", lambda: None)
    return loads


@pytest.mark.parametrize("shard", ["0/1", "1/3"])
def test_the_start_is_one_line(shard: str, tmp_path: Path, command_line: CommandLine) -> None:
    with capture_logs() as lines:
        assert command_line("run", config_file(tmp_path), LISTEN, LISTEN, f"--shard={shard}") == (0, "", "")
    (line,) = lines
    assert re.fullmatch(f"{URL}/ {URL}/", line.pop("status_page"))
    assert re.fullmatch(f"{URL}/metrics {URL}/metrics", line.pop("metrics"))
    assert line == {
        "log_level": "info",
        "event": "serving",
        "accounts": 1,
        "projects": 1,
        "collectors": "tasks,progress,node,recovery,objects,detail,comparison,precheck,quota,async_jobs",
        "calls_per_second": "1000",
        "shard": shard,
    }


def test_a_region_that_looks_mistyped_is_named_at_the_start() -> None:
    with capture_logs() as lines:
        run.log_start(config_for({"region": "cn-nort-4"}), ["http://127.0.0.1:1"], Shard(), ["http://127.0.0.1:1"])
    assert lines[0] == {
        "log_level": "warning",
        "event": "a region looks mistyped",
        "account": "acme",
        "project": "cn-nort-4",
        "hint": "region cn-nort-4 is not known: did you mean cn-north-4?",
    }


def test_a_reload_reads_the_file_again_while_it_is_one(
    tmp_path: Path, command_line: CommandLine, loads: list[Callable[[], Config] | None]
) -> None:
    command_line("run", config_file(tmp_path), LISTEN)
    (load,) = loads
    assert load is not None
    assert load().accounts[0].name == "acme"
    (tmp_path / "config.yaml").unlink()
    with pytest.raises(ConfigError, match=r"config\.yaml is not a file any more"):
        load()


def test_a_demo_has_addresses_and_no_file(command_line: CommandLine, loads: list[Callable[[], Config] | None]) -> None:
    code, out, err = command_line("demo", LISTEN)
    assert (code, err) == (0, "")
    assert re.fullmatch(
        f"status page  {URL}/\nmetrics      {URL}/metrics\nThe cloud is simulated; .* the demo\\.\n", out
    )
    assert loads == [None]


@pytest.mark.parametrize(
    ("options", "page", "metrics"),
    [
        (["--web.route-prefix=/drs"], f"{URL}/drs/", f"{URL}/drs/metrics"),
        (["--web.external-url=https://proxy.example/drs"], "https://proxy.example/drs/", f"{URL}/drs/metrics"),
        (
            ["--web.external-url=https://proxy.example/drs", "--web.route-prefix=/"],
            "https://proxy.example/drs/",
            f"{URL}/metrics",
        ),
    ],
)
def test_behind_a_proxy_the_pages_have_its_address_and_the_metrics_that_of_this_process(
    options: list[str], page: str, metrics: str, tmp_path: Path, command_line: CommandLine
) -> None:
    code, out, _ = command_line("demo", LISTEN, "--web.health-without-auth", *options)
    assert code == 0
    assert re.match(f"status page  {page}\nmetrics      {metrics}\n", out)
    with capture_logs() as lines:
        command_line("run", config_file(tmp_path), LISTEN, *options)
    assert re.fullmatch(page, lines[0]["status_page"])
    assert re.fullmatch(metrics, lines[0]["metrics"])


def test_the_health_address_is_announced_without_the_prefix(tmp_path: Path, command_line: CommandLine) -> None:
    options = (LISTEN, "--web.health-address=127.0.0.1:0", "--web.route-prefix=/drs")
    assert re.search(rf"^health       {URL}/-/healthy$", command_line("demo", *options)[1], re.MULTILINE)
    with capture_logs() as lines:
        command_line("run", config_file(tmp_path), *options)
    assert re.fullmatch(f"{URL}/-/healthy", lines[0]["health"])


def test_a_health_address_that_is_no_address_is_bad_usage(command_line: CommandLine) -> None:
    code, _, err = command_line("demo", LISTEN, "--web.health-address=10827")
    assert code == 2
    assert "--web.health-address: '10827' is not HOST:PORT" in err


def test_an_external_url_that_is_no_url_is_bad_usage(command_line: CommandLine) -> None:
    code, out, err = command_line("demo", LISTEN, "--web.external-url=proxy.example")
    assert (code, out) == (2, "")
    assert "--web.external-url: expected https://HOST or https://HOST/PATH" in err
