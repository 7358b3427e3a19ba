"""The one table of what may be sent: reads, and signing in for them, and nothing else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Service = Literal["drs", "iam", "metadata"]
"""Who is asked: each has its own address."""
PLAIN_ID = "[A-Za-z0-9_-]{1,64}"
"""An id that is one segment of a path, and no way to another."""
_GAP = re.compile(r"\{(\w+)\}")
_MEBIBYTE = 2**20
_LARGEST_LIST = 4 * _MEBIBYTE
"""A page of 100 tasks has 100 to 300 kB; parents with many subtasks are the reason for the rest."""
_BYTES_PER_VALUE = 16
"""Documented bodies have 20 and more; one with fewer holds next to nothing but brackets and commas."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One read of the API.

    `path` is a template; `action` is what IAM has to allow beyond the role; `largest_body` is how many bytes of a
    response are read, so that decoding it never keeps the event loop busy for long.
    """

    name: str
    method: str
    path: str
    service: Service = "drs"
    action: str | None = None
    largest_body: int = 2 * _MEBIBYTE

    @property
    def most_values(self) -> int:
        """How many JSON values a response may hold."""
        return self.largest_body // _BYTES_PER_VALUE

    def path_of(self, **ids: str) -> str:
        """The path for these ids; raises ValueError where one that it needs is no plain id."""
        for name in _GAP.findall(self.path):
            if not re.fullmatch(PLAIN_ID, ids[name]):
                raise ValueError(f"{self.name}: {name} is no plain id")
        return self.path.format(**ids)


LIST_V3 = Operation("v3_list_jobs", "POST", "/v3/{project_id}/jobs", largest_body=_LARGEST_LIST)
"""Open Telekom Cloud, DRS API reference, "Querying Tasks of a Tenant" (drs_03_0138)."""

LIST_V5 = Operation("v5_list_jobs", "GET", "/v5/{project_id}/jobs", largest_body=_LARGEST_LIST)
"""Huawei Cloud, DRS API reference, "Querying Tasks" (v5)."""

PROGRESS_V3 = Operation("v3_batch_progress", "POST", "/v3/{project_id}/jobs/batch-progress")
"""Open Telekom Cloud, DRS API reference, "Querying Task Progress in Batches"."""

PROGRESS_V5 = Operation("v5_job_progress", "GET", "/v5/{project_id}/jobs/{job_id}")
"""Huawei Cloud, DRS API reference, "Querying Task Details" (v5) with type=progress."""

DETAIL_V3 = Operation("v3_batch_detail", "POST", "/v3/{project_id}/jobs/batch-detail")
"""Huawei Cloud, DRS API reference, "Querying Task Details in Batches"."""

STATUS_V3 = Operation("v3_batch_status", "POST", "/v3/{project_id}/jobs/batch-status")
"""Open Telekom Cloud, DRS API reference, "Querying Task Statuses in Batches"."""

RECOVERY_V3 = Operation(
    "v3_batch_rpo_and_rto",
    "POST",
    "/v3/{project_id}/jobs/batch-rpo-and-rto",
    action="drs:dataGuardJob:list",
)
"""Huawei Cloud, DRS API reference, "Querying RPO and RTO in Batches" (drs_03_0117)."""

MONITOR_V3 = Operation("v3_dr_monitoring", "POST", "/v3/{project_id}/jobs/disaster-recovery-monitoring-data")
"""Huawei Cloud, DRS API reference, "Querying DR Monitoring Data"."""

MONITOR_V5 = Operation("v5_monitor_data", "GET", "/v5/{project_id}/jobs/{job_id}/monitor-data")
"""Huawei Cloud, DRS API reference, "Querying Monitoring Data" (v5)."""

PRECHECK_V3 = Operation("v3_batch_precheck_result", "POST", "/v3/{project_id}/jobs/batch-precheck-result")
"""Open Telekom Cloud, DRS API reference, "Querying Pre-Check Results in Batches"."""

COMPARE_V3 = Operation("v3_query_compare_result", "POST", "/v3/{project_id}/jobs/query-compare-result")
"""Open Telekom Cloud, DRS API reference, "Querying Comparison Results"."""

QUOTA_V3 = Operation("v3_quotas", "GET", "/v3/{project_id}/quotas")
"""Huawei Cloud, DRS API reference, "Querying Quotas"."""

ASYNC_JOBS_V5 = Operation("v5_batch_async_jobs", "GET", "/v5/{project_id}/batch-async-jobs")
"""Huawei Cloud, DRS API reference, "Querying the List of Tasks Created Asynchronously in Batches" (v5)."""

DETAIL_V5 = Operation("v5_job_detail", "GET", "/v5/{project_id}/jobs/{job_id}")
WRITABLE_V5 = Operation("v5_job_is_writable", "GET", "/v5/{project_id}/jobs/{job_id}")
COMPARE_V5 = Operation("v5_job_compare", "GET", "/v5/{project_id}/jobs/{job_id}")
LOGS_V5 = Operation("v5_job_log", "GET", "/v5/{project_id}/jobs/{job_id}")
"""Huawei Cloud, DRS API reference, "Querying Task Details" (v5) with type=detail, is_writable, compare, log."""

QUERY_V5 = Operation("v5_job_query", "GET", "/v5/{project_id}/jobs/{job_id}")
"""The same with any type, for `drs-exporter query`: no collector asks for it."""

SIGN_IN = Operation("iam_auth_tokens", "POST", "/v3/auth/tokens", "iam")
"""IAM API reference, "Obtaining a User Token Through Password Authentication"."""

LIST_PROJECTS = Operation("iam_list_projects", "GET", "/v3/projects", "iam")
"""IAM API reference, "Querying Project Information"."""

METADATA_TOKEN = Operation("metadata_token", "PUT", "/meta-data/latest/api/token", "metadata")
METADATA_KEYS = Operation("metadata_securitykey", "GET", "/openstack/latest/securitykey", "metadata")
"""ECS user guide, "Obtaining Metadata": the session token that it may ask for, and the keys of the agency."""

OPERATIONS = (
    SIGN_IN,
    LIST_PROJECTS,
    METADATA_TOKEN,
    METADATA_KEYS,
    LIST_V3,
    LIST_V5,
    STATUS_V3,
    PROGRESS_V3,
    PROGRESS_V5,
    RECOVERY_V3,
    MONITOR_V3,
    MONITOR_V5,
    DETAIL_V3,
    DETAIL_V5,
    WRITABLE_V5,
    PRECHECK_V3,
    COMPARE_V3,
    COMPARE_V5,
    LOGS_V5,
    QUERY_V5,
    QUOTA_V3,
    ASYNC_JOBS_V5,
)
"""All of them. The client refuses whatever is not in here."""
