r"""Print details of one task that API v5 returns by type, as JSON.

Messages, hosts, users and names are left out. --type=status queries API v3. For
network, precheck and cloud_connection, give the query id that the cloud
returned when the test was started.

Examples:
  drs-exporter query orders-to-rds --type=status --config.file=config.yaml
  drs-exporter query orders-to-rds --type=precheck --config.file=config.yaml \
    --query-id=669c9c19-99e3-4628-8c90-397136266701

Exit codes: 0 fine, 1 no such task or no response, 2 several tasks have that
name, or bad usage or configuration.
"""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Callable, Iterable, Mapping
from itertools import repeat
from typing import Any

import httpx

from exporter.cloud.http.error_codes import known_code
from exporter.cloud.http.errors import BadRequestError, CloudError, TaskGoneError
from exporter.cloud.v3 import V3, fetch_status
from exporter.cloud.v5 import V5, fetch_details
from exporter.commands.connections import CallObserver, ProjectConnection, attempt, connections
from exporter.commands.known_words import OBJECT_KEYS, VALUE_KEYS, WORD_KEYS, WORDS
from exporter.commands.lookup import Place, ambiguous, matches, no_match
from exporter.commands.options import Parser, add_cloud, add_task, cloud_of
from exporter.commands.outcome import Outcome
from exporter.config import Config
from exporter.runtime import interrupts
from exporter.runtime.escape import json_text
from exporter.views.errors import advise
from exporter.views.text import plural, project_text

STATUS = "status"
"""The only type that API v3 returns: "Querying Task Statuses in Batches"."""
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
"""The status, and all types of "Querying Task Details" (v5), table 2, with their further parameters."""
NEEDS_QUERY_ID = frozenset({"network", "precheck", "cloud_connection"})
"""Types of a test whose start returns an id; the cloud keeps the result under this id."""
_ALWAYS = frozenset({"id", "status", "create_time", "total_count"})
"""Keys in the response for every type."""
_ID = re.compile(r"[0-9a-z]{8}(?:-[0-9a-z]{4}){3}-[0-9a-z]{12}")
_CHECK_KEYS = frozenset({"item", "group"})
_CHECK = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_LARGEST = 1e18
"""A larger number is no measurement; the limit leaves out NaN and infinity as well."""
_FIGURE = re.compile(r"-?\d+(?:\.\d+)? ?%?|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?")
_UNKNOWN_WORD = "other"
_BY_NAME = "names are looked up in the lists of v5, which lacks some engines: try the id"


def add_options(parser: Parser) -> None:
    add_cloud(parser)
    add_task(parser)
    parser.add_argument(
        "--type",
        dest="kind",
        required=True,
        metavar="TYPE",
        choices=TYPES,
        help=f"details to print: {', '.join(TYPES)}",
    )
    parser.add_argument(
        "--query-id", default="", metavar="ID", help="id that the cloud returned when the test was started"
    )


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
    """Return the details of one type as JSON. `task` is the id, or the name, for which tasks are listed first."""
    generation = V3 if kind == STATUS else V5
    parameters = (("type", kind), *TYPES[kind], *((("query_id", query_id),) if query_id else ()))
    async with connections(config, repeat(CallObserver()), transport=transport, now=now) as opened:
        if _ID.fullmatch(task):
            return await _details(opened, generation, task, parameters)
        places, failures = await _listed(opened, generation)
        found = matches(task, places)
        if len(found) > 1:
            return Outcome(2, notes=(ambiguous(task, found),))
        if not found:
            missing = no_match(task, places, all_read=not failures)
            return Outcome(1, notes=(missing, *([_BY_NAME] if generation is V5 else ()), *failures))
        return await _details([places[found[0]]], generation, found[0].task_id, parameters)


async def _listed(
    opened: Iterable[ProjectConnection], generation: type[V3 | V5]
) -> tuple[dict[Place, ProjectConnection], list[str]]:
    """Return every task that an API generation lists, with its connection, and the errors."""
    places: dict[Place, ProjectConnection] = {}
    failures: dict[str, None] = {}
    for connection in opened:
        api = next(api for api in connection.apis if isinstance(api, generation))
        for job_type in connection.job_types:
            response = await connection.list_tasks(api, job_type)
            if isinstance(response, CloudError):
                failures[_failure(connection, generation, response)] = None
            else:
                places |= {Place(*connection.key, task.id, task.name): connection for task in response.tasks}
    return places, list(failures)


async def _details(
    opened: Iterable[ProjectConnection],
    generation: type[V3 | V5],
    task_id: str,
    parameters: Iterable[tuple[str, str]],
) -> Outcome:
    """Query one project after the other, up to the one that has the task."""
    failures = []
    for connection in opened:
        client = connection.client
        call = fetch_status(client, task_id) if generation is V3 else fetch_details(client, task_id, *parameters)
        response = await attempt(call)
        if not isinstance(response, CloudError):
            return _shown(response, frozenset() if generation is V3 else _ALWAYS)
        failures.append(_failure(connection, generation, response))
        if isinstance(response, BadRequestError):  # this project has the task
            break
    return Outcome(1, notes=tuple(failures))


def _shown(job: Mapping[str, Any], always: frozenset[str]) -> Outcome:
    shown, left_out = allowed({key: value for key, value in job.items() if key != "id"})
    notes = []
    if left_out:
        notes.append(f"{plural(left_out, 'value')} left out, which may hold messages, hosts, users or names")
    if not job.keys() - always:
        notes.append("the cloud returns nothing of this type for the task")
    return Outcome(0, json_text(shown, indent=2), tuple(notes))


def _failure(connection: ProjectConnection, generation: type[V3 | V5], error: CloudError) -> str:
    where = project_text(connection.key)
    if isinstance(error, TaskGoneError):
        return f"{where}: {generation.name} has no such task"
    if isinstance(error, BadRequestError):
        code = known_code(error.error_code) or "no code"
        check = "the task's state" if generation is V3 else "--query-id, and the task's state"
        return f"{where}: {generation.name} refuses the query, {error.code} {code}: check {check}"
    return f"{where}: {advise(error).text}"


def allowed(job: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
    """Return the part of an object that may be shown, and the number of values, not counting empty ones, left out."""
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
    """Return the value of an allowed key, `other` in place of an undocumented word, None for any other text."""
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
