"""Responses with long bodies, which are made and sent in turns with other work."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from exporter.runtime.escape import json_text
from exporter.runtime.turns import in_turns

T = TypeVar("T")

_CHUNK_BYTES = 2**16
"""Each slow client keeps up to three chunks in memory; larger ones are not sent faster."""
_CHUNKS_PER_TURN = 4
"""While the exporter polls, a turn of the event loop takes milliseconds, and a large page has a hundred chunks."""
_JSON_PER_TURN = 25
"""Items that are converted to JSON without a pause for other work."""
_JSON = "application/json"
_NO_STORE = {"Cache-Control": "no-store"}


class ChunkedResponse(Response):
    """Sends a body in chunks: one write of it all would copy it and block the event loop, and each write costs time.

    Other tasks run after every few chunks, however fast the client is.
    """

    def __init__(self, blocks: Iterable[bytes], headers: Mapping[str, str], media_type: str) -> None:
        super().__init__(headers=headers, media_type=media_type)
        self._blocks = blocks

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async for chunk in in_turns(_chunks(self._blocks), _CHUNKS_PER_TURN):
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def _chunks(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Join and cut blocks to 64 KiB; only the last chunk may be smaller."""
    waiting: list[bytes | memoryview] = []
    room = _CHUNK_BYTES
    for block in blocks:
        rest = memoryview(block)
        while len(rest) >= room:
            yield b"".join((*waiting, rest[:room]))
            waiting, rest, room = [], rest[room:], _CHUNK_BYTES
        waiting.append(rest)
        room -= len(rest)
    yield b"".join(waiting)


def json_response(document: Any, status: int) -> Response:
    """Return a response that contains a document as JSON."""
    return Response(json_text(document), status, _NO_STORE, _JSON)


async def json_list_response(
    document: Mapping[str, Any], name: str, items: Iterable[T], convert: Callable[[T], Any]
) -> Response:
    """Return a response that contains a document as JSON, and as its last key a list, which may be long."""
    head = json_text({**document, name: []}).removesuffix("]}")
    blocks = [head.encode()]
    async for item in in_turns(items, _JSON_PER_TURN):
        blocks.append(f"{', ' if len(blocks) > 1 else ''}{json_text(convert(item))}".encode())
    blocks.append(b"]}")
    return ChunkedResponse(blocks, {**_NO_STORE, "Content-Length": str(sum(map(len, blocks)))}, _JSON)
