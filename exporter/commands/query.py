"""`drs-exporter query`: details of one task that v5 tells only to who names their type; and its status, from v3.

Printed by allow list: results, states, error codes, names of checks, numbers and times; never a message, host, user
or name that a user chose.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from exporter.cloud.http.error_codes import known_code
from exporter.cloud.http.errors import BadRequestError, CloudError, TaskGoneError
from exporter.cloud.v3 import V3
from exporter.cloud.v5 import V5
from exporter.commands.connections import CallObserver, Connection, attempt, connections
from exporter.commands.known_words import OBJECT_KEYS, VALUE_KEYS, WORD_KEYS, WORDS
from exporter.commands.lookup import Place, find, missing, several
from exporter.commands.options import Parser, add_cloud, add_log, add_task, cloud_of
from exporter.commands.outcome import Outcome
from exporter.runtime import interrupts
from exporter.runtime.escape import json_text
from exporter.views.findings import words
from exporter.views.text import plural

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Mapping

    import httpx

    from exporter.cloud.source import TaskList
    from exporter.config.load import Config

ABOUT = """\
Details of one task that API v5 returns by type, as JSON, without messages,
hosts, users and names; --type=status queries API v3. For network, precheck and
cloud_connection, pass the query id that the cloud returned when the test was
started."""
EXAMPLES = """\
examples:
  drs-exporter query orders-to-rds --type=status --config.file=config.yaml
  drs-exporter query orders-to-rds --type=precheck --config.file=config.yaml \\
    --query-id=669c9c19-99e3-4628-8c90-397136266701

