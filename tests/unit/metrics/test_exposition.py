"""Text and gzip of a page: what goes in comes out, rendered and compressed only where it changed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.metrics import exposition as exposition_module
from exporter.metrics.exposition import Exposition, escape_label, label_text, number_text
from exporter.metrics.family import Family
from exporter.metrics.page import Block
from tests.lib.virtual_time import other_task, simulate

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from exporter.metrics.page import Page

TAIL = b"# HELP own_total Ours.\n# TYPE own_total counter\nown_total 1\n# HELP own_info Too.\n# TYPE own_info gauge\n"
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))  # no half surrogate pairs: see below


def head(
    name: str, labels: tuple[str, ...] = (), help_text: str = "Means something.", metric_type: str = "gauge"
) -> Family[Any]:
    """A family whose samples the tests make themselves."""
    return Family(name, help_text, (), lambda _: (), labels, metric_type)


def page_after(work: Callable[[Exposition], Awaitable[object]], *families: Family[Any]) -> Page:
    """The page after some work on an exposition of these families."""

    async def main() -> Page:
        exposition = Exposition(families or (head("drs_up"),), lambda: [TAIL])
        await work(exposition)
        await exposition.publish()
        return exposition.page

    return simulate(main())


def shown(
    *samples: tuple[tuple[str, ...], float], family: Family[Any], labels: Sequence[tuple[str, str | None]]
) -> str:
    """A page with one family of one key, without its tail."""

    async def work(exposition: Exposition) -> None:
        exposition.set_labels("key", labels)
        exposition.put("key", family.name, samples)

    return b"".join(page_after(work, family).plain()).removesuffix(TAIL).decode()


def test_a_family_as_text() -> None:
    family = head("drs_tasks", ("phase",), "Say 100%, \\o/\nand so on.", "counter")
    text = shown((("full",), 1), (("ended",), 0.25), family=family, labels=[("account", "a"), ("region", None)])
    assert text == (
        "# HELP drs_tasks Say 100%, \\\\o/\\nand so on.\n"
        "# TYPE drs_tasks counter\n"
        'drs_tasks{account="a",phase="full"} 1\n'
        'drs_tasks{account="a",phase="ended"} 0.25\n'
    )


@pytest.mark.parametrize(
    ("value", "escaped"),
    [
        ('say "hi"', 'say \\"hi\\"'),
        ("back\\slash", "back\\\\slash"),
        ("two\nlines\tzero\u200bwidth", "two\\\\nlines\\\\tzero\\\\u200bwidth"),
        ("\\n", "\\\\n"),
        ("100 % of %s %b", "100 % of %s %b"),
        ("訂單 é 😀 \u3000", "訂單 é 😀 \u3000"),
        ("\u2028\r\t\x1b[2J\u202e", "\\\\u2028\\\\r\\\\t\\\\x1b[2J\\\\u202e"),
    ],
)
def test_labels_are_escaped_as_identity_and_as_own_labels(value: str, escaped: str) -> None:
    assert escape_label(value) == escaped
    text = shown(((value,), 1), family=head("f", ("own",)), labels=[("name", value)])
    assert text.splitlines(keepends=True)[2:] == f'f{{name="{escaped}",own="{escaped}"}} 1\n'.splitlines(keepends=True)


def test_half_a_surrogate_pair_is_escaped() -> None:
    assert label_text([("name", "a\ud800b"), ("own", "c")]) == b'name="a\\\\ud800b",own="c"'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, b"0"),
        (1.0, b"1"),
        (True, b"1"),
        (-2.0, b"-2"),
        (0.1, b"0.1"),
        (1767225600.123, b"1767225600.123"),
        (1e15, b"1000000000000000.0"),
        (10**15, b"1000000000000000"),
        (1e22, b"1e+22"),
        (5e-324, b"5e-324"),
    ],
)
def test_numbers(value: float, text: bytes) -> None:
    assert number_text(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_read_back_as_it_was(value: float) -> None:
    assert float(number_text(value)) == value


def test_samples_are_replaced_and_dropped() -> None:
    async def work(exposition: Exposition) -> None:
        for key in "abc":
            exposition.set_labels(key, [("id", key)])
            exposition.put(key, "f", [(("x",), 1), (("y",), 2)])
        exposition.put("a", "f", [(("y",), 3)])
        exposition.put("b", "f", ())
        exposition.drop("c")
        exposition.drop("never there")

    page = page_after(work, head("f", ("own",)), head("g"))
    assert b"".join(page.plain(frozenset("f"))).splitlines()[2:] == [b'f{id="a",own="y"} 3']
    assert [family.name for family in page.families] == ["f", "own_total", "own_info"]


def test_a_family_without_samples_is_removed() -> None:
    async def work(exposition: Exposition) -> None:
        exposition.set_labels("a", [("id", "a")])
        exposition.put("a", "f", [((), 1)])
        await exposition.publish()
        exposition.put("a", "f", ())

    assert page_after(work, head("f")).plain() == page_after(lambda _: asyncio.sleep(0), head("f")).plain()


def test_a_new_identity_drops_the_series_of_the_old_one() -> None:
    async def work(exposition: Exposition) -> None:
        assert exposition.set_labels("a", [("name", "old")])
        exposition.put("a", "f", [((), 1)])
        exposition.put("a", "g", [((), 1)])
        assert not exposition.set_labels("a", [("name", "old")])
        assert exposition.set_labels("a", [("name", "new")])
        exposition.put("a", "g", [((), 2)])

    text = b"".join(page_after(work, head("f"), head("g")).plain()).removesuffix(TAIL)
    assert text.splitlines()[2:] == [b'g{name="new"} 2']


def test_keys_with_equal_samples_share_the_text() -> None:
    async def work(exposition: Exposition) -> None:
        for key in "ab":
            exposition.set_labels(key, [("id", key)])
            exposition.put(key, "f", [(("full",), 1.0), (("ended",), 0.0)])
        (block,) = exposition._families["f"]._groups.values()
        assert block._rows["a"] is block._rows["b"]

    page_after(work, head("f", ("phase",)))


def test_more_sets_of_labels_than_are_cached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exposition_module, "_MOST_SHARED", 3)

    async def work(exposition: Exposition) -> None:
        for number in range(10):
            exposition.set_labels(number, [("id", str(number))])
            exposition.put(number, "f", [((str(number),), number)])

    lines = b"".join(page_after(work, head("f", ("own",))).plain()).removesuffix(TAIL).splitlines()[2:]
    assert lines == [b'f{id="%d",own="%d"} %d' % (number, number, number) for number in range(10)]


def test_only_what_changed_is_rendered_and_compressed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exposition_module, "_GROUP_SIZE", 2)
    made: list[bytes] = []
    compress = Block.of

    def of(text: bytes) -> Block:
        made.append(text)
        return compress(text)

    async def work(exposition: Exposition) -> None:
        for key in "abcd":
            exposition.set_labels(key, [("id", key)])
            for name in "fgh":
                exposition.put(key, name, [((), 1)])
        monkeypatch.setattr(Block, "of", of)
        await exposition.publish()
        assert len([text for text in made if b"HELP" not in text]) == 2 * 3 + 1
        made.clear()
        exposition.set_labels("a", [("id", "a")])
        exposition.put("a", "f", [((), 1.0)])  # the same
        exposition.put("c", "g", [((), 2)])

    page = page_after(work, head("f"), head("g"), head("h"))
    samples = [text for text in made if b"HELP" not in text]
    assert samples == [b'g{id="c"} 2\ng{id="d"} 1\n', b"own_total 1\n"]
    lines = [line for line in b"".join(page.plain(frozenset("fgh"))).splitlines() if not line.startswith(b"#")]
    assert lines == [
        b'%b{id="%b"} %d' % (name.encode(), key.encode(), 2 if name + key == "gc" else 1)
        for name in "fgh"
        for key in "abcd"
    ]


def test_places_of_removed_keys_are_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exposition_module, "_GROUP_SIZE", 2)

    async def work(exposition: Exposition) -> None:
        for number in range(100):
            exposition.set_labels(number, [("id", str(number))])
            exposition.put(number, "f", [((), number)])
            exposition.drop(number - 3)

    page = page_after(work, head("f"))
    assert [len(family.samples) for family in page.families if family.name == "f"] == [2]
    lines = b"".join(page.plain(frozenset("f"))).splitlines()[2:]
    assert sorted(lines) == [b'f{id="%d"} %d' % (number, number) for number in (97, 98, 99)]


async def test_others_run_while_a_page_is_rendered() -> None:
    exposition = Exposition((head("f"), head("g")), lambda: [TAIL])
    for number in range(1000):
        exposition.set_labels(number, [("id", str(number))])
        exposition.put(number, "f", [((), number)])
        exposition.put(number, "g", [((), number)])
    async with other_task() as turns:
        await exposition.publish()
    assert len(turns) >= 8  # blocks of 250, of two families


def test_a_page_is_never_half_of_an_update() -> None:
    """Updates wait while a page is rendered, and a page waits for an update that has begun."""

    async def update(exposition: Exposition, value: float) -> None:
        async with exposition.lock:
            for name in "fgh":
                exposition.put("a", name, [((), value)])
                await asyncio.sleep(0)

    async def main() -> None:
        exposition = Exposition((head("f"), head("g"), head("h")), lambda: [TAIL])
        exposition.set_labels("a", [("id", "a")])
        pages = []
        async with asyncio.TaskGroup() as group:
            for number in range(20):
                group.create_task(update(exposition, number))
                group.create_task(exposition.publish())
                await asyncio.sleep(0)
                pages.append(exposition.page)
        for page in [*pages, exposition.page]:
            values = {line.split()[1] for line in b"".join(page.plain()).splitlines() if line[1:2] == b"{"}
            assert len(values) <= 1
        assert b'h{id="a"} 19\n' in exposition.page.plain()
        assert len({id(page) for page in pages}) > 2

    simulate(main())
