"""The check of one project: connection, clock, credentials, lists, and what a pinned API generation hides."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from math import ceil
from typing import TYPE_CHECKING, Any

from exporter.cloud.http.cloud_clock import CloudClock
from exporter.cloud.http.error_codes import of_job_type
from exporter.cloud.http.errors import CloudError, NotPublishedError
from exporter.cloud.http.response import error_code_in
from exporter.cloud.wire.paging import PAGE
from exporter.commands.check_network import place_of, proxy_findings
from exporter.commands.check_operations import OperationCheck, Polled
from exporter.commands.check_report import ProjectReport
from exporter.commands.connections import CallObserver, ProjectConnection
from exporter.commands.findings import Finding, engines
from exporter.config import TASKS
from exporter.model.task import Phase
from exporter.model.task_lists import Gap
from exporter.polling.list_reader import ListCost
from exporter.views.access import SKEW_WARNING, credentials_text, renewal_overdue
from exporter.views.errors import REPORT, Level, advise, is_access_error
from exporter.views.text import duration, plural, project_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from exporter.cloud.connect import Api
    from exporter.config import Account, Project
    from exporter.model.task import Listed

OK, WARN, FAIL = Level
_SKEW_REFUSED = 900.0
"""Seconds: a signature is good for 15 minutes."""
_GOOD = range(200, 203)
_SIGNATURE_CODE = "APIGW.0301"
_RENEWAL_REMEDY = "renew it where the configuration reads it; only files are read again"
_CLOCK_REMEDY = "set it, best by NTP"


class ResponseCollector(CallObserver):
    """Collects from all responses of a project what they show besides their content."""

    def __init__(self, now: Callable[[], float], account: Account, project: Project) -> None:
        self.now = now
        self.clock = CloudClock(now)
        self.report = ProjectReport(cloud=account.cloud, region=project.region, api=project.api)
        self.responds = False
        """True if any response is one of the API: an error with a known code, or a JSON object with a good status."""
        self.accepted = False
        """True if any response shows that the credentials are accepted; an error of DRS itself does as well."""
        self.calls = 0
        self.expired = False
        """True if any response says that a signature is too old, or of the future."""

    def request(self, operation: str, code: str, seconds: float) -> None:
        """Count a call; `observe` gets those with a response."""
        self.calls += 1
        if not code.isdecimal():
            self.report.add_failure(operation, code, seconds)

    def observe(self, operation: str, status: int, headers: Mapping[str, str], body: Any, seconds: float) -> None:
        """Collect clock and shape of a response; the message of an error is read, and never kept."""
        code = error_code_in(body)
        good = status in _GOOD and isinstance(body, dict)
        self.responds |= good or code is not None
        self.accepted |= code.startswith("DRS") if code else good
        self.report.add_response(operation, status, headers, body, seconds)
        if code == _SIGNATURE_CODE and "signature expired" in str(body).lower():
            self.expired = True
        self.clock.observe(headers)


@dataclass
class _Lists:
    """The lists of one API generation."""

    name: str
    tasks: dict[str, Listed] = field(default_factory=dict)
    errors: list[CloudError] = field(default_factory=list)
    received: bool = False
    """True if the list of any job type was received."""
    gaps: dict[str, Gap] = field(default_factory=dict)
    """By job type, why its list may lack tasks."""

    @property
    def published(self) -> bool:
        """True if the generation exists here, as far as that is known."""
        return self.received or not all(isinstance(error, NotPublishedError) for error in self.errors)

    @property
    def distinct_errors(self) -> list[CloudError]:
        """Each kind of error once; one list of many that is not published is an error as well."""
        sent = [error for error in self.errors if error.code != "paused"]  # paused: after an error of another list
        return list({str(error): error for error in sent or self.errors}.values()) if self.published else []

    def by_engine(self, but: Mapping[str, Listed] | None = None) -> Counter[str | None]:
        """Count tasks by engine, without subtasks and without the tasks in `but`."""
        return Counter(
            task.engine_type for task in self.tasks.values() if task.parent_id is None and task.id not in (but or {})
        )

    def summary(self, first: _Lists | None) -> str:
        """Return how many tasks are listed, and how many of them `first`, which decides, does not list."""
        counts = self.by_engine()
        if not counts:
            return f"{self.name} lists no tasks"
        more = "" if first is None else f", {self.by_engine(first.tasks).total()} of them unknown to {first.name}"
        return f"{self.name} lists {plural(counts.total(), 'task')}{more} ({engines(counts)})"


class ProjectCheck:
    """The check of one project, whose calls `responses` gets."""

    def __init__(self, connection: ProjectConnection, responses: ResponseCollector) -> None:
        self.account = connection.account
        self.region = connection.project.region
        self.key = connection.key
        self._connection = connection
        self._pin = connection.project.api
        self._responses = responses
        self._findings: list[Finding] = []
        self.listed: list[Listed] | None = None
        """All tasks that are listed; None where a list failed."""
        self.demand: Mapping[str, float] = {}
        """Calls a second by collector that polls at the configured intervals take; empty where that is not known."""
        self.active = 0
        """Tasks and subtasks that run."""
        self.polled: Sequence[Polled] = ()
        """The polls that running waves make more often."""

    async def run(self) -> list[Finding]:
        """Return all findings; only the reason where nothing responds or the credentials are refused."""
        apis = self._connection.apis
        lists = dict(zip((api.name for api in apis), await asyncio.gather(*map(self._list, apis)), strict=True))
        errors = [error for listed in lists.values() for error in listed.distinct_errors]
        if not errors:
            self.listed = list({id_: task for listed in lists.values() for id_, task in listed.tasks.items()}.values())
        if self._check_access(errors):
            self._check_lists(lists)
            self._check_pin(lists)
            used = [api for api in apis if self._pin in {"auto", api.name} and lists[api.name].published]
            tasks = {name: listed.tasks for name, listed in lists.items()}
            operations = OperationCheck(self._connection, used, tasks, self._report)
            await operations.run()
            self.demand = {**operations.demand, TASKS: self._list_demand(used, lists)}
            self.polled = [*operations.polled, *self._polled_lists(used, tasks)]
            self.active = sum(task.active for task in {**lists["v5"].tasks, **lists["v3"].tasks}.values())
        return self._findings

    def _report(self, level: Level, what: str, remedy: str = "") -> None:
        self._findings.append(Finding(level, project_text(self._connection.key), what, remedy))

    async def _list(self, api: Api) -> _Lists:
        lists = _Lists(api.name)
        job_types = self._connection.job_types
        responses = await asyncio.gather(*(self._connection.list_tasks(api, job_type) for job_type in job_types))
        lists.received = not all(isinstance(response, CloudError) for response in responses)
        for job_type, response in zip(job_types, responses, strict=True):
            if isinstance(response, CloudError):
                lists.errors.append(of_job_type(response, job_type) if lists.received else response)
            else:
                lists.tasks |= {task.id: task for task in response.tasks}
                lists.gaps |= {job_type: response.gap} if response.gap else {}
        return lists

    def _list_demand(self, apis: Sequence[Api], lists: Mapping[str, _Lists]) -> float:
        interval, calls = self.account.interval(TASKS), 0.0
        first = lists[apis[0].name].tasks if apis else {}
        for api in apis:
            for job_type in self._connection.job_types:
                tasks = [task for task in lists[api.name].tasks.values() if task.job_type == job_type]
                pages = max(1, ceil(sum(task.parent_id is None for task in tasks) / PAGE))
                second = api is not apis[0]
                active = sum(task.phase is not Phase.ENDED and not (second and task.id in first) for task in tasks)
                calls += ListCost(pages, ceil(active / api.most_ids), second).per_second(interval)
        return calls

    def _polled_lists(self, apis: Sequence[Api], tasks: Mapping[str, Mapping[str, Listed]]) -> Iterator[Polled]:
        """Yield the lists from which running waves read tasks by their ids: each task from the one that decides."""
        known: set[str] = set()
        for api in apis:
            roots = [task for task in tasks[api.name].values() if task.parent_id is None and task.id not in known]
            for job_type in self._connection.job_types:
                ids = {task.id for task in roots if task.job_type == job_type and task.phase is not Phase.ENDED}
                yield Polled(self.account.interval(TASKS), api.most_ids, frozenset(ids))
            known |= {task.id for task in roots}

    def _check_access(self, errors: Sequence[CloudError]) -> bool:
        """Return whether DRS responds, and accepts the credentials."""
        if self._responses.responds:
            self._report(OK, "DRS responds")
        clock = self._check_clock()
        refusals = [error for error in errors if is_access_error(error)] if self._responses.responds else errors
        if not refusals and self._responses.accepted:
            self._report(OK, "the credentials are accepted")
            self._check_end()
        elif not refusals:
            self._report(WARN, "it is not known whether the credentials are accepted: DRS returns no result")
        elif clock:  # a wrong clock makes the best signature a bad one
            for error in {error.code: error for error in reversed(refusals)}.values():
                self._report(FAIL, *advise(error, place_of(error, self.account, self._connection.project))[1:])
            self._findings += proxy_findings(refusals, self.account, self._connection.project)
        return not refusals

    def _check_clock(self) -> bool:
        """Return whether the clock is no reason to refuse signatures."""
        skew = self._responses.clock.skew()
        if self._responses.expired or (skew is not None and abs(skew) > _SKEW_REFUSED):
            about = "more than 15m" if skew is None else _offset(skew)
            self._report(FAIL, f"the clock of this machine is wrong by {about}, signatures are refused", _CLOCK_REMEDY)
            return False
        if skew is not None and abs(skew) > SKEW_WARNING:
            self._report(WARN, f"the clock of this machine is wrong by {_offset(skew)}", _CLOCK_REMEDY)
        elif skew is not None:
            self._report(OK, f"the clock is right within {duration(max(1, round(abs(skew))))}")
        elif self._responses.responds:
            self._report(OK, "the clock was not compared: the responses have no date")
        return True

    def _check_end(self) -> None:
        """Report for how long a token is valid that the exporter does not renew."""
        access = self._connection.access()
        if access.credentials_type == "token" and (text := credentials_text(access, self._responses.now())):
            overdue = renewal_overdue(access, self._responses.now())
            remedy = _RENEWAL_REMEDY if overdue else ""
            self._report(WARN if overdue else OK, text, remedy)

    def _check_lists(self, lists: Mapping[str, _Lists]) -> None:
        first = next(iter(lists.values()))
        for name, listed in lists.items():
            if not listed.published:
                pinned = self._pin == name
                self._report(FAIL if pinned else OK, f"{name} is not published here", "set api: auto" if pinned else "")
            for _, what, remedy in map(advise, listed.distinct_errors):  # drs_up is 0 for any of them
                self._report(FAIL if self._pin in {"auto", name} else WARN, what, remedy)
            if listed.published and not listed.errors:
                self._report(OK, listed.summary(first if listed is not first and first.published else None))
            for job_type, gap in listed.gaps.items():
                remedy = REPORT if gap is Gap.UNREADABLE else "see the runbook DrsListIncomplete"
                self._report(WARN, f"{name} list of {job_type} is incomplete: {gap}", remedy)
        if lost := self._connection.decode_errors["tasks"].take():
            self._report(WARN, f"the lists have {plural(lost, 'field')} unlike the documents", REPORT)
        if not any(listed.published for listed in lists.values()):
            self._report(FAIL, "neither API generation is published here", "check region and endpoint")

    def _check_pin(self, lists: Mapping[str, _Lists]) -> None:
        """Report the tasks that `api: v3` or `api: v5` leaves out."""
        if self._pin == "auto":
            return
        other = next(name for name in lists if name != self._pin)
        hidden = lists[other].by_engine(lists[self._pin].tasks)
        if hidden:
            tasks = plural(hidden.total(), "task")
            what = f"api: {self._pin} hides {tasks} that only {other} lists ({engines(hidden)})"
            self._report(WARN, what, "set api: auto")
        elif lists[other].errors and lists[other].published:
            what = f"the tasks that api: {self._pin} hides are not known: {other} returns no list"
            self._report(WARN, what, "set api: auto")
        else:
            self._report(OK, f"api: {self._pin} hides no task")


def _offset(skew: float) -> str:
    return f"{duration(round(abs(skew)))}, {'ahead' if skew > 0 else 'behind'}"
