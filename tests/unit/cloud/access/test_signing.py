from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from exporter.cloud.access.signing import Keys, SigningAuth, authorization, canonical_request
from exporter.cloud.operations import LIST_V5
from tests.lib.cloud import KEYS, PROJECT, Script, connected
from tests.lib.daemon import cloud_of
from tests.lib.paths import DATA
from tests.lib.transport import InProcess

VECTORS = json.loads((DATA / "signing_vectors.json").read_text())["vectors"]
MOMENT = 1_767_323_045.9  # 2026-01-02T03:04:05.9Z
URL = f"https://drs.test/v5/{PROJECT}/jobs?job_type=sync"


def sent(auth: SigningAuth, request: httpx.Request) -> httpx.Request:
    flow = auth.auth_flow(request)
    signed = next(flow)
    with pytest.raises(StopIteration):
        flow.send(httpx.Response(401))  # one try: whether there is another one is decided above
    return signed


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: str(vector["name"]))
def test_the_vendors_signer_is_matched_byte_for_byte(vector: dict[str, Any]) -> None:
    given, expected = vector["input"], vector["expected"]
    headers = {name.lower(): value for name, value in expected["headers"].items() if name != "Authorization"}
    url, body = httpx.URL(expected["url"]), (given["body"] or "").encode()
    assert canonical_request(given["method"], url, headers, body) == expected["canonical_request"]
    keys = Keys(given["ak"], given["sk"], given["security_token"])
    assert authorization(given["method"], url, headers, body, keys) == expected["authorization"]


def test_six_vectors_are_there() -> None:
    assert len(VECTORS) == 6


def test_the_query_is_sorted_whatever_order_it_is_sent_in() -> None:
    given, expected = VECTORS[0]["input"], VECTORS[0]["expected"]
    address, _, query = expected["url"].partition("?")
    url = httpx.URL(f"{address}?{'&'.join(reversed(query.split('&')))}")
    headers = {name.lower(): value for name, value in expected["headers"].items() if name != "Authorization"}
    assert authorization("GET", url, headers, b"", Keys(given["ak"], given["sk"])) == expected["authorization"]


@pytest.mark.parametrize(
    ("path", "canonical"),
    [
        ("/v5/p/jobs", "/v5/p/jobs/"),
        ("/v5/p/jobs/", "/v5/p/jobs/"),
        ("/v5/p/a%20b~%C3%A9", "/v5/p/a%20b~%C3%A9/"),
        ("/v5/p/a%2Fb", "/v5/p/a/b/"),  # decoded first, then encoded segment by segment
        ("/", "/"),
    ],
)
def test_the_canonical_path(path: str, canonical: str) -> None:
    url = httpx.URL(f"https://drs.test{path}")
    assert canonical_request("GET", url, {"host": "drs.test"}, b"").split("\n")[1] == canonical


def test_the_signed_headers() -> None:
    request = httpx.Request("GET", URL, headers={"Content-Type": "application/json", "X-Language": "en-us"})
    signed = sent(SigningAuth(lambda: KEYS, project_id=lambda: PROJECT, now=lambda: MOMENT), request)
    assert (signed.headers["X-Sdk-Date"], signed.headers["X-Project-Id"]) == ("20260102T030405Z", PROJECT)
    assert "X-Security-Token" not in signed.headers
    covered = "content-type;host;x-language;x-project-id;x-sdk-date"
    assert signed.headers["Authorization"].startswith(f"SDK-HMAC-SHA256 Access=AK, SignedHeaders={covered}, Signature=")
    assert str(signed.url) == URL


def test_a_security_token_is_sent_and_signed_and_no_project_is_needed() -> None:
    auth = SigningAuth(lambda: Keys("AK", "SK", "TOKEN"), now=lambda: MOMENT)
    headers = sent(auth, httpx.Request("GET", URL)).headers
    assert headers["X-Security-Token"] == "TOKEN"
    assert "X-Project-Id" not in headers
    assert "SignedHeaders=host;x-sdk-date;x-security-token," in headers["Authorization"]


def test_the_body_is_part_of_the_signature() -> None:
    auth = SigningAuth(lambda: KEYS, now=lambda: MOMENT)
    signatures = {
        sent(auth, httpx.Request("POST", URL, content=body)).headers["Authorization"] for body in (b"{}", b"[]", b"{}")
    }
    assert len(signatures) == 2


def test_keys_and_clock_are_read_for_each_request() -> None:
    keys = iter([Keys("OLD", "SK"), Keys("NEW", "SK2", "TOKEN")])
    moments = iter([MOMENT, MOMENT + 1])
    auth = SigningAuth(lambda: next(keys), now=lambda: next(moments))
    old, new = (sent(auth, httpx.Request("GET", URL)).headers for _ in range(2))
    assert ("Access=OLD," in old["Authorization"], old["X-Sdk-Date"]) == (True, "20260102T030405Z")
    assert ("Access=NEW," in new["Authorization"], new["X-Sdk-Date"]) == (True, "20260102T030406Z")
    assert new["X-Security-Token"] == "TOKEN"


async def test_every_retry_is_signed_again() -> None:
    script = Script(*(httpx.Response(503) for _ in range(2)), {"jobs": [], "total_count": 0})

    async with connected(script) as cloud:
        await cloud.client.call(LIST_V5, query=(("job_type", "sync"),))
    assert len({request.headers["X-Sdk-Date"] for request in script.requests}) > 1
    assert len({request.headers["Authorization"] for request in script.requests}) > 1


@pytest.mark.parametrize("token", [None, "TOKEN"])
@pytest.mark.parametrize("job_type", ["sync", "a b+c/d~é,"])
async def test_an_independent_gateway_accepts_the_signature(token: str | None, job_type: str) -> None:
    simulated = cloud_of()
    simulated.tokens = {token: "AK"} if token else {}
    async with connected(InProcess(simulated), keys=lambda: Keys("AK", "SK", token)) as cloud:
        query = (("job_type", "sync"), ("name", job_type), ("offset", 0))
        await cloud.client.call(LIST_V5, query=query)
    assert (simulated.calls[-1].query["name"], simulated.calls[-1].status) == (job_type, 200)
