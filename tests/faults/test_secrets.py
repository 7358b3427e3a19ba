"""No secret, and nothing of what the cloud says in texts, gets out: not on a page, in a log line or in an object."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from exporter.commands.check import check
from exporter.commands.explain import explain
from exporter.commands.query import TYPES, query
from exporter.commands.tasks import tasks
from exporter.daemon.exporter import Exporter
from exporter.runtime.terminal import Screen
from exporter.simulator.accounts import Token
from tests.faults.canaries import (
    CREDENTIALS,
    DOMAIN,
    USER,
    accounts,
    everywhere,
    secrets,
    shown_by_objects,
    tell,
    telling_way,
)
from tests.faults.fleet import STRUCK, config, polling, until, view
from tests.faults.kinds import CANARY, KINDS, UNPUBLISHED
from tests.lib.daemon import get
from tests.lib.virtual_time import clock, now, simulate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from exporter.cloud.operations import Operation
    from tests.faults.transport import Strike, Way

pytestmark = pytest.mark.usefixtures("brisk")

NAMES = {f"k{number}": kind for number, kind in enumerate((*KINDS, UNPUBLISHED))}
PATHS = ("/", "/metrics", "/metrics?name[]=drs_up", "/-/healthy", "/-/ready", "/api/v1/tasks", f"/{CANARY[:3]}")


async def served(exporter: Exporter) -> str:
    """Everything that a browser and a Prometheus can get."""
    await exporter.publish()
    return "".join([(await get(exporter, path)).body.decode() for path in PATHS])


def strikes(*, faulty: bool) -> dict[tuple[str, Operation], Strike]:
    """The faults of all accounts, or just clouds that talk too much."""
    chosen = {name: kind.strike if faulty else tell for name, kind in NAMES.items()}
    return {key: strike for name, one in chosen.items() for key, strike in everywhere(name, one).items()}


def clean(way: Way, text: str, *more: str) -> None:
    for secret in (*secrets(way), *more):
        assert secret not in text, text[max(0, text.index(secret) - 300) : text.index(secret) + 300]


@pytest.mark.parametrize("kind", CREDENTIALS)
def test_the_daemon_keeps_secrets(kind: str, logged: Callable[[], str]) -> None:

    async def main() -> Way:
        way = telling_way(NAMES)
        async with polling(way, config(accounts(kind, NAMES))) as exporter:
            for faulty, end in ((True, 35), (False, 95), (True, 125)):
                way.strikes = strikes(faulty=faulty)
                await until(end)
                clean(way, await served(exporter), DOMAIN, USER)
                clean(way, shown_by_objects())
                if not faulty:
                    page = await view(exporter)
                    known = {name for name in NAMES if page.value(name, STRUCK, "drs_up") == 1}
                    assert len(known) > len(NAMES) / 2  # some sign-ins were refused, and wait
                    assert all(page.facts(name, STRUCK) for name in known)
        return way

    way = simulate(main())
    text = logged()
    assert "the cloud gave no usable response" in text
    clean(way, text, DOMAIN, USER)


async def commanded(kind: str, name: str, strike: Strike) -> tuple[Way, str]:
    """What all commands say of one account."""
    way = telling_way([name])
    way.strikes = everywhere(name, strike)
    settings = config(accounts(kind, [name]))
    said: list[str] = []
    _, report = await check(settings, lambda one, width: said.append(one.line(width)), transport=way, now=now)
    task = way.clouds[f"{name}.test"].worlds[0].tasks[0].id
    for outcome in (
        await explain(settings, task, transport=way, clock=clock),
        await tasks(settings, Screen(), transport=way, clock=clock),
        await tasks(settings, transport=way, clock=clock),
        *[await query(settings, task, one, "id", transport=way, now=now) for one in TYPES],
    ):
        said.extend((outcome.text, *outcome.notes))
    async with Exporter(settings, transport=way, clock=clock) as exporter:
        await exporter.poll_once()
        said.append(b"".join(exporter.board.page.plain()).decode())
    assert all(one.operation for one in way.sent)
    return way, "\n".join((*said, report))


@pytest.mark.parametrize("kind", CREDENTIALS)
def test_commands_keep_secrets(kind: str, logged: Callable[[], str]) -> None:
    for strike in (tell, *(fault.strike for fault in NAMES.values())):
        way, said = simulate(commanded(kind, "acme", strike))
        assert "fail" in said or strike is tell
        clean(way, said, DOMAIN, USER)
        clean(way, logged(), DOMAIN, USER)


@pytest.mark.parametrize(
    "secret", [f"{CANARY} é", f"{CANARY}\nX-Other: {CANARY}", f" {CANARY}", f"{CANARY}\0", "", None]
)
@pytest.mark.parametrize("kind", ["ak_sk", "temporary", "password", "token"])
def test_a_secret_file_that_goes_bad_is_not_quoted(
    kind: str, secret: str | None, logged: Callable[[], str], tmp_path: Path
) -> None:
    """The HTTP library would quote what it can't send."""
    good = {name: value for name, value in CREDENTIALS[kind].items() if name not in {"type", "domain", "user"}}
    files = {name: tmp_path / name for name in good}
    for name, file in files.items():
        file.write_text(good[name])
    credentials = {**CREDENTIALS[kind], **{name: {"file": str(file)} for name, file in files.items()}}

    async def main() -> Way:
        way = telling_way(["acme"])
        written = {**accounts(kind, ["acme"], ["progress"])[0], "credentials": credentials}
        async with polling(way, config([written])) as exporter:
            await until(5)
            assert (await view(exporter)).value("acme", STRUCK, "drs_up") == 1
            for file in files.values():
                if secret is None:
                    file.unlink()
                else:
                    file.write_text(secret)
            for token in list(way.clouds["acme.test"].auth_tokens):
                del way.clouds["acme.test"].auth_tokens[token]
            await until(35)
            # While a file is missing or empty the last secret is used; the cloud refuses the token only.
            last_is_used = not secret and kind != "token"
            assert (await view(exporter)).value("acme", STRUCK, "drs_up") == last_is_used
            clean(way, await served(exporter), DOMAIN, USER)
            clean(way, shown_by_objects())
            for name, file in files.items():
                file.write_text(good[name])
            way.clouds["acme.test"].auth_tokens[f"{CANARY}-auth-token"] = Token("u", None, now() + 9e9)
            await until(95)
            assert (await view(exporter)).value("acme", STRUCK, "drs_up") == 1
        return way

    clean(simulate(main()), logged(), DOMAIN, USER)