Exit codes: 0 fine, 1 no such task or no response, 2 several tasks have that
name, or bad usage or configuration.
"""
STATUS = "status"
"""The only type that v3 is asked for: "Querying Task Statuses in Batches"."""
TYPES: Mapping[str, tuple[tuple[str, str], ...]] = {
    STATUS: (),
    "detail": (),
    "network": (),
    "precheck": (),
    "progress": (),
    "log": (("offset", "0"), ("limit", "100")),
    "compare": (("compare_type", "data_compare"), ("query_type", "list"), ("offset", "0"), ("limit", "100")),
    "file": (),
    "is_writable": (),
    "cloud_connection": (),
}
"""The status, and all of "Querying Task Details" (v5), table 2, with what they need beside the type."""
NEEDS_QUERY_ID = frozenset({"network", "precheck", "cloud_connection"})
"""The cloud hands the id out to who starts such a test, and keeps the result under it."""
_ALWAYS = frozenset({"id", "status", "create_time", "total_count"})
"""Keys that come with every type."""
_ID = re.compile(r"[0-9a-z]{8}(?:-[0-9a-z]{4}){3}-[0-9a-z]{12}")
_CHECK_KEYS = frozenset({"item", "group"})
_CHECK = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_LARGEST = 1e18
"""A larger number is no fact; this leaves out what is not a number as well."""
_FIGURE = re.compile(r"-?\d+(?:\.\d+)? ?%?|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?")
_UNKNOWN_WORD = "other"
_BY_NAME = "names are looked up in the lists of v5, which lacks some engines: try the id"


def add_options(parser: Parser) -> None:
    add_cloud(parser)
    add_log(parser, "error")
    add_task(parser)
    parser.add_argument("--type", dest="kind", required=True, metavar="TYPE", choices=TYPES, help=", ".join(TYPES))
    parser.add_argument("--query-id", default="", metavar="ID", help="what the start of the test returned")


def run(options: argparse.Namespace) -> Outcome:
    if options.kind in NEEDS_QUERY_ID and not options.query_id:
        options.parser.error(f"--type={options.kind} needs --query-id=ID, which the start of that test returned")
    config, transport = cloud_of(options)
    return interrupts.run(query(config, options.task, options.kind, options.query_id, transport=transport))


async def query(
    config: Config,
    task: str,
    kind: str,
    query_id: str = "",
    *,
    transport: httpx.AsyncBaseTransport | None = None,
    now: Callable[[], float] = time.time,
) -> Outcome:
    """The details of one task of one type, as JSON. `task` is its id, or its name, for which tasks are listed first."""
    generation = V3 if kind == STATUS else V5
    parameters = (("type", kind), *TYPES[kind], *((("query_id", query_id),) if query_id else ()))
    async with connections(config, lambda *_: CallObserver(), transport=transport, now=now) as opened:
        if _ID.fullmatch(task):
            return await _ask(opened, generation, task, parameters)
        places, failures = await _listed(opened, generation)
        found = find(task, places)
        if len(found) > 1:
            return Outcome(2, "", (several(task, found),))
        if not found:
            return Outcome(1, "", (missing(task, places), *([_BY_NAME] if generation is V5 else ()), *failures))
        return await _ask([places[found[0]]], generation, found[0].task_id, parameters)


async def _listed(
    opened: Iterable[Connection[CallObserver]], generation: type[V3 | V5]
) -> tuple[dict[Place, Connection[CallObserver]], list[str]]:
    """Every task that an API generation lists, with its connection, and what went wrong."""
    places: dict[Place, Connection[CallObserver]] = {}
    failures: dict[str, None] = {}
    for connection in opened:
        for job_type in connection.job_types:
            answer = await attempt(_api(connection, generation).list_tasks(job_type))
            if isinstance(answer, CloudError):
                failures[_failure(connection, generation, answer)] = None
            else:
                places |= dict.fromkeys(_places(connection, answer), connection)
    return places, list(failures)


def _places(connection: Connection[CallObserver], listed: TaskList) -> list[Place]:
    account, project = connection.account, connection.project
    return [Place(account.name, project.region, project.label, task.id, task.name) for task in listed.tasks]


async def _ask(
    opened: Iterable[Connection[CallObserver]],
    generation: type[V3 | V5],
    task_id: str,
    parameters: Iterable[tuple[str, str]],
) -> Outcome:
    """Ask the projects one after the other, up to the one that knows the task."""
    failures = []
    for connection in opened:
        api = _api(connection, generation)
        answer = await attempt(api.status(task_id) if isinstance(api, V3) else api.details(task_id, *parameters))
        if not isinstance(answer, CloudError):
            return _shown(answer, frozenset() if generation is V3 else _ALWAYS)
        failures.append(_failure(connection, generation, answer))
        if isinstance(answer, BadRequestError):  # this project knows the task
            break
    return Outcome(1, "", tuple(failures))


def _shown(job: Mapping[str, Any], always: frozenset[str]) -> Outcome:
    shown, left_out = allowed({key: value for key, value in job.items() if key != "id"})
    notes = []
    if left_out:
        values = plural(left_out, "value")
        notes.append(f"{values} left out, which may hold messages, hosts, users or names")
    if not job.keys() - always:
        notes.append("the cloud tells nothing of this type about the task")
    return Outcome(0, json_text(shown, indent=2), tuple(notes))


def _api(connection: Connection[CallObserver], generation: type[V3 | V5]) -> V3 | V5:
    return next(api for api in connection.apis if isinstance(api, generation))


def _failure(connection: Connection[CallObserver], generation: type[V3 | V5], error: CloudError) -> str:
    if isinstance(error, TaskGoneError):
        return f"{connection.label}: {generation.name} knows no such task"
    if isinstance(error, BadRequestError):
        code = known_code(error.error_code) or "no code"
        check = "the task's state" if generation is V3 else "--query-id, and the task's state"
        return f"{connection.label}: {generation.name} refuses to tell it, {error.code} {code}: check {check}"
    _, what, remedy = words(error)
    return f"{connection.label}: {what}" + (f": {remedy}" if remedy else "")


def allowed(job: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
    """What may be shown of the object `job`, and how many values that are not empty are left out."""
    shown: dict[str, Any] = {}
    left_out = 0
    for key, value in job.items():
        if isinstance(value, dict | list):
            inside, lost = _inside(value) if key in OBJECT_KEYS else (None, 1)
            left_out += lost
        else:
            inside = _value(key, value) if key in WORD_KEYS or key in VALUE_KEYS else None
            left_out += inside is None and value not in (None, "")
        if inside is not None:
            shown[key] = inside
    return shown, left_out


def _inside(value: dict[str, Any] | list[Any]) -> tuple[Any, int]:
    if isinstance(value, dict):
        return allowed(value)
    objects = [allowed(item) for item in value if isinstance(item, dict)]
    return [shown for shown, _ in objects], sum(lost for _, lost in objects) + len(value) - len(objects)


def _value(key: str, value: Any) -> str | float | bool | None:
    """A value under a key that is allowed; a word that no document knows is `other`, anything else of text None."""
    if not isinstance(value, str):
        return value if isinstance(value, bool | int | float) and abs(value) <= _LARGEST else None
    text = value.strip()
    if key == "error_code":
        return known_code(text)
    if (
        _FIGURE.fullmatch(text)
        or (key in WORD_KEYS and text in WORDS)
        or (key in _CHECK_KEYS and _CHECK.fullmatch(text))
    ):
        return text
    return _UNKNOWN_WORD if key in WORD_KEYS and text else None
