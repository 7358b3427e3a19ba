from __future__ import annotations

import calendar
import json
import time
from typing import Any

import pytest

from exporter.simulator import SimulatedCloud, World
from tests.lib.paths import DATA
from tests.simulator.client import PROJECT, CloudClient, error

VECTORS = json.loads((DATA / "signing_vectors.json").read_text())["vectors"]
SIGNED_AT = calendar.timegm(time.strptime("20260102T030405Z", "%Y%m%dT%H%M%SZ"))
DRS_VECTORS = [vector for vector in VECTORS if "/jobs" in vector["input"]["path"]]
MINIMAL = next(vector for vector in VECTORS if vector["name"] == "minimal_headers_no_project")
LIST = f"/v5/{PROJECT}/jobs?job_type=sync"


def vector_cloud(vector: Any, offset: float = 0.0) -> SimulatedCloud:
    given = vector["input"]
    world = World(project_id=PROJECT)
    cloud = SimulatedCloud(worlds=[world], keys={given["ak"]: given["sk"]}, now=lambda: SIGNED_AT + offset)
    if given["security_token"]:
        cloud.tokens[given["security_token"]] = given["ak"]
    return cloud


def parts(vector: Any) -> tuple[str, str, bytes | None, dict[str, str]]:
    given, expected = vector["input"], vector["expected"]
    body = given["body"].encode() if given["body"] else None
    return given["method"], expected["uri"], body, dict(expected["headers"])


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_a_request_signed_by_the_vendor_passes(vector: Any) -> None:
    response = CloudClient(vector_cloud(vector)).raw(*parts(vector))
    assert response.status_code != 401, response.text
    assert response.json().get("error_code") in {None, "DRS.M05004", "DRS.10000010"}


@pytest.mark.parametrize("vector", DRS_VECTORS, ids=lambda vector: vector["name"])
def test_any_change_of_a_signed_request_is_refused(vector: Any) -> None:
    method, uri, body, headers = parts(vector)
    api = CloudClient(vector_cloud(vector))
    changed = [
        (method, uri.replace("/jobs", "//jobs", 1), body, headers),
        (method, uri + ("&" if "?" in uri else "?") + "x=1", body, headers),
        (method, uri, (body or b"") + b" ", headers),
        (method, uri, body, {**headers, "Host": "elsewhere"}),
        (method, uri, body, {**headers, "Authorization": headers["Authorization"].replace("host;", "")}),
    ]
    responses = [api.raw(*change) for change in changed]
    assert [response.status_code for response in responses] == [404, 401, 401, 401, 401]
    assert responses[1].json()["error_code"] == "APIGW.0301"
    assert responses[1].json()["request_id"] == responses[1].headers["X-Request-Id"]


@pytest.mark.parametrize(
    ("vector", "blank", "more", "status"), [(MINIMAL, "%20", {"X-Other": "1"}, 200), (VECTORS[0], "+", {}, 401)]
)
def test_headers_may_be_added_after_signing_and_a_blank_is_encoded_as_percent(
    vector: Any, blank: str, more: dict[str, str], status: int
) -> None:
    method, uri, body, headers = parts(vector)
    response = CloudClient(vector_cloud(vector)).raw(method, uri.replace("%20", blank), body, {**headers, **more})
    assert response.status_code == status


@pytest.mark.parametrize(("offset", "status"), [(899, 200), (901, 401), (-901, 401)])
def test_a_skewed_clock_is_refused_after_15_minutes(offset: float, status: int) -> None:
    response = CloudClient(vector_cloud(MINIMAL, offset)).raw(*parts(MINIMAL))
    assert response.status_code == status
    if status == 401:
        assert "signature expired, signature time:20260102T030405Z,server time:2026" in response.json()["error_msg"]


@pytest.mark.parametrize(
    ("tokens", "expiry", "status"),
    [({}, 0, 401), ({"other": "AK"}, 0, 401), ({"{token}": "{ak}"}, SIGNED_AT - 1, 401), ({"{token}": "{ak}"}, 0, 400)],
)
def test_a_security_token_must_be_known_for_its_key(tokens: dict[str, str], expiry: float, status: int) -> None:
    vector = next(vector for vector in VECTORS if vector["input"]["security_token"])
    token, ak = vector["input"]["security_token"], vector["input"]["ak"]
    cloud = vector_cloud(vector)
    cloud.tokens = {key.format(token=token): value.format(ak=ak) for key, value in tokens.items()}
    cloud.expiries = {token: expiry} if expiry else {}
    assert CloudClient(cloud).raw(*parts(vector)).status_code == status


def test_a_temporary_key_without_its_token_is_refused() -> None:
    cloud = vector_cloud(MINIMAL)
    cloud.tokens["token"] = MINIMAL["input"]["ak"]
    assert CloudClient(cloud).raw(*parts(MINIMAL)).status_code == 401


def test_unknown_key_and_no_key(api: Any, cloud: SimulatedCloud) -> None:
    cloud.now = lambda: SIGNED_AT
    unknown = api.raw(*parts(MINIMAL))
    assert error(unknown) == (401, "APIGW.0301")
    assert "not exist" in unknown.json()["error_msg"]
    for headers in {}, {"Authorization": "Bearer x"}:
        assert api.raw("GET", LIST, None, headers).status_code == 401


def test_an_expired_or_unknown_token_returns_403(api: Any, cloud: SimulatedCloud, clock: Any) -> None:
    token = cloud.issue_token(lifetime=60)
    assert api("GET", LIST, X_Auth_Token=token).status_code == 200
    clock.value += 60
    for bad in (token, "invented"):
        response = api("GET", LIST, X_Auth_Token=bad)
        assert error(response) == (403, "DRS.M00100")
        assert "request_id" not in response.json()


def test_a_token_of_another_project_is_refused(api: Any, cloud: SimulatedCloud) -> None:
    token = cloud.issue_token(project_id="0" * 32)
    assert api("GET", LIST, X_Auth_Token=token).json()["error_code"] == "DRS.M00261"


def test_wrong_project(api: Any) -> None:
    assert error(api("GET", LIST.replace("0", "1"))) == (403, "DRS.M00261")
    assert api("GET", LIST, X_Project_Id="f" * 32).status_code == 403


@pytest.mark.parametrize("path", ["/v5/x/nothing", "/v4/x/jobs", "/", f"/v5/{PROJECT}/jobs/"])
def test_an_unknown_path_is_a_404_of_the_gateway(path: str, api: Any) -> None:
    response = api("GET", path)
    assert error(response) == (404, "APIGW.0101")
    assert response.json()["request_id"]


def test_an_unpublished_generation_is_a_404_before_any_credential(api: Any, world: World) -> None:
    world.published = {"v3"}
    assert error(api.raw("GET", LIST, None, {})) == (404, "APIGW.0101")


def test_calls_are_recorded(api: Any, cloud: SimulatedCloud) -> None:
    api.v3("/batch-progress", jobs=["x"])
    api.v5("/jobs?job_type=sync")
    first, second = cloud.calls
    assert (first.method, first.path, first.status) == ("POST", f"/v3/{PROJECT}/jobs/batch-progress", 400)
    assert first.body == {"jobs": ["x"]}
    assert (second.query, second.body, second.status) == ({"job_type": "sync"}, None, 200)
