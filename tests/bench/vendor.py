"""A typical exporter with the vendor's SDK: a loop over all tasks, and gauges of prometheus_client."""

from __future__ import annotations

import gzip
import os
import warnings
from importlib import import_module
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from tests.bench.fleet import KEYS, PROJECT_ID

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_LABELS = ("task_id", "task_name", "status")
_PAGE = 100
_PROGRESS = ("progress", "incr_trans_delay", "incr_trans_delay_millis", "remaining_time", "process_time")
_MONITOR = ("used_cpu_percent", "used_memory", "used_volumes", "node_volume_size", "apply_rate")
_METRICS = (
    "cpu_util",
    "mem_util",
    "network_incoming_bytes_rate",
    "network_outgoing_bytes_rate",
    "disk_read_bytes_rate",
    "disk_write_bytes_rate",
    "apply_rows_rate",
    "apply_transactions_rate",
    "apply_ddl_rate",
    "apply_average_execute_time",
    "apply_average_commit_time",
)


class Vendor:
    """The SDK against one endpoint.

    Args:
        url: of the cloud.
        home: the SDK writes a file into the home directory when it is imported.
    """

    def __init__(self, url: str, home: Path) -> None:
        os.environ["HOME"] = str(home)
        warnings.simplefilter("ignore")  # of its own code
        self._sdk = {name: import_module(f"huaweicloudsdkdrs.{name}") for name in ("v3", "v5")}
        basic = import_module("huaweicloudsdkcore.auth.credentials").BasicCredentials
        self._clients = {
            name: module.DrsClient.new_builder()
            .with_credentials(basic(*KEYS, PROJECT_ID))
            .with_endpoints([url])
            .build()
            for name, module in self._sdk.items()
        }
        self._registry = CollectorRegistry()
        self._gauges = {
            name: Gauge(f"drs_{name}", name, _LABELS, registry=self._registry)
            for name in (*_PROGRESS, *_METRICS, *_MONITOR)
        }

    def progress(self, generation: str, ids: Sequence[str], calls: int) -> None:
        """Query the progress of these tasks in one call, repeatedly."""
        for _ in range(calls):
            if generation == "v3":
                v3 = self._sdk["v3"]
                request = v3.BatchListProgressesRequest(body=v3.BatchQueryProgressReq(jobs=list(ids)))
                assert len(self._clients["v3"].batch_list_progresses(request).results) == len(ids)
            else:
                (task_id,) = ids
                assert self._job(task_id).progress_info

    def cycle(self) -> int:
        """List, progress and node of every task, the page, and gzip; how many tasks."""
        tasks = 0
        for job_type in ("migration", "sync", "cloudDataGuard"):
            for listed in self._list(job_type):
                tasks += 1
                job = self._job(listed.id)
                self._show(listed, _PROGRESS, job.progress_info)
                self._show(listed, _METRICS, job.metrics)
                request = self._sdk["v5"].ShowMonitorDataRequest(job_id=listed.id)
                self._show(listed, _MONITOR, self._clients["v5"].show_monitor_data(request))
        gzip.compress(generate_latest(self._registry), 9)
        return tasks

    def _list(self, job_type: str) -> Iterator[Any]:
        offset = 0
        while True:
            request = self._sdk["v5"].ListJobsRequest(job_type=job_type, limit=_PAGE, offset=offset)
            jobs = self._clients["v5"].list_jobs(request).jobs
            if not jobs:
                return
            yield from jobs
            offset += len(jobs)

    def _job(self, task_id: str) -> Any:
        return (
            self._clients["v5"]
            .show_job_detail(self._sdk["v5"].ShowJobDetailRequest(job_id=task_id, type="progress"))
            .job
        )

    def _show(self, listed: Any, names: Sequence[str], block: Any) -> None:
        for name in names:
            value = getattr(block, name, None)
            if value is not None:
                self._gauges[name].labels(listed.id, listed.name, listed.status).set(_number(str(value)))


def _number(text: str) -> float:
    try:
        return float(text.rstrip("%"))
    except ValueError:
        return -1.0
