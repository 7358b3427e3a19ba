"""The runbooks that the exporter serves."""

from __future__ import annotations

import re

import pytest

from exporter.runtime.shipped_rules import shipped_groups
from exporter.simulator import SimTask
from exporter.web import runbooks
from tests.lib.daemon import RawResponse, cloud_of, config_of, exporter_on, get, sim_task
from tests.lib.html_page import ParsedPage
from tests.lib.virtual_time import simulated


def test_a_runbook_is_rendered_with_links_to_others_only() -> None:
    content = str(runbooks.html("DrsApiDemandHigh"))
    assert "<h1>DrsApiDemandHigh</h1>" in content
    assert '<a href="DrsApiThrottled">DrsApiThrottled</a>' in content
    assert "operations.md" in content  # as text: the exporter does not serve it
    assert '<a href="../errors">' in str(runbooks.html("DrsPrecheckFailed"))
    assert '<pre><code class="language-sh">amtool silence add' in content


@pytest.mark.parametrize("name", sorted(runbooks.names()))
def test_every_link_of_a_runbook_leads_somewhere(name: str) -> None:
    links = re.findall(r'href="([^"]+)"', str(runbooks.html(name)))
    assert {link for link in links if not link.startswith("https://")} <= runbooks.names() | {"../errors"}


@simulated
async def test_a_runbook_is_a_page_and_another_name_is_not_found() -> None:
    async with exporter_on(cloud_of(sim_task("orders")), config_of("v3")) as exporter:
        got = await get(exporter, "/runbooks/DrsTaskDelayHigh")
        assert got.status == 200
        assert "Mitigation" in ParsedPage(got.body).text
        for name in ("DrsTaskDelayHig", "..%2frunbook", "DrsTaskDelayHigh.md"):
            missing = await get(exporter, f"/runbooks/{name}")
            assert missing.status == 404
        assert "No such runbook" in ParsedPage(missing.body).text


@pytest.mark.parametrize("name", sorted(runbooks.names()))
def test_every_runbook_has_the_rules_of_its_alert(name: str) -> None:
    assert {rule["alert"] for rule in runbooks.rules(name)} == {name}
    shipped = [rule for group in shipped_groups() for rule in group["rules"]]
    assert list(runbooks.rules(name)) == [rule for rule in shipped if rule.get("alert") == name]


@simulated
async def page_of(name: str, task: SimTask | None = None, query: str = "") -> RawResponse:
    """A runbook, in a world of one task; the link to it has the id of the task or this query."""
    async with exporter_on(cloud_of(task or sim_task("orders")), config_of("v3")) as exporter:
        await exporter.poll_once()
        return await get(exporter, f"/runbooks/{name}{f'?task_id={task.id}' if task else query}")


def test_a_runbook_shows_each_rule_of_its_alert() -> None:
    text = ParsedPage(page_of("DrsTaskDelayHigh").body).text
    critical, unknown = runbooks.rules("DrsTaskDelayHigh")
    assert text.index(critical["expr"]) < text.index(unknown["expr"])
    assert "Severity critical, for 5m:" in text
    assert "Severity warning, reason threshold_unknown, for 5m:" in text


def test_a_runbook_of_an_alert_about_a_task_links_to_the_task_and_shows_its_state() -> None:
    task = sim_task("orders", status="INCRE_TRANSFER_FAILED")
    seen = ParsedPage(page_of("DrsTaskFailed", task).body)
    assert f"../tasks/{task.id}" in seen.attributes["href"]
    assert "its status is INCRE_TRANSFER_FAILED" in seen.text
    assert f"task_id={task.id}" in seen.text
    assert "TASK_ID" not in seen.text


def test_a_runbook_of_an_alert_about_an_unknown_task_says_so_and_repeats_nothing_of_the_link() -> None:
    got = page_of("DrsTaskFailed", query="?task_id=call-me-now")
    text = ParsedPage(got.body).text
    assert got.status == 200
    assert "No task with this ID is known" in text
    assert "call-me-now" not in text
    assert "TASK_ID" in text
    assert "No task with this ID" not in ParsedPage(page_of("DrsTaskFailed").body).text


def test_an_id_that_would_end_a_query_or_a_command_is_not_pasted_into_them() -> None:
    for wrong in ("a'b", 'a"b', "a b", "a;b", "$a", "a\nb", "é"):
        assert runbooks.html("DrsTaskFailed", wrong) == runbooks.html("DrsTaskFailed")
