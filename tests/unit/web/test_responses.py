"""Long bodies: other work goes on while they are made and sent."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from exporter.store.store import Store
from exporter.web.responses import json_list_response
from tests.lib.commands import shops
from tests.lib.daemon import cloud_of, exporter_on, get

ITEMS = 1000
_TURNS = 30


async def sent_in_turns(count: int) -> tuple[list[dict[str, Any]], int]:
    """The messages of a response with so many items, and the turns of the event loop that it took."""
    turns, messages, done = 0, list[dict[str, Any]](), False

    async def turn() -> None:
        nonlocal turns
        while not done:
            turns += 1
            await asyncio.sleep(0)

    async def send(message: Any) -> None:
        messages.append(message)

    async def receive() -> Any:
        raise AssertionError

    counting = asyncio.create_task(turn())
    response = await json_list_response(
        {"total": count}, "items", range(count), lambda item: {"item": item, "x": "é" * 50}
    )
    await response({"type": "http"}, receive, send)
    done = True
    await counting
    return messages, turns


@pytest.mark.parametrize("count", [0, 1, ITEMS])
async def test_a_long_list_is_one_document(count: int) -> None:
    (head, *parts), turns = await sent_in_turns(count)
    body = b"".join(part["body"] for part in parts)
    headers = dict(head["headers"])
    assert json.loads(body) == {"total": count, "items": [{"item": item, "x": "é" * 50} for item in range(count)]}
    assert (head["status"], headers[b"content-type"]) == (200, b"application/json")
    assert (int(headers[b"content-length"]), headers[b"cache-control"]) == (len(body), b"no-store")
    assert max(len(part["body"]) for part in parts) <= 2**16
    assert turns >= count // ITEMS * _TURNS


async def test_one_task_is_found_without_a_look_at_all_others(monkeypatch: pytest.MonkeyPatch) -> None:
    async with exporter_on(cloud_of(shops())) as exporter:
        await exporter.poll_once()
        (store,) = exporter.stores
        ids = [task.identity.task_id for task in store.tasks()]
        monkeypatch.delattr(Store, "tasks")
        for task_id in ids:
            for path in ("/tasks/", "/api/v1/tasks/"):
                assert (await get(exporter, f"{path}{task_id}")).status == 200
