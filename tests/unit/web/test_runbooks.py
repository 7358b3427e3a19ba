"""The runbooks that the exporter serves."""

from __future__ import annotations

import re

import pytest

from exporter.web import runbooks
from tests.lib.daemon import cloud_of, config_of, exporter_on, get, sim_task
from tests.lib.html_page import ParsedPage
from tests.lib.virtual_time import simulated


def test_a_runbook_is_rendered_with_links_to_others_only() -> None:
    content = str(runbooks.html("DrsApiDemandHigh"))
    assert "<h1>DrsApiDemandHigh</h1>" in content
    assert '<a href="DrsApiThrottled">DrsApiThrottled</a>' in content
    assert "operations.md" in content  # as text: the exporter does not serve it
    assert '<pre><code class="language-sh">amtool silence add' in content


@pytest.mark.parametrize("name", sorted(runbooks.names()))
def test_every_link_of_a_runbook_leads_somewhere(name: str) -> None:
    links = re.findall(r'href="([^"]+)"', str(runbooks.html(name)))
    assert {link for link in links if not link.startswith("https://")} <= runbooks.names()


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
