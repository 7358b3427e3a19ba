"""The document of a wave for commands: of a running exporter, or of an exporter in this process."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from exporter.commands.documents import WaveNames, WaveTable
from exporter.commands.lookup import no_wave
from exporter.commands.remote import NotFoundError, Remote
from exporter.config import NotReadyError
from exporter.daemon.exporter import Exporter
from exporter.views.waves import member_json, wave_json
from exporter.web.waves import find_wave

_NOT_IN_HEAD = {"now_timestamp_seconds", "members", "events", "events_since_timestamp_seconds"}
"""The keys of a wave that a table of its tasks repeats or lacks."""


class NoWaveError(NotReadyError):
    """No wave has the name; the message names those that are similar."""


async def wave_at(remote: Remote, name: str) -> dict[str, Any]:
    """Return the document of a wave of a running exporter; raises `NoWaveError` and `RemoteError`."""
    try:
        document = await remote.wave(name)
    except NotFoundError:
        names = remote.parsed(WaveNames, await remote.waves())  # raises the reason if there are none, with shards
        raise NoWaveError(no_wave(name, [wave.name for wave in names.waves])) from None
    remote.parsed(WaveTable, document)
    return document


def wave_of(exporter: Exporter, name: str) -> dict[str, Any]:
    """Return the document of a wave of an exporter in this process; raises `NoWaveError`."""
    found, now = find_wave(exporter, name, exporter.events.find()), exporter.now()
    if found is None:
        raise NoWaveError(no_wave(name, exporter.waves.names))
    members = [member_json(member, now) for member in found.members]
    return {"now_timestamp_seconds": now, **wave_json(found, now), "members": members}


def of_wave(document: Mapping[str, Any], wave: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document of all tasks with the members of a wave and their subtasks only, and with the wave."""
    members = {member["task_id"]: member for member in wave["members"]}
    rows = {task["task_id"]: task for task in document["tasks"]}
    chosen = _with_subtasks(members, document["tasks"])
    tasks = [_in_wave(task, members.get(task_id)) for task_id, task in rows.items() if task_id in chosen]
    tasks += [member for task_id, member in members.items() if task_id not in rows]  # of which nothing is known
    keys = {_key(task) for task in tasks}
    projects = [project for project in document["projects"] if _key(project) in keys or project["up"] is not True]
    head = {name: value for name, value in wave.items() if name not in _NOT_IN_HEAD}
    return {**document, "wave": head, "projects": projects, "tasks": tasks}


def _in_wave(task: Mapping[str, Any], member: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Return a task with its state in the wave; a subtask has none."""
    return task if member is None else {**task, "state": member["state"], "cells": member["cells"]}


def _with_subtasks(ids: Iterable[str], tasks: Iterable[Mapping[str, Any]]) -> set[str]:
    """Return ids of tasks, and of the subtasks below them."""
    below: dict[str | None, list[str]] = {}
    for task in tasks:
        below.setdefault(task["parent_id"], []).append(task["task_id"])
    found, left = set[str](), [*ids]
    while left:
        if (task_id := left.pop()) not in found:
            found.add(task_id)
            left += below.get(task_id, ())
    return found


def _key(row: Mapping[str, Any]) -> tuple[str, str, str]:
    return row["account"], row["region"], row["project"]
