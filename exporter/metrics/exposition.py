"""Renders samples as text when they change, a group of tasks at a time, and joins them into a page."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from functools import lru_cache
from heapq import heappop, heappush
from operator import add
from typing import Any

from exporter.metrics.family import Family, Samples
from exporter.metrics.page import Block, FamilyText, Page, heads_of, split_families
from exporter.runtime.escape import printable

_MOST_SHARED = 1000
_MOST_SHAPES = 20_000
"""Sets of labels whose text is kept: the samples of one key in one family."""
_GROUP_SIZE = 250
"""Keys whose samples are rendered together."""


def escape_label(value: str) -> str:
    """Escape a label value for both formats. `printable` has already replaced line feeds."""
    return printable(value).replace("\\", "\\\\").replace('"', '\\"')


def label_text(labels: Iterable[tuple[str, str | None]]) -> bytes:
    """Return `a="b",c="d"`. An empty label is left out, which means the same to Prometheus."""
    return ",".join(f'{name}="{escape_label(value)}"' for name, value in labels if value).encode()


def number_text(value: float) -> bytes:
    """Return a value as text, whole numbers without a fraction."""
    return b"%d" % value if value == int(value) and abs(value) < 1e15 else repr(value).encode()  # noqa: PLR2004


@lru_cache(maxsize=_MOST_SHAPES)
def _label_texts(names: tuple[str, ...], shape: tuple[tuple[str, ...], ...]) -> tuple[bytes, ...]:
    """Return the text between the labels of the key and the value, for each sample."""
    texts = (label_text(zip(names, values, strict=True)) for values in shape)
    return tuple(b",%b} " % text if text else b"} " for text in texts)


class _Group:
    """Samples of one family for a group of keys. Of each line it stores what follows the labels of the key.

    Complete lines with gaps for the values would render a little faster, but need as much memory as the page.
    """

    __slots__ = ("_rows", "_several", "block")

    def __init__(self) -> None:
        self._rows: dict[Hashable, bytes] = {}
        self._several = False
        """True if a key may have several samples."""
        self.block: Block | None = None
        """The lines as last rendered; None if samples have changed since."""

    def put(self, key: Hashable, rows: bytes) -> None:
        """Replace the samples of one key."""
        if self._rows.get(key) != rows:
            self._rows[key] = rows
            self._several = self._several or b"\n" in rows
            self.block = None

    def drop(self, key: Hashable) -> bool:
        """Remove the samples of one key; return whether any are left."""
        if self._rows.pop(key, None) is not None:
            self.block = None
        return bool(self._rows)

    def render(self, name: bytes, identities: Mapping[Hashable, bytes]) -> None:
        """Render the block again."""
        between = b"\n" + name
        lines: Iterable[bytes] = map(add, map(identities.__getitem__, self._rows), self._rows.values())
        if self._several:
            lines = [
                identities[key] + rows.replace(b"\n", between + identities[key]) for key, rows in self._rows.items()
            ]
        self.block = Block.of(b"%b%b\n" % (name, between.join(lines)))


class _FamilySamples:
    """All samples of one family, in groups of keys: a change renders only its group again."""

    def __init__(self, family: Family[Any], identities: Mapping[Hashable, bytes]) -> None:
        self._family = family
        self._name = family.name.encode()
        help_text = family.help.replace("\\", "\\\\").replace("\n", "\\n")
        self._heads = heads_of(family.name, family.type, help_text)
        self._identities = identities
        self._groups: dict[int, _Group] = {}
        self._rows: dict[bytes, bytes] = {}
        """Texts that the samples of several keys may share."""

    def put(self, number: int, key: Hashable, samples: Samples, names: tuple[str, ...] | None) -> None:
        """Replace the samples of one key of the group with this number."""
        if not samples:
            self.drop(number, key)
            return
        group = self._groups.get(number) or self._groups.setdefault(number, _Group())
        names = names or self._family.labels
        group.put(key, self._rows_of(names, samples) if names else b"} " + number_text(samples[0][1]))

    def drop(self, number: int, key: Hashable) -> None:
        """Remove the samples of one key."""
        group = self._groups.get(number)
        if group is not None and not group.drop(key):
            del self._groups[number]

    def render(self) -> Iterator[None]:
        """Render the groups that have changed; yields after each, so that other tasks can run."""
        for group in self._groups.values():
            if group.block is None:
                group.render(self._name, self._identities)
                yield

    def text(self) -> FamilyText | None:
        """The family as last rendered; None without samples."""
        blocks = tuple(group.block for group in self._groups.values() if group.block is not None)
        return FamilyText(self._family.name, self._heads, blocks) if blocks else None

    def _rows_of(self, names: tuple[str, ...], samples: Samples) -> bytes:
        """Return what follows the labels of the key in each line; keys with equal samples share the text."""
        labels = _label_texts(names, tuple(values for values, _ in samples))
        values = (number_text(value) for _, value in samples)
        rows = b"\n".join([label + value for label, value in zip(labels, values, strict=True)])
        if len(self._rows) >= _MOST_SHARED:
            self._rows.clear()
        return self._rows.setdefault(rows, rows)


class Exposition:
    """All samples, and the page that was last published.

    Args:
        families: all families that can have samples, in the order of the page.
        self_metrics: yields the metrics of the exporter itself as text; they are the last families of each page.
    """

    def __init__(self, families: Iterable[Family[Any]], self_metrics: Callable[[], Iterable[bytes]]) -> None:
        self._identities: dict[Hashable, bytes] = {}
        self._positions: dict[Hashable, int] = {}
        self._free: list[int] = []
        """Positions of removed keys, as a heap: used again, so that groups stay full."""
        self._families = {family.name: _FamilySamples(family, self._identities) for family in families}
        self._self_metrics = self_metrics
        self.page = Page()
        self.lock = asyncio.Lock()
        """Held while a page is rendered, and while samples that belong together change."""

    def __contains__(self, key: object) -> bool:
        return key in self._identities

    def set_labels(self, key: Hashable, labels: Iterable[tuple[str, str | None]]) -> bool:
        """Set the labels of all series of a key. Return True if they are new; its old series are then removed."""
        text = b"{" + label_text(labels)
        if self._identities.get(key) == text:
            return False
        self.drop(key)
        self._positions[key] = heappop(self._free) if self._free else len(self._positions)
        self._identities[key] = text
        return True

    def put(self, key: Hashable, family: str, samples: Samples, names: tuple[str, ...] | None = None) -> None:
        """Replace the samples of a key with labels in a family.

        Args:
            key: the task or project.
            family: the name of the family.
            samples: the new samples; without any, its series are removed.
            names: the labels of the samples, if they are not those of the family.
        """
        self._families[family].put(self._positions[key] // _GROUP_SIZE, key, samples, names)

    def drop(self, key: Hashable) -> None:
        """Remove all series of a key."""
        if self._identities.pop(key, None) is not None:
            position = self._positions.pop(key)
            heappush(self._free, position)
            for family in self._families.values():
                family.drop(position // _GROUP_SIZE, key)

    async def publish(self, update: Callable[[], None] | None = None) -> None:
        """Render what has changed, and replace the page; other tasks run between two groups.

        `update` puts samples that follow from others, and may not be older than those.
        """
        async with self.lock:
            if update is not None:
                update()
            for family in self._families.values():
                for _ in family.render():
                    await asyncio.sleep(0)
            texts = [text for family in self._families.values() if (text := family.text()) is not None]
            for self_metric in self._self_metrics():
                texts += split_families(self_metric)
                await asyncio.sleep(0)
            self.page = Page(texts)
