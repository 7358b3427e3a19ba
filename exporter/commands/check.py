"""`drs-exporter check`: tests what the exporter needs of the cloud, and reports what to do about each fault."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from exporter.cloud.http.errors import CloudError, NotPublishedError, error_code_in, of_job_type
from exporter.commands.check_network import place_of, proxy_findings, region_findings
from exporter.commands.check_operations import Operations
from exporter.commands.check_rules import rule_findings
from exporter.commands.connections import CallObserver, Connection, attempt, connections, where
from exporter.commands.report import ProjectReport, document
from exporter.config.load import duration_text
from exporter.model.task import Gap
from exporter.runtime.terminal import Waiting
from exporter.views.findings import REPORT, Finding, Level, engines, is_access_fault, plural, words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import httpx

    from exporter.cloud.source import Api
    from exporter.config.load import Account, Config, Project
    from exporter.model.task import Listed

OK, WARN, FAIL = Level
_SKEW_WARNING, _SKEW_REFUSED = 60.0, 900.0
"""Seconds: a signature is good for 15 minutes."""
_GOOD = range(200, 203)
_SIGNATURE_CODE = "APIGW.0301"
_FILE = "configuration"
_CLOCK_REMEDY = "set it, best by NTP"


async def check(
    config: Config,
    say: Callable[[Finding, int], None],
    *,
    transport: httpx.AsyncBaseTransport | None = None,
    now: Callable[[], float] = time.time,
) -> tuple[int, str]:
    """Check a configuration that is valid as a file; findings are said project by project.

    Args:
        config: what is checked.
        say: takes each finding, and the width to which all places are aligned.
        transport: stands in for the network.
        now: Unix time.

    Returns:
        The exit code, and the report of shapes as JSON.
    """
    projects = [(account, project) for account in config.accounts for project in account.all_projects()]
    width = max(len(_FILE), *(len(where(*pair)) for pair in projects))
    counts = f"{plural(len(config.accounts), 'account')}, {plural(len(projects), 'project')}"
    told = Counter[Level]()
    async with connections(config, partial(_Observed, now), transport=transport, now=now) as opened:
        checks = [_ProjectCheck(connection) for connection in opened]
        running = [asyncio.create_task(one.run()) for one in checks]

        def progress() -> str:
            done, calls = sum(one.done() for one in running), sum(one.watch.calls for one in opened)
            return f"{done} of {plural(len(opened), 'project')}, {calls} calls"

        async with Waiting(progress) as waiting:

            def tell(findings: Iterable[Finding]) -> None:
                waiting.wipe()
                for finding in findings:
                    told[finding.level] += 1
                    say(finding, width)

            tell([Finding(OK, _FILE, f"valid, {counts}")])
            for task in running:
                tell(await task)
            for account in config.accounts:
                tell(region_findings(account))
                listed = [one.listed for one, (owner, _) in zip(checks, projects, strict=True) if owner is account]
                tell(rule_findings(account, listed))
    code = 1 if told[FAIL] else 0
    summary = f"{told[FAIL]} fail, {told[WARN]} warn, {told[OK]} ok; exit code {code}"
    worst = next(level for level in (FAIL, WARN, OK) if told[level])
    say(Finding(worst, "summary", summary), width)
    reports = [connection.watch.report for connection in opened]
    return code, json.dumps(document(version("drs-exporter"), reports), indent=1, sort_keys=True) + "\n"


class _Observed(CallObserver):
    """What all answers of a project tell beside what they are asked for."""

    def __init__(self, now: Callable[[], float], account: Account, project: Project) -> None:
        self._now = now
        self.report = ProjectReport(cloud=account.cloud, region=project.region, api=project.api)
        self.answered = False
        """Whether any response is one of the API: an error with a known code, or a JSON object with a good status."""
        self.accepted = False
        """Whether any response shows that the credentials are accepted; an error of DRS itself does as well."""
        self.calls = 0
        self.expired = False
        """Whether a signature was called too old, or of the future."""
        self.skew: float | None = None
        """Seconds that our clock is ahead, by the answer that shows the least: a slow answer adds to it."""

    def request(self, operation: str, code: str, seconds: float) -> None:
        """Calls that were answered are noted with their answers."""
        self.calls += 1
        if not code.isdecimal():
            self.report.unanswered(operation, code, seconds)

    def observe(self, operation: str, status: int, headers: Mapping[str, str], body: Any, seconds: float) -> None:
        """Note clocks and shapes; the message of an error is looked at, and never kept."""
        code = error_code_in(body)
        good = status in _GOOD and isinstance(body, dict)
        self.answered |= good or code is not None
        self.accepted |= code.startswith("DRS") if code else good
        self.report.answered(operation, status, headers, body, seconds)
        if code == _SIGNATURE_CODE and "signature expired" in str(body).lower():
            self.expired = True
        served = _served_at(headers.get("date", ""))
        if served is not None and (self.skew is None or abs(self._now() - served) < abs(self.skew)):
            self.skew = self._now() - served


def _served_at(date: str) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return None


@dataclass
class _Lists:
    """What one API generation lists."""

    name: str
    tasks: dict[str, Listed] = field(default_factory=dict)
    errors: list[CloudError] = field(default_factory=list)
    answered: bool = False
    """Whether the list of any job type came."""
    gaps: dict[str, Gap] = field(default_factory=dict)
    """By job type, why its list may lack tasks."""

    @property
    def published(self) -> bool:
        """Whether the generation exists here, as far as one can tell."""
        return self.answered or not all(isinstance(error, NotPublishedError) for error in self.errors)

    @property
    def faults(self) -> list[CloudError]:
        """Each kind of error once; one list of many that is not published is a fault as well."""
        sent = [error for error in self.errors if error.code != "paused"]  # paused: after an error of another list
        return list({str(error): error for error in sent or self.errors}.values()) if self.published else []

    def by_engine(self, but: Mapping[str, Listed] | None = None) -> Counter[str | None]:
        """Tasks by engine, subtasks not counted; without those that are in `but`."""
        return Counter(
            task.engine_type for task in self.tasks.values() if task.parent_id is None and task.id not in (but or {})
        )


class _ProjectCheck:
    """The check of one project."""

    def __init__(self, connection: Connection[_Observed]) -> None:
        self._connection = connection
        self._pin = connection.project.api
        self._watch = connection.watch
        self._found: list[Finding] = []
        self.listed: list[Listed] | None = None
        """All tasks that are listed; None where a list failed."""

    async def run(self) -> list[Finding]:
        """All findings. Where nobody answers or the credentials are refused, there is nothing more to ask."""
        apis = self._connection.apis
        lists = dict(zip((api.name for api in apis), await asyncio.gather(*map(self._list, apis)), strict=True))
        if not any(one.faults for one in lists.values()):
            self.listed = list({id_: task for one in lists.values() for id_, task in one.tasks.items()}.values())
        if self._gets_in([error for one in lists.values() for error in one.faults]):
            self._tell_lists(lists)
            self._tell_pin(lists)
            used = [api for api in apis if self._pin in {"auto", api.name} and lists[api.name].published]
            await Operations(self._connection, used, {name: one.tasks for name, one in lists.items()}, self._say).run()
        return self._found

    def _say(self, level: Level, what: str, remedy: str = "") -> None:
        self._found.append(Finding(level, self._connection.label, what, remedy))

    async def _list(self, api: Api) -> _Lists:
        lists = _Lists(api.name)
        job_types = self._connection.job_types
        answers = await asyncio.gather(*(attempt(api.list_tasks(one)) for one in job_types))
        lists.answered = not all(isinstance(answer, CloudError) for answer in answers)
        for job_type, answer in zip(job_types, answers, strict=True):
            if isinstance(answer, CloudError):
                lists.errors.append(of_job_type(answer, job_type) if lists.answered else answer)
            else:
                lists.tasks |= {task.id: task for task in answer.tasks}
                lists.gaps |= {job_type: answer.gap} if answer.gap else {}
        return lists

    # Reachable, clock, credentials

    def _gets_in(self, errors: Sequence[CloudError]) -> bool:
        """Whether DRS responds, and to these credentials."""
        if self._watch.answered:
            self._say(OK, "DRS responds")
        clock = self._tell_clock()
        barred = [error for error in errors if is_access_fault(error)] if self._watch.answered else errors
        if not barred and self._watch.accepted:
            self._say(OK, "the credentials are accepted")
        elif not barred:
            self._say(WARN, "it is not known whether the credentials are accepted: DRS returns no result")
        elif clock:  # a wrong clock makes the best signature a bad one
            for error in {error.code: error for error in reversed(barred)}.values():
                place = place_of(error, self._connection.account, self._connection.project)
                _, what, remedy = words(error, place)
                self._say(FAIL, what, remedy)
            self._found += proxy_findings(barred, self._connection.account, self._connection.project)
        return not barred

    def _tell_clock(self) -> bool:
        """Whether the clock is no reason to refuse signatures."""
        skew = self._watch.skew
        if self._watch.expired or (skew is not None and abs(skew) > _SKEW_REFUSED):
            about = "more than 15m" if skew is None else _offset(skew)
            self._say(FAIL, f"the clock of this machine is wrong by {about}, signatures are refused", _CLOCK_REMEDY)
            return False
        if skew is not None and abs(skew) > _SKEW_WARNING:
            self._say(WARN, f"the clock of this machine is wrong by {_offset(skew)}", _CLOCK_REMEDY)
        elif skew is not None:
            self._say(OK, f"the clock is right within {duration_text(max(1, round(abs(skew))))}")
        elif self._watch.answered:
            self._say(OK, "the clock was not compared: the responses have no date")
        return True

    # The lists, and what a pin hides

    def _tell_lists(self, lists: Mapping[str, _Lists]) -> None:
        for name, one in lists.items():
            fatal = self._pin in {"auto", name}
            if not one.published and self._pin == name:
                self._say(FAIL, f"{name} is not published here", "set api: auto")
            elif not one.published:
                self._say(OK, f"{name} is not published here")
            for _, what, remedy in map(words, one.faults):
                self._say(FAIL if fatal else WARN, what, remedy)  # drs_up is 0 for any of them
            if one.published and not one.errors:
                first = next(iter(lists.values()))
                self._say(OK, _told(name, one, first if one is not first and first.published else None))
            for job_type, gap in one.gaps.items():
                remedy = REPORT if gap is Gap.UNREADABLE else "see docs/runbooks/DrsListIncomplete.md"
                self._say(WARN, f"{name} list of {job_type} is incomplete: {gap}", remedy)
        if lost := self._connection.decode_errors["tasks"].take():
            self._say(WARN, f"the lists have {plural(lost, 'field')} unlike the documents", REPORT)
        if not any(one.published for one in lists.values()):
            self._say(FAIL, "neither API generation is published here", "check region and endpoint")

    def _tell_pin(self, lists: Mapping[str, _Lists]) -> None:
        """What `api: v3` or `api: v5` leaves out."""
        if self._pin == "auto":
            return
        other = next(name for name in lists if name != self._pin)
        hidden = lists[other].by_engine(lists[self._pin].tasks)
        if hidden:
            tasks = plural(hidden.total(), "task")
            what = f"api: {self._pin} hides {tasks} that only {other} lists ({engines(hidden)})"
            self._say(WARN, what, "set api: auto")
        elif lists[other].errors and lists[other].published:
            self._say(
                WARN, f"the tasks that api: {self._pin} hides are not known: {other} returns no list", "set api: auto"
            )
        else:
            self._say(OK, f"api: {self._pin} hides no task")


def _told(name: str, lists: _Lists, first: _Lists | None) -> str:
    """What a generation lists, and how much of it the one that decides does not."""
    counts = lists.by_engine()
    if not counts:
        return f"{name} lists no tasks"
    more = "" if first is None else f", {lists.by_engine(first.tasks).total()} of them unknown to {first.name}"
    return f"{name} lists {plural(counts.total(), 'task')}{more} ({engines(counts)})"


def _offset(skew: float) -> str:
    return f"{duration_text(round(abs(skew)))}, {'ahead' if skew > 0 else 'behind'}"
