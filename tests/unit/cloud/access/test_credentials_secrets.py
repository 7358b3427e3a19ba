"""Where secrets are sent, and that no error contains one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from exporter.cloud.access.sign_in import Grant
from exporter.cloud.access.signing import Keys
from exporter.cloud.http.errors import AccessDeniedError, CloudError, NotSentError
from exporter.simulator import faults
from tests.lib.accounts import BASES, BY_ID, DRS, IAM, KINDS, Recorder, cloud_of, connected, end_tokens, kinds, listed
from tests.lib.cloud import Script, refusal
from tests.lib.settings import AK_SK

SECRET_HEADERS = {"x-auth-token", "authorization", "x-security-token", "x-metadata-token"}


@pytest.mark.parametrize(
    ("kind", "drs", "iam"),
    [
        ("ak_sk", {"authorization"}, {"authorization"}),
        ("temporary", {"authorization", "x-security-token"}, {"authorization", "x-security-token"}),
        ("password", {"x-auth-token"}, set()),
        ("token", {"x-auth-token"}, {"x-auth-token"}),
        ("ecs_agency", {"authorization", "x-security-token"}, {"authorization", "x-security-token"}),
    ],
)
async def test_each_service_gets_the_secrets_that_it_needs(kind: str, drs: set[str], iam: set[str]) -> None:
    wanted = {DRS: drs, IAM: iam}
    for request in await listed(cloud_of(), kind):
        base = f"{request.url.scheme}://{request.url.host}"
        sent = {name for name in SECRET_HEADERS if name in request.headers}
        assert sent == wanted.get(base, {"x-metadata-token"} if request.method == "GET" else set())


async def test_files_are_read_again_when_they_change(tmp_path: Path) -> None:
    file = tmp_path / "secret"

    cloud = cloud_of()
    for credentials, secrets in (
        ({**AK_SK, "secret_key": {"file": str(file)}}, ("SK", "SK2")),
        ({"type": "token", "token": {"file": str(file)}}, (cloud.issue_token(), cloud.issue_token())),
    ):
        file.write_text(f"{secrets[0]}\n")
        async with connected(cloud, credentials, **BY_ID) as project:
            assert (await project.list()).complete
            cloud.keys["AK"] = "SK2"
            if secrets[0] in cloud.auth_tokens:
                end_tokens(cloud, secrets[0])
            with pytest.raises(AccessDeniedError):
                await project.list()
            file.write_text(f"{secrets[1]}\n")
            assert (await project.list()).complete


@pytest.mark.parametrize("kind", ["ak_sk", "token", "password"])
async def test_a_file_that_became_a_pipe_is_named_and_nothing_is_sent(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("hush")
    key = {"ak_sk": "secret_key", "token": "token", "password": "password"}[kind]

    cloud = cloud_of()
    async with connected(cloud, {**kinds(cloud)[kind], key: {"file": str(file)}}, **BY_ID) as project:
        file.unlink()
        os.mkfifo(file)
        with pytest.raises(CloudError) as caught:
            await project.list()
        assert not cloud.calls
        error = caught.value
    assert isinstance(error, AccessDeniedError | NotSentError)
    assert error.code == "credentials"
    assert f"secret file '{file}' is a pipe or a device, not a file" in str(error)


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """An exception, and all that led to it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize("secret", ["hush ", " hush", "hu\nsh", "hüsh", "hush\udc80", "hush\x00"])
@pytest.mark.parametrize("key", ["access_key", "secret_key", "security_token", "token"])
async def test_a_secret_that_no_header_can_contain_is_not_sent_and_not_quoted(key: str, secret: str) -> None:
    credentials = {"type": "token"} if key == "token" else AK_SK

    script = Script({})
    async with connected(script, {**credentials, key: secret}, **BY_ID) as project:
        with pytest.raises(AccessDeniedError) as caught:
            await project.list()
        assert (script.requests, caught.value.code) == ([], "credentials")
    for error in chain(caught.value):
        assert "hush" not in repr(error)
        assert "blanks at its ends" in str(error)


@pytest.mark.parametrize(
    "reply",
    [
        refusal(401, "APIGW.0301", "ak hush not exist"),
        refusal(403, "DRS.M00100", "hush"),
        httpx.Response(401, json={"error": {"code": 401, "message": "hush", "title": "Unauthorized"}}),
        httpx.Response(201, json={"token": "hush"}),
        httpx.Response(201, json={"token": {"expires_at": "hush"}}, headers={"X-Subject-Token": ""}),
        httpx.Response(200, json={"credential": {"access": "hush"}}),
        httpx.Response(200, content=b"hush"),
        httpx.Response(302, headers={"Location": "https://hush.test"}),
        httpx.ConnectError("hush"),
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", ["password", "ecs_agency", "token", "ak_sk"])
async def test_no_error_holds_a_secret_or_a_message(kind: str, reply: httpx.Response | Exception) -> None:
    secrets = {"password": {"password": "hush"}, "token": {"token": "hush"}, "ak_sk": {"secret_key": "hush"}}

    script = Script(reply)
    async with connected(script, {**kinds(cloud_of())[kind], **secrets.get(kind, {})}) as project:
        with pytest.raises(CloudError) as caught:
            await project.list()
    own, *others = (f"{error!r} {error} {vars(error)}" for error in chain(caught.value))
    assert "hush" not in own
    assert isinstance(reply, Exception) or "hush" not in str(others)
    assert len(script.requests) <= 6


def test_no_secret_shows_itself() -> None:
    for secret in (Keys("hush", "hush", "hush"), Grant("hush", None)):
        assert "hush" not in f"{secret!r} {secret}"
        assert "hush" not in f"{[secret]}"


@pytest.mark.parametrize("place", ["auth/tokens", "securitykey", "/v3/projects", "api/token", "/jobs"])
@pytest.mark.parametrize("kind", KINDS)
async def test_no_request_follows_a_redirect(kind: str, place: str) -> None:
    cloud = cloud_of()
    cloud.faults.append(faults.Fault(match=place, status=307, headers={"Location": "https://elsewhere.test/"}))
    recorder = Recorder(cloud)
    async with connected(recorder, kinds(cloud)[kind]) as project:
        if any(place in str(request) for request in KINDS[kind]) or place == "/jobs":
            with pytest.raises(CloudError) as caught:
                await project.list()
            assert caught.value.code == "307"
        else:
            await project.list()
    assert {request.url.host for request in recorder.requests} <= {url.partition("//")[2] for url in BASES.values()}
