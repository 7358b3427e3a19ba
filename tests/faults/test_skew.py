"""The clock of the host is wrong by 20 minutes: the cloud refuses signatures, but not tokens, until it is right."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import pytest

from exporter.cloud import operations
from exporter.config import Collectors
from exporter.simulator import DEMO_DOMAIN, DEMO_PASSWORD, DEMO_USER
from tests.faults.fleet import AGE, FAILING, INTERVAL, PROJECTS, View, account, cloud, config, pages_at
from tests.faults.test_matrix import POLLED
from tests.faults.transport import FaultyTransport
from tests.lib.virtual_time import now, simulate

pytestmark = pytest.mark.usefixtures("frequent_polls")

SKEW = 1200.0
COLLECTORS = tuple(Collectors.model_fields)
AGAIN, LAST_SUCCESS = 200.0, 180.0
END = LAST_SUCCESS + 2 * AGE + INTERVAL + 10
SIGNED = {"ak_sk": True, "ecs_agency": True, "password": False, "token": False}
"""By kind of credentials, whether calls are signed with a date."""
COVERED = {(operation.name, "clock skew") for operation in (*POLLED, operations.LIST_PROJECTS)}
UNSIGNED = {
    (operation.name, "clock skew"): "it is not signed"
    for operation in (operations.SIGN_IN, operations.METADATA_TOKEN, operations.METADATA_KEYS)
}


class Pages(NamedTuple):
    """Pages: during a skew from the start, after it, during a second one, after that."""

    started: View
    first_recovery: View
    failing: View
    recovered: View


def skewed(simulated: float) -> float:
    return now() + simulated


def scope(kind: str) -> tuple[Sequence[str], Sequence[str]]:
    """Collectors and scenarios: with access keys, every operation is tried."""
    return (COLLECTORS, ("sync", "cloudDataGuard")) if kind == "ak_sk" else (["progress"], ["cloudDataGuard"])


def accounts(kind: str, token: str) -> list[dict[str, Any]]:
    """One whose clock will be wrong, with credentials of a kind, and one that is spared."""
    credentials = {
        "ak_sk": {"type": "ak_sk", "access_key": "AK", "secret_key": "SK"},
        "ecs_agency": {"type": "ecs_agency", "metadata_endpoint": "https://wrong.test"},
        "password": {"type": "password", "domain": DEMO_DOMAIN, "user": DEMO_USER, "password": DEMO_PASSWORD},
        "token": {"type": "token", "token": token},
    }[kind]
    wrong = account("wrong", *scope(kind), credentials=credentials)
    if kind == "ak_sk":
        del wrong["projects"][0]["project_id"]
    return [wrong, account("right", *scope(kind))]


async def pages_of(kind: str, skew: float) -> Pages:
    transport = FaultyTransport({f"{name}.test": cloud(name, scope(kind)[1]) for name in ("wrong", "right")}, now)
    simulated = transport.clouds["wrong.test"]
    simulated.worlds[0].name = FAILING  # without an id, a project is found by its name
    configuration = config(accounts(kind, simulated.issue_token()))

    def set_clock(seconds: float) -> None:
        simulated.now = partial(skewed, seconds)

    set_clock(skew)
    steps = (
        (32, None),
        (40, partial(set_clock, 0.0)),
        (40 + 3 * INTERVAL + 1, None),
        (AGAIN, partial(set_clock, skew)),
        (END, None),
        (END, partial(set_clock, 0.0)),
        (END + 3 * INTERVAL + 1, None),
    )
    return Pages(*await pages_at(transport, configuration, steps))


@pytest.mark.parametrize("kind", SIGNED)
def test_a_wrong_clock(kind: str) -> None:
    normal = simulate(pages_of(kind, 0.0))
    for skew in (SKEW, -SKEW):
        compare(kind, normal, simulate(pages_of(kind, skew)))


def compare(kind: str, normal: Pages, pages: Pages) -> None:
    """Assert that a wrong clock makes the account unreadable while it signs, and changes nothing else."""
    for at, page in pages._asdict().items():
        usual: View = getattr(normal, at)
        unreadable = SIGNED[kind] and at in {"started", "failing"}
        for project in PROJECTS:
            assert page.of("right", project) == usual.of("right", project), (at, project)
            facts = {line for line in page.facts("wrong", project) if "_total{" not in line}
            expected = {line for line in usual.facts("wrong", project) if "_total{" not in line}
            assert facts == (set() if unreadable else expected), (at, project)
            assert page.value("wrong", project, "drs_up") == (not unreadable)
            success = page.by("collector", "wrong", project, "drs_exporter_collector_success")
            assert success["tasks"] == (not unreadable)
            assert unreadable or set(success.values()) == {1}, success
    if kind != "ak_sk":
        return
    for operation in (*POLLED, operations.LIST_PROJECTS):
        codes = pages.recovered.codes("wrong", operation)
        assert codes.keys() == {"200", "401"} - ({"200"} if "202" in codes else set()) | codes.keys() & {"202"}, codes
