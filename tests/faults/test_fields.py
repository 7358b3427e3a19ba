"""A field of the wrong type counts as missing, and the fields of one task never change another task."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, reduce
from operator import delitem, getitem, setitem
from typing import Any

import httpx
import pytest

from exporter.cloud import operations
from exporter.cloud.operations import Operation
from exporter.daemon.exporter import Exporter
from tests.faults.fleet import FAILING, View, account, cloud, config, fed_by, id_of
from tests.faults.kinds import CANARY
from tests.faults.test_matrix import LISTS, POLLED, scenarios_of
from tests.faults.transport import Failure, FaultyTransport, Forward
from tests.lib.daemon import sim_task
from tests.lib.virtual_time import clock, now, simulate

Change = Callable[[Any], None]

pytestmark = pytest.mark.usefixtures("frequent_polls")

Path = tuple[str | int, ...]
WRONG: tuple[Any, ...] = ({CANARY: CANARY}, [[CANARY]])
POISON: tuple[Any, ...] = (
    1e303,
    -5,
    float("nan"),
    10**400,
    "\ud800",
    "x" * 10_000,
    "\n\x1b[2J",
    "",
    None,
    True,
    {},
    [],
)
IDS = ("id", "job_id", "precheck_id")
SINGLE = ("{job_id}", "monitor-data", "compare-result")
"""How the paths of operations end that are about one task."""
VICTIM = {operations.RECOVERY_V3: "dr", operations.MONITOR_V3: "dr", operations.PRECHECK_V3: "draft"}
V5_ALONE = {"v5_list_jobs", "v5_job_progress", "v5_job_detail", "v5_job_compare", "v5_job_is_writable"}


def victim_of(operation: Operation) -> str:
    return VICTIM.get(operation, "cache" if operation.name in V5_ALONE else "orders")


def wrong_for(path: Path, part: Any) -> Any:
    """An object in place of a list, a list in place of an object, and one or the other in place of anything else."""
    part = reduce(getitem, path, part)
    return WRONG[isinstance(part, dict) or (not isinstance(part, list) and len(str(path)) % 2)]


def parts(body: Any, task_id: str) -> list[Any]:
    """Return the items of a response about one task; the whole response if it is about nothing else."""
    items = body.get("results", body.get("jobs"))
    if not isinstance(items, list):
        return [body]
    return [item for item in items if not {*IDS} & item.keys() or task_id in {item.get(key) for key in IDS}]


def paths(value: Any) -> Iterator[Path]:
    """Return the path of every key, through the first item of lists."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (key,)
            yield from ((key, *path) for path in paths(inner))
    elif isinstance(value, list):
        yield from ((0, *path) for path in paths(value[0] if value else None))


def put(path: Path, wrong: Any) -> Change:
    return lambda part: setitem(reduce(getitem, path[:-1], part), path[-1], wrong)


def take(path: Path) -> Change:
    return lambda part: delitem(reduce(getitem, path[:-1], part), path[-1])


def about_another_task(part: Any) -> None:
    """The id of the whole response becomes another one."""
    job = part.get("job", part)
    job["id" if "id" in job else "job_id"] = "another"


def poison(value: Any) -> Change:
    """Every single value in the part becomes this, but for the ids."""

    def change(part: Any) -> None:
        for key in list(part) if isinstance(part, dict) else range(len(part)):
            if isinstance(part[key], dict | list):
                change(part[key])
            elif key not in IDS:
                part[key] = value

    return change


async def polled(operation: Operation, changes: Sequence[Change | None]) -> tuple[View, list[Any], str]:
    """Poll an account for each change, which its number names, once.

    Return the page, the responses about the victim in the struck operation, and the victim's id.
    """
    scenarios, names = scenarios_of(operation), [str(number) for number in range(len(changes))]
    clouds = {f"{name}.test": cloud(name, scenarios) for name in names}
    for simulated in clouds.values():
        other = sim_task("other dr", scenario=scenarios[0], engine="cloudDataGuard-mysql")
        simulated.worlds[0].tasks.append(other)
        victim = simulated.worlds[0].task(victim_of(operation)).id
    responses: list[Any] = []
    failures = {
        (id_of(name, FAILING), operation): changing(operation, victim, change, responses)
        for name, change in zip(names, changes, strict=True)
    }
    written = [account(name, fed_by(operation), scenarios) for name in names]
    for each in written:
        del each["projects"][1]  # nothing of it is looked at
    transport = FaultyTransport(clouds, now, failures)
    async with Exporter(config(written), transport=transport, clock=clock) as exporter:
        await exporter.poll_once()
        return View(b"".join(exporter.exposition.page.plain()).decode()), responses, victim


