"""A client of the simulated cloud in this process."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx

from exporter.simulator import SimTask, SimulatedCloud
from tests.lib.transport import InProcess

PROJECT = "054ba152d480d55b2f5dc0069e7ddef0"
UNKNOWN = "00000000-0000-0000-0000-0000000jb201"
"""The id of a task that does not exist."""
START = 1_800_000_000.0


class CloudClient:
    """Sends requests with a token that never expires."""

    def __init__(self, cloud: SimulatedCloud) -> None:
        self.cloud = cloud
        self.token = cloud.issue_token(lifetime=1e12)

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.raw(method, path, body, {"X-Auth-Token": self.token, **named})

    def raw(self, method: str, path: str, body: Any, headers: dict[str, str]) -> httpx.Response:
        async def request() -> httpx.Response:
            transport = InProcess(self.cloud)
            async with httpx.AsyncClient(transport=transport, base_url="http://drs.test") as client:
                content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
                return await client.request(method, path, content=content, headers=headers)

        return asyncio.run(request())

    def v3(self, operation: str, **body: Any) -> httpx.Response:
        return self("POST", f"/v3/{PROJECT}/jobs{operation}", body)

    def list_v3(self, project: str = PROJECT, **body: Any) -> Any:
        body = {"cur_page": 1, "per_page": 100, "db_use_type": "sync", "engine_type": "", **body}
        response = self("POST", f"/v3/{project}/jobs", body)
        assert response.status_code == 200, response.text
        return response.json()

    def v5(self, path: str) -> httpx.Response:
        return self("GET", f"/v5/{PROJECT}{path}")

    def list_v5(self, query: str = "") -> Any:
        response = self.v5(f"/jobs?job_type=sync&{query}")
        assert response.status_code == 200, response.text
        return response.json()

    def detail(self, task: SimTask, query: str) -> Any:
        response = self.v5(f"/jobs/{task.id}?type={query}")
        assert response.status_code == 200, response.text
        return response.json()["job"]

    def progress(self, *tasks: SimTask) -> Any:
        response = self.v3("/batch-progress", jobs=[task.id for task in tasks])
        assert response.status_code == 202, response.text
        return response.json()["results"]


def error(response: httpx.Response) -> tuple[int, str]:
    """The status and the code of an error."""
    return response.status_code, response.json()["error_code"]


def names(listed: Any) -> list[str]:
    """The names of the tasks in a list."""
    return [job["name"] for job in listed["jobs"]]
