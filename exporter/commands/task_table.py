"""The table of all tasks that `tasks` prints."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from exporter.model.task import Phase
from exporter.runtime.terminal import Cell, Screen, table
from exporter.views.cutover import NO_BLOCKER, READY
from exporter.views.order import WORST_FIRST, Families, urgency
from exporter.views.text import UNKNOWN, age, duration, lasting, load_outlook, outlook, percent, plural, project_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from exporter.commands.documents import ProjectRow, TaskRow, TaskTable

_DASH = "-"
_READ = "progress"
"""The collector whose age is shown."""
_STYLES: Mapping[str, str] = {
    UNKNOWN: "warn",
    Phase.FAILED: "bad",
    Phase.OTHER: "warn",
    Phase.PAUSED: "warn",
    Phase.ENDING: "dim",
    Phase.ENDED: "dim",
}
_HEAD = ("TASK", "PROJECT", "PHASE", "PROGRESS", "DELAY", "TREND", "AGE", "CUT-OVER")
_PROJECT, _TREND, _AGE, _FLEXIBLE = 1, 5, 6, (7, 5, 1, 0)
_ROOMY, _TIGHT = 120, 70
"""Columns of a terminal: from the first width on, the table has the project; below the second, it lacks the age."""


def as_table(found: TaskTable, screen: Screen) -> str:
    """Return a line for each task, the worst over all projects first, subtasks below their parents.

    A terminal that is too narrow for a column of projects gets a table for each, then the counts.
    """
    now = found.now_timestamp_seconds
    if screen.width is None or screen.width >= _ROOMY:
        rows = list(rows_of(found.tasks, now))
        blocks = [_lines(rows, screen, hidden=())] if rows else []
    else:
        blocks = [_block(project, found, screen) for project in found.projects]
    if screen.width is not None or not blocks:
        blocks.append([_counts(found)])
    return "\n\n".join("\n".join(block) for block in blocks)


def _block(project: ProjectRow, found: TaskTable, screen: Screen) -> list[str]:
    rows = list(rows_of([task for task in found.tasks if task.key == project.key], found.now_timestamp_seconds))
    hidden = (_PROJECT, _AGE) if screen.width is not None and screen.width < _TIGHT else (_PROJECT,)
    lines = _lines(rows, screen, hidden) if rows else ["no tasks" if project.up else "tasks unknown"]
    return [screen.paint(project_text(project.key), "bold"), *lines]


def _lines(rows: Sequence[Sequence[Cell]], screen: Screen, hidden: Sequence[int]) -> list[str]:
    head = [Cell(name, "bold") for name in _HEAD]
    shown = {*range(len(_HEAD))} - {*hidden}
    if not any(row[_TREND].text for row in rows):
        shown.remove(_TREND)
    kept = sorted(shown)
    flexible = [kept.index(column) for column in _FLEXIBLE if column in kept]
    return table([[row[column] for column in kept] for row in (head, *rows)], screen, flexible)


def rows_of(tasks: Sequence[TaskRow], now: float) -> Iterator[list[Cell]]:
    """Return a row for each task, the worst first, each followed by its subtasks."""
    families: Families[TaskRow] = Families()
    for task in tasks:
        key = urgency(task.phase, task.incremental_delay_seconds, task.task_name)
        families.add(task, task.task_id, task.parent_id, key)
    for task, depth in families.sorted():
        yield _row(task, "  " * (depth - 1) + "+ " if depth else "", now)


def _row(task: TaskRow, prefix: str, now: float) -> list[Cell]:
    ratio, delay = task.full_progress_ratio, task.incremental_delay_seconds
    read = task.collected_timestamp_seconds.get(_READ)
    return [
        Cell(prefix + task.task_name),
        Cell(project_text(task.key), "dim"),
        Cell(task.phase, _STYLES.get(task.phase, "")),
        Cell(_DASH if ratio is None else percent(ratio)),
        Cell(_DASH if delay is None else duration(delay)),
        Cell(_outlook(task, now)),
        Cell(_DASH if read is None else age(read, now)),
        _cutover(task, now),
    ]


def _outlook(task: TaskRow, now: float) -> str:
    slope = None if task.incremental_delay_seconds is None else task.incremental_delay_slope
    load = load_outlook(task.predicted_full_load_end_timestamp_seconds, task.full_remaining_seconds, now)
    return ", ".join(filter(None, [*outlook(slope, task.predicted_catch_up_seconds), load]))


def _cutover(task: TaskRow, now: float) -> Cell:
    if task.cutover_blockers is None:
        return Cell(_DASH if task.cells is None else task.cells.cutover)
    if task.cutover_blockers:
        return Cell(f"blocked: {', '.join(task.cutover_blockers)}", "warn")
    word = NO_BLOCKER if task.cutover is None else f"{READY}{lasting(task.cutover_ready_since_timestamp_seconds, now)}"
    return Cell(f"{word}; {task.cutover_not_checked}" if task.cutover_not_checked else word, "good")


def _counts(found: TaskTable) -> str:
    """Return the numbers of tasks without subtasks, and of projects whose lists failed or are incomplete."""
    tasks = [task for task in found.tasks if task.parent_id is None]
    phases = Counter(urgency(task.phase, None)[0] for task in tasks)
    ready = [task for task in tasks if task.cutover == READY]
    unchecked = sum(task.cutover_not_checked is not None for task in ready)
    unknown = sum(not project.up or project.incomplete for project in found.projects)
    words = [f"{count} {WORST_FIRST[rank]}" for rank, count in sorted(phases.items())]
    whole = [plural(len(tasks), "task") + (f": {', '.join(words)}" if words else "")]
    beside = f" ({unchecked} not fully checked)" if unchecked else ""
    whole += [f"{len(ready)} ready to cut over{beside}"] if tasks else []
    whole += [f"those of {plural(unknown, 'project')} unknown or incomplete"] if unknown else []
    return "; ".join(whole)
