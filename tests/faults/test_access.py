"""Each operation that precedes the queries of DRS x each kind of fault: the project is unreadable until the fault ends.

Without a sign-in, a project or keys, the lists of an account fail: that is never "no tasks".
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import pytest

from exporter.cloud import operations
from exporter.cloud.operations import OPERATIONS, Operation
from exporter.simulator import DEMO_DOMAIN, DEMO_PASSWORD, DEMO_USER, SimulatedCloud
from tests.faults.fleet import AGE, FAILING, INTERVAL, UNAFFECTED, View, account, cloud, config, id_of, pages_at
from tests.faults.kinds import CANARY, KINDS, UNPUBLISHED, Kind
from tests.faults.transport import FaultyTransport
from tests.lib.virtual_time import now, simulate

pytestmark = pytest.mark.usefixtures("frequent_polls")

PREPARATORY = [operation for operation in OPERATIONS if operation.service != "drs"]
EVERY = (*KINDS, UNPUBLISHED)
AGENCY = (operations.METADATA_TOKEN, operations.METADATA_KEYS)
NO_FAULT = {
    **dict.fromkeys(((operations.METADATA_TOKEN.name, name) for name in ("404", UNPUBLISHED.name)), "no sessions"),
    (operations.METADATA_TOKEN.name, "errors in place of items"): "the answer is the token itself, in plain text",
}
"""Combinations that are no fault, and why: old metadata services have no session tokens."""
TAKEN_FOR_A_TOKEN = ("another object", "an array", "HTML")
"""Any text is a session token: it is the service that refuses it with the next call."""
COVERED = {(operation.name, kind.name) for operation in PREPARATORY for kind in EVERY} - set(NO_FAULT)

SCENARIOS = ("cloudDataGuard",)
LOCKED_OUT = 300.0
"""Seconds without a sign-in after a refused one, so that the cloud does not lock the user out."""


class Pages(NamedTuple):
    """Pages: during a fault from the start, soon and long after it, during a second one, soon and long after that."""

    started: View
    soon: View
    first_recovery: View
    failing: View
    recovering: View
    recovered: View


def credentials(operation: Operation, name: str) -> dict[str, Any]:
    """Of an account that needs the operation."""
    if operation is operations.SIGN_IN:
        return {"type": "password", "domain": DEMO_DOMAIN, "user": DEMO_USER, "password": DEMO_PASSWORD}
    if operation in AGENCY:
        return {"type": "ecs_agency", "metadata_endpoint": f"https://{name}.test"}
    return {"type": "ak_sk", "access_key": "AK", "secret_key": "SK"}


def account_for(operation: Operation, name: str) -> dict[str, Any]:
    made = account(name, ["progress"], SCENARIOS, credentials=credentials(operation, name))
    if operation is operations.LIST_PROJECTS:
        del made["projects"][0]["project_id"]
    return made


def end_access(simulated: SimulatedCloud, project: str) -> None:
    """Tokens and temporary keys end: new ones are needed."""
    for token in [token for token, known in simulated.auth_tokens.items() if known.project_id == project]:
        del simulated.auth_tokens[token]
    simulated.expiries.update(dict.fromkeys(simulated.expiries, now()))


def locks_out(operation: Operation, kind: Kind) -> bool:
    """Return whether a refused sign-in delays the next one."""
    return operation is operations.SIGN_IN and kind.code in {"401", "403"}


async def pages_of(operation: Operation, kinds: Mapping[str, Kind | None], pause: float) -> Pages:
    """Poll accounts of these names, each with a kind of fault, or none; `pause` seconds after one, all are readable."""
    transport = FaultyTransport({f"{name}.test": cloud(name, SCENARIOS) for name in kinds}, now)
    words = {name: id_of(name, FAILING) if operation is operations.SIGN_IN else f"{name}.test/" for name in kinds}
    failures = {(words[name], operation): kind.failure for name, kind in kinds.items() if kind}
    last_success = 90 + pause
    again = last_success + 20
    end = last_success + 2 * AGE + INTERVAL + 10
    recover = partial(transport.fail, {})

    def fail_again() -> None:
        transport.fail(failures)
        for name, kind in kinds.items():
            if kind:
                end_access(transport.clouds[f"{name}.test"], id_of(name, FAILING))

    transport.fail(failures)
    steps = (
        (32, None),
        (40, recover),
        (40 + 2 * INTERVAL + 1, None),
        (last_success + 10, None),
        (again, fail_again),
        (end, None),
        (end, recover),
        (end + 2 * INTERVAL + 1, None),
        (max(end + pause, again + INTERVAL + pause + INTERVAL) + 1, None),
    )
    return Pages(*await pages_at(transport, config(account_for(operation, name) for name in kinds), steps))


def deviations(operation: Operation, kind: Kind, pages: Pages, name: str, normal: Pages) -> list[str]:
    """Return every difference from the expected pages."""
    wrong: list[str] = []

    def check(good: object, what: str) -> None:
        if not good:
            wrong.append(f"{kind.name}: {what}")

    again = operation is not operations.LIST_PROJECTS  # a project that was found is not queried again
    locked_out = locks_out(operation, kind)
    unreadable = {"started"} | ({"failing"} if again else set()) | ({"soon", "recovering"} if locked_out else set())
    for at, page in pages._asdict().items():
        if operation not in AGENCY:  # projects of one server have the same keys
            values = not kind.throttles and operation is not operations.LIST_PROJECTS
            seen = page.of(name, UNAFFECTED, values=values)
            expected = getattr(normal, at).of("none", UNAFFECTED, values=values)
            check(seen == expected, f"{at}: the other project is not the same: {sorted({*seen} ^ {*expected})[:4]}")
        if kind.throttles and at in {"soon", "recovering"}:
            continue  # a pause of a minute is two intervals, and the progress comes after the list
        facts, usual = page.facts(name, FAILING), getattr(normal, at).facts("none", FAILING)
        lasting = {line for line in facts if "_total{" in line}
        check(
            facts - lasting == (set() if at in unreadable else usual - lasting), f"{at}: {len(facts)} of {len(usual)}"
        )
        check(page.value(name, FAILING, "drs_up") == (at not in unreadable), f"{at}: drs_up")
        check(at not in unreadable or not page.by("phase", name, FAILING, "drs_tasks"), f"{at}: tasks are counted")
        success = page.by("collector", name, FAILING, "drs_exporter_collector_success")
        check(success["tasks"] == (at not in unreadable), f"{at}: {success}")
        check(at in unreadable or set(success.values()) == {1}, f"{at}: {success}")
    counted = operations.METADATA_KEYS if operation in AGENCY and kind.name in TAKEN_FOR_A_TOKEN else operation
    code = "401" if counted is not operation else kind.code
    codes = pages.failing.codes(name, counted)
    code = {"": "400", "200": "decode"}.get(code, code)
    check(code in codes and ("200" in codes or "201" in codes), f"counted as {codes}")
    check(CANARY not in pages.failing.text, "a canary is on the page")
    return wrong


@pytest.mark.parametrize("operation", PREPARATORY, ids=lambda operation: operation.name)
def test_a_fault_of_sign_in_or_metadata(operation: Operation) -> None:
    kinds = {f"k{number}": kind for number, kind in enumerate(EVERY) if (operation.name, kind.name) not in NO_FAULT}
    wrong = []
    for pause in (90.0, LOCKED_OUT):
        chosen = {name: kind for name, kind in kinds.items() if locks_out(operation, kind) == (pause == LOCKED_OUT)}
        if chosen:
            normal, pages = (simulate(pages_of(operation, each, pause)) for each in ({"none": None}, chosen))
            wrong += [
                line for name, kind in chosen.items() for line in deviations(operation, kind, pages, name, normal)
            ]
    assert not wrong, "\n".join(wrong)
