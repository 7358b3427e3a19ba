"""The one table of what may be sent to the cloud: reads, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Operation:
    """One read of the API.

    `path` is a template; `priority` orders calls when the budget is short, lowest first.
    """

    name: str
    method: str
    path: str
    priority: int


LIST_V3 = Operation("v3_list_jobs", "POST", "/v3/{project_id}/jobs", 0)
"""Open Telekom Cloud, DRS API reference, "Querying Tasks of a Tenant" (drs_03_0138)."""

LIST_V5 = Operation("v5_list_jobs", "GET", "/v5/{project_id}/jobs", 0)
"""Huawei Cloud, DRS API reference, "Querying Tasks" (v5)."""

PROGRESS_V3 = Operation("v3_batch_progress", "POST", "/v3/{project_id}/jobs/batch-progress", 1)
"""Open Telekom Cloud, DRS API reference, "Querying Task Progress in Batches"."""

PROGRESS_V5 = Operation("v5_job_progress", "GET", "/v5/{project_id}/jobs/{job_id}", 1)
"""Huawei Cloud, DRS API reference, "Querying Task Details" (v5) with type=progress."""

OPERATIONS = (LIST_V3, LIST_V5, PROGRESS_V3, PROGRESS_V5)
"""All of them. The client refuses whatever is not in here."""
