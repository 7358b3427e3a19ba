"""Each operation x each kind of fault: what the page shows during the fault, and that no other project is affected.

One exporter polls an account for each kind of fault. One project of each account fails from the start, recovers, and
fails again later. The page of the other project must be the same as without any fault.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from typing import NamedTuple

import pytest

from exporter.cloud import operations
from exporter.cloud.operations import OPERATIONS, Operation
from tests.faults.fleet import AGE, FAILING, INTERVAL, UNAFFECTED, View, account, cloud, config, fed_by, id_of, pages_at
from tests.faults.kinds import CANARY, KINDS, Kind
from tests.faults.transport import FaultyTransport
from tests.lib.virtual_time import now, simulate

pytestmark = pytest.mark.usefixtures("frequent_polls")

LISTS = (operations.LIST_V3, operations.LIST_V5)
RECOVERIES = (operations.RECOVERY_V3, operations.MONITOR_V3)
AFTER_THE_LIST = ("drs_task_full_", "drs_task_incremental_", "drs_task_progress_", "drs_task_stage_")
"""Of the progress, which is queried once the next list has the tasks."""
COUNTERS = ("drs_task_phase_changes_total", "drs_task_failures_total")
"""These outlive the list: they count from the discovery of the task."""
NOT_POLLED = {
    operations.STATUS_V3: "no collector queries it, since lists contain the status",
    operations.QUERY_V5: "only the command query sends it: see test_cells",
}
POLLED = [operation for operation in OPERATIONS if operation.service == "drs" and operation not in NOT_POLLED]

FIRST_RECOVERY, AGAIN = 40.0, 110.0
"""The first fault ends, the second one begins."""
LAST_SUCCESS = 90.0
"""Of most operations. After calls that timed out, tasks are polled at other times, until `AGAIN` at the latest."""


class Pages(NamedTuple):
    """Pages: two polls after a start with the fault, recovered, just before the values expire during a second fault,
    just after that, at the end of the second fault, and two intervals later."""

    started: View
    first_recovery: View
    ageing: View
    aged: View
    failing: View
    recovered: View


def scenarios_of(operation: Operation) -> tuple[str, ...]:
    return ("cloudDataGuard",) if operation in RECOVERIES else ("sync",)


async def pages_of(operation: Operation, kinds: Mapping[str, Kind | None]) -> Pages:
    """Poll accounts of these names, each with a kind of fault, or none."""
    scenarios = scenarios_of(operation)
    collectors = {*fed_by(operation), *(("progress",) if operation in LISTS else ())}
    transport = FaultyTransport({f"{name}.test": cloud(name, scenarios) for name in kinds}, now)
    failures = {(id_of(name, FAILING), operation): kind.failure for name, kind in kinds.items() if kind is not None}
    # Without a list the other operations are still queried until it has expired, so their values expire after it.
    end = (LAST_SUCCESS + 2 * AGE + INTERVAL if operation in LISTS else AGAIN + AGE) + 10
    fail, recover = partial(transport.fail, failures), partial(transport.fail, {})
    fail()
    steps = (
        (INTERVAL + 2, None),
        (FIRST_RECOVERY, recover),
        (FIRST_RECOVERY + 2 * INTERVAL + 1, None),
        (AGAIN, fail),
        (LAST_SUCCESS + AGE - 1, None),
        (AGAIN + AGE + 7, None),
        (end, None),
        (end, recover),
        (end + 2 * INTERVAL + 1, None),
    )
    return Pages(*await pages_at(transport, config(account(name, collectors, scenarios) for name in kinds), steps))


@cache
def undisturbed(operation: Operation) -> Pages:
    return simulate(pages_of(operation, {"none": None}))


def deviations(operation: Operation, kind: Kind, pages: Pages, name: str) -> list[str]:
    """Return every difference from the expected pages."""
    normal = undisturbed(operation)
    wrong: list[str] = []

    def check(good: object, what: str) -> None:
        if not good:
            wrong.append(f"{kind.name}: {what}")

    for at, page in pages._asdict().items():
        # The other project is unaffected.
        values = not kind.throttles  # the rate limit is shared, so that calls are sent a moment later
        seen = page.of(name, UNAFFECTED, values=values)
        expected = getattr(normal, at).of("none", UNAFFECTED, values=values)
        check(seen == expected, f"{at}: the other project is not the same: {sorted({*seen} ^ {*expected})[:4]}")
    # The series of which the failing operation is the source.
    source = normal.started.facts("none", FAILING) - pages.started.facts(name, FAILING)
    if operation in LISTS:  # v3 is still queried about tasks that it has listed and v5 lists
        source = {series for series in source if not series.startswith(("drs_apply_", *COUNTERS))}
    check(source, "the fault removes nothing")
    check(source <= normal.ageing.facts("none", FAILING), "it removes series that expire anyway")
    for at, there in (("first_recovery", True), ("ageing", True), ("failing", False), ("recovered", True)):
        shown = source & getattr(pages, at).facts(name, FAILING)
        if operation in LISTS and kind.throttles and at == "recovered":  # the pause was as long as two intervals
            shown |= {series for series in source if series.startswith(AFTER_THE_LIST)}
        check(shown == (source if there else set()), f"{at}: {len(shown)} of {len(source)}, {sorted(shown)[:3]}")
    # The failure is exposed.
    for at, good in (("started", 0), ("ageing", 0), ("failing", 0), ("first_recovery", 1), ("recovered", 1)):
        view: View = getattr(pages, at)
        success = view.by("collector", name, FAILING, "drs_exporter_collector_success")
        failing = {collector for collector, value in success.items() if value != 1}
        check(failing == (set() if good else {*fed_by(operation)}), f"{at}: failing are {failing}")
        up = view.value(name, FAILING, "drs_up")
        check(up == (good or operation not in LISTS), f"{at}: drs_up is {up}")
        if operation in LISTS and at in {"started", "failing"}:
            counts = view.by("phase", name, FAILING, "drs_tasks")
            check(not counts, f"{at}: tasks are counted: {counts}")
    # It is counted.
    codes = pages.failing.codes(name, operation)
    bad = codes.keys() - normal.failing.codes("none", operation).keys()
    counters = [f"drs_exporter_{what}_errors_total" for what in ("decode", "task")]
    lost = [view.value(name, FAILING, counter, collector=fed) for counter in counters for fed in fed_by(operation)]
    if kind.code in {"", "200"}:
        check(bad or any(lost), f"counted as nothing, {codes}")
    else:
        check(bad == {kind.code}, f"counted as {codes}")
    check(CANARY not in view.text, "a canary is on the page")
    return wrong


@pytest.mark.parametrize("operation", POLLED, ids=lambda operation: operation.name)
def test_a_fault_of_one_operation(operation: Operation) -> None:
    kinds = {f"k{number}": kind for number, kind in enumerate(KINDS)}
    pages = simulate(pages_of(operation, kinds))
    wrong = [line for name, kind in kinds.items() for line in deviations(operation, kind, pages, name)]
    assert not wrong, "\n".join(wrong)
