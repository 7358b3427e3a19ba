"""The exposition as text: samples are rendered and compressed only if they have changed."""

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
from tests.lib.virtual_time import other_task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exporter.metrics.page import Page

TAIL = b"# HELP own_total Ours.\n# TYPE own_total counter\nown_total 1\n# HELP own_info Too.\n# TYPE own_info gauge\n"
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))  # no half surrogate pairs: see below


def head(
    name: str, labels: tuple[str, ...] = (), help_text: str = "Means something.", metric_type: str = "gauge"
) -> Family[Any]:
    """A family whose samples the tests make themselves."""
    return Family(name, help_text, (), lambda _: (), labels, metric_type)


def exposition_of(*families: Family[Any]) -> Exposition:
    return Exposition(families, lambda: [TAIL])


async def published(exposition: Exposition) -> Page:
    await exposition.publish()
    return exposition.page


def lines(page: Page, *names: str) -> list[bytes]:
    """The samples of these families, or of all of the exposition."""
    text = b"".join(page.plain(frozenset(names) if names else None)).removesuffix(TAIL)
    return [line for line in text.splitlines() if not line.startswith(b"#")]


async def shown(family: Family[Any], labels: Sequence[tuple[str, str | None]], *samples: Any) -> str:
    """A page with one family of one key, without its tail."""
    exposition = exposition_of(family)
    exposition.set_labels("key", labels)
    exposition.put("key", family.name, samples)
    return b"".join((await published(exposition)).plain()).removesuffix(TAIL).decode()


async def test_a_family_as_text() -> None:
    family = head("drs_tasks", ("phase",), "Say 100%, \\o/\nand so on.", "counter")
    text = await shown(family, [("account", "a"), ("region", None)], (("full",), 1), (("ended",), 0.25))
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
async def test_labels_are_escaped_as_identity_and_as_own_labels(value: str, escaped: str) -> None:
    assert escape_label(value) == escaped
    text = await shown(head("f", ("own",)), [("name", value)], ((value,), 1))
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


async def test_samples_are_replaced_and_dropped() -> None:
    exposition = exposition_of(head("f", ("own",)), head("g"))
    for key in "abc":
        exposition.set_labels(key, [("id", key)])
        exposition.put(key, "f", [(("x",), 1), (("y",), 2)])
    exposition.put("a", "f", [(("y",), 3)])
    exposition.put("b", "f", ())
    exposition.drop("c")
    exposition.drop("never there")
    page = await published(exposition)
    assert lines(page) == lines(page, "f") == [b'f{id="a",own="y"} 3']
    assert [family.name for family in page.families] == ["f", "own_total", "own_info"]


async def test_a_family_without_samples_is_removed() -> None:
    exposition = exposition_of(head("f"))
    exposition.set_labels("a", [("id", "a")])
    exposition.put("a", "f", [((), 1)])
    assert lines(await published(exposition))
    exposition.put("a", "f", ())
    assert [*(await published(exposition)).plain()] == [*(await published(exposition_of(head("f")))).plain()]


async def test_new_labels_of_a_key_drop_its_old_series() -> None:
    exposition = exposition_of(head("f"), head("g"))
    assert exposition.set_labels("a", [("name", "old")])
    exposition.put("a", "f", [((), 1)])
    exposition.put("a", "g", [((), 1)])
    assert not exposition.set_labels("a", [("name", "old")])
    assert exposition.set_labels("a", [("name", "new")])
    exposition.put("a", "g", [((), 2)])
    assert lines(await published(exposition)) == [b'g{name="new"} 2']


def test_keys_with_equal_samples_share_the_text() -> None:
    exposition = exposition_of(head("f", ("phase",)))
    for key in "ab":
        exposition.set_labels(key, [("id", key)])
        exposition.put(key, "f", [(("full",), 1.0), (("ended",), 0.0)])
    (block,) = exposition._families["f"]._groups.values()
    assert block._rows["a"] is block._rows["b"]


async def test_more_texts_than_are_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exposition_module, "_MOST_SHARED", 3)
    exposition = exposition_of(head("f", ("own",)))
    for number in range(10):
        exposition.set_labels(number, [("id", str(number))])
        exposition.put(number, "f", [((str(number),), number)])
    page = await published(exposition)
    assert lines(page) == [b'f{id="%d",own="%d"} %d' % (number, number, number) for number in range(10)]


async def test_only_changed_groups_are_rendered_and_compressed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exposition_module, "_GROUP_SIZE", 2)
    made: list[bytes] = []
    compress = Block.of

    def of(text: bytes) -> Block:
        made.append(text)
        return compress(text)

    exposition = exposition_of(head("f"), head("g"), head("h"))
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
    page = await published(exposition)
    samples = [text for text in made if b"HELP" not in text]
    assert samples == [b'g{id="c"} 2\ng{id="d"} 1\n', b"own_total 1\n"]
    values = {name + key: 2 if name + key == "gc" else 1 for name in "fgh" for key in "abcd"}
    assert lines(page) == [b'%c{id="%c"} %d' % (*name.encode(), value) for name, value in values.items()]


async def test_positions_of_removed_keys_are_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exposition_module, "_GROUP_SIZE", 2)
    exposition = exposition_of(head("f"))
    for number in range(100):
        exposition.set_labels(number, [("id", str(number))])
        exposition.put(number, "f", [((), number)])
        exposition.drop(number - 3)
    page = await published(exposition)
    assert [len(family.samples) for family in page.families if family.name == "f"] == [2]
    assert sorted(lines(page)) == [b'f{id="%d"} %d' % (number, number) for number in (97, 98, 99)]


async def test_others_run_while_a_page_is_rendered() -> None:
    exposition = exposition_of(head("f"), head("g"))
    for number in range(1000):
        exposition.set_labels(number, [("id", str(number))])
        exposition.put(number, "f", [((), number)])
        exposition.put(number, "g", [((), number)])
    async with other_task() as turns:
        await exposition.publish()
    assert len(turns) >= 8  # blocks of 250, of two families


async def test_a_page_is_never_half_of_an_update() -> None:
    """Updates wait while a page is rendered, and a page waits for an update that has begun."""
    exposition = exposition_of(head("f"), head("g"), head("h"))
    exposition.set_labels("a", [("id", "a")])

    async def update(value: float) -> None:
        async with exposition.lock:
            for name in "fgh":
                exposition.put("a", name, [((), value)])
                await asyncio.sleep(0)

    pages = []
    async with asyncio.TaskGroup() as group:
        for number in range(20):
            group.create_task(update(number))
            group.create_task(exposition.publish())
            await asyncio.sleep(0)
            pages.append(exposition.page)
    for page in (*pages, exposition.page):
        assert len({line.split()[1] for line in lines(page, "f", "g", "h")}) <= 1
    assert b'h{id="a"} 19\n' in exposition.page.plain()
    assert len({id(page) for page in pages}) > 2
