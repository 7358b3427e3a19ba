"""Links from the pages to the dashboards in Grafana and to the console of the cloud, where they are configured."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from exporter.config import Links
from exporter.model.task import Identity, Phase

_DASHBOARD = "drs-task"
"""The uid of the dashboard DRS task; its variables are account, region, project, and the id of the task."""


def links_of(links: Links, identity: Identity) -> list[tuple[str, str]]:
    """Return names and URLs of the pages of other programs about a task."""
    found = []
    if links.grafana:
        shown = {name: getattr(identity, name) for name in ("account", "region", "project")}
        variables = {f"var-{name}": value for name, value in {**shown, "task": identity.task_id}.items()}
        query = urlencode(variables, quote_via=quote, errors="replace")
        found.append(("Grafana", f"{links.grafana}/d/{_DASHBOARD}?{query}"))
    if links.console:
        found.append(("Console", f"{links.console}/?{urlencode({'region': identity.region})}"))
    return found


_RUNBOOKS: Mapping[str, str] = {
    "stale": "DrsTaskStale",
    "delay_unknown": "DrsTaskDelayMissing",
    "delay_high": "DrsTaskDelayHigh",
    "full_unknown": "DrsTaskDelayMissing",
    "apply_failed": "DrsTaskApplyFailed",
    "report_old": "DrsTaskReportOld",
    "rpo_high": "DrsRpoObjectiveMissed",
    "rto_high": "DrsRtoObjectiveMissed",
    "order_frozen": "DrsTaskStepFailed",
    "side_down": "DrsSideDown",
    "comparison_inconsistent": "DrsComparisonInconsistent",
}


_RUNBOOKS_OF_PHASES: Mapping[Phase | None, str] = {Phase.FAILED: "DrsTaskFailed", Phase.PAUSED: "DrsTaskPausedLong"}


def runbook(reason: str, phase: Phase | None) -> str | None:
    """Return the name of the runbook about a reason against the cut-over of a task in a phase; None without one."""
    return _RUNBOOKS_OF_PHASES.get(phase) if reason == "phase" else _RUNBOOKS.get(reason)
