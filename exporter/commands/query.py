r"""Print details of one task that API v5 returns by type, as JSON.

Messages, hosts, users and names are left out. The types status and batch_detail
are those of API v3. For network, precheck and cloud_connection, give the query
id that the cloud returned when the test was started.

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

from exporter.cloud import operations
from exporter.cloud.http.error_codes import known_code
from exporter.cloud.http.errors import BadRequestError, CloudError, TaskGoneError
from exporter.cloud.operations import Operation
from exporter.cloud.v3 import V3, fetch_item
from exporter.cloud.v5 import V5, fetch_details
from exporter.commands.connections import CallObserver, ProjectConnection, attempt, connections
from exporter.commands.lookup import Place, ambiguous, matches, no_match
from exporter.commands.options import Parser, add_cloud, add_task, cloud_of
from exporter.commands.outcome import Outcome
from exporter.config import Config
from exporter.runtime import interrupts
from exporter.runtime.escape import json_text
from exporter.views.allowed import allowed
from exporter.views.errors import advise
from exporter.views.text import plural, project_text

V3_TYPES: Mapping[str, Operation] = {"status": operations.STATUS_V3, "batch_detail": operations.DETAIL_V3}
"""The types that API v3 returns: "Querying Task Statuses in Batches" and "Querying Task Details in Batches"."""
TYPES: Mapping[str, tuple[tuple[str, str], ...]] = {
    **dict.fromkeys(V3_TYPES, ()),
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
"""The types of v3, and all of "Querying Task Details" (v5), table 2, with their further parameters."""
NEEDS_QUERY_ID = frozenset({"network", "precheck", "cloud_connection"})
"""Types of a test whose start returns an id; the cloud keeps the result under this id."""
_ALWAYS = frozenset({"id", "status", "create_time", "total_count"})
"""Keys in the response for every type."""
_ID = re.compile(r"[0-9a-z]{8}(?:-[0-9a-z]{4}){3}-[0-9a-z]{12}")
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
    generation = V3 if kind in V3_TYPES else V5
    parameters = (("type", kind), *TYPES[kind], *((("query_id", query_id),) if query_id else ()))
    async with connections(config, repeat(CallObserver()), transport=transport, now=now) as opened:
        if _ID.fullmatch(task):
            return await _details(opened, kind, task, parameters)
        places, failures = await _listed(opened, generation)
        found = matches(task, places)
        if len(found) > 1:
            return Outcome(2, notes=(ambiguous(task, found),))
        if not found:
            missing = no_match(task, places, all_read=not failures)
            return Outcome(1, notes=(missing, *([_BY_NAME] if generation is V5 else ()), *failures))
        return await _details([places[found[0]]], kind, found[0].task_id, parameters)


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
    kind: str,
    task_id: str,
    parameters: Iterable[tuple[str, str]],
) -> Outcome:
    """Query one project after the other, up to the one that has the task."""
    generation, in_v3 = (V3, V3_TYPES[kind]) if kind in V3_TYPES else (V5, None)
    failures = []
    for connection in opened:
        client = connection.client
        call = fetch_item(client, in_v3, task_id) if in_v3 else fetch_details(client, task_id, *parameters)
        response = await attempt(call)
        if not isinstance(response, CloudError):
            return _shown(response, frozenset() if in_v3 else _ALWAYS)
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
