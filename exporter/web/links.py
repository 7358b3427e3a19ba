"""Links from the pages to the dashboards in Grafana and to the console of the cloud, where they are configured."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from exporter.config import Links
from exporter.model.task import Identity

_DASHBOARD = "drs-task"
"""The uid of the dashboard DRS task; its variables are the labels of a task."""


def links_of(links: Links, identity: Identity) -> list[tuple[str, str]]:
    """Return names and URLs of the pages of other programs about a task."""
    found = []
    if links.grafana:
        shown = {name: getattr(identity, name) for name in ("account", "region", "project")}
        variables = {f"var-{name}": value for name, value in {**shown, "task": identity.task_name}.items()}
        query = urlencode(variables, quote_via=quote, errors="replace")
        found.append(("Grafana", f"{links.grafana}/d/{_DASHBOARD}?{query}"))
    if links.console:
        found.append(("Console", f"{links.console}/?{urlencode({'region': identity.region})}"))
    return found
