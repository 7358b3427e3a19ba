"""Every polled operation x "not published": no fault; the operation is queried again every hour."""

from __future__ import annotations

from functools import partial

import pytest

from exporter.cloud.operations import Operation
from tests.faults.fleet import FAILING, UNAFFECTED, View, account, cloud, config, fed_by, id_of, pages_at
from tests.faults.kinds import CANARY, UNPUBLISHED
from tests.faults.test_matrix import COUNTERS, LISTS, POLLED, scenarios_of
from tests.faults.transport import FaultyTransport
from tests.lib.rendering import publish_every
from tests.lib.virtual_time import EPOCH, now, simulate

COVERED = {(operation.name, UNPUBLISHED.name) for operation in POLLED}
INTERVAL, HOUR = 600.0, 3600.0
AGE = 3 * INTERVAL
AGAIN, LAST_SUCCESS = 4400.0, 4200.0
END = LAST_SUCCESS + 2 * AGE


@pytest.fixture(autouse=True)
def _published_each_quarter(frequent_polls: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Publish a page every quarter of an hour: lists that have expired are removed before the next poll."""
    publish_every(900.0, monkeypatch)


async def pages_of(operation: Operation, *, failing: bool) -> tuple[list[View], list[float]]:
    """Return pages (unpublished from the start, published, unpublished and expired, published) and times of calls."""
    scenarios = scenarios_of(operation)
    failures = {(id_of("acme", FAILING), operation): UNPUBLISHED.failure} if failing else {}
    transport = FaultyTransport({"acme.test": cloud("acme", scenarios)}, now, dict(failures))
    collectors = {*fed_by(operation), *(("progress",) if operation in LISTS else ())}
    configuration = config([account("acme", collectors, scenarios, interval=INTERVAL)])
    recover = partial(transport.fail, {})
    steps = (
        (2000, None),
        (2000, recover),
        (AGAIN, None),
        (AGAIN, partial(transport.fail, failures)),
        (END, None),
        (END, recover),
        (END + HOUR + 2 * INTERVAL + 1, None),
    )
    pages = await pages_at(transport, configuration, steps)
    project = id_of("acme", FAILING)
    return pages, [
        request.at - EPOCH for request in transport.sent if request.operation is operation and project in request.text
    ]


@pytest.mark.parametrize("operation", POLLED, ids=lambda operation: operation.name)
def test_an_operation_that_is_not_published(operation: Operation) -> None:
    normal, _ = simulate(pages_of(operation, failing=False))
    pages, called = simulate(pages_of(operation, failing=True))
    for seen, expected in zip(pages, normal, strict=True):
        assert seen.of("acme", UNAFFECTED) == expected.of("acme", UNAFFECTED)
        assert CANARY not in seen.text
    absent = pages[0]
    source = normal[0].facts("acme", FAILING) - absent.facts("acme", FAILING)
    source = {series for series in source if not series.startswith(("drs_apply_", *COUNTERS))}
    assert source
    shown = [source & page.facts("acme", FAILING) for page in pages]
    assert shown == [set(), source, set(), source & normal[-1].facts("acme", FAILING)]
    assert shown[-1]
    for page in pages:
        assert page.value("acme", FAILING, "drs_up") == 1
        success = page.by("collector", "acme", FAILING, "drs_exporter_collector_success")
        assert set(success.values()) == {1}
    if operation not in LISTS:
        infos = [page.value("acme", FAILING, "drs_exporter_source_published", source=operation.name) for page in pages]
        assert infos == [0, 1, 0, 1]
    # No call within the hour. An operation that has just responded counts as absent only once its values expire.
    sure = LAST_SUCCESS + AGE + INTERVAL
    assert not [at for at in called if 1 < at < HOUR or sure + 1 < at < sure + HOUR]
    assert {HOUR, sure, sure + HOUR} <= set(called)
