"""Whether a password is right, and what a check costs."""

from __future__ import annotations

import asyncio
import base64
import gc
import threading

import bcrypt
import pytest

from exporter.web import auth as web_auth
from exporter.web.auth import Passwords, TooManyLoginsError, credentials
from exporter.web.slots import FairSlots
from tests.lib.certificates import hashed
from tests.lib.virtual_time import in_real_time

check = bcrypt.checkpw
ALICE, BOB = hashed("apple").encode(), hashed("banana").encode()
USERS = {b"alice": ALICE, b"bob": BOB, "jürgen".encode(): hashed("größer").encode()}


class Checks:
    """Counts what bcrypt is asked, and how often at the same time."""

    def __init__(self) -> None:
        self.asked: list[tuple[bytes, bytes]] = []
        self.most = 0
        self._now = 0

    def __call__(self, password: bytes, stored: bytes) -> bool:
        assert threading.current_thread() is not threading.main_thread()
        self._now += 1
        self.most = max(self.most, self._now)
        self.asked.append((password, stored))
        try:
            return check(password, stored)
        finally:
            self._now -= 1


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> Checks:
    counting = Checks()
    monkeypatch.setattr(bcrypt, "checkpw", counting)
    return counting


@in_real_time
async def ask(*logins: tuple[bytes, bytes], users: dict[bytes, bytes] = USERS) -> list[bool]:
    """Whether these passwords are right, one after another."""
    passwords = Passwords()
    return [await passwords.verify(users, *login) for login in logins]


@pytest.mark.parametrize(
    ("name", "password", "right"),
    [
        *[("alice", "apple", True), ("bob", "banana", True), ("jürgen", "größer", True)],
        *[("alice", "banana", False), ("alice", "", False), ("alice", "apple\0", False)],
        *[("Alice", "apple", False), ("", "apple", False)],
    ],
)
def test_a_password(name: str, password: str, right: bool) -> None:  # noqa: FBT001
    assert ask((name.encode(), password.encode())) == [right]


def test_a_password_is_right_only_for_existing_users() -> None:
    """Else the hash that is checked for them would let them in."""
    users = {b"alice": ALICE}
    assert ask((b"nobody", b"apple"), (b"alice", b"apple"), (b"nobody", b"apple"), users=users) == [False, True, False]


def test_what_was_right_is_remembered_and_what_was_wrong_is_not(checks: Checks) -> None:
    right, wrong = (b"alice", b"apple"), (b"alice", b"pear")
    assert ask(right, wrong, right, wrong, right) == [True, False, True, False, True]
    assert [password for password, _ in checks.asked] == [b"apple", b"pear", b"pear"]


@in_real_time
async def test_a_changed_hash_is_checked_again_and_a_removed_user_is_not_remembered(checks: Checks) -> None:
    passwords = Passwords()
    assert await passwords.verify({b"alice": ALICE, b"bob": ALICE}, b"alice", b"apple")
    assert not await passwords.verify({b"alice": BOB}, b"alice", b"apple")
    assert not await passwords.verify({b"bob": BOB}, b"alice", b"apple")
    assert len(checks.asked) == 3
    assert not await passwords.verify({b"bob": ALICE}, b"alice", b"apple")  # though bob has the same hash


def test_an_unknown_user_costs_one_check_of_an_existing_hash(checks: Checks) -> None:
    assert ask((b"nobody", b"x"), (b"nobody", b"y"), (b"alice", b"x")) == [False, False, False]
    nobody, again, alice = checks.asked
    assert nobody[1] == again[1]
    assert {nobody[1], alice[1]} <= set(USERS.values())


@in_real_time
async def test_what_is_remembered_is_bounded_and_holds_no_password() -> None:
    users = {f"user {number}".encode(): hashed("secret").encode() for number in range(120)}
    passwords = Passwords()
    assert all([await passwords.verify(users, name, b"secret") for name in users])
    assert (len(passwords._verified), passwords._running) == (100, {})
    assert b"secret" not in b"".join(passwords._verified)
    assert all(len(sign) == 32 for sign in passwords._verified)


@in_real_time
async def test_few_logins_are_checked_at_a_time_and_each_once(checks: Checks) -> None:
    passwords = Passwords()
    logins = [(b"alice", b"apple"), (b"alice", b"pear"), (b"bob", b"banana"), (b"nobody", b"apple")] * 5
    results = await asyncio.gather(*(passwords.verify(USERS, *login) for login in logins))
    assert (results, len(checks.asked)) == ([True, False, True, False] * 5, 4)
    assert checks.most <= web_auth._CHECKS


@in_real_time
async def test_two_passwords_are_checked_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    both = threading.Barrier(2)
    monkeypatch.setattr(web_auth, "_CHECKS", 2)
    monkeypatch.setattr(bcrypt, "checkpw", lambda *_: both.wait(10) >= 0)
    passwords = Passwords()
    assert all(await asyncio.gather(*(passwords.verify(USERS, name, b"x") for name in (b"alice", b"bob"))))


