"""The table of all requests that the exporter may send: reads, and signing in for them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Service = Literal["drs", "iam", "metadata"]
"""Each service has its own address."""
PLAIN_ID = "[A-Za-z0-9_-]{1,64}"
"""An id that is a single segment of a path."""
_PARAMETER = re.compile(r"\{(\w+)\}")
_MEBIBYTE = 2**20
_LARGEST_LIST = 4 * _MEBIBYTE
"""A page of 100 tasks has 100 to 300 kB; parents with many subtasks are the reason for the rest."""
_BYTES_PER_VALUE = 16
"""Documented bodies have 20 and more; a body with fewer contains little but brackets and commas."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One read of the API.

    Attributes:
        name: the label `operation` or `source`.
        method: of HTTP.
        path: a template.
        api: the API generation of DRS; empty for other services.
        service: the service that is queried.
        type: the query parameter `type`, by which operations with the same path differ.
        action: what IAM has to allow beyond the role.
        largest_body: how many bytes of a response are read, so that decoding never blocks the event loop for long.
    """

    name: str
    method: str
    path: str
    api: Literal["v3", "v5", ""] = ""
    service: Service = "drs"
    type: str | None = None
    action: str | None = None
    largest_body: int = 2 * _MEBIBYTE

    @property
    def most_values(self) -> int:
        """The number of JSON values that a response may contain."""
        return self.largest_body // _BYTES_PER_VALUE

    def path_of(self, **ids: str) -> str:
        """Return the path for these ids; raises ValueError where one of the ids in it is not plain."""
        for name in _PARAMETER.findall(self.path):
            if not re.fullmatch(PLAIN_ID, ids[name]):
                raise ValueError(f"{self.name}: {name} is no plain id")
        return self.path.format(**ids)


LIST_V3 = Operation("v3_list_jobs", "POST", "/v3/{project_id}/jobs", "v3", largest_body=_LARGEST_LIST)
"""Open Telekom Cloud, DRS API reference, "Querying Tasks of a Tenant" (drs_03_0138)."""

LIST_V5 = Operation("v5_list_jobs", "GET", "/v5/{project_id}/jobs", "v5", largest_body=_LARGEST_LIST)
"""Huawei Cloud, DRS API reference, "Querying Tasks" (v5)."""

PROGRESS_V3 = Operation("v3_batch_progress", "POST", "/v3/{project_id}/jobs/batch-progress", "v3")
"""Open Telekom Cloud, DRS API reference, "Querying Task Progress in Batches"."""

PROGRESS_V5 = Operation("v5_job_progress", "GET", "/v5/{project_id}/jobs/{job_id}", "v5", type="progress")
"""Huawei Cloud, DRS API reference, "Querying Task Details" (v5) with type=progress."""

DETAIL_V3 = Operation("v3_batch_detail", "POST", "/v3/{project_id}/jobs/batch-detail", "v3")
"""Huawei Cloud, DRS API reference, "Querying Task Details in Batches"."""

STATUS_V3 = Operation("v3_batch_status", "POST", "/v3/{project_id}/jobs/batch-status", "v3")
"""Open Telekom Cloud, DRS API reference, "Querying Task Statuses in Batches"."""

RECOVERY_V3 = Operation(
    "v3_batch_rpo_and_rto", "POST", "/v3/{project_id}/jobs/batch-rpo-and-rto", "v3", action="drs:dataGuardJob:list"
)
"""Huawei Cloud, DRS API reference, "Querying RPO and RTO in Batches" (drs_03_0117)."""

MONITOR_V3 = Operation("v3_dr_monitoring", "POST", "/v3/{project_id}/jobs/disaster-recovery-monitoring-data", "v3")
"""Huawei Cloud, DRS API reference, "Querying DR Monitoring Data"."""

MONITOR_V5 = Operation("v5_monitor_data", "GET", "/v5/{project_id}/jobs/{job_id}/monitor-data", "v5")
"""Huawei Cloud, DRS API reference, "Querying Monitoring Data" (v5)."""

PRECHECK_V3 = Operation("v3_batch_precheck_result", "POST", "/v3/{project_id}/jobs/batch-precheck-result", "v3")
"""Open Telekom Cloud, DRS API reference, "Querying Pre-Check Results in Batches"."""

COMPARE_V3 = Operation("v3_query_compare_result", "POST", "/v3/{project_id}/jobs/query-compare-result", "v3")
"""Open Telekom Cloud, DRS API reference, "Querying Comparison Results"."""

QUOTA_V3 = Operation("v3_quotas", "GET", "/v3/{project_id}/quotas", "v3")
"""Huawei Cloud, DRS API reference, "Querying Quotas"."""

ASYNC_JOBS_V5 = Operation("v5_batch_async_jobs", "GET", "/v5/{project_id}/batch-async-jobs", "v5")
"""Huawei Cloud, DRS API reference, "Querying the List of Tasks Created Asynchronously in Batches" (v5)."""

DETAIL_V5 = Operation("v5_job_detail", "GET", "/v5/{project_id}/jobs/{job_id}", "v5", type="detail")
WRITABLE_V5 = Operation("v5_job_is_writable", "GET", "/v5/{project_id}/jobs/{job_id}", "v5", type="is_writable")
COMPARE_V5 = Operation("v5_job_compare", "GET", "/v5/{project_id}/jobs/{job_id}", "v5", type="compare")
LOGS_V5 = Operation("v5_job_log", "GET", "/v5/{project_id}/jobs/{job_id}", "v5", type="log")
"""Huawei Cloud, DRS API reference, "Querying Task Details" (v5) with type=detail, is_writable, compare, log."""

QUERY_V5 = Operation("v5_job_query", "GET", "/v5/{project_id}/jobs/{job_id}", "v5")
"""The same with any type, for `drs-exporter query`: no collector uses it."""

SIGN_IN = Operation("iam_auth_tokens", "POST", "/v3/auth/tokens", service="iam")
"""IAM API reference, "Obtaining a User Token Through Password Authentication"."""

LIST_PROJECTS = Operation("iam_list_projects", "GET", "/v3/projects", service="iam")
"""IAM API reference, "Querying Project Information"."""

METADATA_TOKEN = Operation("metadata_token", "PUT", "/meta-data/latest/api/token", service="metadata")
METADATA_KEYS = Operation("metadata_securitykey", "GET", "/openstack/latest/securitykey", service="metadata")
"""ECS user guide, "Obtaining Metadata": the session token that it may require, and the keys of the agency."""

OPERATIONS = tuple(value for value in tuple(globals().values()) if isinstance(value, Operation))
"""All of them. The client refuses any other."""
BY_NAME: Mapping[str, Operation] = {operation.name: operation for operation in OPERATIONS}
