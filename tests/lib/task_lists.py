"""Pages of task lists, and the lists that both adapters read from them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from exporter.cloud.http.errors import CloudError
from exporter.cloud.source import TaskList
from exporter.model.task_lists import Gap
from tests.lib.cloud import Script, connected
from tests.lib.virtual_time import simulated

BOTH = pytest.mark.parametrize("api", ["v3", "v5"])


def task(number: int) -> dict[str, Any]:
    return {"id": f"id-{number}", "status": "PAUSING"}


def page(numbers: range | list[int], total: Any) -> dict[str, Any]:
    return {"jobs": [task(number) for number in numbers], "total_record": total, "total_count": total}


@simulated
async def walked(script: httpx.AsyncBaseTransport, api: str) -> TaskList | CloudError:
    async with connected(script) as cloud:
        try:
            return await cloud.list_tasks(api)
        except CloudError as error:
            return error


def seen(script: httpx.AsyncBaseTransport, api: str) -> tuple[set[int], bool]:
    """The numbers of the tasks in the list, and true if it is complete."""
    answer = walked(script, api)
    assert not isinstance(answer, CloudError), answer
    assert len({task.id for task in answer.tasks}) == len(answer.tasks)
    return {int(task.id.removeprefix("id-")) for task in answer.tasks}, answer.complete


def listed(script: Script, api: str) -> tuple[int, Gap | None, int]:
    """The number of tasks in a list, the reason if some may be missing, and the number of pages."""
    answer = walked(script, api)
    assert not isinstance(answer, CloudError), answer
    return len(answer.tasks), answer.gap, answer.pages
