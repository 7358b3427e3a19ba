"""No page, log line or representation of an object contains a secret, or a text of the cloud."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from exporter.cloud.operations import Operation
from exporter.commands.check import check
from exporter.commands.explain import explain
from exporter.commands.findings import Finding
from exporter.commands.query import TYPES, query
from exporter.commands.tasks import tasks
from exporter.config import Collectors
from exporter.daemon.exporter import Exporter
from exporter.runtime.terminal import Screen
from exporter.simulator.accounts import Token
from tests.faults.canaries import (
    CREDENTIALS,
    DOMAIN,
    USER,
    accounts,
    answer_with_canaries,
    for_every_operation,
    secrets,
    shown_by_objects,
    transport_with_canaries,
)
from tests.faults.fleet import FAILING, config, polling, until, view
from tests.faults.kinds import CANARY, KINDS, UNPUBLISHED
from tests.faults.transport import Failure, FaultyTransport
from tests.lib.daemon import get
from tests.lib.virtual_time import clock, now, simulate

pytestmark = pytest.mark.usefixtures("frequent_polls")

NAMES = {f"k{number}": kind for number, kind in enumerate((*KINDS, UNPUBLISHED))}
PATHS = ("/", "/metrics", "/metrics?name[]=drs_up", "/-/healthy", "/-/ready", "/api/v1/tasks", f"/{CANARY[:3]}")


@pytest.fixture(autouse=True)
def _no_garbage_of_other_tests() -> None:
    """Show the objects of the test alone: those of all tests before it take many times as long."""
    gc.collect()


def collectors_of(kind: str) -> Iterable[str]:
    """The responses of every operation with access keys; with other credentials, those of lists and progress."""
    return Collectors.model_fields if kind == "ak_sk" else ["progress"]


async def served(exporter: Exporter) -> str:
    """Return all responses that a browser and Prometheus can get."""
    await exporter.publish()
    return "".join([(await get(exporter, path)).body.decode() for path in PATHS])


def failures(*, faulty: bool) -> dict[tuple[str, Operation], Failure]:
    """The faults of all accounts, or just clouds that talk too much."""
    chosen = {name: kind.failure if faulty else answer_with_canaries for name, kind in NAMES.items()}
    return {key: failure for name, each in chosen.items() for key, failure in for_every_operation(name, each).items()}


def clean(transport: FaultyTransport, text: str, *more: str) -> None:
    for secret in (*secrets(transport), *more):
        assert secret not in text, text[max(0, text.index(secret) - 300) : text.index(secret) + 300]


@pytest.mark.parametrize("kind", CREDENTIALS)
async def test_the_daemon_keeps_secrets(kind: str, logged: Callable[[], str], tmp_path: Path) -> None:
    transport = transport_with_canaries(NAMES)
    sections = {"storage": {"path": str(tmp_path)}, "waves": [{"name": "all", "include": [{"name": "."}]}]}
    async with polling(transport, config(accounts(kind, NAMES, collectors_of(kind)), **sections)) as exporter:
        for faulty, end in ((True, 35), (False, 95), (True, 125)):
            transport.failures = failures(faulty=faulty)
            await until(end)
            clean(transport, await served(exporter), DOMAIN, USER)
            clean(transport, shown_by_objects())
            if not faulty:
                page = await view(exporter)
                known = {name for name in NAMES if page.value(name, FAILING, "drs_up") == 1}
                assert len(known) > len(NAMES) / 2  # some sign-ins were refused, and wait
                assert all(page.facts(name, FAILING) for name in known)
    text = logged()
    assert "the cloud gave no usable response" in text
    clean(transport, text, DOMAIN, USER)
    stored = stored_in(tmp_path)
    assert all(name in stored for name in known)
    clean(transport, stored, DOMAIN, USER)


def stored_in(folder: Path) -> str:
    """Return the content of all files of the storage, also of free pages."""
    return "".join(file.read_bytes().decode("latin-1") for file in folder.iterdir())


async def commanded(kind: str, name: str, failure: Failure) -> tuple[FaultyTransport, str]:
    """Return the output of all commands about one account."""
    transport = transport_with_canaries([name])
    transport.failures = for_every_operation(name, failure)
    settings = config(accounts(kind, [name], collectors_of(kind)))
    said: list[str] = []

    def say(finding: Finding, width: int) -> None:
        said.append(finding.line(width))

    _, report = await check(settings, say, transport=transport, now=now)
    task = transport.clouds[f"{name}.test"].worlds[0].tasks[0].id
    for outcome in (
        await explain(settings, task, transport=transport, clock=clock),
        await tasks(settings, Screen(), transport=transport, clock=clock),
        await tasks(settings, transport=transport, clock=clock),
        *[await query(settings, task, query_type, "id", transport=transport, now=now) for query_type in TYPES],
    ):
        said.extend((outcome.text, *outcome.notes))
    async with Exporter(settings, transport=transport, clock=clock) as exporter:
        await exporter.poll_once()
        said.append(b"".join(exporter.exposition.page.plain()).decode())
    assert all(request.operation for request in transport.sent)
    return transport, "\n".join((*said, report))


@pytest.mark.parametrize("kind", CREDENTIALS)
def test_commands_keep_secrets(kind: str, logged: Callable[[], str]) -> None:
    for failure in (answer_with_canaries, *(fault.failure for fault in NAMES.values())):
        transport, said = simulate(commanded(kind, "acme", failure))
        assert "fail" in said or failure is answer_with_canaries
        clean(transport, said, DOMAIN, USER)
        clean(transport, logged(), DOMAIN, USER)


@pytest.mark.parametrize(
    "secret", [f"{CANARY} é", f"{CANARY}\nX-Other: {CANARY}", f" {CANARY}", f"{CANARY}\0", "", None]
)
@pytest.mark.parametrize("kind", ["ak_sk", "temporary", "password", "token"])
async def test_an_unusable_secret_file_is_not_quoted(
    kind: str, secret: str | None, logged: Callable[[], str], tmp_path: Path
) -> None:
    """The HTTP library would quote what it can't send."""
    good = {name: value for name, value in CREDENTIALS[kind].items() if name not in {"type", "domain", "user"}}
    files = {name: tmp_path / name for name in good}
    for name, file in files.items():
        file.write_text(good[name])
    credentials = {**CREDENTIALS[kind], **{name: {"file": str(file)} for name, file in files.items()}}
    transport = transport_with_canaries(["acme"])
    written = {**accounts(kind, ["acme"], ["progress"])[0], "credentials": credentials}
    async with polling(transport, config([written])) as exporter:
        await until(5)
        assert (await view(exporter)).value("acme", FAILING, "drs_up") == 1
        for file in files.values():
            if secret is None:
                file.unlink()
            else:
                file.write_text(secret)
        for token in list(transport.clouds["acme.test"].auth_tokens):
            del transport.clouds["acme.test"].auth_tokens[token]
        await until(35)
        # While a file is missing or empty the last secret is used; the cloud refuses the token only.
        last_is_used = not secret and kind != "token"
        assert (await view(exporter)).value("acme", FAILING, "drs_up") == last_is_used
        clean(transport, await served(exporter), DOMAIN, USER)
        clean(transport, shown_by_objects())
        for name, file in files.items():
            file.write_text(good[name])
        transport.clouds["acme.test"].auth_tokens[f"{CANARY}-auth-token"] = Token("u", None, now() + 9e9)
        await until(95)
        assert (await view(exporter)).value("acme", FAILING, "drs_up") == 1
    clean(transport, logged(), DOMAIN, USER)
