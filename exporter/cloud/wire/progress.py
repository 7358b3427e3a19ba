"""Progress, delay and node load: v3 batch-progress, v5 "Querying Task Details" with type=progress."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from exporter.cloud import operations
from exporter.cloud.http.errors import CloudError, TaskRefusedError, judge_dated
from exporter.cloud.wire.answers import BatchItem, item_error, job_in, read_batch
from exporter.cloud.wire.fields import (
    Completed,
    Delay,
    DelayMillis,
    ErrorCode,
    Fields,
    Milliseconds,
    Moment,
    Number,
    Ratio,
    Text,
    Time,
    Wire,
)
from exporter.cloud.wire.objects import ObjectProgress
from exporter.model.facts import Node, Progress

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from exporter.cloud.http.client import Client
    from exporter.cloud.source import Answer
    from exporter.cloud.wire.fields import DecodeErrors
    from exporter.model.facts import TaskFacts

_LONGEST_DELAY = 10 * 365.25 * 86_400
_STAGE = re.compile(r"[A-Za-z0-9_-]{1,40}")
"""Stages become a label: a word, never a text."""


class Stage(Wire):
    """An entry of `progress_map`."""

    completed: Completed = None


class ProgressFields(Wire):
    """`progress_info` of v5 "Querying Task Details" (table 35), and an item of v3 batch-progress."""

    progress: Completed = None
    incr_trans_delay: Delay = None
    incre_trans_delay: Delay = None
    incr_trans_delay_millis: DelayMillis = None
    incre_trans_delay_millis: DelayMillis = None
    transfer_status: Text = None
    process_time: Moment = None
    remaining_time: Number = None
    progress_map: Fields = None
    apply_rows_rate: Number = None
    apply_bytes_rate: Number = None
    error_code: ErrorCode = None

    def part(self, errors: DecodeErrors) -> Progress:
        """The neutral part: the largest of the delays, and the remaining time only while the load runs."""
        loading = self.progress is not None and 0 < self.progress < 1
        reported_at, reported_by = self.process_time or (None, None)
        delays = (
            self.incr_trans_delay,
            self.incre_trans_delay,
            self.incr_trans_delay_millis,
            self.incre_trans_delay_millis,
        )
        return Progress(
            full_ratio=self.progress,
            full_remaining_seconds=self.remaining_time if loading else None,
            stages=_stages(self.progress_map or {}, errors),
            delay_seconds=_delay(delays),
            reported_at=reported_at,
            reported_by=reported_by,
            apply_rows_per_second=self.apply_rows_rate,
            apply_bytes_per_second=self.apply_bytes_rate,
            error_code=self.error_code,
        )


def _delay(delays: Iterable[float | None]) -> float | None:
    """The largest of the delays that are given, in seconds; None if one is over ten years or cannot be read."""
    delay = max((value for value in delays if value is not None), default=None)
    return None if delay is None or delay > _LONGEST_DELAY else delay


def _stages(progress_map: Mapping[str, Any], errors: DecodeErrors) -> tuple[tuple[str, float], ...]:
    known = {name: value for name, value in progress_map.items() if value is not None}
    named = {name: value for name, value in known.items() if _STAGE.fullmatch(name)}
    errors.count += len(known) - len(named)
    read = ((name, Stage.read(value, errors)) for name, value in named.items())
    return tuple((name, stage.completed) for name, stage in read if stage and stage.completed is not None)


class ItemV3(ProgressFields, BatchItem):
    """An item of "Querying Task Progress in Batches"."""

    status: Text = None

    def answer(self, errors: DecodeErrors) -> Answer:
        """The facts, or the error of this task alone."""
        name = operations.PROGRESS_V3.name
        error = item_error(name, self.error_code, self.transfer_status, self.status)
        facts = self.part(errors)
        if error is None and facts == Progress() and self.transfer_status is None:
            error = TaskRefusedError(name, "200")  # neither facts nor a code that says why
        return (facts,) if error is None else error


async def fetch_v3(client: Client, errors: DecodeErrors, ids: Sequence[str]) -> Mapping[str, Answer]:
    """Progress of some tasks."""
    answer, served_at = await client.exchange(operations.PROGRESS_V3, judge_dated, body={"jobs": list(ids)})
    answers = read_batch(operations.PROGRESS_V3.name, answer, ItemV3, errors, ids=ids)
    return {task_id: _served(found, served_at) for task_id, found in answers.items()}


def _served(answer: Answer, served_at: float | None) -> Answer:
    """The answer with the time of the response in its progress."""
    if isinstance(answer, CloudError):
        return answer
    return tuple(replace(part, served_at=served_at) if isinstance(part, Progress) else part for part in answer)


class Metrics(Wire):
    """`metrics` of "Querying Task Details", table 39: strings, documented without units.

    The names are those of the vendor's Cloud Eye metrics, whose units are documented: percent, B/s, rows/s, ms.
    """

    time_stamp: Time = None
    cpu_util: Ratio = None
    mem_util: Ratio = None
    network_incoming_bytes_rate: Number = None
    network_outgoing_bytes_rate: Number = None
    disk_read_bytes_rate: Number = None
    disk_write_bytes_rate: Number = None
    apply_rows_rate: Number = None
    apply_transactions_rate: Number = None
    apply_ddl_rate: Number = None
    apply_average_execute_time: Milliseconds = None
    apply_average_commit_time: Milliseconds = None
    apply_current_state: Text = None

    def part(self) -> Node:
        """The neutral part."""
        return Node(
            cpu_ratio=self.cpu_util,
            memory_ratio=self.mem_util,
            receive_bytes_per_second=self.network_incoming_bytes_rate,
            transmit_bytes_per_second=self.network_outgoing_bytes_rate,
            disk_read_bytes_per_second=self.disk_read_bytes_rate,
            disk_write_bytes_per_second=self.disk_write_bytes_rate,
            apply_rows_per_second=self.apply_rows_rate,
            apply_transactions_per_second=self.apply_transactions_rate,
            apply_ddls_per_second=self.apply_ddl_rate,
            apply_average_execute_seconds=self.apply_average_execute_time,
            apply_average_commit_seconds=self.apply_average_commit_time,
            apply_state=self.apply_current_state,
            reported_at=self.time_stamp,
        )


class JobV5(Wire):
    """The object `job` with type=progress; which of its blocks are filled depends on the task."""

    progress_info: Fields = None
    metrics: Fields = None
    migration_object_progress_info: Fields = None


async def fetch_v5(client: Client, errors: Mapping[str, DecodeErrors], ids: Sequence[str]) -> Mapping[str, Answer]:
    """Progress, node load and object counts of one task, in one call; `errors` by collector."""
    operation = operations.PROGRESS_V5
    answer, served_at = await client.exchange(operation, judge_dated, job_id=ids[0], query=(("type", "progress"),))
    job = job_in(operation, answer, ids[0], JobV5, errors["progress"])
    parts: list[TaskFacts] = []
    if job.progress_info and (info := ProgressFields.read(job.progress_info, errors["progress"])):
        parts.append(info.part(errors["progress"]))
    if job.metrics and (metrics := Metrics.read(job.metrics, errors["node"])):
        parts.append(metrics.part())
    block = job.migration_object_progress_info
    if block and (objects := ObjectProgress.read(block, errors["objects"])):
        parts.append(objects.part(errors["objects"]))
    return {ids[0]: _served(tuple(parts), served_at)}
