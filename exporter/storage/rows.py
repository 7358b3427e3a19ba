"""Rows of the tables: how records are written and read. A row that cannot be read is left out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from exporter.model.event_details import check_details
from exporter.model.events import MOST_EVENTS, Event, Kind
from exporter.model.member_facts import UNKNOWN_FACTS, Finding, MemberFacts
from exporter.model.task import Phase, ProjectKey
from exporter.model.timeline import DAY, HOUR, Point, step_of
from exporter.storage.records import Member, Restored, Run, TaskKey, TaskTimes, WaveTimes

if TYPE_CHECKING:
    import sqlite3

T = TypeVar("T")

_PROJECT = "account, region, project"
_TIMES = "task_name, phase, phase_changed_at, ended_at, ready, ready_since, ready_until, rules"
_POINT = "at, delay_seconds, full_progress_ratio, rows_per_second, phase, ready"
_EVENT = f"at, kind, {_PROJECT}, task_id, task_name, detail"


class Batch(NamedTuple):
    """Records that are written in one transaction.

    Args:
        now: Unix time.
        events: with their numbers, which are the same if a batch is written again.
        points: of the history of tasks, each with its number in the process.
        times: by task; None removes them.
        members: by wave and task; None removes one.
        waves: by name; None removes one.
        step: seconds by which the clock of the host has been set forward since the start of the process.
    """

    now: float
    events: tuple[tuple[int, Event], ...] = ()
    points: tuple[tuple[int, TaskKey, Point], ...] = ()
    times: tuple[tuple[TaskKey, TaskTimes | None], ...] = ()
    members: tuple[tuple[tuple[str, TaskKey], Member | None], ...] = ()
    waves: tuple[tuple[str, WaveTimes | None], ...] = ()
    step: float = 0.0


def write(connection: sqlite3.Connection, batch: Batch, first_event: int) -> None:
    """Write the records of a batch; `first_event` is the row of the event with the number 0."""
    connection.executemany(
        f"INSERT OR IGNORE INTO events (id, {_EVENT}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (first_event + number, *_encodable(event[:-1]), json.dumps(dict(event.detail)))
            for number, event in batch.events
        ),
    )
    _write_times(connection, batch)
    _write_points(connection, batch)
    _write_waves(connection, batch)


def _write_times(connection: sqlite3.Connection, batch: Batch) -> None:
    names = _TIMES.split(", ")
    updates = ", ".join(f"{name} = excluded.{name}" for name in ("stored_at", *names))
    absent = (None,) * len(names)
    connection.executemany(
        f"INSERT INTO tasks ({_PROJECT}, task_id, stored_at, {_TIMES}) VALUES (?, ?, ?, ?, ?{', ?' * len(names)}) "
        f"ON CONFLICT DO UPDATE SET {updates}",
        (_encodable((*key.project, key.task_id, batch.now, *(times or absent))) for key, times in batch.times),
    )


def _write_points(connection: sqlite3.Connection, batch: Batch) -> None:
    owners = dict.fromkeys(key for _, key, _ in batch.points)
    connection.executemany(
        f"INSERT OR IGNORE INTO tasks ({_PROJECT}, task_id, stored_at) VALUES (?, ?, ?, ?, ?)",
        (_encodable((*key.project, key.task_id, batch.now)) for key in owners),
    )
    connection.executemany(
        f"INSERT OR IGNORE INTO points (task, {_POINT}) "
        "SELECT id, ?, ?, ?, ?, ?, ? FROM tasks WHERE account = ? AND region = ? AND project = ? AND task_id = ?",
        (_encodable((*point, *key.project, key.task_id)) for _, key, point in batch.points),
    )


def _write_waves(connection: sqlite3.Connection, batch: Batch) -> None:
    for (wave, key), member in batch.members:
        where = _encodable((wave, *key.project, key.task_id))
        if member is None:
            connection.execute(
                "DELETE FROM members WHERE wave = ? AND account = ? AND region = ? AND project = ? AND task_id = ?",
                where,
            )
        else:
            connection.execute(
                "INSERT OR REPLACE INTO members VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*where, batch.now, *_encodable((*member[:-1], json.dumps(member.facts)))),
            )
    for wave, times in batch.waves:
        if times is None:
            connection.execute("DELETE FROM waves WHERE wave = ?", (wave,))
        else:
            connection.execute("INSERT OR REPLACE INTO waves VALUES (?, ?, ?, ?)", (wave, batch.now, *times))


def read_restored(connection: sqlite3.Connection, now: float) -> Restored:
    """Read what a new process needs of an earlier one."""
    times: dict[ProjectKey, dict[str, TaskTimes]] = {}
    rows = connection.execute(f"SELECT {_PROJECT}, task_id, {_TIMES} FROM tasks WHERE phase IS NOT NULL")
    for key, value in _valid(rows, lambda row: (_key_of(row), _times_of(row[4:]))):
        times.setdefault(key.project, {})[key.task_id] = value
    rows = connection.execute("SELECT wave, ready, since FROM waves")
    waves = dict(_valid(rows, lambda row: (_text(row[0]), _wave_of(row[1:]))))
    events = connection.execute(f"SELECT {_EVENT} FROM events ORDER BY id DESC LIMIT ?", (MOST_EVENTS,))
    runs = connection.execute("SELECT alive_at FROM runs ORDER BY id DESC LIMIT 1 OFFSET 1")  # the last one is this
    return Restored(
        times,
        read_members(connection),
        waves,
        tuple(_valid(events, _event_of))[::-1],
        _recent_points(connection, now),
        next(_valid(runs, lambda row: _time(row[0])), None),
    )


def read_members(connection: sqlite3.Connection) -> dict[str, dict[TaskKey, Member]]:
    """Read the members of waves, by the name of the wave."""
    members: dict[str, dict[TaskKey, Member]] = {}
    rows = connection.execute(f"SELECT {_PROJECT}, task_id, wave, task_name, state, joined_at, facts FROM members")
    for key, wave, member in _valid(rows, lambda row: (_key_of(row), _text(row[4]), _member_of(row[5:]))):
        members.setdefault(wave, {})[key] = member
    return members


def _recent_points(connection: sqlite3.Connection, now: float) -> dict[TaskKey, tuple[Point, ...]]:
    """Return the points of the last hour, and before that in longer steps as far as a timeline shows them."""
    found: dict[TaskKey, tuple[Point, ...]] = {}
    owners = connection.execute(
        f"SELECT id, {_PROJECT}, task_id FROM tasks "
        "WHERE EXISTS (SELECT 1 FROM points WHERE task = tasks.id AND at >= ?)",
        (now - DAY,),
    )
    for row, key in _valid(owners.fetchall(), lambda row: (row[0], _key_of(row[1:]))):
        earlier = connection.execute(
            f"SELECT min(at), {_POINT.removeprefix('at, ')} FROM points WHERE task = ? AND at >= ? AND at < ? "
            "GROUP BY CAST(at / ? AS INTEGER) ORDER BY at",
            (row, now - DAY, now - HOUR, step_of(DAY)),
        )
        if points := (*_valid(earlier, _point_of), *_points_of(connection, row, now - HOUR, None)):
            found[key] = points
    return found


def _points_of(connection: sqlite3.Connection, row: int, since: float, until: float | None) -> list[Point]:
    """Read the points of the task with this row in `tasks`, ascending."""
    rows = connection.execute(
        f"SELECT {_POINT} FROM points WHERE task = ? AND at >= ? AND (? IS NULL OR at <= ?) ORDER BY at",
        (row, since, until, until),
    )
    return [*_valid(rows, _point_of)]


def read_points(connection: sqlite3.Connection, key: TaskKey, since: float, until: float) -> list[Point]:
    """Read the history of a task, ascending."""
    found = connection.execute(
        "SELECT id FROM tasks WHERE account = ? AND region = ? AND project = ? AND task_id = ?",
        _encodable((*key.project, key.task_id)),
    ).fetchone()
    return [] if found is None else _points_of(connection, found[0], since, until)


def read_events(connection: sqlite3.Connection, since: float, until: float) -> list[Event]:
    """Read the events of a time, ascending."""
    rows = connection.execute(f"SELECT {_EVENT} FROM events WHERE at >= ? AND at <= ? ORDER BY id", (since, until))
    return [*_valid(rows, _event_of)]


def read_runs(connection: sqlite3.Connection, since: float, until: float) -> list[Run]:
    """Read the runs that overlap a time, ascending."""
    rows = connection.execute(
        "SELECT started_at, alive_at FROM runs WHERE alive_at >= ? AND started_at <= ? ORDER BY id", (since, until)
    )
    return [*_valid(rows, lambda row: Run(_time(row[0]), _time(row[1])))]


def _encodable(values: Iterable[object]) -> tuple[object, ...]:
    """Return values for SQLite: a text of the cloud may contain half of a character, which UTF-8 lacks."""
    return tuple(value.encode(errors="replace").decode() if isinstance(value, str) else value for value in values)


def _valid(rows: Iterable[Any], convert: Callable[[Any], T]) -> Iterator[T]:
    """Convert rows; those with a value of the wrong type are left out: a damaged file may contain anything."""
    for row in rows:
        try:
            yield convert(row)
        except (ValueError, TypeError, RecursionError):
            continue


def _event_of(row: Any) -> Event:
    """Convert a row to an event; raises ValueError or TypeError."""
    at, kind, account, region, project, task_id, task_name, text = row
    detail = json.loads(text)
    if not isinstance(detail, dict):
        raise TypeError
    names = (_text(account), _text(region), _text(project), _text_or_none(task_id), _text_or_none(task_name))
    event = Event(_time(at), Kind(kind), *names, {_text(name): _text(value) for name, value in detail.items()})
    check_details(event)
    return event


def _key_of(row: Any) -> TaskKey:
    return TaskKey(ProjectKey(*map(_text, row[:3])), _text(row[3]))


def _times_of(row: Any) -> TaskTimes:
    name, phase, changed, ended, ready, since, until, rules = row
    observed = _time_or_none(changed), _time_or_none(ended), _flag(ready)
    verdict = _time_or_none(since), _time_or_none(until)
    return TaskTimes(_text(name), Phase(phase), *observed, *verdict, rules if isinstance(rules, int) else None)


def _point_of(row: Any) -> Point:
    at, delay, ratio, rate, phase, ready = row
    numbers = _number_or_none(delay), _number_or_none(ratio), _number_or_none(rate)
    return Point(_time(at), *numbers, None if phase is None else Phase(phase), _flag(ready))


def _member_of(row: Any) -> Member:
    return Member(_text(row[0]), _text(row[1]), _time(row[2]), _facts_of(row[3]))


def _facts_of(text: object) -> MemberFacts:
    """Convert the facts of a member; without facts that cannot be read it is a member all the same."""
    try:
        engine, source, target, started, ended, findings, checked, unchecked = json.loads(_text(text))
        return MemberFacts(
            *(_text_or_none(engine), _text_or_none(source), _text_or_none(target)),
            *(_time_or_none(started), _time_or_none(ended)),
            tuple(Finding(_text(kind), _text(result), _time_or_none(at)) for kind, result, at in findings),
            tuple(map(_text, checked)),
            tuple(map(_text, unchecked)),
        )
    except (ValueError, TypeError, RecursionError):
        return UNKNOWN_FACTS


def _wave_of(row: Any) -> WaveTimes:
    return WaveTimes(bool(_flag(row[0])), _time_or_none(row[1]))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _text_or_none(value: object) -> str | None:
    return None if value is None else _text(value)


def _time(value: object) -> float:
    if not isinstance(value, float | int) or not 0 <= value < 1e11:  # noqa: PLR2004 - the year 5138
        raise ValueError
    return float(value)


def _time_or_none(value: object) -> float | None:
    return None if value is None else _time(value)


def _number_or_none(value: object) -> float | None:
    """Return a number that is not negative."""
    return None if value is None else _time(value)


def _flag(value: object) -> bool | None:
    if value not in {None, 0, 1}:
        raise ValueError
    return None if value is None else bool(value)
