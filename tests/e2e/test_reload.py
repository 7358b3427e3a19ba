"""SIGHUP and POST /-/reload on a running daemon, under scrapes."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.e2e.programs import LISTEN, TIMEOUT, Exporter, account, configuration

LIFECYCLE = "--web.enable-lifecycle"
SUCCESS = "drs_exporter_config_last_reload_successful"
EVENT = "configuration reloaded"


def post(exporter: Exporter) -> httpx.Response:
    return exporter.get("/-/reload", method="POST")


def value(exporter: Exporter, name: str) -> str:
    text = exporter.get().text
    return next(line.split()[-1] for line in text.splitlines() if line.startswith(f"{name} "))


@contextmanager
def scraped(exporter: Exporter, shown: str) -> Iterator[list[str]]:
    """Scrape continuously; provides a list of the faults of all responses."""
    stop, faults = threading.Event(), list[str]()
    url = exporter.url

    def scrape() -> None:
        with httpx.Client(trust_env=False, timeout=TIMEOUT) as http:
            while not stop.is_set():
                try:
                    page, ready = http.get(f"{url}/metrics"), http.get(f"{url}/-/ready")
                except httpx.HTTPError as error:
                    faults.append(repr(error))
                    continue
                if page.status_code != 200 or ready.status_code != 200 or shown not in page.text:
                    faults.append(f"{page.status_code} {ready.status_code}\n{page.text}")

    thread = threading.Thread(target=scrape)
    thread.start()
    try:
        yield faults
    finally:
        stop.set()
        thread.join()


def test_reloads_by_signal_and_by_request_fail_no_scrape(
    start: Callable[..., Exporter], cloud: str, tmp_path: Path
) -> None:
    file = tmp_path / "config.yaml"
    single, both = account("prod", cloud, 0), account("prod", cloud, 0, 1)
    exporter = start(configuration(file, single), LISTEN, LIFECYCLE, "--log.format=json").ready()
    exporter.until(lambda: "drs_task_incremental_delay_seconds{" in exporter.get().text, "a delay")
    with scraped(exporter, "drs_task_incremental_delay_seconds{") as faults:
        for turn in range(10):
            configuration(file, both if turn % 2 == 0 else single)
            if turn % 4 < 2:
                assert post(exporter).status_code == 200
            else:
                exporter.send_signal(signal.SIGHUP)
            exporter.until(lambda: exporter.stderr.count(EVENT) == turn + 1, "the reload is logged")  # noqa: B023
    assert faults == []
    found = [line for line in map(json.loads, exporter.stderr.splitlines()) if line["event"] == EVENT]
    assert [(line["unchanged"], line["added"], line["removed"]) for line in found] == [(1, 1, 0), (1, 0, 1)] * 5
    exporter.ends_on(signal.SIGTERM)


def test_an_invalid_file_is_reported_to_the_client_and_the_old_one_stays_in_use(
    start: Callable[..., Exporter], cloud: str, tmp_path: Path
) -> None:
    file = tmp_path / "config.yaml"
    good = account("prod", cloud, 0)
    exporter = start(configuration(file, good), LISTEN, LIFECYCLE).ready()
    exporter.until(lambda: "drs_up{" in exporter.get().text, "a page of the first poll")
    configuration(file, {**good, "intervall": "hunter2"})
    with scraped(exporter, "drs_up{") as faults:
        response = post(exporter)
        assert response.status_code == 500
        assert "accounts[0].intervall" in response.text
        assert value(exporter, SUCCESS) == "0.0"
        configuration(file, good)
        assert (post(exporter).status_code, value(exporter, SUCCESS)) == (200, "1.0")
    assert faults == []
    (line,) = (line for line in exporter.stderr.splitlines() if "the old one stays in use" in line)
    assert "accounts[0].intervall" in line
    assert "hunter2" not in response.text + exporter.stderr


def test_the_demo_survives_a_reload(start: Callable[..., Exporter]) -> None:
    exporter = start("demo", LISTEN).ready()
    exporter.send_signal(signal.SIGHUP)
    exporter.until(lambda: "no configuration file: nothing to reload" in exporter.stderr, "it logs that it has no file")
    assert post(exporter).status_code == 403
    exporter.ends_on(signal.SIGTERM)
