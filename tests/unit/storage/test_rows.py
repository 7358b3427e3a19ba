"""Rows of the storage: all records are read as they were written, and damaged ones are left out."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from exporter.model.events import MOST_EVENTS, Kind
from exporter.model.member_facts import UNKNOWN_FACTS, Finding, MemberFacts
from exporter.model.task import Phase
from exporter.storage import Member, TaskKey, TaskTimes, WaveTimes
from exporter.storage.rows import Batch, read_events, read_points, read_restored, write
from exporter.storage.schema import migrate
from tests.lib.storage import DAY, KEY, NOW, TASK, TIMES, event, events, point

FACTS = MemberFacts(
    *("mysql", None, "taurus", NOW - 90, None),
    (Finding("lines", "equal", NOW - 60), Finding("objects", "inconsistent", None)),
    ("phase",),
    ("log_error", "side_down"),
)


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection, 0)
        yield connection


def stored(connection: sqlite3.Connection, first_event: int = 1, **records: Any) -> None:
    write(connection, Batch(NOW, **records), first_event)


def test_all_records_are_restored(connection: sqlite3.Connection) -> None:
    events = (0, event(phase_before="full")), (1, event(kind=Kind.PROJECT_READABLE, task_id=None))
    member, wave = Member("orders", "ready", NOW - 5, FACTS), WaveTimes(ready=True, since=NOW - 5)
    points = (2, TASK, point()), (3, TASK, point(NOW + 60, ready=True, delay_seconds=None))
    stored(
        connection,
        events=events,
        times=((TASK, TIMES),),
        members=((("weekend", TASK), member),),
        waves=(("weekend", wave),),
        points=points,
    )
    restored = read_restored(connection, NOW + 60)
    assert restored.events == tuple(event for _, event in events)
    assert restored.times == {KEY: {"a": TIMES}}
    assert restored.members == {"weekend": {TASK: member}}
    assert restored.waves == {"weekend": wave}
    assert restored.points == {TASK: tuple(point for _, _, point in points)}
    assert restored.alive_at is None


@pytest.mark.parametrize("phase", Phase)
def test_unknown_times_are_restored_as_unknown(connection: sqlite3.Connection, phase: Phase) -> None:
    stored(connection, times=((TASK, TaskTimes("orders", phase)),))
    assert read_restored(connection, NOW).times == {KEY: {"a": TaskTimes("orders", phase)}}


def test_a_record_replaces_the_one_before_and_none_removes_it(connection: sqlite3.Connection) -> None:
    later = TIMES._replace(phase=Phase.ENDED, ready=None, ended_at=NOW)
    member, wave = Member("orders", "ready", NOW), WaveTimes(ready=False)
    for times in (TIMES, later):
        stored(connection, times=((TASK, times),), members=((("w", TASK), member),), waves=(("w", wave),))
    assert read_restored(connection, NOW).times[KEY]["a"] == later
    stored(connection, times=((TASK, None),), members=((("w", TASK), None),), waves=(("w", None),))
    restored = read_restored(connection, NOW)
    assert (restored.times, restored.members, restored.waves) == ({}, {}, {})


def test_a_removed_task_keeps_its_points(connection: sqlite3.Connection) -> None:
    stored(connection, times=((TASK, TIMES),), points=((1, TASK, point()),))
    stored(connection, times=((TASK, None),))
    assert read_points(connection, TASK, NOW, NOW) == [point()]


def test_a_batch_that_is_written_again_adds_nothing(connection: sqlite3.Connection) -> None:
    for _ in range(2):
        stored(connection, events=events(3), points=((1, TASK, point()),))
    assert connection.execute("SELECT count(*) FROM events").fetchone() == (3,)
    assert connection.execute("SELECT count(*) FROM points").fetchone() == (1,)


def test_only_the_newest_events_are_restored_in_their_order(connection: sqlite3.Connection) -> None:
    stored(connection, events=events(MOST_EVENTS + 5))
    restored = read_restored(connection, NOW).events
    assert len(restored) == MOST_EVENTS
    assert [restored[0].at, restored[-1].at] == [NOW + 5, NOW + MOST_EVENTS + 4]


def test_only_the_points_of_the_last_day_are_restored(connection: sqlite3.Connection) -> None:
    stored(connection, points=((1, TASK, point()), (2, TASK, point(NOW + DAY))))
    assert read_restored(connection, NOW + DAY + 1).points == {TASK: (point(NOW + DAY),)}
    assert read_restored(connection, NOW + 3 * DAY).points == {}


def test_points_before_the_last_hour_are_restored_in_steps_of_ten_minutes(connection: sqlite3.Connection) -> None:
    points = tuple((minute, TASK, point(NOW + 60 * minute, delay_seconds=minute)) for minute in range(180))
    stored(connection, points=points)
    restored = read_restored(connection, NOW + 180 * 60).points[TASK]
    assert [found.delay_seconds for found in restored] == [*range(0, 120, 10), *range(120, 180)]
    assert [round((found.at - NOW) / 60) for found in restored] == [*range(0, 120, 10), *range(120, 180)]


def test_events_of_a_time_are_read_ascending(connection: sqlite3.Connection) -> None:
    stored(connection, events=events(5))
    assert [found.at for found in read_events(connection, NOW + 1, NOW + 3)] == [NOW + 1, NOW + 2, NOW + 3]


def test_a_text_with_half_of_a_character_is_stored_with_a_question_mark(connection: sqlite3.Connection) -> None:
    odd = event(name_before="x\ud800")._replace(task_name="y\udfff")
    stored(connection, events=((0, odd),), times=((TaskKey(KEY, "\ud800"), TIMES._replace(task_name="z\ud800")),))
    restored = read_restored(connection, NOW)
    assert restored.events[0].task_name == "y?"
    assert restored.events[0].detail["name_before"] == "x\ud800"
    assert restored.times[KEY]["?"].task_name == "z?"


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE events SET kind = 'exploded'",
        "UPDATE events SET detail = '{'",
        "UPDATE events SET detail = '[]'",
        "UPDATE events SET detail = '{}'",
        'UPDATE events SET detail = \'{"phase_before": "incrementam"}\'',
        "UPDATE events SET detail = replace(hex(zeroblob(50000)), '0', '[')",
        "UPDATE events SET detail = '{\"a\": 1}'",
        "UPDATE events SET at = 'yesterday'",
        "UPDATE events SET at = -1",
        "UPDATE events SET at = 1e300",
        "UPDATE events SET account = x'00ff'",
        "UPDATE events SET task_name = x'00ff'",
        "UPDATE tasks SET phase = 'asleep'",
        "UPDATE tasks SET ready = 2",
        "UPDATE tasks SET ready_since = 'x'",
        "UPDATE tasks SET task_id = x'00'",
        "UPDATE points SET at = 'x'",
        "UPDATE points SET phase = 'x'",
        "UPDATE points SET delay_seconds = -1",
        "UPDATE points SET ready = 'x'",
        "UPDATE members SET joined_at = 'x'",
        "UPDATE members SET state = x'00'",
        "UPDATE waves SET ready = 5",
        "UPDATE waves SET since = 'x'",
        "UPDATE runs SET alive_at = 'x'",
    ],
)
def test_a_damaged_row_is_left_out(connection: sqlite3.Connection, damage: str) -> None:
    stored(
        connection,
        events=events(1),
        times=((TASK, TIMES),),
        points=((1, TASK, point()),),
        members=((("w", TASK), Member("orders", "ready", NOW)),),
        waves=(("w", WaveTimes(ready=True)),),
    )
    connection.executemany("INSERT INTO runs (started_at, alive_at) VALUES (?, ?)", [(NOW, NOW), (NOW, NOW)])
    whole = read_restored(connection, NOW)
    connection.execute(damage)
    damaged = read_restored(connection, NOW)
    parts = ("events", "times", "points", "members", "waves", "alive_at")
    changed = {part for part in parts if getattr(damaged, part) != getattr(whole, part)}
    assert damage.split()[1].replace("tasks", "times").replace("runs", "alive_at") in changed
    assert changed <= {damage.split()[1], "times", "points", "alive_at"}
    for part in changed:
        assert not getattr(damaged, part)


@pytest.mark.parametrize(
    "facts", ["", "{", "[]", "{}", "null", "[1, 2, 3, 4, 5, 6, 7, 8]", "[null, null, null, -1, null, [], [], []]"]
)
def test_a_member_whose_facts_are_damaged_is_a_member(connection: sqlite3.Connection, facts: str) -> None:
    stored(connection, members=((("w", TASK), Member("orders", "ready", NOW, FACTS)),))
    connection.execute("UPDATE members SET facts = ?", (facts,))
    assert read_restored(connection, NOW).members == {"w": {TASK: Member("orders", "ready", NOW, UNKNOWN_FACTS)}}
