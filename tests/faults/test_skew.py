"""The clock of the host is wrong by 20 minutes: the cloud refuses signatures, but not tokens, until it is right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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

SKEWS = {"ahead": 1200.0, "behind": -1200.0}
"""Seconds by which the clock of an account is wrong."""
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


def account_of(kind: str, name: str, token: str) -> dict[str, Any]:
    """An account with credentials of a kind, whose clock will be wrong."""
    credentials = {
        "ak_sk": {"type": "ak_sk", "access_key": "AK", "secret_key": "SK"},
        "ecs_agency": {"type": "ecs_agency", "metadata_endpoint": f"https://{name}.test"},
        "password": {"type": "password", "domain": DEMO_DOMAIN, "user": DEMO_USER, "password": DEMO_PASSWORD},
        "token": {"type": "token", "token": token},
    }[kind]
    made = account(name, *scope(kind), credentials=credentials)
    if kind == "ak_sk":
        del made["projects"][0]["project_id"]
    return made


async def pages_of(kind: str, skews: Mapping[str, float]) -> Pages:
    """Poll accounts whose clocks are wrong by these seconds, and one that is spared."""
    transport = FaultyTransport({f"{name}.test": cloud(name, scope(kind)[1]) for name in (*skews, "right")}, now)
    clouds = {name: transport.clouds[f"{name}.test"] for name in skews}
    for simulated in clouds.values():
        simulated.worlds[0].name = FAILING  # without an id, a project is found by its name
    accounts = [account_of(kind, name, simulated.issue_token()) for name, simulated in clouds.items()]
    configuration = config([*accounts, account("right", *scope(kind))])

    def set_clocks(seconds: Mapping[str, float]) -> None:
        for name, simulated in clouds.items():
            simulated.now = partial(skewed, seconds[name])

    right = dict.fromkeys(skews, 0.0)
    set_clocks(skews)
    steps = (
        (32, None),
        (40, partial(set_clocks, right)),
        (40 + 3 * INTERVAL + 1, None),
        (AGAIN, partial(set_clocks, skews)),
        (END, None),
        (END, partial(set_clocks, right)),
        (END + 3 * INTERVAL + 1, None),
    )
    return Pages(*await pages_at(transport, configuration, steps))


@pytest.mark.parametrize("kind", SIGNED)
def test_a_wrong_clock(kind: str) -> None:
    normal, pages = simulate(pages_of(kind, {"none": 0.0})), simulate(pages_of(kind, SKEWS))
    for name in SKEWS:
        compare(kind, name, normal, pages)


def compare(kind: str, name: str, normal: Pages, pages: Pages) -> None:
    """Assert that a wrong clock makes the account unreadable while it signs, and changes nothing else."""
    for at, page in pages._asdict().items():
        usual: View = getattr(normal, at)
        unreadable = SIGNED[kind] and at in {"started", "failing"}
        for project in PROJECTS:
            assert page.of("right", project) == usual.of("right", project), (name, at, project)
            facts = {line for line in page.facts(name, project) if "_total{" not in line}
            expected = {line for line in usual.facts("none", project) if "_total{" not in line}
            assert facts == (set() if unreadable else expected), (name, at, project)
            assert page.value(name, project, "drs_up") == (not unreadable)
            success = page.by("collector", name, project, "drs_exporter_collector_success")
            assert success["tasks"] == (not unreadable)
            assert unreadable or set(success.values()) == {1}, success
    if kind != "ak_sk":
        return
    for operation in (*POLLED, operations.LIST_PROJECTS):
        codes = pages.recovered.codes(name, operation)
        assert codes.keys() == {"200", "401"} - ({"200"} if "202" in codes else set()) | codes.keys() & {"202"}, codes
