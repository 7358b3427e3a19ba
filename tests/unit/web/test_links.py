"""Links to Grafana and to the console of the cloud."""

from __future__ import annotations

from exporter.config import Links
from exporter.model.cutover_words import ADVICE
from exporter.model.task import Identity, Phase
from exporter.web import runbooks
from exporter.web.links import links_of, runbook

TASK = Identity("acme", "eu-de", "pay & ments", "id-1", 'orders "1"')


def test_there_is_no_link_without_a_base_url() -> None:
    assert links_of(Links(), TASK) == []


def test_grafana_opens_the_dashboard_of_the_task_and_the_console_its_region() -> None:
    links = Links(grafana="https://g.example/grafana/", console="https://console.example/drs")
    variables = "var-account=acme&var-region=eu-de&var-project=pay%20%26%20ments&var-task=id-1"
    assert links_of(links, TASK) == [
        ("Grafana", f"https://g.example/grafana/d/drs-task?{variables}"),
        ("Console", "https://console.example/drs/?region=eu-de"),
    ]


def test_every_runbook_of_a_reason_exists() -> None:
    names = {name for reason in ADVICE for phase in (None, *Phase) if (name := runbook(reason, phase))}
    assert len(names) > 8
    assert names <= runbooks.names()
    assert runbook("subtask", Phase.FAILED) is None


def test_the_runbook_of_failures_is_for_failed_tasks_only() -> None:
    found = {phase: name for phase in (None, *Phase) if (name := runbook("phase", phase))}
    assert found == {Phase.FAILED: "DrsTaskFailed", Phase.PAUSED: "DrsTaskPausedLong"}
