"""Samples as text: escaped once, rendered when they change, a block of tasks at a time, and joined into a page."""

from __future__ import annotations

import asyncio
from heapq import heappop, heappush
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from exporter.metrics.page import Chunk, Page, Piece, family_heads, split_families
from exporter.runtime.escape import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence

    from exporter.metrics.page import FamilyHead

Samples: TypeAlias = "Sequence[tuple[tuple[str, ...], float]]"
"""Values by the family's own labels."""

K = TypeVar("K")
V = TypeVar("V")

_MOST_KNOWN = 1000
_BLOCK = 250
"""Keys that are rendered at a stretch."""


def escape_label(value: str) -> str:
    """A label value as the formats write it between quotes; it has no line feed any more that needs an escape."""
    return printable(value).replace("\\", "\\\\").replace('"', '\\"')


def label_text(labels: Iterable[tuple[str, str | None]]) -> bytes:
    """`a="b",c="d"`; a label without a value is left out, which means the same to Prometheus."""
    return ",".join(f'{name}="{escape_label(value)}"' for name, value in labels if value).encode()


def number_text(value: float) -> bytes:
    """A value, whole numbers without a fraction."""
    return b"%d" % value if value == int(value) and abs(value) < 1e15 else repr(value).encode()  # noqa: PLR2004


class _Block:
    """Samples of one family for some keys: of each key what follows its identity in its lines, and no more.

    Lines that are kept ready for new values could be filled a little faster, and would take as much as the page.
    """

    __slots__ = ("_rows", "piece")

    def __init__(self) -> None:
        self._rows: dict[Hashable, bytes] = {}
        self.piece: Piece | None = None
        """As rendered last; None where something has changed since."""

    def put(self, key: Hashable, rows: bytes) -> None:
        """Replace the samples of one key."""
        if self._rows.get(key) != rows:
            self._rows[key] = rows
            self.piece = None

    def drop(self, key: Hashable) -> bool:
        """Forget the samples of one key; whether any are left."""
        if self._rows.pop(key, None) is not None:
            self.piece = None
        return bool(self._rows)

    def render(self, name: bytes, identities: Mapping[Hashable, bytes]) -> None:
        """Make the piece anew."""
        between = b"\n" + name
        lines = [
            identities[key] + (rows.replace(b"\n", between + identities[key]) if b"\n" in rows else rows)
            for key, rows in self._rows.items()
        ]
        self.piece = Piece.of(b"%b%b\n" % (name, between.join(lines)))


class _Column:
    """All samples of one family, in blocks of keys: what changes in one costs the others nothing."""

    def __init__(self, family: FamilyHead, identities: Mapping[Hashable, bytes]) -> None:
        self._family = family
        self._name = family.name.encode()
        self._heads = family_heads(family)
        self._identities = identities
        self._blocks: dict[int, _Block] = {}
        self._labels: dict[tuple[tuple[str, ...], tuple[tuple[str, ...], ...]], tuple[bytes, ...]] = {}
        self._rows: dict[bytes, bytes] = {}

    def put(self, number: int, key: Hashable, samples: Samples, names: tuple[str, ...] | None) -> None:
        """Replace the samples of one key, which belongs into the block with this number."""
        if not samples:
            self.drop(number, key)
            return
        block = self._blocks.get(number) or self._blocks.setdefault(number, _Block())
        names = names or self._family.labels
        block.put(key, self._rows_of(names, samples) if names else b"} " + number_text(samples[0][1]))

    def drop(self, number: int, key: Hashable) -> None:
        """Forget the samples of one key."""
        block = self._blocks.get(number)
        if block is not None and not block.drop(key):
            del self._blocks[number]

    def render(self) -> Iterator[None]:
        """Bring the pieces up to date; stops after each that costs something."""
        for block in self._blocks.values():
            if block.piece is None:
                block.render(self._name, self._identities)
                yield

    def chunk(self) -> Chunk | None:
        """The family as it was rendered last; None where it has no sample."""
        pieces = tuple(block.piece for block in self._blocks.values() if block.piece is not None)
        return Chunk(self._family.name, self._heads, pieces) if pieces else None

    def _rows_of(self, names: tuple[str, ...], samples: Samples) -> bytes:
        """What follows the identity in each line; keys that say the same share the text."""
        labels = self._label_texts(names, tuple(values for values, _ in samples))
        values = (number_text(value) for _, value in samples)
        rows = b"\n".join([label + value for label, value in zip(labels, values, strict=True)])
        return _remember(self._rows, rows, rows)

    def _label_texts(self, names: tuple[str, ...], shape: tuple[tuple[str, ...], ...]) -> tuple[bytes, ...]:
        """The labels beyond the identity, up to the value, for each of some samples."""
        known = self._labels.get((names, shape))
        if known is None:
            texts = (label_text(zip(names, values, strict=True)) for values in shape)
            known = _remember(self._labels, (names, shape), tuple(b",%b} " % text if text else b"} " for text in texts))
        return known


def _remember(known: dict[K, V], key: K, value: V) -> V:
    """What is known by this key already, else the value; all is forgotten when it becomes too much."""
    if len(known) >= _MOST_KNOWN:
        known.clear()
    return known.setdefault(key, value)


class Board:
    """Every sample there is, and the page that was last published of them.

    Args:
        families: all families that can have samples, in the order of the page.
        tail: gives our own metrics as text, the last families of each page, some at a time.
    """

    def __init__(self, families: Iterable[FamilyHead], tail: Callable[[], Iterable[bytes]]) -> None:
        self._identities: dict[Hashable, bytes] = {}
        self._places: dict[Hashable, int] = {}
        self._free: list[int] = []
        """Places of keys that went, as a heap: used again, so that blocks stay full."""
        self._columns = {family.name: _Column(family, self._identities) for family in families}
        self._tail = tail
        self.page = Page()
        self.lock = asyncio.Lock()
        """Held while a page is rendered, and while samples that belong together change."""

    def identify(self, key: Hashable, labels: Iterable[tuple[str, str | None]]) -> bool:
        """Name the labels that each series of a key carries; True where they are new, and its old series gone."""
        text = b"{" + label_text(labels)
        if self._identities.get(key) == text:
            return False
        self.drop(key)
        self._places[key] = heappop(self._free) if self._free else len(self._places)
        self._identities[key] = text
        return True

    def put(self, key: Hashable, family: str, samples: Samples, names: tuple[str, ...] | None = None) -> None:
        """Replace the samples of an identified key in a family; none: its series there go.

        `names` are those of the labels that the samples have, where they are not the family's.
        """
        self._columns[family].put(self._places[key] // _BLOCK, key, samples, names)

    def drop(self, key: Hashable) -> None:
        """Forget all series of a key."""
        if self._identities.pop(key, None) is not None:
            place = self._places.pop(key)
            heappush(self._free, place)
            for column in self._columns.values():
                column.drop(place // _BLOCK, key)

    async def drop_all(self, keys: Iterable[Hashable]) -> None:
        """Forget all series of many keys; others run in between, and the lock is to be held."""
        for key in keys:
            self.drop(key)
            await asyncio.sleep(0)

    async def publish(self) -> None:
        """Render what has changed and put the new page in place of the old; others run between two blocks."""
        async with self.lock:
            for column in self._columns.values():
                for _ in column.render():
                    await asyncio.sleep(0)
            chunks = [chunk for column in self._columns.values() if (chunk := column.chunk()) is not None]
            for text in self._tail():
                chunks += split_families(text)
                await asyncio.sleep(0)
            self.page = Page(chunks)
