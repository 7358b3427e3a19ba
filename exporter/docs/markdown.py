"""The documents that are made from the code: the catalogue of metrics, and the operations that feed it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TypeVar

from exporter.cloud import operations
from exporter.cloud.wire.paging import PAGE
from exporter.config.load import Collectors, Cutover, Poll, duration_text
from exporter.docs import examples
from exporter.docs import sources as feeds
from exporter.docs.errors import ERRORS, errors_table
from exporter.metrics.board import label_text, number_text
from exporter.metrics.family import PROJECT_LABELS, TASK_LABELS
from exporter.metrics.own import OWN_FAMILIES
from exporter.metrics.projects import PROJECT_FAMILIES
from exporter.metrics.tasks import TASK_FAMILIES
from exporter.model.cutover import REASONS
from exporter.model.task import Listed, Project, Task

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from exporter.cloud.operations import Operation
    from exporter.cloud.source import Source
    from exporter.docs.sources import Feed
    from exporter.metrics.family import Family
    from exporter.metrics.own import Own
    from exporter.metrics.page import FamilyHead
    from exporter.model.cutover import Reason

T = TypeVar("T", Task, Project)

_UNITS = (
    ("_timestamp_seconds", "Unix time in seconds"),
    ("_seconds", "seconds"),
    ("_bytes", "bytes"),
    ("_ratio", "ratio of 1"),
    ("_rows", "rows"),
    ("_total", "count"),
    ("_info", "always 1"),
)
_RATE = "_per_second"
_ROLE, _NONE = "role", "none"
_PERMISSIONS = (
    f'`{_ROLE}` is the system role "DRS ReadOnlyAccess". Where IAM has to allow an action as well, its name follows. '
    f"`{_NONE}`: the vendor documents no permission."
)
_PAGED = {
    operations.LIST_V3: f"max(1, ceil(tasks / {PAGE}))",
    operations.LIST_V5: f"max(1, ceil(tasks / {PAGE}))",
    operations.ASYNC_JOBS_V5: "max(1, ceil(async_jobs / 100))",
}
_MORE = {operations.COMPARE_V3: ("compared",), operations.COMPARE_V5: ("comparisons", "different")}
"""What comparisons that have ended add."""
_COUNTS = {
    "tasks": "the tasks of one list. Each job type is a list of its own, and so is each of `enterprise_project_ids`",
    "active": "the running tasks and subtasks that the operation serves (see below)",
    "dr": "the disaster-recovery tasks among them",
    "configured": "tasks that have been in status CONFIGURATION for less than 3 days",
    "compared": "active tasks with a comparison that succeeded since the last poll; the newest of each type counts",
    "comparisons": "these comparisons",
    "different": "the comparisons of rows or contents among them that found a difference",
    "async_jobs": "the project's asynchronous batches",
}
_SERVED = (
    ("active", Listed("", "", "INCRE_TRANSFER_STARTED", "sync")),
    ("dr", Listed("", "", "INCRE_TRANSFER_STARTED", "cloudDataGuard")),
    ("configured", Listed("", "", "CONFIGURATION", "sync")),
)
"""Kinds of tasks by the words above; the first that a source wants names its tasks."""
_NOTES = """\
With `api: v3` or `api: v5`, an operation serves all tasks that its API generation lists. With `api: auto`, v3 comes
first: v5 serves the tasks that only v5 lists and, for all tasks that it lists, the facts for which v3 has no operation:
load of the node, objects, both sides of tasks other than DR, the end of read-only, logs. `v5_list_jobs` is then called
every 5 minutes.

