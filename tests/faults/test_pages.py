"""Lists whose pages go wrong: cut, repeated, or without end."""

from __future__ import annotations

import re
from functools import partial
from typing import NamedTuple

import pytest

from exporter.cloud import operations, v3, v5
from exporter.cloud.operations import Operation
from exporter.cloud.wire import paging, project
from exporter.simulator import Fault
from tests.faults.fleet import AGE, FAILING, INTERVAL, UNAFFECTED, View, account, cloud, config, fed_by, id_of, pages_at
from tests.faults.transport import FaultyTransport
from tests.lib.virtual_time import EPOCH, now, simulate

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


class Pages(NamedTuple):
    """Pages in mid-fault and two intervals after it, and how often the operation was called in a poll."""

    failing: View
    recovered: View
    most_calls: int


async def pages_of(operation: Operation, kind: str | None) -> Pages:
    transport = FaultyTransport({"acme.test": cloud("acme", ["sync"])}, now)
    fault = [Fault(match=MATCHES[operation].format(id_of("acme", FAILING)), kind=kind)] if kind else []
    simulated = transport.clouds["acme.test"]
    steps = (
        (BEGIN, partial(setattr, simulated, "faults", fault)),
        (END - 1, None),
        (END - 1, partial(setattr, simulated, "faults", [])),
        (END + 2 * INTERVAL, None),
    )
    configuration = config([account("acme", {*fed_by(operation), "progress"}, ["sync"])])
    failing, recovered = await pages_at(transport, configuration, steps)
    polls: dict[int, int] = {}
    for request in transport.sent:
        if request.operation is operation and id_of("acme", FAILING) in request.text:
            number = int((request.at - EPOCH) // INTERVAL)
            polls[number] = polls.get(number, 0) + 1
    return Pages(failing, recovered, max(polls.values()))


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (paging, v3, v5):
        monkeypatch.setattr(module, "PAGE", SIZE)
    monkeypatch.setattr(project, "_PAGE", SIZE)


@pytest.mark.parametrize("kind", PAGE_KINDS)
@pytest.mark.parametrize("operation", MATCHES, ids=lambda operation: operation.name)
def test_wrong_pages_of_a_list(operation: Operation, kind: str) -> None:
    normal, pages = simulate(pages_of(operation, None)), simulate(pages_of(operation, kind))
    for seen, expected in zip(pages[:2], normal[:2], strict=True):
        assert seen.of("acme", UNAFFECTED) == expected.of("acme", UNAFFECTED)
    assert pages.recovered.facts("acme", FAILING) == normal.recovered.facts("acme", FAILING)
    assert pages.most_calls <= 2 * normal.most_calls
    failing, usual = pages.failing.facts("acme", FAILING), normal.failing.facts("acme", FAILING)
    success = pages.failing.by("collector", "acme", FAILING, "drs_exporter_collector_success")
    if operation is operations.ASYNC_JOBS_V5:
        whole = kind == "short_page"  # by offsets, everything comes all the same
        assert success == {"tasks": 1, "progress": 1, "async_jobs": whole}
        assert {series.partition("{")[0] for series in usual - failing} == (set() if whole else {"drs_async_jobs"})
        assert failing <= usual
        return
    # What came is what there is: less than everything, or tasks that nobody has; never none.
    assert success["tasks"] == 1
    assert pages.failing.value("acme", FAILING, "drs_up") == 1
    counts = pages.failing.by("phase", "acme", FAILING, "drs_tasks")
    assert not counts or sum(counts.values()) > 0
    names, everybody = ({*re.findall('task_name="(.+?)"', " ".join(facts))} for facts in (failing, usual))
    assert names <= everybody
    assert (usual <= failing) is (operation is operations.LIST_V5 and kind == "short_page")  # by offsets again
