"""The recent history of tasks: its memory, and the CPU to record it and to predict from it."""

from __future__ import annotations

import gc
import math
import tracemalloc
from time import process_time
from typing import TYPE_CHECKING

from exporter.model.facts import Progress
from exporter.model.task import Identity, Listed, Task
from exporter.store.task_history import TaskHistory
from tests.bench.measure import Result, Row

if TYPE_CHECKING:
    from collections.abc import Sequence

_START = 1_767_225_600.0
_GOAL_KB, _GOAL_MICROSECONDS = 4.0, 200.0
_LISTED = Listed("id", "name", "INCRE_TRANSFER_STARTED", "sync", current_action="")


async def measure(tasks: int, minutes: int) -> Result:
    """Record the delays of n tasks, once a minute."""
    states = [_task_at(minute) for minute in range(minutes)]
    gc.collect()
    tracemalloc.start()
    histories = [TaskHistory() for _ in range(tasks)]
    _record(histories, states[:1], _START)
    size = tracemalloc.get_traced_memory()[0] / tasks / 1000
    tracemalloc.stop()
    started = process_time()
    _record(histories, states[1:], _START + 60)
    spent = (process_time() - started) / tasks / (minutes - 1)
    return Result(
        [
            Row(f"history of a task for a day, of {tasks:,} tasks", "KB", [size], _GOAL_KB),
            Row(
                "recording a point of a task and predicting from 30 minutes, once a minute",
                "us",
                [1e6 * spent],
                _GOAL_MICROSECONDS,
                figures=f"CPU; {100 * spent * 10_000 / 60:.1f}% of one processor with 10,000 tasks",
            ),
        ]
    )


def _task_at(minute: int) -> Task:
    progress = Progress(full_ratio=1.0, delay_seconds=9000 - 3.0 * minute + math.sin(minute), apply_rows_per_second=7)
    return Task(Identity("a", "r", "p", "id", "name"), listed=_LISTED, progress=progress, fresh=("progress",))


def _record(histories: Sequence[TaskHistory], states: Sequence[Task], start: float) -> None:
    for minute, state in enumerate(states):
        for history in histories:
            history.observe(_LISTED, start + 60 * minute)
            history.record(state, start + 60 * minute, start + 60 * minute)
