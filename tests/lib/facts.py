"""What a source makes of given bodies, for the tests of single collectors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tests.lib.cloud import Script, connected
from tests.lib.virtual_time import simulated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exporter.cloud.source import TaskResults
    from tests.lib.cloud import Reply

ID = "8d0e8e36-a618-490d-8a46-8c61ac9jb502"
OTHER = "edae91cb-5892-49b6-a529-4921fb26jb21"
ABSENT: Any = object()
"""In place of a value: the key is not there at all."""


class Told(NamedTuple):
    """Answers by task id, how much was lost in them, and what was asked."""

    answers: TaskResults
    lost: int
    asked: Script


@simulated
async def told(name: str, *bodies: Reply, ids: Sequence[str] = (ID,), polls: int = 1) -> Told:
    """What the source of this name says of some tasks in its last poll; the bodies come in turn."""
    script = Script(*bodies)

    async with connected(script) as cloud:
        (source,) = (source for api in (cloud.v3, cloud.v5) for source in api.sources if source.name == name)
        for _ in range(polls):
            answers = await cloud.fetch(source, ids)
        return Told(answers, cloud.lost, script)


def part(name: str, *bodies: Reply, kind: type[Any]) -> tuple[Any, int]:
    """The one part of this kind that a source tells of the task, and what was lost."""
    answers, lost, _ = told(name, *bodies)
    facts = answers[ID]
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
    """What a source about the project says, how much was lost in it, and what was asked."""
    script = Script(*bodies)

    async with connected(script) as cloud:
        (source,) = (
            source for api in (cloud.v3, cloud.v5) for source in api.project_sources if source.operation.name == name
        )
        return await source.fetch(cloud.client, cloud.decode_errors), cloud.lost, script
