"""The file in which events, times and history survive a restart of the exporter: what other packages import of it."""

from exporter.storage.records import NOTHING, Member, Restored, Run, TaskKey, TaskTimes, WaveTimes
from exporter.storage.storage import Storage
from exporter.storage.writer import SqliteStorage

__all__ = [
    "NOTHING",
    "Member",
    "Restored",
    "Run",
    "SqliteStorage",
    "Storage",
    "TaskKey",
    "TaskTimes",
    "WaveTimes",
]
