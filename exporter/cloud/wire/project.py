"""Facts about a project as a whole: v3 quotas, v5 "Querying the List of Tasks Created Asynchronously in Batches"."""

from __future__ import annotations

from collections import Counter
from operator import itemgetter
from typing import TYPE_CHECKING

from pydantic import Field

from exporter.cloud import operations
from exporter.cloud.http.errors import DecodeError, EmptyResultError
from exporter.cloud.http.response import has_error
from exporter.cloud.source import DecodeErrors, ErrorsByCollector
from exporter.cloud.wire.fields import Number, Time, Wire, Word
from exporter.model.facts import AsyncJobs, Quota

if TYPE_CHECKING:
    from exporter.cloud.http.client import Client

_PAGE = 100
_MOST_PAGES = 100
_FAILED = "ASYNC_JOB_VALIDATE_FAILED"
_NEWEST_FAILED = 20
_LABEL = "^[A-Za-z0-9_-]{1,64}$"  # both become labels


class QuotaWire(Wire):
    """One quota."""

    type: Word = None
    quota: Number = None
    used: Number = None


async def fetch_quota_v3(client: Client, errors: ErrorsByCollector) -> Quota:
    """Fetch use and limit by resource; raises `CloudError`."""
    response = await client.call(operations.QUOTA_V3)
    quotas = response.get("quotas")
    resource = quotas.get("resource") if isinstance(quotas, dict) else None
    if not isinstance(resource, dict | list) or has_error(response):
        errors[Quota.collector].count += 1
        raise DecodeError(operations.QUOTA_V3.name, "decode")
    # An object here, an array in most services of the vendor.
    read = QuotaWire.read_all(resource if isinstance(resource, list) else [resource], errors[Quota.collector])
    by_type = {quota.type: (quota.used, quota.quota) for quota in read if quota.type}
    return Quota(tuple((kind, *numbers) for kind, numbers in by_type.items()))


class AsyncJobWire(Wire):
    """An item of `jobs`, table 5; the names of its user and domain are not read."""

    async_job_id: str = Field(pattern=_LABEL)
    status: str = Field(pattern=_LABEL)
    create_time: Time = None


async def fetch_async_jobs_v5(client: Client, errors: ErrorsByCollector) -> AsyncJobs:
    """Fetch all asynchronous batches: counts by status, and the newest failed batches; raises `CloudError`."""
    jobs = await _async_jobs(client, errors[AsyncJobs.collector])
    failed = [(job.async_job_id, job.create_time) for job in jobs if job.status == _FAILED]
    dated = [(job_id, created) for job_id, created in failed if created is not None]
    newest = sorted(dated, key=itemgetter(1), reverse=True)[:_NEWEST_FAILED]
    return AsyncJobs(tuple(sorted(Counter(job.status for job in jobs).items())), tuple(newest))


async def _async_jobs(client: Client, errors: DecodeErrors) -> list[AsyncJobWire]:
    """Fetch all pages; raises `DecodeError` if one is missing, since the counts would be wrong."""
    jobs: dict[str, AsyncJobWire] = {}
    received = 0
    for _ in range(_MOST_PAGES):
        query = (("offset", received), ("limit", _PAGE), ("sort_key", "create_time"), ("sort_dir", "desc"))
        try:
            response = await client.call(operations.ASYNC_JOBS_V5, query=query)
        except EmptyResultError:
            return list(jobs.values())
        items, total = response.get("jobs"), response.get("total_count")
        if not isinstance(items, list) or not isinstance(total, int) or isinstance(total, bool):
            break
        if has_error(response):
            break
        known = len(jobs)
        jobs |= {job.async_job_id: job for job in AsyncJobWire.read_all(items, errors)}
        received += len(items)
        if items and len(jobs) == known:  # the same page again, or nothing in it can be read
            break
        if not items or received >= total:
            return list(jobs.values())
    errors.count += 1
    raise DecodeError(operations.ASYNC_JOBS_V5.name, "decode")
