"""Every operation of the table x every kind of fault: what is said meanwhile, and that nobody else feels it.

One exporter polls an account for each kind of fault; the first half of its projects is struck from the start, left
alone for a while, and struck again in mid-life. The other half has to look as it does where no fault is anywhere.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import pytest

from exporter.cloud import operations
from exporter.cloud.operations import OPERATIONS, Operation
from tests.faults.kinds import CANARY, KINDS, Kind
from tests.faults.scene import AGE, INTERVAL, SPARED, STRUCK, View, account, cloud, config, fed_by, id_of, polling
from tests.faults.scene import until, view
from tests.faults.way import Way
from tests.virtual import now, simulate

if TYPE_CHECKING:
    from collections.abc import Mapping

LISTS = (operations.LIST_V3, operations.LIST_V5)
RECOVERIES = (operations.RECOVERY_V3, operations.MONITOR_V3)
UNASKED = {
    operations.STATUS_V3: "no collector asks for it, since lists tell the status",
    operations.QUERY_V5: "the command query alone asks for it: see test_commands",
}
POLLED = [operation for operation in OPERATIONS if operation.service == "drs" and operation not in UNASKED]

BORN, AGAIN = 40.0, 110.0
"""The first fault ends, the second one begins."""
LAST_SUCCESS = 90.0


class Story(NamedTuple):
    """Pages: two polls after a start with the fault, recovered, just before the age at which values go, after it,
    at the end of the fault, and two intervals later."""

    born: View
    recovered: View
    ageing: View
    aged: View
    struck: View
    healed: View


def scenarios_of(operation: Operation) -> tuple[str, ...]:
    return ("cloudDataGuard",) if operation in RECOVERIES else ("sync",)


async def told(operation: Operation, kinds: Mapping[str, Kind | None]) -> Story:
    """The story of accounts of these names, each with a kind of fault, or none."""
    scenarios = scenarios_of(operation)
    collectors = {*fed_by(operation), *(("progress",) if operation in LISTS else ())}
    way = Way({f"{name}.test": cloud(name, scenarios) for name in kinds}, now)
    strikes = {(id_of(name, STRUCK), operation): kind.strike for name, kind in kinds.items() if kind is not None}
    end = LAST_SUCCESS + 2 * AGE + INTERVAL / 3 if operation in LISTS else LAST_SUCCESS + AGE + INTERVAL / 3
    pages = []
    way.strikes = dict(strikes)
    async with polling(way, config(account(name, collectors, scenarios) for name in kinds)) as exporter:
        for at, then in (
            (INTERVAL + 2, None),
            (BORN, {}),
            (BORN + 2 * INTERVAL + 1, None),
            (AGAIN, strikes),
            (LAST_SUCCESS + AGE - 1, None),
            (LAST_SUCCESS + AGE + 7, None),
            (end, None),
            (end, {}),
            (end + 2 * INTERVAL + 1, None),
        ):
            await until(at)
            if then is None:
                pages.append(await view(exporter))
            else:
                way.strikes = dict(then)
    return Story(*pages)


@cache
def undisturbed(operation: Operation) -> Story:
    return simulate(told(operation, {"none": None}))


def faults_in(operation: Operation, kind: Kind, story: Story, name: str) -> list[str]:
    """Everything that is not as it has to be."""
    truth = undisturbed(operation)
    wrong: list[str] = []

    def check(good: object, what: str) -> None:
        if not good:
            wrong.append(f"{kind.name}: {what}")

    # Whoever is not struck feels nothing.
    own_times = ("timestamp", "duration") if kind.throttles else ()
    for at, page in story._asdict().items():
        seen, expected = page.lines(name, SPARED), getattr(truth, at).lines("none", SPARED)
        if kind.throttles:  # the budget is shared, so calls leave a moment later
            seen, expected = ([line.rpartition(" ")[0] for line in lines] for lines in (seen, expected))
        check(seen == expected, f"the spared project is not the same ({at}): {set(seen) ^ set(expected)}")
    # What the struck operation is the source of.
    source = truth.born.series("none", STRUCK) - story.born.series(name, STRUCK)
    check(source, "the fault takes nothing away")
    check(source <= truth.ageing.series("none", STRUCK), "what it takes away is not lasting")
    for at, there in (("recovered", True), ("ageing", True), ("struck", False), ("healed", True)):
        shown = source & getattr(story, at).series(name, STRUCK)
        expected = source if there else set()
        check(shown == expected, f"{at}: {sorted(shown ^ expected)[:4]} of {len(source)}")
    # It fails, and that is told.
    for at in ("born", "ageing", "struck"):
        page: View = getattr(story, at)
        for collector in fed_by(operation):
            success = page.value(name, STRUCK, "drs_exporter_collector_success", collector=collector)
            check(success == 0, f"{at}: success of {collector} is {success}")
        up = page.value(name, STRUCK, "drs_up")
        check(up == (operation not in LISTS), f"{at}: drs_up is {up}")
        zero = [line for line in page.lines(name, STRUCK) if line.startswith("drs_tasks{")]
        check(operation not in LISTS or at == "ageing" or not zero, f"{at}: tasks are counted: {zero[:1]}")
    for at in ("recovered", "healed"):
        page = getattr(story, at)
        for collector in ("tasks", *fed_by(operation)):
            success = page.value(name, STRUCK, "drs_exporter_collector_success", collector=collector)
            check(success == 1, f"{at}: success of {collector} is {success}")
        check(page.value(name, STRUCK, "drs_up") == 1, f"{at}: drs_up")
    # It is counted.
    codes = story.struck.codes(name, operation)
    good = set(truth.struck.codes("none", operation))
    lost = [story.struck.sum(name, STRUCK, f"drs_exporter_{what}_errors_total") for what in ("decode", "task")]
    if kind.code in {"", "200"}:
        check(any(lost) or set(codes) - good, f"counted as nothing: {codes}")
    else:
        check(set(codes) - good == {kind.code}, f"counted as {codes}")
    check(CANARY not in story.struck.text, "a canary is on the page")
    return wrong


@pytest.mark.parametrize("operation", POLLED, ids=lambda operation: operation.name)
def test_a_fault_of_one_operation(operation: Operation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exporter.daemon._TICK_SECONDS", 60.0)  # pages are asked for where they matter
    kinds = {f"k{number}": kind for number, kind in enumerate(KINDS)}
    story = simulate(told(operation, kinds))
    wrong = [line for name, kind in kinds.items() for line in faults_in(operation, kind, story, name)]
    assert not wrong, "\n".join(wrong)
