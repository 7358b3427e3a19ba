"""The facts that a source reads from given bodies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from exporter.cloud.source import TaskResults
from tests.lib.cloud import Reply, Script, connected
from tests.lib.virtual_time import simulated

ID = "8d0e8e36-a618-490d-8a46-8c61ac9jb502"
OTHER = "edae91cb-5892-49b6-a529-4921fb26jb21"
ABSENT: Any = object()
"""In place of a value: the key is not there at all."""


class Fetched(NamedTuple):
    """The results by task id, the number of decode errors, and the script that was played."""

    results: TaskResults
    lost: int
    script: Script


@simulated
async def fetched(name: str, *bodies: Reply, ids: Sequence[str] = (ID,), polls: int = 1) -> Fetched:
    """Fetch some tasks from the source of this name; return the outcome of the last poll."""
    script = Script(*bodies)

    async with connected(script) as cloud:
        (source,) = (source for api in (cloud.v3, cloud.v5) for source in api.sources if source.name == name)
        for _ in range(polls):
            results = await cloud.fetch(source, ids)
        return Fetched(results, cloud.lost, script)


def only_facts(name: str, *bodies: Reply, kind: type[Any]) -> tuple[Any, int]:
    """Return the facts of this kind about the task, of which there is one group, and the number of decode errors."""
    results, lost, _ = fetched(name, *bodies)
    facts = results[ID]
    assert isinstance(facts, tuple)
    (found,) = (fact for fact in facts if isinstance(fact, kind))
    return found, lost


def nested(path: str, value: Any) -> dict[str, Any]:
    """An object that has the value at a dotted path; digits are places in a list of one."""
    inner = value
    for key in reversed(path.split(".")):
        inner = [inner] if key == "0" else {} if inner is ABSENT else {key: inner}
    return inner  # type: ignore[no-any-return]  # the outermost key is never a digit


@simulated
async def project_fact(name: str, *bodies: Reply) -> tuple[Any, int, Script]:
    """Fetch facts about the project; return them, the number of decode errors, and the script that was played."""
    script = Script(*bodies)

    async with connected(script) as cloud:
        (source,) = (
            source for api in (cloud.v3, cloud.v5) for source in api.project_sources if source.operation.name == name
        )
        return await source.fetch(cloud.client, cloud.decode_errors), cloud.lost, script
