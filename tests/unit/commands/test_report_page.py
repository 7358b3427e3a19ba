"""The report of a wave as one HTML file."""

from __future__ import annotations

import re
from datetime import UTC, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from exporter.commands.report_document import Report
from exporter.commands.report_page import report_html
from exporter.model.events import Kind
from exporter.model.facts import Objects
from exporter.model.spans import Period
from exporter.model.task import Phase
from exporter.model.timeline import Point
from exporter.model.waves import Stage, WaveState
from exporter.views.report import report_json
from tests.lib.reports import (
    HOUR,
    NIGHT,
    START,
    document,
    event,
    exposed,
    failed,
    moved,
    points,
    recorded,
    task_record,
    wave_record,
)

HOSTILE = "<script>alert(1)</script>"
DOWN = recorded(Period(START, START + 6 * HOUR), Period(START + 6.35 * HOUR, NIGHT.end))


def html(*tasks: Any, zone: tzinfo = UTC, **wave: Any) -> str:
    return report_html(document(wave_record(*tasks, **wave)), zone)


def text(*tasks: Any, **options: Any) -> str:
    """The words of the page."""
    body = re.sub(r"(?s)<style>.*?</style>|<title>.*?</title>", "", html(*tasks, **options))
    words = re.sub(r"<[^>]*>", " ", body).replace("&#8211;", "\u2013").replace("&#8594;", "→")
    return " ".join(words.split())


def row(state: WaveState, *arguments: Any, **options: Any) -> str:
    """The cells of the table for signing of one task."""
    page = html((state, task_record(*arguments, **options)))
    (body,) = re.findall(r'(?s)<td colspan|<tbody>\n<tr>\n<th scope="row"><a.*?</tr>', page)
    return " ".join(re.sub(r"<[^>]*>", " ", body).replace("&#8211;", "\u2013").replace("&#8594;", "→").split())


def test_the_file_needs_no_other_file_and_runs_no_script() -> None:
    page = html((WaveState.ENDED, moved("a", "orders", DOWN)), at=DOWN)
    assert not re.search(r"<script|<img|<iframe|@import|src=|https?://|javascript:", page)
    assert re.findall(r'href="([^#"][^"]*)"', page) == ["data:,"]
    assert "default-src 'none'" in page


def test_the_file_is_ascii() -> None:
    name = "Aufträge-\ud800-\u202e"
    assert html((WaveState.ENDED, moved("a", name, recorded()))).isascii()


def test_hostile_names_are_text() -> None:
    page = html((WaveState.BLOCKED, failed('"><b onclick=x>', HOSTILE, recorded())), name=HOSTILE)
    assert HOSTILE not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<b onclick" not in page


def test_control_characters_of_names_are_shown_as_escapes() -> None:
    assert r"x\u202egnp" in html((WaveState.ENDED, moved("a", "x\u202egnp", recorded())))


def test_the_head_shows_the_times_of_the_wave() -> None:
    words = text(expected=12)
    assert "From 2026-12-05 12:00:00Z Until 2026-12-06 00:00:00Z" in words
    assert "Written 2026-12-06 00:00:00Z, after the end of the wave" in words
    assert "times in UTC" in words
    assert "12 tasks were expected, 0 are known." in words


def test_a_wave_without_times_has_no_beginning_and_no_end() -> None:
    words = text(starts_at=None, ends_at=None, stage=Stage.RUNNING)
    assert "From no beginning set Until no end set" in words
    assert "while the wave runs" in words


def test_times_have_the_offset_of_the_zone() -> None:
    words = text((WaveState.ENDED, moved("a", "a", recorded())), zone=ZoneInfo("Europe/Berlin"))
    assert "From 2026-12-05 13:00:00+01:00" in words
    assert "times in Europe/Berlin" in words
    assert "Tasks times in Europe/Berlin" in words
    assert "Dec 5 17:00 , Dec 5 21:00" in words


def test_a_time_in_which_the_exporter_did_not_run_is_named() -> None:
    words = text(at=DOWN)
    assert "From 2026-12-05 18:00:00Z to 2026-12-05 18:21:00Z (21m) nothing was recorded" in words
    assert "Not observed 21m" in words


def test_the_time_before_the_first_run_has_no_history() -> None:
    at = recorded(Period(START + HOUR, NIGHT.end))
    words = text(at=at, stored=False)
    assert "There is no history before 2026-12-05 13:00:00Z" in words
    assert "in memory, without storage" in words
    assert "nothing was recorded" not in words


def test_without_any_run_nothing_is_recorded() -> None:
    at = recorded(Period(START - 2 * HOUR, START - HOUR))
    assert "The exporter has recorded nothing about this time." in text(at=at)


def test_a_report_of_the_storage_alone_is_marked() -> None:
    assert "It is read from the storage alone" in text(live=False)
    assert "It is read from the storage alone" not in text()


def test_ids_that_no_task_has_are_named() -> None:
    assert "No task has these ids of the configuration: x and y." in text(missing_ids=("x", "y"))


