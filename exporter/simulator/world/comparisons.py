"""Comparison tasks and their results, as a function of a task's life; both generations write the same ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from exporter.simulator.world.formats import pick, uuid
from exporter.simulator.world.life import HOUR, MINUTE

if TYPE_CHECKING:
    from exporter.simulator.world.life import Moment
    from exporter.simulator.world.tasks import SimTask

EVERY = 6 * HOUR
ROUNDS = 3
"""The number of rounds in the list."""

KINDS = {"objects": (0.0, MINUTE), "lines": (5 * MINUTE, 10 * MINUTE), "contents": (20 * MINUTE, 40 * MINUTE)}
"""Kind -> life seconds until it starts in a round, and that it takes."""

_ODD_ENDS = {("lines", 3): "FAILED", ("contents", 5): "CANCELLED"}
"""Some rounds out of eight do not succeed."""

OBJECT_TYPES = ("DB", "TABLE", "INDEX", "VIEW")
DATABASES = ("shop", "stock")
TABLES = ("customers", "orders", "payments")


@dataclass(frozen=True, slots=True)
class Comparison:
    """A comparison task of the user; times are epoch seconds."""

    id: str
    kind: str
    created: float
    ended: float | None
    status: str

    @property
    def running(self) -> bool:
        """True if the results are still to come."""
        return self.status in {"RUNNING", "WAITING_FOR_RUNNING", "FULL_DOING", "INCRE_DOING"}


@dataclass(frozen=True, slots=True)
class Table:
    """One table on both sides; ``target`` None when its database is missing there."""

    database: str
    name: str
    source: int
    target: int | None

    @property
    def difference(self) -> int:
        """Rows that one side has and the other has not."""
        return abs(self.source - (self.target or 0))


def comparisons(task: SimTask, moment: Moment) -> list[Comparison]:
    """All comparison tasks, the newest first; none for a task that the user never compared.

    Those from before a failure are still there after a retry.
    """
    begun = moment.first.get("INCRE_TRANSFER_STARTED")
    if not task.comparison or begun is None:
        return []
    last = int((moment.now - begun) * moment.speed // EVERY)
    numbers = range(max(last - ROUNDS + 1, 0), last + 1)
    every = [_comparison(moment, number, kind) for number in numbers for kind in KINDS]
    listed = sorted(
        (comparison for comparison in every if comparison.created <= moment.now),
        key=lambda comparison: -comparison.created,
    )
    newest = {comparison.kind: comparison for comparison in reversed(listed)}
    if task.comparison_status:
        return [replace(each, status=task.comparison_status) if each is newest[each.kind] else each for each in listed]
    return listed


def _comparison(moment: Moment, number: int, kind: str) -> Comparison:
    offset, lasts = KINDS[kind]
    created = moment.first["INCRE_TRANSFER_STARTED"] + (number * EVERY + offset) / moment.speed
    ended = created + lasts / moment.speed
    status = _ODD_ENDS.get((kind, number % 8), "SUCCESSFUL") if ended <= moment.now else "RUNNING"
    over = ended if ended <= moment.now else None
    return Comparison(uuid(moment.id, "compare", kind, number), kind, created, over, status)


def tables(task: SimTask) -> list[Table]:
    """All tables of a line or content comparison."""
    return [_table(task, database, name) for database in DATABASES for name in TABLES]


def _table(task: SimTask, database: str, name: str) -> Table:
    rows = int(pick(f"{task.seed}.{database}.{name}", 100, 90_000))
    if task.comparison == "target_missing" and database == DATABASES[-1]:
        return Table(database, name, rows, None)
    differs = task.comparison == "different" and (database, name) == (DATABASES[0], TABLES[1])
    return Table(database, name, rows, rows - 3 if differs else rows)


def table_result(comparison: Comparison, table: Table) -> str:
    """The result word of one table."""
    if comparison.status == "SUCCESSFUL":
        return "CONSISTENT" if table.difference == 0 else "INCONSISTENT"
    if comparison.running:
        return "COMPARING" if table.database == DATABASES[0] else "WAITING_FOR_COMPARISON"
    return "FAILED_TO_COMPARE"


def database_result(task: SimTask, comparison: Comparison, database: str, *, missing: str) -> str:
    """The result word of one database; the generations spell a missing one differently."""
    own = [table for table in tables(task) if table.database == database]
    if comparison.status == "SUCCESSFUL" and any(table.target is None for table in own):
        return missing
    results = {table_result(comparison, table) for table in own}
    return results.pop() if len(results) == 1 else "INCONSISTENT"


def object_counts(task: SimTask, kind: str) -> tuple[int, int]:
    """Return the numbers of objects of a type in the source and in the target."""
    source = len(DATABASES) if kind == "DB" else int(pick(f"{task.seed}.{kind}", 2, 60))
    lost = {"different": {"INDEX": 1}, "target_missing": {"DB": 1, "TABLE": 1}}.get(task.comparison, {})
    return source, source - lost.get(kind, 0)


def object_result(task: SimTask, comparison: Comparison, kind: str) -> str:
    """The result word of one type of objects."""
    if comparison.status != "SUCCESSFUL":
        return "COMPARING" if comparison.running else "FAILED_TO_COMPARE"
    source, target = object_counts(task, kind)
    return "CONSISTENT" if source == target else "INCONSISTENT"
