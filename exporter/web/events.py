"""/api/v1/events: what has changed, the newest first."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from exporter.model.events import MOST_EVENTS
from exporter.views.events import event_json
from exporter.web.responses import json_list_response, json_response
from exporter.web.search import number_of, unknown_of
from exporter.web.waves import events_of, find_wave, why_missing

if TYPE_CHECKING:
    from exporter.web.app import Served

_LIMIT = 100
_SECONDS = re.compile(r"[0-9]{1,11}(\.[0-9]{1,9})?", re.ASCII)
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class EventQuery:
    """The query parameters of /api/v1/events.

    Args:
        since: Unix time; only events at or after it.
        task: id or name of a task; None for all.
        wave: name of a wave; None for all.
        limit: the most events in a response.
    """

    since: float | None = None
    task: str | None = None
    wave: str | None = None
    limit: int = _LIMIT

    @classmethod
    def of(cls, parameters: Mapping[str, str]) -> tuple[EventQuery, tuple[str, ...]]:
        """Parse parameters. Return the query, and a message for each that is invalid or unknown."""
        errors = unknown_of(parameters, cls)
        since, limit = None, None
        if text := parameters.get("since", ""):
            since = _time(text)
            if since is None:
                errors.append(
                    "since: expected Unix seconds, or a time of RFC 3339 with its zone such as 2026-01-31T20:00:00Z "
                    "(a + is %2B in a URL)"
                )
        if text := parameters.get("limit", ""):
            limit = number_of(text, MOST_EVENTS)
            if limit is None:
                errors.append(f"limit: expected a number from 1 to {MOST_EVENTS}")
        task, wave = parameters.get("task") or None, parameters.get("wave") or None
        return cls(since, task, wave, limit or _LIMIT), tuple(errors)


def _time(text: str) -> float | None:
    """Return the Unix time of a parameter; None if it is invalid."""
    if _SECONDS.fullmatch(text):
        return float(text)
    try:
        return datetime.fromisoformat(text.upper()).timestamp() if _RFC3339.fullmatch(text) else None
    except (ValueError, OverflowError):
        return None


async def events(exporter: Served, request: Request) -> Response:
    """Respond with the newest events; with 400 if a parameter is invalid."""
    query, errors = EventQuery.of(request.query_params)
    if errors:
        return json_response({"errors": errors}, 400)
    found = exporter.events.find(query.since, query.task)
    if query.wave is not None:
        wave = find_wave(exporter, query.wave, ())
        if wave is None:
            return json_response({"errors": [f"wave: {why_missing(exporter)}"]}, 400)
        found = events_of(wave, found)
    document = {
        "now_timestamp_seconds": exporter.now(),
        "since_timestamp_seconds": exporter.events.since(),
        "matched": len(found),
    }
    return await json_list_response(document, "events", found[: query.limit], event_json)