@in_real_time
async def test_the_loop_does_not_wait_for_bcrypt(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check ends only after the loop has done something else meanwhile."""
    free = threading.Event()
    loop, begun = asyncio.get_running_loop(), asyncio.Event()

    def slow(*_: object) -> bool:
        loop.call_soon_threadsafe(begun.set)
        return free.wait(10)

    monkeypatch.setattr(bcrypt, "checkpw", slow)
    asked = asyncio.create_task(Passwords().verify(USERS, b"alice", b"apple"))
    await begun.wait()
    free.set()
    assert await asked


class Flood:
    """Wrong passwords of one address; the test releases one bcrypt check at a time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.checked: list[bytes] = []
        self._go = threading.Semaphore(0)
        monkeypatch.setattr(bcrypt, "checkpw", self._check)
        self.passwords = Passwords()
        self.passwords._slots = FairSlots(1, per_address=1, queue=5)

    def _check(self, password: bytes, stored: bytes) -> bool:
        assert self._go.acquire(timeout=10)
        self.checked.append(password)
        return check(password, stored)

    async def login(self, password: bytes, address: str = "10.0.0.1") -> asyncio.Task[bool]:
        task = asyncio.create_task(self.passwords.verify(USERS, b"alice", password, address))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return task

    def go(self, count: int = 1) -> None:
        self._go.release(count)


@in_real_time
async def test_a_flood_delays_no_remembered_password_and_other_addresses_two_checks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    flood = Flood(monkeypatch)
    flood.go()
    assert await (await flood.login(b"apple"))
    wrong = [await flood.login(b"wrong %d" % number) for number in range(5)]
    assert await (await flood.login(b"apple"))
    other = await flood.login(b"pear", "10.0.0.2")
    flood.go(3)
    assert not await other
    assert flood.checked == [b"apple", b"wrong 0", b"wrong 1", b"pear"]
    flood.go(3)
    assert await asyncio.gather(*wrong) == [False] * 5


@in_real_time
async def test_more_logins_than_can_wait_are_refused_those_of_the_flood_first(monkeypatch: pytest.MonkeyPatch) -> None:
    flood = Flood(monkeypatch)
    tasks = [await flood.login(b"wrong %d" % number) for number in range(8)]
    other = await flood.login(b"apple", "10.0.0.2")
    flood.go(6)
    assert await other
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results] == [bool] * 5 + [TooManyLoginsError] * 3
    flood.go()
    assert not await (await flood.login(b"wrong 7"))


@in_real_time
async def test_a_check_that_hangs_is_a_login_that_was_not_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    free = threading.Event()
    monkeypatch.setattr(bcrypt, "checkpw", lambda *_: free.wait(10))
    passwords = Passwords()
    passwords._pool.timeout = 0.05
    with pytest.raises(TooManyLoginsError):
        await passwords.verify(USERS, b"alice", b"apple")
    free.set()


def test_a_login_that_was_not_checked_for_a_client_that_has_left_is_no_error(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """asyncio would log it as an exception that nobody has retrieved."""
    free = threading.Event()
    monkeypatch.setattr(bcrypt, "checkpw", lambda *_: free.wait(10))

    async def main() -> None:
        passwords = Passwords()
        passwords._pool.timeout = 0.05
        login = asyncio.create_task(passwords.verify(USERS, b"alice", b"apple"))
        await asyncio.sleep(0)
        login.cancel()
        await asyncio.wait([login, *passwords._running.values()])  # unlike gather, it retrieves no exception
        assert passwords._running == {}

    asyncio.run(main())
    free.set()
    gc.collect()
    assert caplog.records == []


@in_real_time
async def test_a_client_that_leaves_does_not_cancel_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    free = threading.Event()
    monkeypatch.setattr(bcrypt, "checkpw", lambda *_: free.wait(10))
    passwords = Passwords()
    first, second = (asyncio.create_task(passwords.verify(USERS, b"alice", b"apple")) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    free.set()
    assert await second


def test_bcrypt_looks_at_72_bytes_only(checks: Checks) -> None:
    users = {b"alice": bcrypt.hashpw(b"x" * 72, bcrypt.gensalt(4))}
    assert ask((b"alice", b"x" * 80), (b"alice", b"x" * 72), (b"alice", b"x" * 71), users=users) == [True, True, False]
    assert len(checks.asked) == 2


def basic(text: str) -> bytes:
    return b"Basic " + base64.b64encode(text.encode())


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (basic("alice:apple"), (b"alice", b"apple")),
        (basic("alice:a:b"), (b"alice", b"a:b")),
        (basic(":"), (b"", b"")),
        (basic("jürgen:größer"), ("jürgen".encode(), "größer".encode())),
        (basic("alice:apple").replace(b"Basic", b"bAsIc "), (b"alice", b"apple")),
        *[(basic("alice"), None), (b"Basic", None), (b"Basic !!!!", None), (b"Basic YWxpY2U6YXBwbGU", None)],
        *[(b"Bearer YWxpY2U6YXBwbGU=", None), (b"", None)],
    ],
)
def test_credentials(header: bytes, found: tuple[bytes, bytes] | None) -> None:
    assert credentials(header) == found
