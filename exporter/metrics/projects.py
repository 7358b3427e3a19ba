"""The families of projects, as data."""

from __future__ import annotations

from functools import partial

from exporter.metrics.family import Family, Samples, by_label, gauge
from exporter.model.task import Phase, Project


def _quotas(project: Project, *, used: bool) -> Samples:
    resources = project.quota.resources if project.quota else ()
    numbers = ((name, taken if used else limit) for name, taken, limit in resources)
    return tuple(((name,), number) for name, number in numbers if number is not None)


def _credentials_end(project: Project) -> Samples:
    access = project.access
    if access.credentials_expire_at is None:
        return ()
    return (((access.credentials_type,), access.credentials_expire_at),)


def _by_collector(name: str, help_text: str, attribute: str) -> Family[Project]:
    def samples(project: Project) -> Samples:
        numbers = ((collector, getattr(facts, attribute)) for collector, facts in project.collectors.items())
        return tuple(((collector,), number) for collector, number in numbers if number is not None)

    return Family(name, help_text, ("collectors",), samples, ("collector",))


def _by_list(name: str, help_text: str, attribute: str) -> Family[Project]:
    def samples(project: Project) -> Samples:
        numbers = ((key, getattr(facts, attribute)) for key, facts in project.lists.items())
        return tuple((key, number) for key, number in numbers if number is not None)

    return Family(name, help_text, ("lists",), samples, ("api", "job_type"))


PROJECT_FAMILIES: tuple[Family[Project], ...] = (
    gauge(
        "drs_up",
        "1: an API generation is published, and the newest due list of each published one succeeded for every job "
        "type. 0: the project is unreadable. Absent before the first poll.",
        "up",
    ),
    Family(
        "drs_tasks",
        "Tasks without their subtasks, zeros included. Absent while the list of a job type is unknown.",
        ("counts",),
        lambda project: tuple(project.counts.items()),
        ("job_type", "phase"),
        words=tuple(Phase),
    ),
    Family(
        "drs_quota_used",
        "How much of a quota of the project is in use.",
        ("quota.resources",),
        partial(_quotas, used=True),
        ("resource",),
    ),
    Family(
        "drs_quota_limit", "A quota of the project.", ("quota.resources",), partial(_quotas, used=False), ("resource",)
    ),
    by_label("drs_async_jobs", "Batches of tasks created asynchronously, by status.", "async_jobs.counts", "status"),
    by_label(
        "drs_async_job_failed_timestamp_seconds",
        "When a failed asynchronous batch was created; the newest 20.",
        "async_jobs.failed",
        "async_job_id",
    ),
    _by_collector(
        "drs_exporter_collector_success",
        "Whether the newest poll of a collector succeeded: its calls did, or the lists contain nothing to query. "
        "Absent if no query is possible: no operation that feeds it is published, or the lists are unknown.",
        "success",
    ),
    _by_collector(
        "drs_exporter_collector_duration_seconds", "Duration of the newest poll of a collector.", "duration_seconds"
    ),
    _by_collector(
        "drs_exporter_collector_last_success_timestamp_seconds",
        "When a collector last succeeded for the project.",
        "last_success_at",
    ),
    _by_collector(
        "drs_exporter_collector_interval_seconds",
        "Time between the last two updates of a task by a collector: the median over the tasks, at least the "
        "configured interval, which is the value until tasks were updated twice.",
        "interval_seconds",
    ),
    _by_collector(
        "drs_exporter_collector_oldest_seconds",
        "Age of the oldest facts that a collector has about a task; updated with the task lists.",
        "oldest_seconds",
    ),
    _by_collector(
        "drs_exporter_collector_max_age_seconds",
        "Age above which facts of a collector are not exposed any more. It grows with the measured interval, to at "
        "most four times the age that follows from the configured one.",
        "max_age_seconds",
    ),
    _by_list(
        "drs_exporter_list_success",
        "Whether the newest task list of a job type through an API generation succeeded.",
        "success",
    ),
    _by_list(
        "drs_exporter_listed_tasks",
        "Tasks and subtasks in the newest successful list of a job type through an API generation.",
        "tasks",
    ),
    _by_list(
        "drs_exporter_list_complete",
        "1: every page of the newest successful task list of a job type through an API generation was received, and "
        "its ids match the total. 0: they disagree, a page was refused or repeated, or tasks could not be decoded; "
        "drs_tasks of that job type is absent meanwhile. Unchanged while lists fail: see drs_exporter_list_success.",
        "complete",
    ),
    Family(
        "drs_exporter_source_published",
        "Whether an operation that feeds a collector is published in this region. Absent before its first call.",
        ("sources",),
        lambda project: tuple((key, here) for key, here in project.sources.items() if here is not None),
        ("collector", "source"),
    ),
    gauge(
        "drs_exporter_clock_skew_seconds",
        "Seconds that the clock of the exporter's host is ahead of the cloud's, negative if it is behind: the least "
        "difference to the Date of the responses of 10 minutes, too high by up to a second and the duration of a call. "
        "Absent without such a response, and for an endpoint that is no host of a known cloud.",
        "access.clock_skew_seconds",
    ),
    Family(
        "drs_exporter_credentials_expire_timestamp_seconds",
        "When the token or the temporary keys in use expire, by type of the credentials: password, token, ecs_agency. "
        "Absent if that is not known, as for an access key.",
        ("access.credentials_expire_at",),
        _credentials_end,
        ("type",),
    ),
)
