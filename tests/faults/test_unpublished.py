"""Every polled operation x "not published": no fault, but a fact that is asked for again every hour."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.faults.fleet import SPARED, STRUCK, View, account, cloud, config, fed_by, id_of, polling, until, view
from tests.faults.kinds import CANARY, UNPUBLISHED
from tests.faults.test_matrix import COUNTERS, LISTS, POLLED, scenarios_of
from tests.faults.transport import FaultyTransport
from tests.lib.virtual_time import EPOCH, now, simulate

if TYPE_CHECKING:
    from exporter.cloud.operations import Operation

pytestmark = pytest.mark.usefixtures("frequent_polls")

COVERED = {(operation.name, UNPUBLISHED.name) for operation in POLLED}
INTERVAL, HOUR = 600.0, 3600.0
AGE = 3 * INTERVAL
AGAIN, LAST_SUCCESS = 4400.0, 4200.0
END = LAST_SUCCESS + 2 * AGE


async def story_of(operation: Operation, *, struck: bool) -> tuple[list[View], list[float]]:
    """Pages: unpublished from the start, published, unpublished again and aged, published; and when it was asked."""
    scenarios = scenarios_of(operation)
    strikes = {(id_of("acme", STRUCK), operation): UNPUBLISHED.strike} if struck else {}
    transport = FaultyTransport({"acme.test": cloud("acme", scenarios)}, now, dict(strikes))
    collectors = {*fed_by(operation), *(("progress",) if operation in LISTS else ())}
    configuration = config([account("acme", collectors, scenarios, interval=INTERVAL)])
    pages = []
    async with polling(transport, configuration) as exporter:
        for at, then in ((2000, {}), (AGAIN, strikes), (END, {}), (END + HOUR + 2 * INTERVAL + 1, {})):
            await until(at)
            pages.append(await view(exporter))
            transport.strikes = dict(then)
    project = id_of("acme", STRUCK)
    return pages, [
        request.at - EPOCH for request in transport.sent if request.operation is operation and project in request.text
    ]


@pytest.mark.parametrize("operation", POLLED, ids=lambda operation: operation.name)
def test_an_operation_that_is_not_published(operation: Operation) -> None:
    truth, _ = simulate(story_of(operation, struck=False))
    pages, asked = simulate(story_of(operation, struck=True))
    for seen, expected in zip(pages, truth, strict=True):
        assert seen.of("acme", SPARED) == expected.of("acme", SPARED)
        assert CANARY not in seen.text
    absent = pages[0]
    source = truth[0].facts("acme", STRUCK) - absent.facts("acme", STRUCK)
    source = {series for series in source if not series.startswith(("drs_apply_", *COUNTERS))}
    assert source
    shown = [source & page.facts("acme", STRUCK) for page in pages]
    assert shown == [set(), source, set(), source & truth[-1].facts("acme", STRUCK)]
    assert shown[-1]
    for page in pages:
        assert page.value("acme", STRUCK, "drs_up") == 1
        success = page.by("collector", "acme", STRUCK, "drs_exporter_collector_success")
        assert set(success.values()) == {1}
    if operation not in LISTS:
        infos = [page.value("acme", STRUCK, "drs_exporter_source_info", source=operation.name) for page in pages]
        assert infos == [0, 1, 0, 1]
    # Nobody asks within the hour; what has just answered is believed to be gone only when that has aged.
    sure = LAST_SUCCESS + AGE + INTERVAL
    assert not [at for at in asked if 1 < at < HOUR or sure + 1 < at < sure + HOUR]
    assert {HOUR, sure, sure + HOUR} <= set(asked)
