"""Words for values."""

from __future__ import annotations

import pytest

from exporter.model.details import SpeedLimit
from exporter.model.facts import Compared, ObjectCount
from exporter.model.task import ProjectKey
from exporter.views.text import (
    age,
    duration,
    exact_duration,
    lasting,
    load_outlook,
    moment,
    outlook,
    percent,
    plural,
    project_text,
    rows_of,
    trend,
)
from tests.lib.daemon import HOUR
from tests.lib.virtual_time import EPOCH


@pytest.mark.parametrize(
    ("seconds", "glance", "exact"),
    [
        (0, "0s", "0s"),
        (0.0004, "0s", "0.0004s"),
        (0.25, "0.25s", "0.25s"),
        (0.841, "0.84s", "0.841s"),
        (1, "1s", "1s"),
        (1.774, "1.8s", "1.774s"),
        (9.99, "10s", "9.99s"),
        (8.86137104, "8.9s", "8.861s"),
        (59.4, "59s", "59.4s"),
        (60, "1m", "60s"),
        (61, "1m1s", "61s"),
        (119.5, "2m", "119.5s"),
        (3599, "59m59s", "59m59s"),
        (3600, "1h", "1h"),
        (12_005, "3h20m", "3h20m5s"),
        (86_400, "1d", "1d"),
        (187_261.4, "2d4h", "2d4h1m1s"),
    ],
)
def test_durations(seconds: float, glance: str, exact: str) -> None:
    assert (duration(seconds), exact_duration(seconds)) == (glance, exact)


def test_an_age_is_in_whole_seconds_and_never_negative() -> None:
    assert [age(EPOCH - seconds, EPOCH) for seconds in (0.4, 12.6, -5)] == ["0s", "13s", "0s"]


def test_percents_are_those_of_the_cloud_and_100_only_at_the_end() -> None:
    assert [percent(number / 100) for number in range(101)] == [f"{number}%" for number in range(101)]
    assert percent(0.999) == "99%"


def test_a_moment_has_its_zone() -> None:
    assert moment(1_767_225_661.9) == "2026-01-01 00:01:01Z"


def test_counts_and_names() -> None:
    assert [plural(count, "task") for count in (0, 1, 2)] == ["0 tasks", "1 task", "2 tasks"]
    assert project_text(ProjectKey("acme", "cn-north-4", "payments")) == "acme/cn-north-4/payments"


@pytest.mark.parametrize(
    ("field", "value", "rows"),
    [
        ("speed_limits", (SpeedLimit(16, 4, 10 * 2**20),), [("speed limit", "10 MiB/s, 16:00 to 04:00 UTC")]),
        ("speed_limits", (SpeedLimit(16, 16, 2**20),), [("speed limit", "1 MiB/s, all day")]),
        ("speed_limits", (), [("speed limits", "none")]),
        ("full_ratio", 0.99999, [("full load", "99.999%")]),
        ("cpu_ratio", 0.57, [("cpu", "57%")]),
        ("memory_ratio", None, [("memory", "unknown")]),
        ("delay_seconds", 0.0, [("delay", "0s")]),
        ("delay_seconds", 119.5, [("delay", "119.5s")]),
        ("auto_stop_after_seconds", 14 * 86_400.0, [("auto stop after", "14d")]),
        ("disk_size_bytes", 512.0, [("disk size", "512 B")]),
        ("disk_size_bytes", 100.0 * 2**30, [("disk size", "100 GiB")]),
        ("disk_size_bytes", 2.0**70, [("disk size", "1.049e+06 PiB")]),
        ("apply_bytes_per_second", 1536.0, [("apply bytes", "1.5 KiB/s")]),
        ("apply_rows_per_second", 12_345_678.0, [("apply rows", "12345678/s")]),
        ("created_at", EPOCH, [("created", "2026-01-01 00:00:00Z, 1h ago")]),
        ("order_expires_at", EPOCH + 2 * HOUR, [("order expires", "2026-01-01 02:00:00Z, in 1h")]),
        ("source_up", False, [("source", "down")]),
        ("lifted", True, [("lifted", "yes")]),
        ("target_read_only", True, [("target configured read only", "yes")]),  # not the state of the target
        ("available_actions", frozenset({"RETRY", "PAUSE"}), [("available actions", "PAUSE, RETRY")]),
        ("available_actions", frozenset(), [("available actions", "none")]),
        ("different_rows", 1e7, [("different rows", "10000000")]),
        ("error_code", "DRS.M05004", [("error code", "DRS.M05004")]),
        ("stages", (("struct", 0.945), ("data", 0.0)), [("stages struct", "94.5%"), ("stages data", "0%")]),
        ("stages_remaining", (("data", 90.0),), [("stages remaining data", "90s")]),
        ("items", (("PASSED", 7),), [("items PASSED", "7")]),
        ("newest", (("error", EPOCH),), [("newest error", "2026-01-01 00:00:00Z, 1h ago")]),
        ("counts", (), [("counts", "none")]),
        (
            "types",
            (Compared("line", "SUCCESSFUL", consistent=False, different_rows=3.0, results=(("INCONSISTENT", 1),)),),
            [
                ("line status", "SUCCESSFUL"),
                ("line consistent", "no"),
                ("line finished", "unknown"),
                ("line different rows", "3"),
                ("line results INCONSISTENT", "1"),
            ],
        ),
        (
            "counts",
            (ObjectCount("table", 12.0, None), ObjectCount("event", 3.0, 0.0, "TRANSFER_WHEN_END")),
            [("table", "unknown of 12"), ("event", "0 of 3, moved at the end")],
        ),
        (
            "counts",
            (ObjectCount("view", 3.0, 2.0, "FAILED"),),
            [("view", "2 of 3, FAILED")],
        ),
    ],
)
def test_values(field: str, value: object, rows: list[tuple[str, str]]) -> None:
    assert rows_of(field, value, EPOCH + HOUR) == rows


@pytest.mark.parametrize(
    ("slope", "word"), [(0.5, "growing"), (-0.5, "shrinking"), (0.0, "steady"), (0.01, "steady"), (-0.01, "steady")]
)
def test_a_trend_is_a_word(slope: float, word: str) -> None:
    assert trend(slope) == word


def test_how_long_something_lasts_from_a_minute_on() -> None:
    assert [lasting(since, EPOCH) for since in (None, EPOCH, EPOCH - 59, EPOCH - 60, EPOCH - 7800)] == [
        "",
        "",
        "",
        " for 1m",
        " for 2h10m",
    ]


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ((None, None), []),
        ((-0.5, 720.0), ["shrinking", "caught up in 12m"]),
        ((0.5, None), ["growing"]),
        ((0.0, 0.0), ["steady"]),
    ],
)
def test_an_outlook_names_what_is_known(known: tuple[float | None, float | None], words: list[str]) -> None:
    assert outlook(*known) == words


@pytest.mark.parametrize(
    ("end", "remaining", "words"),
    [
        (EPOCH + HOUR, 60.0, "loaded in 1h"),
        (None, 60.0, "loaded in 1m (cloud's estimate)"),
        (None, None, ""),
    ],
)
def test_the_end_of_a_load_is_predicted_or_else_that_of_the_cloud(
    end: float | None, remaining: float | None, words: str
) -> None:
    assert load_outlook(end, remaining, EPOCH) == words
