"""`drs-exporter report`: from a running exporter, and from a storage without one."""

from __future__ import annotations

import argparse
import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from exporter.commands.main import main
from exporter.commands.outcome import Outcome
from exporter.commands.remote import NotFoundError, Remote
from exporter.commands.report import as_json, html_in, report_at, report_of, zone_of
from exporter.config import Config, ConfigError, NotReadyError
from tests.lib.commands import config_file
from tests.lib.daemon import cloud_of, config_of, polling, sim_task
from tests.lib.remote import URL, running
from tests.lib.virtual_time import EPOCH, simulate, simulated

HTML = html_in(UTC)
WAVE = {"name": "weekend-1", "include": [{"name": "orders.*"}]}
MINUTE = 60.0


def config(path: Path | None = None, **wave: Any) -> Config:
    storage: dict[str, Any] = {} if path is None else {"storage": {"path": str(path)}}
    return config_of("v3", ("tasks", "progress"), waves=[{**WAVE, **wave}], **storage)


def at(seconds: float) -> str:
    return datetime.fromtimestamp(EPOCH + seconds, UTC).isoformat()


@simulated
async def remote_report(name: str = "weekend-1", form: Any = HTML, settings: Config | None = None) -> Outcome:
    async with running(cloud_of(sim_task("orders-1")), settings or config()) as transport:
        return await report_at(Remote(URL, None, transport), name, form)


@simulated
async def stored_report(path: Path, away: float = 0.0, form: Any = as_json, **wave: Any) -> Outcome:
    async with polling(cloud_of(sim_task("orders-1")), config(path, **wave)) as exporter:
        await asyncio.sleep(10 * MINUTE)
        now = exporter.now()
    return await report_of(config(path, **wave), "weekend-1", form, now + away)


def test_the_report_of_a_running_exporter_is_html() -> None:
    outcome = remote_report()
    assert (outcome.code, outcome.notes) == (0, ())
    assert outcome.text.lstrip().startswith("<!doctype html>")
    assert "orders-1" in outcome.text


def test_the_report_as_json_is_the_document() -> None:
    document = json.loads(remote_report(form=as_json).text)
    assert document["tasks"][0]["task_name"] == "orders-1"


def test_a_wave_that_the_exporter_does_not_have_is_an_error_with_its_reason() -> None:
    with pytest.raises(NotFoundError, match=r"No wave has this name\.$"):
        remote_report("other")


def test_a_wave_that_has_not_begun_is_an_error_with_its_reason() -> None:
    with pytest.raises(NotFoundError, match=r"there is nothing to report\.$"):
        remote_report(settings=config(None, **{"from": at(3600)}))


def test_the_report_of_a_storage_lacks_the_members_of_an_earlier_run_of_the_wave(tmp_path: Path) -> None:
    stored_report(tmp_path)
    again = config(tmp_path, **{"from": at(20 * MINUTE)})
    outcome = simulate(report_of(again, "weekend-1", as_json, EPOCH + 30 * MINUTE))
    assert json.loads(outcome.text)["tasks"] == []


def test_the_report_of_a_storage_needs_no_exporter(tmp_path: Path) -> None:
    outcome = stored_report(tmp_path, 3600.0, **{"from": at(0)})
    document = json.loads(outcome.text)
    assert (outcome.code, document["live"], document["stored"]) == (0, False, True)
    (gap,) = document["gaps"]
    assert gap["end_timestamp_seconds"] - gap["start_timestamp_seconds"] == pytest.approx(3600, abs=15)


def test_the_report_of_a_storage_beside_a_running_exporter_has_no_gap(tmp_path: Path) -> None:
    assert json.loads(stored_report(tmp_path, 5.0, **{"from": at(0)}).text)["gaps"] == []


def test_the_report_of_a_storage_leaves_its_files_as_they_are(tmp_path: Path) -> None:
    stored_report(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    outcome = asyncio.run(report_of(config(tmp_path), "weekend-1", as_json, EPOCH + 11 * MINUTE))
    assert outcome.code == 0
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@simulated
async def failing(settings: Config, name: str = "weekend-1") -> Outcome:
    return await report_of(settings, name, as_json, EPOCH)


def test_a_wave_that_the_configuration_does_not_have_is_named() -> None:
    assert failing(config(), "other") == Outcome(1, notes=("the configuration has no wave 'other' (waves: weekend-1)",))


def test_a_planned_wave_has_no_report(tmp_path: Path) -> None:
    stored_report(tmp_path)
    outcome = failing(config(tmp_path, **{"from": at(3600)}))
    assert (outcome.code, outcome.text) == (1, "")
    assert outcome.notes[0].endswith("there is nothing to report.")


def test_without_a_storage_the_url_is_needed() -> None:
    with pytest.raises(ConfigError, match=r"no storage\.path: .* use --url"):
        failing(config())


def test_a_storage_that_was_never_used_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotReadyError, match=r"does not exist: no exporter has used this storage\.path"):
        failing(config(tmp_path))


def test_a_storage_that_is_damaged_is_named(tmp_path: Path) -> None:
    stored_report(tmp_path)
    (path,) = tmp_path.glob("*.db")
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(NotReadyError, match="cannot be read: it is damaged"):
        failing(config(tmp_path))


def test_the_source_of_the_report_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "--wave=weekend-1"]) == 2
    assert "name the running exporter with --url" in capsys.readouterr().err


def test_the_configuration_of_an_exporter_is_read_from_its_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", "--wave=weekend-1", config_file(tmp_path)]) == 1
    assert "the configuration has no wave 'weekend-1' (waves: none)" in capsys.readouterr().err


def test_an_exporter_that_does_not_respond_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "--wave=weekend-1", "--url=http://127.0.0.1:1"]) == 1
    assert "http://127.0.0.1:1: " in capsys.readouterr().err


@pytest.mark.parametrize("name", ["Mars/Olympus", "../etc/passwd", ""])
def test_a_zone_that_does_not_exist_is_refused(name: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="no time zone"):
        zone_of(name)


def test_a_zone_has_the_name_of_a_place() -> None:
    assert zone_of("UTC") is UTC
    assert zone_of("Europe/Berlin") == ZoneInfo("Europe/Berlin")
