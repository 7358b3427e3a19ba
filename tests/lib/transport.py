"""An HTTP transport that calls a simulated cloud in this process."""

from __future__ import annotations

import httpx
from starlette.types import ASGIApp, Message


class InProcess(httpx.AsyncBaseTransport):
    """Calls an ASGI application that reads the request's body and writes one response.

    `httpx.ASGITransport` does more, and searches sys.path for trio at each request: a tenth of the time of a long test.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        scope = {
            "type": "http",
            "method": request.method,
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "path": url.path,
            "raw_path": url.raw_path.partition(b"?")[0],
            "query_string": url.query,
        }
        body = await request.aread()
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": body}

        async def send(message: Message) -> None:
            sent.append(message)

        await self._app(scope, receive, send)
        start, *parts = sent
        content = b"".join([part["body"] for part in parts])
        return httpx.Response(start["status"], headers=start["headers"], stream=httpx.ByteStream(content))
