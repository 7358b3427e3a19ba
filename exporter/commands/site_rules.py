"""The shipped rules, changed for a site: links, severities, thresholds, and the alerts that it wants."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import NamedTuple

from exporter.commands.thresholds import replaced_texts
from exporter.runtime.shipped_rules import Groups, Rule

SEVERITIES = ("critical", "warning", "info")
GRAFANA, EXPORTER, RUNBOOKS = (
    "http://localhost:3000",
    "http://localhost:10826",
    "https://drs-exporter.example/docs/runbooks",
)
"""The base URLs of the links in the shipped files."""
_OF_A_JOB = {
    "DrsExporterDown": {
        "absent(drs:exporter_shard) unless on () drs:exporter_project == 0\n": (
            "absent(drs:exporter_shard) unless on () drs:exporter_project == 0\n"
            "or\n"
            'absent(up{job="JOB"}) and on () drs:exporter_shard unless on (job) drs:exporter_project == 0\n'
        )
    },
    "DrsReplicaDown": {
        "max by (job, instance) (up == 0)\n"
        "and on (job) drs:exporter_shard\n"
        "unless on (job) (up == 1 unless on (job, instance) drs:exporter_shard)\n": (
            'max by (job, instance) (up{job="JOB"} == 0)\nand on () drs:exporter_shard\n'
        )
    },
}
"""The texts that change if all targets of a job are exporters, also before their first scrape."""
_READY = "DrsTaskCutoverReady"
_IN_A_WAVE = re.compile(r"\nand on \([a-z_, ]+\) drs_task_wave_info")


class Links(NamedTuple):
    """The base URLs of a site, without a slash at the end; None: the site has none, and gets no such links."""

    grafana: str | None = None
    exporter: str | None = None
    runbooks: str | None = None


class Site(NamedTuple):
    """The changes that a site wants.

    Attributes:
        job: a scrape job all of whose targets are exporters; None: exporters are only known by their metrics.
        severities: by alert.
        disabled: alerts.
        thresholds: by name, in seconds or as ratios; the others keep their defaults.
        ready_outside_waves: DrsTaskCutoverReady is also about tasks that are in no running wave.
    """

    links: Links = Links()
    job: str | None = None
    severities: Mapping[str, str] = {}
    disabled: Collection[str] = ()
    thresholds: Mapping[str, float] = {}
    ready_outside_waves: bool = False


def alerts_in(groups: Groups) -> set[str]:
    """Return the names of the alerts."""
    return {rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule}


def title_of(rule: Rule) -> str:
    """Return the recorded name, or the alert with its reason, which together are unique."""
    return str(rule.get("record") or " ".join(filter(None, (rule["alert"], rule["labels"].get("reason")))))


def rules_for(site: Site, groups: Groups) -> Groups:
    """Return the groups, changed for a site."""
    changed = [
        {**group, "rules": [_rule(rule, site) for rule in group["rules"] if rule.get("alert") not in site.disabled]}
        for group in groups
    ]
    return [group for group in changed if group["rules"]]


def _rule(rule: Rule, site: Site) -> Rule:
    if "record" in rule:
        return {**rule, "expr": _text(rule["expr"], title_of(rule), site)}
    alert, title = rule["alert"], title_of(rule)
    annotations = {
        name: changed
        for name, text in rule["annotations"].items()
        if (changed := _link(text, alert, site.links) if name.endswith("_url") else _text(text, title, site))
    }
    labels = {**rule["labels"], "severity": site.severities.get(alert, rule["labels"]["severity"])}
    return {**rule, "expr": _text(rule["expr"], title, site), "labels": labels, "annotations": annotations}


def _text(text: str, title: str, site: Site) -> str:
    if title == _READY and site.ready_outside_waves:
        text = _IN_A_WAVE.sub("", text)
    if site.job is not None:
        for old, new in _OF_A_JOB.get(title, {}).items():
            text = text.replace(old, new.replace("JOB", site.job))
    if replaced := replaced_texts(title, site.thresholds):
        texts = "|".join(map(re.escape, replaced))
        text = re.sub(rf"(?:{texts})(?![\w.])", lambda found: replaced[found[0]], text)
    return text


def _link(url: str, alert: str, links: Links) -> str | None:
    """Return a link of an alert for a site; None if the site has no such page."""
    if url.startswith(f"{EXPORTER}/runbooks/") and links.exporter is None:
        url = f"{RUNBOOKS}/{alert}.md"  # without the link from the runbook to the task
    for shipped, own in ((GRAFANA, links.grafana), (EXPORTER, links.exporter), (RUNBOOKS, links.runbooks)):
        if url.startswith(shipped):
            return own and own + url.removeprefix(shipped)
    return url
