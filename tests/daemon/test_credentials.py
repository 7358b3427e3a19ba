"""The whole daemon with each kind of credentials, over days of virtual time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from exporter.config import Config
from exporter.daemon.exporter import Exporter
from exporter.simulator import DEMO_USER, SimulatedCloud, World, faults
from tests.lib.accounts import (
    AGENCY,
    DAY,
    FIND,
    KEYS,
    MINUTE,
    OTHER,
    PASSWORD,
    REGION,
    SESSION,
    SIGN_IN,
    account,
    cloud_of,
    config_of,
    end_tokens,
    requests,
)
from tests.lib.cloud import PROJECT
from tests.lib.daemon import Scrape, exporter_on, polling, sim_task
from tests.lib.settings import AK_SK
from tests.lib.virtual_time import now

pytestmark = pytest.mark.usefixtures("published_seldom")


def up(exporter: Exporter) -> dict[str, float]:
    """drs_up by account and project; every poll has ended."""
    return {f"{labels['account']}/{labels['project']}": value for labels, value in Scrape(exporter).samples("drs_up")}


async def up_after(exporter: Exporter, seconds: float) -> dict[str, float]:
    """The same on a new page after some seconds."""
    await Scrape.after(seconds, exporter)
    return up(exporter)


async def ups(exporter: Exporter, seconds: float, every: float = 30.0) -> list[float]:
    """The values of the one drs_up from now on, those that repeat left out."""
    seen: list[float] = []
    for _ in range(round(seconds / every)):
        values = list((await up_after(exporter, every)).values())
        assert len(values) == 1
        seen += values if seen[-1:] != values else []
    return seen


def codes(exporter: Exporter) -> Counter[str]:
    """How often each code came from IAM, the metadata service and DRS."""
    found: Counter[str] = Counter()
    for labels, value in Scrape(exporter).samples("drs_exporter_api_requests_total"):
        found[labels["code"]] += round(value)
    return +found


async def days_of(exporter: Exporter, days: float) -> set[bool | None]:
    """What drs_up says over some days. The page is not published meanwhile, which would take most of the time."""
    polls = [asyncio.create_task(poller.run()) for poller in exporter.pollers]
    await asyncio.sleep(1)
    seen = set()
    for _ in range(round(days * DAY / (5 * MINUTE))):  # lists are polled as often, or half as often
        seen |= {store.project().up for store in exporter.stores}
        await asyncio.sleep(5 * MINUTE)
    for poll in polls:
        poll.cancel()
    await asyncio.gather(*polls, return_exceptions=True)
    await exporter.publish()
    return seen


async def rotate(file: Path, cloud: SimulatedCloud, days: int) -> None:
    """Every hour a new secret key; and every six hours a new token, by whoever keeps the files fresh."""
    key, token = file / "key", file / "token"
    for hour in range(days * 24):
        cloud.keys["AK"] = f"SK{hour}"
        key.write_text(cloud.keys["AK"])
        if hour % 6 == 0:
            token.write_text(cloud.issue_token(lifetime=7 * 60 * MINUTE) + "\n")
        await asyncio.sleep(60 * MINUTE)


def config_with(file: Path, key: str, text: str, credentials: Mapping[str, Any]) -> Config:
    """An account with these credentials, of which one is in a file."""
    file.write_text(text)
    return config_of(account({**credentials, key: {"file": str(file)}}))


def kind(name: str, folder: Path) -> Mapping[str, Any]:
    """Credentials of a kind; key and token are in files that `rotate` writes."""
    key, token = {"file": str(folder / "key")}, {"file": str(folder / "token")}
    files: Any = {"ak_sk": {**AK_SK, "secret_key": key}, "token": {"type": "token", "token": token}}
    kinds: dict[str, Mapping[str, Any]] = {**files, "password": PASSWORD, "ecs_agency": AGENCY}
    return kinds[name]


@pytest.mark.parametrize(
    ("name", "calls"),
    [
        ("ak_sk", {FIND: 1}),
        ("password", {SIGN_IN: 3}),  # one a day, each ten minutes earlier than the one before
        ("token", {FIND: 1}),
        ("ecs_agency", {SESSION: 58, KEYS: 58, FIND: 1}),  # every 50 minutes
    ],
)
async def test_credentials_are_renewed_for_days_without_a_refused_call(
    name: str, calls: dict[str, int], tmp_path: Path
) -> None:
    cloud = cloud_of()
    rotating = asyncio.create_task(rotate(tmp_path, cloud, days=3))
    await asyncio.sleep(0)
    async with exporter_on(cloud, config_of(account(kind(name, tmp_path)), interval="10m")) as exporter:
        assert await days_of(exporter, 2) == {True}
        assert set(codes(exporter)) <= {"200", "201"}
        assert Scrape(exporter).tasks() == {"orders"}
    rotating.cancel()
    others = {what: times for what, times in requests(cloud).items() if what != "lists"}
    assert others == calls


@pytest.mark.parametrize("name", ["ak_sk", "password", "token", "ecs_agency"])
async def test_polling_once_is_enough_for_every_kind(name: str, tmp_path: Path) -> None:
    cloud = cloud_of()
    rotating = asyncio.create_task(rotate(tmp_path, cloud, days=1))
    await asyncio.sleep(0)
    async with exporter_on(cloud, config_of(account(kind(name, tmp_path)))) as exporter:
        assert await exporter.poll_once()
        assert up(exporter) == {f"acme/{REGION}": 1}
    rotating.cancel()


async def test_where_the_key_is_changed_before_the_file_the_next_poll_makes_up_for_it(tmp_path: Path) -> None:
    cloud, file = cloud_of(), tmp_path / "key"
    async with polling(cloud, config_with(file, "secret_key", "SK", AK_SK)) as exporter:
        assert await ups(exporter, 5 * MINUTE) == [1]
        await asyncio.sleep(2)  # so that each look follows a poll
        cloud.keys["AK"] = "SK2"
        assert await ups(exporter, MINUTE) == [0]
        assert Scrape(exporter).tasks() == {"orders"}  # what is known stays until it is stale
        file.unlink()  # some write a new file in place of the old one
        assert await ups(exporter, MINUTE) == [0]
        file.write_text("SK2")
        await asyncio.sleep(35)
        assert await ups(exporter, 5 * MINUTE) == [1]
        assert codes(exporter)["401"] > 0


async def test_a_wrong_password_costs_few_sign_ins_and_is_forgiven_when_the_file_is_right(tmp_path: Path) -> None:
    cloud, file = cloud_of(), tmp_path / "password"
    async with polling(cloud, config_with(file, "password", "wrong", PASSWORD)) as exporter:
        assert await ups(exporter, 60 * MINUTE) == [0]
        assert Scrape(exporter).samples("drs_tasks") == []  # a failure is not "no tasks"
        assert requests(cloud) == {SIGN_IN: 4}
        file.write_text(str(PASSWORD["password"]))
        await asyncio.sleep(35)
        assert await ups(exporter, 5 * MINUTE) == [1]
        assert Scrape(exporter).tasks() == {"orders"}


@pytest.mark.parametrize("credentials", [AK_SK, PASSWORD, AGENCY], ids=["ak_sk", "password", "ecs_agency"])
async def test_where_iam_is_down_at_the_start_the_project_comes_up_with_it(credentials: Mapping[str, str]) -> None:
    match = "auth/tokens" if credentials is PASSWORD else "v3/projects"
    cloud = cloud_of()
    cloud.faults.append(faults.unavailable(match, 503))
    async with polling(cloud, config_of(account(credentials))) as exporter:
        assert await ups(exporter, 10 * MINUTE) == [0]
        assert exporter.ready
        assert exporter.healthy
        assert requests(cloud)["lists"] == 0
        cloud.faults.clear()
        await asyncio.sleep(35)
        assert await ups(exporter, 10 * MINUTE) == [1]
        assert up(exporter) == {f"acme/{REGION}": 1}  # under the labels that it had before
        cloud.faults.append(faults.unavailable("v3/projects", 503))  # what is found is not looked for again
        assert await ups(exporter, 10 * MINUTE) == [1]


@pytest.mark.parametrize("credentials", [PASSWORD, AGENCY], ids=["password", "ecs_agency"])
async def test_one_403_that_means_an_invalid_token_is_not_even_seen(credentials: Mapping[str, str]) -> None:
    cloud = cloud_of()
    async with polling(cloud, config_of(account(credentials))) as exporter:
        assert await ups(exporter, 10 * MINUTE) == [1]
        before = requests(cloud)
        cloud.faults.append(faults.refused("/jobs", 403, "DRS.M00100", "Invalid token.", times=1))
        assert await ups(exporter, 10 * MINUTE) == [1]
        assert cloud.faults[0].hits > 1
        assert codes(exporter)["403"] == 1
        what = SIGN_IN if credentials is PASSWORD else KEYS
        assert requests(cloud)[what] == before[what] + 1


async def test_tokens_that_die_with_a_change_of_the_password_cost_one_sign_in_each(tmp_path: Path) -> None:
    cloud, file = cloud_of(), tmp_path / "password"
    async with polling(cloud, config_with(file, "password", str(PASSWORD["password"]), PASSWORD)) as exporter:
        assert await ups(exporter, 10 * MINUTE) == [1]
        cloud.users[DEMO_USER] = "new"
        file.write_text("new")
        assert await ups(exporter, 10 * MINUTE) == [1]
        end_tokens(cloud)
        assert await ups(exporter, 10 * MINUTE) == [1]
    assert requests(cloud)[SIGN_IN] == 2


@pytest.mark.parametrize("session", ["optional", "required", "absent"])
async def test_the_agency_works_with_every_metadata_service(session: str) -> None:
    cloud = cloud_of()
    cloud.metadata.session = session
    async with exporter_on(cloud, config_of(account(AGENCY), interval="5m")) as exporter:
        assert await days_of(exporter, 0.25) == {True}
        answers = {"200", "404"} if session == "absent" else {"200"}
        assert set(codes(exporter)) == answers


async def test_a_server_without_an_agency_is_reported_and_one_that_gets_it_works() -> None:
    cloud = cloud_of()
    cloud.metadata.agency = False
    async with polling(cloud, config_of(account(AGENCY))) as exporter:
        assert await ups(exporter, 5 * MINUTE) == [0]
        assert codes(exporter)["401"] > 0
        cloud.metadata.agency = True
        await asyncio.sleep(35)
        assert await ups(exporter, 5 * MINUTE) == [1]


async def test_one_region_that_iam_does_not_know_takes_no_other_down() -> None:
    cloud = cloud_of()
    async with polling(cloud, config_of(account(PASSWORD, regions=["nowhere", REGION]))) as exporter:
        assert await up_after(exporter, 10 * MINUTE) == {"acme/nowhere": 0, f"acme/{REGION}": 1}


async def test_the_label_of_a_project_is_its_name_its_id_or_its_region() -> None:
    projects = [
        {"region": REGION, "project_id": PROJECT},
        {"region": "eu-de", "project_id": OTHER, "name": "payments"},
        {"region": "eu-nl"},
    ]
    cloud = cloud_of(
        World(project_id=PROJECT, region=REGION),
        World(project_id=OTHER, region="eu-de"),
        World(project_id="e" * 32, region="eu-nl"),
        World(project_id="f" * 32, region="cn-east-3"),
    )
    config = config_of(account(AK_SK, regions=["cn-east-3"], projects=projects))
    async with polling(cloud, config) as exporter:
        labels = {f"acme/{one}" for one in ("cn-east-3", PROJECT, "payments", "eu-nl")}
        assert await up_after(exporter, MINUTE) == dict.fromkeys(labels, 1)


@pytest.mark.parametrize("credentials", [AK_SK, PASSWORD], ids=["keys", "password"])
async def test_a_project_without_an_id_is_found_by_its_very_name(credentials: Mapping[str, str]) -> None:
    projects = [{"region": REGION, "name": name} for name in (REGION, f"{REGION}_payments", f"{REGION}_none")]
    cloud = cloud_of(
        World(project_id=PROJECT, region=REGION, tasks=[sim_task("orders")]),
        World(project_id=OTHER, region=REGION, name=f"{REGION}_payments", tasks=[sim_task("payments")]),
    )
    async with polling(cloud, config_of(account(credentials, projects=projects))) as exporter:
        label = f"acme/{REGION}"
        assert await up_after(exporter, 10 * MINUTE) == {label: 1, f"{label}_payments": 1, f"{label}_none": 0}
        shown = {labels["project"]: labels["task_name"] for labels, _ in Scrape(exporter).samples("drs_task_info")}
        assert shown == {REGION: "orders", f"{REGION}_payments": "payments"}


async def test_two_accounts_that_reach_one_project_count_it_once() -> None:
    cloud = cloud_of()
    by_id = {"projects": [{"region": REGION, "project_id": PROJECT, "name": "payments"}]}
    config = config_of(account(PASSWORD, name="b"), account(AK_SK, name="a", **by_id))
    async with polling(cloud, config) as exporter:
        assert await up_after(exporter, 10 * MINUTE) == {
            f"b/{REGION}": 0,
            "a/payments": 1,
        }  # what is written down goes first
        assert {labels["account"] for labels, _ in Scrape(exporter).samples("drs_task_info")} == {"a"}


async def test_an_account_that_cannot_sign_in_affects_no_other() -> None:
    cloud = cloud_of(
        World(project_id=PROJECT, region=REGION, tasks=[sim_task("orders")]),
        World(project_id=OTHER, region="eu-de", tasks=[sim_task("shop", born=now() - 1e6)]),
    )
    wrong = account({**PASSWORD, "password": "wrong"}, name="wrong")
    config = config_of(wrong, account(PASSWORD, name="right", regions=["eu-de"]))
    async with polling(cloud, config) as exporter:
        assert await up_after(exporter, 10 * MINUTE) == {f"wrong/{REGION}": 0, "right/eu-de": 1}
        assert Scrape(exporter).tasks() == {"shop"}
