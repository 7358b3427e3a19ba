"""Lists whose pages go wrong: cut, repeated, or without end."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import pytest

from exporter.cloud import operations, v3, v5
from exporter.cloud.wire import paging, project
from exporter.simulator import Fault
from tests.faults.fleet import (
    AGE,
    INTERVAL,
    SPARED,
    STRUCK,
    View,
    account,
    cloud,
    config,
    fed_by,
    id_of,
    polling,
    until,
    view,
)
from tests.faults.transport import FaultyTransport
from tests.lib.virtual_time import EPOCH, now, simulate

if TYPE_CHECKING:
    from exporter.cloud.operations import Operation

pytestmark = pytest.mark.usefixtures("frequent_polls")

SIZE = 2
MATCHES = {
    operations.LIST_V3: "POST /v3/{}/jobs$",
    operations.LIST_V5: "GET /v5/{}/jobs[?]",
    operations.ASYNC_JOBS_V5: "GET /v5/{}/batch-async-jobs",
}
PAGE_KINDS = ("short_page", "repeat_page", "endless_pages")
COVERED = {(operation.name, kind) for operation in MATCHES for kind in PAGE_KINDS}
BEGIN = 50.0
END = BEGIN + 2 * AGE


class Story(NamedTuple):
    """Pages in mid-fault and two intervals after it, and how often the operation was called in a poll."""

    struck: View
    healed: View
    most_calls: int


async def story_of(operation: Operation, kind: str | None) -> Story:
    transport = FaultyTransport({"acme.test": cloud("acme", ["sync"])}, now)
    fault = [Fault(match=MATCHES[operation].format(id_of("acme", STRUCK)), kind=kind)] if kind else []
    async with polling(transport, config([account("acme", {*fed_by(operation), "progress"}, ["sync"])])) as exporter:
        await until(BEGIN)
        transport.clouds["acme.test"].faults = fault
        await until(END - 1)
        struck = await view(exporter)
        transport.clouds["acme.test"].faults = []
        await until(END + 2 * INTERVAL)
        healed = await view(exporter)
    polls: dict[int, int] = {}
    for request in transport.sent:
        if request.operation is operation and id_of("acme", STRUCK) in request.text:
            number = int((request.at - EPOCH) // INTERVAL)
            polls[number] = polls.get(number, 0) + 1
    return Story(struck, healed, max(polls.values()))


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (paging, v3, v5):
        monkeypatch.setattr(module, "PAGE", SIZE)
    monkeypatch.setattr(project, "_PAGE", SIZE)


@pytest.mark.parametrize("kind", PAGE_KINDS)
@pytest.mark.parametrize("operation", MATCHES, ids=lambda operation: operation.name)
def test_wrong_pages_of_a_list(operation: Operation, kind: str) -> None:
    truth, story = simulate(story_of(operation, None)), simulate(story_of(operation, kind))
    for seen, expected in zip(story[:2], truth[:2], strict=True):
        assert seen.of("acme", SPARED) == expected.of("acme", SPARED)
    assert story.healed.facts("acme", STRUCK) == truth.healed.facts("acme", STRUCK)
    assert story.most_calls <= 2 * truth.most_calls
    struck, usual = story.struck.facts("acme", STRUCK), truth.struck.facts("acme", STRUCK)
    success = story.struck.by("collector", "acme", STRUCK, "drs_exporter_collector_success")
    if operation is operations.ASYNC_JOBS_V5:
        whole = kind == "short_page"  # by offsets, everything comes all the same
        assert success == {"tasks": 1, "progress": 1, "async_jobs": whole}
        assert {series.partition("{")[0] for series in usual - struck} == (set() if whole else {"drs_async_jobs"})
        assert struck <= usual
        return
    # What came is what there is: less than everything, or tasks that nobody has; never none.
    assert success["tasks"] == 1
    assert story.struck.value("acme", STRUCK, "drs_up") == 1
    counts = story.struck.by("phase", "acme", STRUCK, "drs_tasks")
    assert not counts or sum(counts.values()) > 0
    names, everybody = ({*re.findall('task_name="(.+?)"', " ".join(facts))} for facts in (struck, usual))
    assert names <= everybody
    assert (usual <= struck) is (operation is operations.LIST_V5 and kind == "short_page")  # by offsets again
