"""The schema of the storage and its migrations."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from exporter.storage import schema
from exporter.storage.schema import APPLICATION_ID, MIGRATIONS, migrate


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        yield connection


def pragma(connection: sqlite3.Connection, name: str) -> int:
    value: int = connection.execute(f"PRAGMA {name}").fetchone()[0]
    return value


def test_an_empty_file_gets_the_newest_version(connection: sqlite3.Connection) -> None:
    migrate(connection, 0)
    assert pragma(connection, "user_version") == len(MIGRATIONS)
    assert pragma(connection, "application_id") == APPLICATION_ID
    assert not connection.in_transaction


def test_an_older_file_gets_only_the_later_migrations(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(connection, 0)
    monkeypatch.setattr(schema, "MIGRATIONS", (*MIGRATIONS, "ALTER TABLE waves ADD COLUMN note TEXT; SELECT 1"))
    migrate(connection, len(MIGRATIONS))
    assert connection.execute("SELECT note FROM waves").fetchall() == []
    assert pragma(connection, "user_version") == len(MIGRATIONS) + 1


def test_a_migration_that_fails_changes_nothing(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(connection, 0)
    monkeypatch.setattr(schema, "MIGRATIONS", (*MIGRATIONS, "CREATE TABLE more (id); CREATE TABLE runs (id)"))
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection, len(MIGRATIONS))
    assert pragma(connection, "user_version") == len(MIGRATIONS)
    assert connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'more'").fetchone() == (0,)