One call of `v5_job_progress` returns progress, load of the node and objects: the collector with the shortest interval
makes the calls, and the others need none. In the same way, `recovery` makes the calls for the details of
disaster-recovery tasks, which show whether a switchover is in progress. Operations that are not published in a region
are tried once an hour."""
_OTHERWISE = {
    operations.SIGN_IN: "for a token, with credentials of type `password`: about once a day, and after a 401",
    operations.LIST_PROJECTS: "for projects without a project_id: once; not with credentials of type `password`",
    operations.METADATA_TOKEN: "credentials of type `ecs_agency`: with each renewal of the keys",
    operations.METADATA_KEYS: "credentials of type `ecs_agency`: about once an hour",
    operations.QUERY_V5: "`drs-exporter query`",
    operations.STATUS_V3: "`drs-exporter query --type=status`",
}
"""The callers of the operations that no collector calls."""


def catalogue_markdown() -> str:
    """All families: name, type, unit, labels, what feeds them, permission, meaning and an example."""
    return _document(
        "# Metrics",
        "Made by `drs-exporter metrics` from the catalogue; do not edit.",
        "A value that is not known, or too old to be believed, has no series: never 0, -1 or NaN in its place.",
        "Names in labels, on pages, in tables and in the log have no control character, line separator, zero-width "
        "character or other character of Unicode's categories Cc, Cf, Cs, Zl and Zp. The exporter replaces each by an "
        "escape of printable characters: a line feed by `\\n`, a tab by `\\t`, a zero-width space by `\\u200b`. JSON "
        "contains the name as the cloud returns it.",
        f"The operations stand in [operations.md](operations.md). {_PERMISSIONS} In the examples `…` stands for the "
        "labels that each series of the table carries.",
        "## Tasks",
        f"Each series carries {_words(TASK_LABELS)}; the last only on subtasks, which makes counting once easy.",
        _families(_row(one, _task_example(one), feeds.feed_of(one)) for one in TASK_FAMILIES),
        "### Reasons against a cut-over",
        "The label `reason` of `drs_task_cutover_blocker`. A setting of `cutover` that says `required` blocks when "
        "nothing is known as well, `if_available` only when it is known to be bad; with `ignore` there is no series.",
        _table(("reason", "is 1 when", "collector", "setting and default"), map(_reason, REASONS)),
        "## Projects",
        f"Each series carries {_words(PROJECT_LABELS)}.",
        _families(_row(one, _example(one, [examples.PROJECT]), feeds.feed_of(one)) for one in PROJECT_FAMILIES),
        "## The exporter itself",
        "Beside these, `process_*` and `python_info` of the Prometheus client library.",
        _families(_row(one, _own_example(one), None) for one in OWN_FAMILIES),
    )


def operations_markdown() -> str:
    """All operations: what is sent, for which collector, how often, and with what permission."""
    collected = [
        *(_operation(one, Listed.collector, calls=_PAGED[one]) for one in feeds.LISTS),
        *(row for one in feeds.sources() for row in _source(one)),
        *(
            _operation(one.operation, one.collector, calls=_PAGED.get(one.operation, "1"))
            for one in feeds.project_sources()
        ),
    ]
    otherwise = [f"| `{one.name}` | {_sent(one)} | {when} |" for one, when in _OTHERWISE.items()]
    return _document(
        "# Operations",
        "Generated by `make docs` from the code and docs/parts; do not edit. The exporter sends only these requests, "
        "all of which read.",
        "## Calls of the collectors",
        "The calls of one poll as a formula, without retries. There are no calls for tasks that have ended, that are "
        "only configured (except for the pre-check), or that have subtasks.",
        _table(
            ("operation", "method and path", "collector", "default interval", "calls of a poll", "permission"),
            collected,
        ),
        "\n".join(f"* `{word}`: {meaning}" for word, meaning in _COUNTS.items()),
        _NOTES,
        _PERMISSIONS,
        "## Other calls",
        _table(("operation", "method and path", "when"), otherwise),
        "## Errors",
        ERRORS,
        _table(("finding", "code", "status without a code", "sent", "batch is split", "remedy"), errors_table()),
    )


def _document(*paragraphs: str) -> str:
    return "\n\n".join(paragraphs) + "\n"


def _table(head: Sequence[str], rows: Iterable[str]) -> str:
    return "\n".join((f"| {' | '.join(head)} |", "|---" * len(head) + "|", *rows))


def _words(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


# Families


def _families(rows: Iterable[str]) -> str:
    head = ("family", "type", "unit", "labels", "collector", "operations", "permission", "meaning", "example")
    return _table(head, rows)


def _row(family: FamilyHead, example: str, feed: Feed | None) -> str:
    fed = feed or feeds.Feed((), ())
    cells = (
        f"`{family.name}`",
        family.type,
        unit_of(family.name),
        _words(family.labels),
        ", ".join(fed.collectors),
        _words(one.name for one in fed.operations),
        _permissions(fed.operations),
        family.help,
        f"`{example}`",
    )
    return f"| {' | '.join(cells)} |"


def _reason(reason: Reason) -> str:
    default = getattr(Cutover(), reason.setting) if reason.setting else None
    text = duration_text(default) if isinstance(default, float) else default
    setting = f"`cutover.{reason.setting}`: {text}" if reason.setting else ""
    return f"| `{reason.name}` | {reason.when} | {reason.collector} | {setting} |"


def unit_of(name: str) -> str:
    """The unit that the end of a family's name says; empty for counts of things, states and flags."""
    if name.endswith(_RATE):
        return f"{name.removesuffix(_RATE).rpartition('_')[2]} per second"
    return next((unit for end, unit in _UNITS if name.endswith(end)), "")


