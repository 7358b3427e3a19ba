"""The tables of the storage, by version of the schema."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

APPLICATION_ID = 0x44525345
"""Marks a file of this exporter."""

MIGRATIONS: Sequence[str] = (
    """
    CREATE TABLE runs (id INTEGER PRIMARY KEY, started_at REAL NOT NULL, alive_at REAL NOT NULL);
    CREATE TABLE events (
        id INTEGER PRIMARY KEY, at REAL NOT NULL, kind TEXT NOT NULL,
        account TEXT NOT NULL, region TEXT NOT NULL, project TEXT NOT NULL, task_id TEXT, task_name TEXT,
        detail TEXT NOT NULL
    );
    CREATE TABLE tasks (
        id INTEGER PRIMARY KEY,
        account TEXT NOT NULL, region TEXT NOT NULL, project TEXT NOT NULL, task_id TEXT NOT NULL,
        stored_at REAL NOT NULL, task_name TEXT, phase TEXT, phase_changed_at REAL, ended_at REAL,
        ready INTEGER, ready_since REAL, ready_until REAL, rules INTEGER,
        UNIQUE (account, region, project, task_id)
    );
    CREATE TABLE points (
        id INTEGER PRIMARY KEY, task INTEGER NOT NULL, at REAL NOT NULL,
        delay_seconds REAL, full_progress_ratio REAL, rows_per_second REAL, phase TEXT, ready INTEGER,
        UNIQUE (task, at)
    );
    CREATE TABLE members (
        wave TEXT NOT NULL,
        account TEXT NOT NULL, region TEXT NOT NULL, project TEXT NOT NULL, task_id TEXT NOT NULL,
        stored_at REAL NOT NULL, task_name TEXT NOT NULL, state TEXT NOT NULL, joined_at REAL NOT NULL,
        facts TEXT NOT NULL,
        PRIMARY KEY (wave, account, region, project, task_id)
    ) WITHOUT ROWID;
    CREATE TABLE waves (
        wave TEXT PRIMARY KEY, stored_at REAL NOT NULL, ready INTEGER NOT NULL, since REAL
    ) WITHOUT ROWID
    """,
)
"""The statements that lead from each version of the schema to the next; version 0 is an empty file.

A released version is never changed: a new one is added at the end.
"""


def migrate(connection: sqlite3.Connection, version: int) -> None:
    """Bring a file of an earlier version to the newest one, in one transaction."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in ";".join(MIGRATIONS[version:]).split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
