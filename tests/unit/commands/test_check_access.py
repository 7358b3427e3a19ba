from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from exporter.cloud.http.errors import AccessError, RefusedError, UnavailableError
from exporter.config.load import from_mapping
from exporter.simulator import Fault, faults
from exporter.views.findings import is_access_fault
from tests.lib.commands import (
    CANARY,
    OTHER_ID,
    WHERE,
    Dated,
    checked,
    config_for,
    finding,
    fleet,
    project,
)
from tests.lib.daemon import PROJECT_ID, cloud_of
from tests.lib.transport import InProcess
from tests.lib.virtual_time import EPOCH, now

if TYPE_CHECKING:
    from pathlib import Path

    import httpx


PROJECT = "check project_id, region and endpoint"
NTP = "set it, best by NTP"
SLOW = "check the endpoint, firewall and proxy, or raise poll.timeout"
HEAD = """\
ok    configuration             valid, 1 account, 1 project
ok    acme/cn-north-4/payments  DRS responds
ok    acme/cn-north-4/payments  the clock is right within 1s
"""


def test_a_wrong_secret() -> None:
    cloud = fleet()
    fine, text = checked(cloud, config_for(secret_key="guessed"))
    assert (fine, text) == (
        False,
        HEAD
        + "fail  acme/cn-north-4/payments  the credentials are refused, 401 APIGW.0301: "
        + "check them, and whether they have expired\n",
    )


def test_credentials_that_can_not_be_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("SK")
    config = config_for(secret_key={"file": str(secret)})
    secret.unlink()
    os.mkfifo(secret)
    fine, text = checked(fleet(), config)
    assert not fine
    assert text.splitlines()[1].startswith("fail  acme/cn-north-4/payments  ")
    assert len(text.splitlines()) == 2


def test_a_wrong_password() -> None:
    cloud = fleet()
    account = {
        "name": "acme",
        "cloud": "huaweicloud",
        "credentials": {"type": "password", "domain": "demo-domain", "user": "demo-user", "password": CANARY},
        "projects": [project()],
    }
    fine, text = checked(cloud, from_mapping({"accounts": [account]}))
    assert not fine
    assert [line.partition(":")[0] for line in text.splitlines()[1:]] == [f"fail  {WHERE}  iam_auth_tokens failed, 401"]
    assert CANARY not in text
    assert "demo-user" not in text


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        (
            faults.forbidden("projects"),
            (
                "fail iam_list_projects is refused, 403 DRS.M00102: check the credentials and iam_endpoint, "
                "or allow iam:projects:listProjects, or set project_id"
            ),
        ),
        (
            Fault(match="projects", kind="slow", seconds=60),
            f"fail iam_list_projects got no response from iam.cn-north-4.myhuaweicloud.com:443 in time: {SLOW}",
        ),
    ],
)
def test_a_project_that_can_not_be_found_through_iam(fault: Fault, line: str) -> None:
    cloud = fleet()
    cloud.faults = [fault]
    fine, text = checked(cloud, config_for({"region": "cn-north-4", "name": "payments"}))
    assert not fine
    assert finding(text, "iam") == line


def test_a_project_of_somebody_else() -> None:
    fine, text = checked(fleet(), config_for(project(OTHER_ID)))
    assert not fine
    assert text.splitlines()[3:] == [
        f"fail  {WHERE}  the project is not one of these credentials, 403 DRS.M00261: {PROJECT}"
    ]


@pytest.mark.parametrize(
    ("behind", "line"),
    [
        (59.4, "ok the clock is right within 1m"),
        (-60, "ok the clock is right within 1m"),
        (75, "warn the clock of this machine is wrong by 1m15s, ahead: set it, best by NTP"),
        (-300, "warn the clock of this machine is wrong by 5m, behind: set it, best by NTP"),
        (-1200, "fail the clock of this machine is wrong by 20m, behind, signatures are refused: set it, best by NTP"),
        (901.5, "fail the clock of this machine is wrong by 15m2s, ahead, signatures are refused: set it, best by NTP"),
    ],
)
def test_clocks(behind: float, line: str) -> None:
    fine, text = checked(fleet(), behind=behind)
    assert finding(text, "clock") == line
    assert fine is not line.startswith("fail")
    assert ("works" in text) is fine  # a wrong clock is no sign of wrong credentials
    assert "refused," not in text


def test_a_signature_that_expired_tells_of_the_clock_where_no_date_does() -> None:
    cloud = fleet()
    cloud.now = lambda: now() + 1000
    fine, text = checked(cloud, way=InProcess(cloud))
    assert not fine
    assert text.splitlines()[2:] == [
        f"fail  {WHERE}  the clock of this machine is wrong by more than 15m, signatures are refused: {NTP}"
    ]


@pytest.mark.parametrize("date", [None, "", "yesterday", "Mon, 99 Foo 2026 99:99:99 GMT", "1e999"])
def test_answers_without_a_good_date(date: str | None) -> None:
    class Way(Dated):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            response = await super().handle_async_request(request)
            del response.headers["Date"]
            response.headers.update({} if date is None else {"Date": date})
            return response

    cloud = cloud_of()
    fine, text = checked(cloud, way=Way(cloud))
    assert fine
    assert finding(text, "clock") == "ok the clock was not compared: the responses have no date"


def test_credentials_that_end_during_the_check_end_it() -> None:
    cloud = fleet()
    cloud.now = lambda: EPOCH
    account = {
        "name": "acme",
        "cloud": "huaweicloud",
        "credentials": {"type": "token", "token": cloud.issue_token(project_id=PROJECT_ID)},
        "projects": [project()],
    }
    cloud.faults = [faults.refused("v5.*/jobs[?]", 403, "DRS.M00100", CANARY)]
    fine, text = checked(cloud, from_mapping({"accounts": [account]}))
    assert not fine
    assert text == HEAD + (
        f"fail  {WHERE}  the credentials are refused, 403 DRS.M00100: check them, and whether they have expired\n"
    )


def test_what_bars_every_call() -> None:
    assert is_access_fault(AccessError("iam_list_projects", "403"))
    assert is_access_fault(RefusedError("v3_list_jobs", "credentials"))
    assert not is_access_fault(RefusedError("v3_list_jobs", "403", "DRS.M00102"))
    assert not is_access_fault(UnavailableError("v3_list_jobs", "timeout"))
