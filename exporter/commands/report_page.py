"""The report of a wave as one HTML file: without scripts, and without anything that is stored elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import tzinfo
from functools import cache, partial
from importlib.resources import files
from typing import NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from exporter.commands.report_document import ChangeRow, Report, ReportedTask
from exporter.runtime.escape import printable
from exporter.views.cutover import blocked_by, subjects
from exporter.views.plots import Plot
from exporter.views.report_plots import Axis, Bar, delay_of
from exporter.views.text import capitalized, duration, listing, moment, percent, plural

_ENDED, _UNKNOWN = "ended", "unknown"
_RESULTS = {
    "ready": "ready, not ended",
    "failed": "failed",
    "excluded": "not judged: standby or dual-active",
    _UNKNOWN: "not known",
}


class Section(NamedTuple):
    """One task in the report.

    Args:
        task: its part of the document.
        number: of the section.
        bars: of the time line of its phases.
        ready: of the time line of its readiness.
        plot: of its delay; None if none is known.
    """

    task: ReportedTask
    number: int
    bars: Sequence[Bar]
    ready: Sequence[Bar]
    plot: Plot | None


def report_html(report: Report, zone: tzinfo) -> str:
    """Return the report; times are shown in the zone."""
    axis = Axis(report.start_timestamp_seconds, report.end_timestamp_seconds, zone)
    html = _template().render(
        report=report,
        zone_name=str(zone),
        axis=axis,
        gaps=[axis.bar(gap.start_timestamp_seconds, gap.end_timestamp_seconds, _UNKNOWN) for gap in report.gaps],
        sections=[_section(task, number, axis) for number, task in enumerate(report.tasks, 1)],
        notes=list(_notes(report, partial(moment, zone=zone))),
        at=partial(moment, zone=zone),
        short=axis.short,
    )
    # In ASCII, which any terminal, file and mail preserves. Half surrogate pairs have no meaning.
    return html.encode(errors="replace").decode().encode("ascii", "xmlcharrefreplace").decode()


def _section(task: ReportedTask, number: int, axis: Axis) -> Section:
    spans = task.phases
    return Section(
        task,
        number,
        [axis.bar(span.start_timestamp_seconds, span.end_timestamp_seconds, span.phase or _UNKNOWN) for span in spans],
        [axis.bar(span.start_timestamp_seconds, span.end_timestamp_seconds, "ready") for span in task.ready],
        delay_of(axis, [(at, value) for at, value in task.delay], task.delay_step_seconds),
    )


def _notes(report: Report, at: Callable[[float], str]) -> Iterator[str]:
    """Yield what the report does not contain, and why."""
    # The first gap, before all runs, is the time without history.
    since = report.runs[0].start_timestamp_seconds if report.runs else None
    where = "in its storage" if report.stored else "in memory, without storage"
    if since is None:
        yield "The exporter has recorded nothing about this time."
    elif report.gaps and report.gaps[0].start_timestamp_seconds < since:
        yield f"There is no history before {at(since)}: the exporter has recorded it since then, {where}."
    else:
        gaps = f"but for {plural(len(report.gaps), 'gap')}" if report.gaps else "without a gap"
        yield f"The exporter recorded this time {where}, {gaps}."
    if not report.live:
        yield "It is read from the storage alone: states and verdicts are the last that were stored."
    for gap in report.gaps:
        start, end = gap.start_timestamp_seconds, gap.end_timestamp_seconds
        if since is not None and end > since:
            yield (
                f"From {at(start)} to {at(end)} ({duration(round(end - start))}) nothing was recorded: what "
                "happened then is not known."
            )
    if report.expected is not None and report.totals.tasks < report.expected:
        yield f"{report.expected} tasks were expected, {report.totals.tasks} are known."
    if report.missing_ids:
        yield f"No task has these ids of the configuration: {listing(report.missing_ids)}."
    step = duration(report.step_seconds)
    yield (
        f"A change is recorded when the exporter observes it, and a delay every {step}: a peak between two of these "
        "times is not known. A time that begins with “by” is the first record: it may have begun earlier."
    )


def databases(task: ReportedTask) -> str:
    """Return source and target, or else the engines as the cloud names them; empty if neither is known."""
    if task.source_type and task.target_type:
        return f"{task.source_type} → {task.target_type}"
    return task.engine_type or ""


def result_of(task: ReportedTask) -> str:
    """Return how the task stands, as far as that is known."""
    if task.state == _ENDED:
        return "ended after it was ready" if task.ready else "ended; not seen ready"
    if task.state == "blocked":
        return f"blocked: {', '.join(blocked_by(task.cutover_blockers or ())) or 'reason not known'}"
    return _RESULTS.get(task.state, task.state)


def load_of(task: ReportedTask) -> str:
    """Return how long the full load lasted, or what is known about it."""
    load = task.full_load
    if load.seconds is not None:
        return duration(round(load.seconds))
    if load.ended_timestamp_seconds is not None:
        return "complete; start not known"
    if load.ratio is not None and load.ratio < 1:
        return f"{percent(load.ratio)} complete"
    return "complete; times not known" if load.ratio == 1 else ""


def never_of(task: ReportedTask) -> str:
    """Return what no verdict on the task was able to check, as a sentence."""
    if task.never_checked is None:
        return "What was checked is not known: no verdict is known."
    names = subjects(task.never_checked)
    return f"Not checked in any known verdict: {listing(names)}." if names else "Each check was made at least once."


def unobserved(report: Report) -> int:
    """Return the seconds of all gaps."""
    return round(sum(gap.end_timestamp_seconds - gap.start_timestamp_seconds for gap in report.gaps))


def incidents_of(events: Sequence[ChangeRow]) -> list[ChangeRow]:
    """Return the events that are incidents."""
    return [event for event in events if event.incident]


_FILTERS = (capitalized, duration, plural, percent)
_FUNCTIONS = (databases, incidents_of, load_of, never_of, result_of, unobserved)


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("exporter.commands", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: printable(value) if type(value) is str else value,
    )
    environment.filters |= {function.__name__: function for function in _FILTERS}
    environment.globals |= {function.__name__: function for function in _FUNCTIONS}
    style = (files("exporter.commands") / "templates" / "report.css").read_text(encoding="utf-8")
    environment.globals["style"] = Markup(style)  # noqa: S704 - our own file
    return environment.get_template("report.html")
