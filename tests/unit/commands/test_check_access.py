"""The findings about one project: whether DRS responds and accepts the credentials, and the clock."""

from __future__ import annotations

import base64
import os
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from exporter.cloud.http.errors import AccessDeniedError, NotSentError, UnavailableError
from exporter.config import Config, from_mapping
from exporter.simulator import Fault, faults
from exporter.simulator.accounts import Token
from exporter.views.errors import is_access_error
from tests.lib.commands import CANARY, OTHER_ID, WHERE, Dated, checked, config_for, finding, fleet, golden, project
from tests.lib.daemon import PROJECT_ID, cloud_of
from tests.lib.transport import InProcess
from tests.lib.virtual_time import EPOCH, now

SLOW = "check the endpoint, firewall and proxy, or raise poll.timeout"


def config_with(credentials: dict[str, str]) -> Config:
    account = {"name": "acme", "cloud": "huaweicloud", "credentials": credentials, "projects": [project()]}
    return from_mapping({"accounts": [account]})


def barred(line: str) -> str:
    """The findings where the credentials are refused: nothing else is tested."""
    return "".join(f"{known}\n" for known in (*golden("check_fleet").splitlines()[:3], f"fail  {WHERE}  {line}"))


def test_a_wrong_secret_and_a_project_of_another_account() -> None:
    refused = "the credentials are refused, 401 APIGW.0301: check them, and whether they have expired"
    assert checked(fleet(), config_for(secret_key="guessed")) == (False, barred(refused))
    other = "the project is not one of these credentials, 403 DRS.M00261: check project_id, region and endpoint"
    assert checked(fleet(), config_for(project(OTHER_ID))) == (False, barred(other))


def test_credentials_that_end_during_the_check_end_it() -> None:
    cloud = fleet()
    cloud.now = lambda: EPOCH
    config = config_with({"type": "token", "token": cloud.issue_token(project_id=PROJECT_ID)})
    fault = faults.refused("v5.*/jobs[?]", 403, "DRS.M00100", CANARY)
    refused = "the credentials are refused, 403 DRS.M00100: check them, and whether they have expired"
    assert checked(cloud, config, fault) == (False, barred(refused))


def test_credentials_that_can_not_be_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("SK")
    config = config_for(secret_key={"file": str(secret)})
    secret.unlink()
    os.mkfifo(secret)
    fine, text = checked(fleet(), config)
    assert not fine
    assert (text.splitlines()[1].startswith("fail  acme/cn-north-4/payments  "), len(text.splitlines())) == (True, 2)


def test_a_wrong_password() -> None:
    config = config_with({"type": "password", "domain": "demo-domain", "user": "demo-user", "password": CANARY})
    fine, text = checked(fleet(), config)
    assert not fine
    assert [line.partition(":")[0] for line in text.splitlines()[1:]] == [f"fail  {WHERE}  iam_auth_tokens failed, 401"]
    assert [part for part in (CANARY, "demo-user") if part in text] == []


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
    fine, text = checked(fleet(), config_for({"region": "cn-north-4", "name": "payments"}), fault)
    assert not fine
    assert finding(text, "iam") == line


def test_a_cloud_that_does_not_respond() -> None:
    fine, text = checked(fleet(), None, Fault(match="", kind="slow", seconds=60))
    assert (fine, text.splitlines()[1:]) == (
        False,
        [f"fail  {WHERE}  v3_list_jobs got no response from drs.cn-north-4.myhuaweicloud.com:443 in time: {SLOW}"],
    )


def test_errors_of_the_gateway_prove_no_credentials() -> None:
    _, text = checked(fleet(), None, faults.throttled(""))
    assert finding(text, "responds") == "ok DRS responds"
    assert finding(text, "credentials") == (
        "warn it is not known whether the credentials are accepted: DRS returns no result"
    )


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


def test_an_expired_signature_shows_a_wrong_clock_if_no_response_has_a_date() -> None:
    cloud = fleet()
    cloud.now = lambda: now() + 1000
    fine, text = checked(cloud, transport=InProcess(cloud))
    wrong = "the clock of this machine is wrong by more than 15m, signatures are refused: set it, best by NTP"
    assert not fine
    assert text.splitlines()[2:] == [f"fail  {WHERE}  {wrong}"]


@pytest.mark.parametrize("date", [None, "", "yesterday", "Mon, 99 Foo 2026 99:99:99 GMT", "1e999"])
def test_responses_without_a_good_date(date: str | None) -> None:
    class Undated(Dated):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            response = await super().handle_async_request(request)
            del response.headers["Date"]
            response.headers.update({} if date is None else {"Date": date})
            return response

    cloud = cloud_of()
    fine, text = checked(cloud, transport=Undated(cloud))
    assert fine
    assert finding(text, "clock") == "ok the clock was not compared: the responses have no date"


@pytest.mark.parametrize(
    ("left", "line"),
    [
        (7200, "ok the token is valid for 2h"),
        (1800, "warn the token is valid for 30m: renew it where the configuration reads it; only files are read again"),
    ],
)
def test_the_end_of_a_token_that_another_program_renews(left: float, line: str) -> None:
    cloud = fleet()
    end = datetime.fromtimestamp(EPOCH + left, UTC).isoformat()
    token = base64.b64encode(f'{{"expires_at":"{end}"}}'.encode()).decode()
    cloud.auth_tokens[token] = Token("monitor", PROJECT_ID, EPOCH + left)
    fine, text = checked(cloud, config_with({"type": "token", "token": token}))
    assert fine
    assert finding(text, "valid for") == line


def test_which_errors_are_about_credentials_or_project() -> None:
    assert is_access_error(NotSentError("iam_list_projects", "403"))
    assert is_access_error(AccessDeniedError("v3_list_jobs", "credentials"))
    assert not is_access_error(AccessDeniedError("v3_list_jobs", "403", "DRS.M00102"))
    assert not is_access_error(UnavailableError("v3_list_jobs", "timeout"))
