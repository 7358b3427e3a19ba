"""The waves as JSON: /api/v1/waves, and /api/v1/waves/NAME with the members and their events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from exporter.model.events import Event, Kind
from exporter.model.task import Identity, ProjectKey, Task
from exporter.model.waves import WaveMember, WaveState
from exporter.runtime.turns import in_turns
from exporter.views.events import event_json, sentence
from exporter.views.waves import SHARDED, SHOWN_BY_PHASE, WORST_FIRST, MemberView, WaveView, member_json, wave_json
from exporter.web.responses import json_list_response, json_response

if TYPE_CHECKING:
    from exporter.web.app import Served

NO_WAVE = "No wave has this name."
_MOST_EVENTS = 100


def why_missing(exporter: Served) -> str:
    """Return why there is no wave of a name, as a sentence."""
    return SHARDED if exporter.waves.sharded else NO_WAVE


def find_wave(exporter: Served, name: str, events: Iterable[Event]) -> WaveView | None:
    """Return a wave with its members; None without one of this name, and with shards.

    Args:
        exporter: contains the wave.
        name: of the wave.
        events: those that show since when members are blocked, the newest first; without any, that is not known.
    """
    status = None if exporter.waves.sharded else exporter.waves.status(name)
    if status is None:
        return None
    stores = {store.key: store for store in exporter.stores}
    blocked_since = _blocked_since(events)
    members = []
    for found in status.members:
        store = stores.get(found.key)
        task = (store.state.exposed(found.task_id) if store else None) or _without_facts(found)
        members.append(MemberView(found.state, task, _since(found.state, task, blocked_since)))
    members.sort(key=lambda member: (WORST_FIRST.index(member.state), member.task.identity.task_name))
    return WaveView(status, members)


async def all_waves(exporter: Served) -> list[WaveView]:
    """Return all waves in the order of the configuration, with pauses for other work; none with shards.

    Their members lack since when they are blocked: no text about a whole wave contains it.
    """
    return [wave async for name in in_turns(exporter.waves.names, 1) if (wave := find_wave(exporter, name, ()))]


def _without_facts(member: WaveMember) -> Task:
    return Task(Identity(*member.key, member.task_id, member.task_name))


def _blocked_since(events: Iterable[Event]) -> Mapping[str | None, float]:
    """Return when tasks lost the verdict ready, by ID, if that was observed, and they have not regained it.

    Args:
        events: the newest first.
    """
    newest: dict[str | None, Event] = {}
    for event in events:
        if event.kind in {Kind.READY, Kind.NOT_READY}:
            newest.setdefault(event.task_id, event)
    return {
        task_id: event.at
        for task_id, event in newest.items()
        if event.kind is Kind.NOT_READY and "unobserved" not in event.detail
    }


def _since(state: WaveState, task: Task, blocked_since: Mapping[str | None, float]) -> float | None:
    if state is WaveState.READY:
        return task.ready_since
    if state is WaveState.BLOCKED:
        return blocked_since.get(task.identity.task_id)
    return task.history.phase_changed_at if state in SHOWN_BY_PHASE else None


def events_of(wave: WaveView, events: Iterable[Event]) -> list[Event]:
    """Return those events that are about the wave, its members, their subtasks or their projects."""
    ids = {member.task.identity.task_id for member in wave.members}
    projects = {member.key for member in wave.status.members}

    def concerns(event: Event) -> bool:
        if event.wave is not None:
            return event.wave == wave.status.name
        if event.task_id is None:
            return ProjectKey(event.account, event.region, event.project) in projects
        return event.task_id in ids or event.detail.get("parent_id") in ids

    return [event for event in events if concerns(event)]


async def waves(exporter: Served, _request: Request) -> Response:
    """Respond with all waves, without their members; with 404 and the reason with shards."""
    if exporter.waves.sharded:
        return json_response({"errors": [SHARDED]}, 404)
    now = exporter.now()
    found = [wave_json(wave, now) for wave in await all_waves(exporter)]
    return json_response({"now_timestamp_seconds": now, "waves": found}, 200)


async def wave(exporter: Served, request: Request) -> Response:
    """Respond with a wave and its members; with 404 and the reason without it."""
    events = exporter.events.find()
    found = find_wave(exporter, request.path_params["name"], events)
    if found is None:
        return json_response({"errors": [why_missing(exporter)]}, 404)
    now, newest = exporter.now(), events_of(found, events)[:_MOST_EVENTS]
    document = {
        "now_timestamp_seconds": now,
        **wave_json(found, now),
        "events": [{**event_json(event), "sentence": sentence(event)} for event in newest],
        "events_since_timestamp_seconds": exporter.events.since(),
    }
    return await json_list_response(document, "members", found.members, lambda member: member_json(member, now))