def _task_example(family: Family[Task]) -> str:
    return _example(family, [*examples.TASKS, examples.filled(examples.REPLICATING, family.fields)])


def _example(family: Family[T], subjects: Iterable[T]) -> str:
    """A series that the examples show, one that is not 0 if there is any."""
    samples = [sample for subject in subjects for sample in family.samples(subject)]
    labels, value = next((sample for sample in samples if sample[1]), samples[0])
    return _series(family, labels, value)


def _own_example(own: Own) -> str:
    labels = tuple(examples.OWN_LABELS.get(name, name) for name in own.labels)
    return _series(own, labels, 1) if own.type != "histogram" else f"{_series(own, labels, 3)}".replace("{", "_count{")


def _series(family: FamilyHead, labels: Sequence[str], value: float) -> str:
    own = label_text(zip(family.labels, labels, strict=True)).decode()
    text = f"{{{','.join(part for part in ('…', own) if part)}}}"
    return f"{family.name}{text} {number_text(value).decode()}".replace("|", "\\|")


def _permissions(fed: Iterable[Operation]) -> str:
    """Those of the operations, by generation where both feed."""
    found: dict[str, dict[str, None]] = {}
    for one in fed:
        found.setdefault(one.api, {}).update(dict.fromkeys(_permissions_of(one)))
    told = {generation: ", ".join(permissions) for generation, permissions in found.items()}
    return "; ".join(f"{generation}: {text}" if len(told) > 1 else text for generation, text in told.items())


# Operations


def _permissions_of(operation: Operation) -> list[str]:
    if operation.api == "v5":
        return [_NONE]
    return [_ROLE, f"`{operation.action}`"] if operation.action else [_ROLE]


def _operation(operation: Operation, *collectors: str, calls: str) -> str:
    cells = (
        f"`{operation.name}`",
        _sent(operation),
        ", ".join(collectors),
        _interval(collectors),
        f"`{calls}`",
        _permissions([operation]),
    )
    return f"| {' | '.join(cells)} |"


def _sent(operation: Operation) -> str:
    """Return method and path, with the type by which operations with the same path differ."""
    query = f"?type={operation.type}" if operation.type else ""
    return f"{operation.method} `{operation.path}{query}`"


def _interval(collectors: Iterable[str]) -> str:
    """That of the collector that asks most often; by default some ask never."""
    settings = [getattr(Collectors(), name) for name in collectors]
    shortest = duration_text(min(one.interval or Poll().interval for one in settings))
    return shortest if any(one.enabled for one in settings) else f"{shortest}, when enabled"


def _source(source: Source) -> list[str]:
    """A row for each set of tasks that it is asked for: parts told of some tasks only bring the others along."""
    whole = [part.collector for part in source.parts if part not in source.partial]
    some = [
        (part.collector, next(word for word, listed in _SERVED if source.serves(listed, part, 0)))
        for part in source.partial
    ]
    served = next(word for word, listed in _SERVED if source.wants(listed))
    rest = " - ".join((served, *(word for _, word in some)))
    return [
        *(_operation(source.operation, name, *whole, calls=_calls(source, word)) for name, word in some),
        _operation(source.operation, *dict.fromkeys(whole), calls=_calls(source, rest)),
    ]


def _calls(source: Source, served: str) -> str:
    many = f"({served})" if " " in served else served
    counted = f"ceil({many} / {source.batch})" if source.batch > 1 else served
    return " + ".join((counted, *_MORE.get(source.operation, ())))


def main() -> None:
    """Print the operations."""
    sys.stdout.write(operations_markdown())


if __name__ == "__main__":
    main()