def test_the_row_of_a_task_that_was_moved() -> None:
    page = html((WaveState.ENDED, moved("a", "orders", recorded())))
    cells = re.findall(r'(?s)<td data-name="([^"]*)"[^>]*>(.*?)</td>', page)
    found = {name: " ".join(re.sub(r"<[^>]*>", " ", cell).split()) for name, cell in cells[:6]}
    assert found == {
        "Full load": "1h54m",
        "Comparison": "lines: equal Dec 5 15:30",
        "Delay at ready, maximum": "1.2s, 30m1s",
        "First ready, last ready": "Dec 5 16:00 , Dec 5 20:00",
        "Ended": "Dec 5 20:06",
        "Result": "ended after it was ready",
    }


@pytest.mark.parametrize(
    ("state", "options", "result"),
    [
        (WaveState.ENDED, {}, "ended; not seen ready"),
        (WaveState.READY, {}, "ready, not ended"),
        (WaveState.FAILED, {}, "failed"),
        (WaveState.EXCLUDED, {}, "not judged: standby or dual-active"),
        (WaveState.UNKNOWN, {}, "not known"),
        (WaveState.BLOCKED, {}, "blocked: reason not known"),
        (
            WaveState.BLOCKED,
            {"task": exposed(blockers=(("delay_high", True), ("newer", True)))},
            "blocked: delay, newer",
        ),
    ],
)
def test_the_result_of_a_task(state: WaveState, options: dict[str, Any], result: str) -> None:
    assert row(state, **options).endswith(result)


@pytest.mark.parametrize(
    ("options", "load"),
    [
        ({"task": exposed(objects=Objects(started_at=START, full_completed_at=START + 90))}, "1m30s"),
        (
            {"events": [event(1, Kind.PHASE_CHANGED, phase_before="full", phase="incremental")]},
            "complete; start not known",
        ),
        ({"history": [Point(START, full_progress_ratio=0.42)]}, "42% complete"),
        ({"history": [Point(START, full_progress_ratio=1.0)]}, "complete; times not known"),
        ({}, "\u2013"),
    ],
    ids=["by the cloud", "only the end", "unfinished", "only the ratio", "unknown"],
)
def test_the_full_load_of_a_task(options: dict[str, Any], load: str) -> None:
    assert load in row(WaveState.READY, **options)


def test_a_beginning_that_was_not_observed_is_marked() -> None:
    record = task_record(history=points(1, 12, Phase.INCREMENTAL, ready=True))
    words = text((WaveState.READY, record))
    assert "by Dec 5 13:00" in words
    assert "incremental by 2026-12-05 13:00:00Z at least 11h" in words


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (task_record(), "What was checked is not known: no verdict is known."),
        (task_record(events=[event(1, Kind.READY)]), "Each check was made at least once."),
        (
            task_record(events=[event(1, Kind.READY, unchecked="log_error,newer")]),
            "Not checked in any known verdict: log and newer.",
        ),
    ],
)
def test_checks_that_were_never_made_are_named(record: Any, words: str) -> None:
    assert words in text((WaveState.READY, record))


def test_incidents_are_counted_and_marked() -> None:
    page = html((WaveState.BLOCKED, failed("a", "billing", recorded())))
    assert page.count('<li class="incident">') == 3
    assert "formerly billing-old" in page
    assert "Changes, with 3 incidents" in page


def test_a_task_without_a_delay_has_no_plot() -> None:
    assert "No delay is known." in text((WaveState.UNKNOWN, task_record()))
    assert "None was observed." in text((WaveState.UNKNOWN, task_record()))


def test_a_wave_without_tasks_has_an_empty_table() -> None:
    assert "The wave has no task." in text()


def test_changes_of_the_projects_are_listed() -> None:
    words = text(events=[event(7, Kind.PROJECT_UNREADABLE, None, error="timeout")])
    assert "Project prod/eu-de/payments became unreadable" in words


def test_there_are_lines_for_signatures() -> None:
    assert text().count("Signature") == 3


def test_a_document_without_a_length_of_time_is_refused() -> None:
    content = {**report_json(wave_record()), "end_timestamp_seconds": START}
    with pytest.raises(ValidationError):
        Report.model_validate(content)


def test_a_phase_before_a_gap_may_have_lasted_longer() -> None:
    words = text((WaveState.ENDED, moved("a", "orders", DOWN)), at=DOWN)
    assert "incremental 2026-12-05 14:00:00Z at least 4h" in words
    assert "ending 2026-12-05 20:00:00Z 6m" in words


def test_an_end_that_was_found_after_a_restart_is_marked() -> None:
    events = [event(6.36, Kind.ENDED, phase_before="incremental")]
    record = task_record(events=events, history=points(0, 6, Phase.INCREMENTAL), at=DOWN)
    assert "Ended; not seen ready, by 2026-12-05 18:21:36Z." in text((WaveState.ENDED, record), at=DOWN)
