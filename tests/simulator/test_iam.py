from __future__ import annotations

import json
from typing import Any

import pytest

from exporter.simulator import DEMO_DOMAIN, DEMO_PASSWORD, DEMO_USER, SimulatedCloud, World
from tests.lib.paths import DATA
from tests.simulator.client import CloudClient

EXAMPLE = json.loads((DATA / "signing_vectors.json").read_text())["vectors"]
SIGNED_AT = 1767323045  # 20260102T030405Z


def sign_in(api: Any, password: str = DEMO_PASSWORD, query: str = "", **scope: Any) -> Any:
    user = {"domain": {"name": DEMO_DOMAIN}, "name": DEMO_USER, "password": password}
    auth = {"identity": {"methods": ["password"], "password": {"user": user}}, **scope}
    return api.raw("POST", f"/v3/auth/tokens{query}", {"auth": auth}, {})


def test_a_token_for_a_password(api: Any, world: World, cloud: SimulatedCloud, clock: Any) -> None:
    answer = sign_in(api, scope={"project": {"name": world.name}})
    assert answer.status_code == 201
    body = answer.json()["token"]
    assert (body["expires_at"], body["project"]["id"]) == ("2027-01-16T08:00:00.000000Z", world.project_id)
    assert body["catalog"][0]["endpoints"][0]["url"].endswith(f"/v3/{world.project_id}")
    token = answer.headers["X-Subject-Token"]
    path = f"/v5/{world.project_id}/jobs?job_type=sync"
    assert api("GET", path, X_Auth_Token=token).status_code == 200
    world.project_id = "f" * 32
    assert api("GET", path.replace(world.project_id, "f" * 32), X_Auth_Token=token).status_code == 403
    clock.value += 24 * 3600
    assert api("GET", path, X_Auth_Token=token).json()["error_code"] == "DRS.M00100"


def test_tokens_without_catalog_or_scope(api: Any, world: World) -> None:
    by_id = sign_in(api, query="?nocatalog=true", scope={"project": {"id": world.project_id}}).json()["token"]
    assert by_id["catalog"] == []
    assert "project" not in sign_in(api).json()["token"]


def test_refused_sign_ins_have_the_form_of_iam(api: Any) -> None:
    for answer in (
        sign_in(api, password="wrong"),
        sign_in(api, scope={"project": {"name": "elsewhere"}}),
        api.raw("POST", "/v3/auth/tokens", {"auth": "?"}, {}),
        api.raw("GET", "/v3/projects", None, {"X-Auth-Token": "invented"}),
        api.raw("GET", "/v3/projects", None, {}),
    ):
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, 401)


def test_projects(api: Any, world: World, cloud: SimulatedCloud) -> None:
    cloud.worlds.append(World(project_id="f" * 32, region="eu-de"))
    assert len(api("GET", "/v3/projects").json()["projects"]) == 2
    body = api("GET", f"/v3/projects?name={world.name}").json()
    assert ([project["id"] for project in body["projects"]], body["links"]["next"]) == ([world.project_id], None)
    assert api("GET", "/v3/projects?name=nowhere").json()["projects"] == []


def test_projects_signed(world: World) -> None:
    vector = next(vector for vector in EXAMPLE if vector["name"] == "iam_list_projects")
    given, expected = vector["input"], vector["expected"]
    cloud = SimulatedCloud(worlds=[world], keys={given["ak"]: given["sk"]}, now=lambda: SIGNED_AT)
    answer = CloudClient(cloud).raw("GET", expected["uri"], None, expected["headers"])
    assert answer.json()["projects"][0]["name"] == "cn-north-4"
    cloud.keys[given["ak"]] = "other"
    refused = CloudClient(cloud).raw("GET", expected["uri"], None, expected["headers"])
    assert refused.json()["error_code"] == "APIGW.0301"


def keys(api: Any, **headers: str) -> Any:
    return api.raw("GET", "/openstack/latest/securitykey", None, {k.replace("_", "-"): v for k, v in headers.items()})


def session(api: Any, **headers: str) -> Any:
    return api.raw("PUT", "/meta-data/latest/api/token", None, {k.replace("_", "-"): v for k, v in headers.items()})


def test_keys_of_the_agency_rotate_by_the_clock(api: Any, cloud: SimulatedCloud, clock: Any) -> None:
    first = keys(api).json()["credential"]
    assert set(first) == {"access", "secret", "securitytoken", "expires_at"}
    assert (cloud.keys[first["access"]], cloud.tokens[first["securitytoken"]]) == (first["secret"], first["access"])
    assert first == keys(api).json()["credential"]
    clock.value += 3000
    assert keys(api).json()["credential"]["access"] != first["access"]
    assert cloud.expiries[first["securitytoken"]] > clock()
    clock.value += 600
    assert cloud.expiries[first["securitytoken"]] <= clock()


def test_session_tokens(api: Any, cloud: SimulatedCloud, clock: Any) -> None:
    assert session(api).status_code == 400
    answer = session(api, X_Metadata_Token_Ttl_Seconds="60")
    assert answer.headers["Content-Type"] == "text/plain"
    token = answer.text
    assert keys(api, X_Metadata_Token=token).status_code == 200
    assert keys(api, X_Metadata_Token="invented").status_code == 401
    clock.value += 60
    assert keys(api, X_Metadata_Token=token).status_code == 401


@pytest.mark.parametrize(("mode", "put", "get"), [("optional", 200, 200), ("required", 200, 401), ("absent", 404, 200)])
def test_sessions_of_the_metadata_service(mode: str, put: int, get: int, api: Any, cloud: SimulatedCloud) -> None:
    cloud.metadata.session = mode
    assert (session(api, X_Metadata_Token_Ttl_Seconds="60").status_code, keys(api).status_code) == (put, get)


def test_no_agency(api: Any, cloud: SimulatedCloud) -> None:
    cloud.metadata.agency = False
    assert keys(api).status_code == 401
