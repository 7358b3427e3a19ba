"""Progress, delay and node load: v3 batch-progress, v5 "Querying Task Details" with type=progress."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import PlainValidator, ValidationInfo

from exporter.cloud import operations
from exporter.cloud.http.errors import TaskError
from exporter.cloud.http.response import read_object_and_date
from exporter.cloud.source import DecodeErrors, ErrorsByCollector, TaskResult, TaskResults
from exporter.cloud.wire.batch_item import BatchItemWire, JobWire, item_error, job_in
from exporter.cloud.wire.fields import (
    Delay,
    DelayMillis,
    ErrorCode,
    JsonObject,
    Milliseconds,
    Number,
    Percent,
    Ratio,
    Text,
    Time,
    TimeBounds,
    Wire,
    Word,
    alias,
    facts_of,
    is_null,
)
from exporter.cloud.wire.objects import ObjectsWire
from exporter.model.facts import Node, Objects, Progress, TaskFacts

if TYPE_CHECKING:
    from exporter.cloud.http.client import Client

_LONGEST_DELAY = 10 * 365.25 * 86_400
_STAGE = re.compile(r"[A-Za-z0-9_-]{1,40}")
"""Stages become a label: a word, never a text."""


def plausible_delay(delay: float | None) -> float | None:
    """Return a delay in seconds; None if it is over ten years, or cannot be read."""
    return None if delay is None or delay > _LONGEST_DELAY else delay


class StageWire(Wire):
    """An entry of `progress_map`."""

    completed: Percent = None
    remaining_time: Number = None


def _stages(progress_map: Any, info: ValidationInfo[DecodeErrors]) -> tuple[tuple[str, StageWire], ...]:
    errors = info.context
    if not isinstance(progress_map, dict):
        errors.count += not is_null(progress_map)
        return ()
    known = {name: value for name, value in progress_map.items() if value is not None}
    named = {name: value for name, value in known.items() if _STAGE.fullmatch(name)}
    errors.count += len(known) - len(named)
    read = ((name, StageWire.read(value, errors)) for name, value in named.items())
    return tuple((name, stage) for name, stage in read if stage)


Stages = Annotated[tuple[tuple[str, StageWire], ...], PlainValidator(_stages)]


class ProgressWire(Wire):
    """`progress_info` of v5 "Querying Task Details" (table 35), and an item of v3 batch-progress."""

    full_ratio: Percent = alias("progress")
    incr_trans_delay: Delay = None
    incre_trans_delay: Delay = None
    incr_trans_delay_millis: DelayMillis = None
    incre_trans_delay_millis: DelayMillis = None
    transfer_status: Word = None
    process_time: TimeBounds = None
    remaining_time: Number = None
    progress_map: Stages = ()
    apply_rows_per_second: Number = alias("apply_rows_rate")
    apply_bytes_per_second: Number = alias("apply_bytes_rate")
    error_code: ErrorCode = None

    def progress(self, served_at: float | None = None, task_status: str | None = None) -> Progress:
        """Return the facts: remaining times only while the load and its stage run. A failed load has 0.

        Args:
            served_at: the time of the response.
            task_status: the status of the task beside the progress, which counts for the progress if it is a failure.
        """
        transfer_status = task_status if _failed(task_status) else self.transfer_status
        loading = _runs(self.full_ratio) and not _failed(transfer_status)
        remaining = [(name, stage.remaining_time) for name, stage in self.progress_map if _runs(stage.completed)]
        reported_at, reported_at_latest = self.process_time or (None, None)
        return facts_of(
            Progress,
            self,
            full_remaining_seconds=self.remaining_time if loading else None,
            stages=_known([(name, stage.completed) for name, stage in self.progress_map]),
            stages_remaining=_known(remaining) if loading else (),
            transfer_status=transfer_status,
            task_status=task_status,
            delay_seconds=self._delay(),
            reported_at=reported_at,
            reported_at_latest=reported_at_latest,
            served_at=served_at,
        )

    def _delay(self) -> float | None:
        """Return the largest of the delays, in seconds; None if one is over ten years or cannot be read.

        None also for 0 milliseconds where the seconds say that there is no delay yet.
        """
        seconds = self.incr_trans_delay, self.incre_trans_delay
        milliseconds = self.incr_trans_delay_millis, self.incre_trans_delay_millis
        known = [delay for delay in seconds + milliseconds if delay is not None]
        delay = max(known, default=-1.0)
        return None if min(known, default=-1.0) < 0 and delay <= 0 else plausible_delay(delay)


_OF_RESPONSE = {"transfer_status", "task_status", "served_at"}
"""The fields of `Progress` that depend on more than the progress itself."""
_values = attrgetter(*(field.name for field in fields(Progress) if field.name not in _OF_RESPONSE))
_NO_VALUES = _values(Progress())


def _failed(status: str | None) -> bool:
    return status is not None and status.endswith("_FAILED")


def _runs(ratio: float | None) -> bool:
    return ratio is not None and 0 < ratio < 1


def _known(pairs: Iterable[tuple[str, float | None]]) -> tuple[tuple[str, float], ...]:
    return tuple([(name, number) for name, number in pairs if number is not None])


class ProgressItemWire(ProgressWire, BatchItemWire):
    """An item of "Querying Task Progress in Batches"."""

    operation: ClassVar = operations.PROGRESS_V3
    collector: ClassVar = Progress.collector

    def facts(self, served_at: float | None = None) -> tuple[TaskFacts, ...]:
        progress = self.progress(served_at, self.status)
        return () if self.transfer_status is None and _values(progress) == _NO_VALUES else (progress,)

    def error(self) -> TaskResult | None:
        return item_error(self.operation.name, self.error_code, self.transfer_status, self.status)

    def result(self, served_at: float | None = None) -> TaskResult:
        """Return the facts, or the error of this task; no facts, and no code that says why, is one."""
        error = self.error()
        return error if error is not None else self.facts(served_at) or TaskError(self.operation.name, "200")

    @classmethod
    async def fetch(cls, client: Client, errors: ErrorsByCollector, ids: Sequence[str]) -> TaskResults:
        body, served_at = await client.exchange(cls.operation, read_object_and_date, body={"jobs": list(ids)})
        return cls.read_results(body, errors[cls.collector], ids, lambda item: item.result(served_at))


class NodeWire(Wire):
    """`metrics` of "Querying Task Details", table 39: strings, documented without units.

    The names are those of the vendor's Cloud Eye metrics, whose units are documented: percent, B/s, rows/s, ms.
    """

    reported_at: Time = alias("time_stamp")
    cpu_ratio: Ratio = alias("cpu_util")
    memory_ratio: Ratio = alias("mem_util")
    receive_bytes_per_second: Number = alias("network_incoming_bytes_rate")
    transmit_bytes_per_second: Number = alias("network_outgoing_bytes_rate")
    disk_read_bytes_per_second: Number = alias("disk_read_bytes_rate")
    disk_write_bytes_per_second: Number = alias("disk_write_bytes_rate")
    apply_rows_per_second: Number = alias("apply_rows_rate")
    apply_transactions_per_second: Number = alias("apply_transactions_rate")
    apply_ddls_per_second: Number = alias("apply_ddl_rate")
    apply_average_execute_seconds: Milliseconds = alias("apply_average_execute_time")
    apply_average_commit_seconds: Milliseconds = alias("apply_average_commit_time")
    apply_state: Text = alias("apply_current_state")


class ProgressJobWire(JobWire):
    """The object `job` with type=progress; which of its blocks are filled depends on the task."""

    progress_info: JsonObject = None
    metrics: JsonObject = None
    migration_object_progress_info: JsonObject = None


async def fetch_v5(client: Client, errors: ErrorsByCollector, ids: Sequence[str]) -> TaskResults:
    """Fetch progress, node load and object counts of one task, in one call; `errors` by collector."""
    operation = operations.PROGRESS_V5
    response, served_at = await client.exchange(operation, read_object_and_date, job_id=ids[0])
    job = job_in(operation, response, ids[0], ProgressJobWire, errors[Progress.collector])
    parts: list[TaskFacts] = []
    if job.progress_info and (info := ProgressWire.read(job.progress_info, errors[Progress.collector])):
        parts.append(info.progress(served_at, job.task_status))
    if job.metrics and (metrics := NodeWire.read(job.metrics, errors[Node.collector])):
        parts.append(facts_of(Node, metrics))
    block = job.migration_object_progress_info
    if block and (objects := ObjectsWire.read(block, errors[Objects.collector])):
        parts.append(facts_of(Objects, objects, counts=objects.counts()))
    return {ids[0]: tuple(parts)}