def changing(operation: Operation, victim: str, change: Change | None, responses: list[Any]) -> Failure:
    """Respond with this change in what the real response contains about the victim; store what that was."""

    async def failure(request: httpx.Request, forward: Forward) -> httpx.Response:
        answer = await forward()
        about_other = operation.path.endswith(SINGLE) and (victim not in f"{request.url} {request.content.decode()}")
        if about_other or answer.is_error:
            return answer
        body = json.loads(await answer.aread())
        for part in parts(body, victim):
            responses.append(copy.deepcopy(part))
            if change:
                change(part)
        return httpx.Response(answer.status_code, content=json.dumps(body))

    return failure


@cache
def undisturbed(operation: Operation) -> tuple[View, list[Any], str]:
    return simulate(polled(operation, [None]))


def polled_with(operation: Operation, changes: Sequence[Change]) -> tuple[View, list[list[str]]]:
    """Return the page after a poll with each change, and the lines about the cloud for each of them."""
    page, _, _ = simulate(polled(operation, changes))
    return page, [facts(page, str(number)) for number in range(len(changes))]


def facts(page: View, name: str) -> list[str]:
    """Return the lines of the page about the cloud."""
    return [line for line in page.of(name, FAILING) if not line.startswith("drs_exporter_")]


def of_others(lines: Iterable[str], victim: str) -> list[str]:
    """Return the lines about other tasks."""
    return [line for line in lines if "task_id" in line and victim not in line]


@pytest.mark.parametrize("operation", POLLED, ids=lambda operation: operation.name)
def test_a_field_of_the_wrong_shape(operation: Operation) -> None:
    normal, responses, victim = undisturbed(operation)
    usual = facts(normal, "0")
    wrong = {path: wrong_for(path, part) for part in responses for path in paths(part)}
    page, (lost, *seen) = polled_with(
        operation,
        [
            about_another_task,
            *(guarded(take(path)) for path in wrong),
            *(guarded(put(path, value)) for path, value in wrong.items()),
        ],
    )
    assert CANARY not in page.text
    absent, present = dict(zip(wrong, seen, strict=False)), dict(zip(wrong, seen[len(wrong) :], strict=True))
    for path in wrong:
        if path[-1] in IDS and len(path) < 3 and operation.path.endswith(SINGLE):
            # An id that cannot be read may be that of another task: the response is not believed. A missing id is.
            assert present[path] == lost, path
        else:
            assert present[path] == absent[path], path
        assert of_others(present[path], victim) == of_others(usual, victim), path
    assert any(lines != usual for lines in absent.values())


def guarded(change: Change) -> Change:
    """Where an answer lacks the field, as others to the same operation may, it stays as it is."""

    def tried(part: Any) -> None:
        try:
            change(part)
        except (KeyError, IndexError, TypeError):
            return

    return tried


@pytest.mark.parametrize("operation", POLLED, ids=lambda operation: operation.name)
def test_hostile_values_in_every_field_of_a_task(operation: Operation) -> None:
    normal, _, victim = undisturbed(operation)
    page, seen = polled_with(operation, [poison(value) for value in POISON])
    for number, (value, lines) in enumerate(zip(POISON, seen, strict=True)):
        shown = repr(value)[:12]
        assert of_others(lines, victim) == of_others(facts(normal, "0"), victim), shown
        assert not [line for line in lines if line.rpartition(" ")[2].lower() in {"nan", "inf", "-inf"}], shown
        assert operation in LISTS or page.value(str(number), FAILING, "drs_up") == 1, shown
