"""Samples as text: escaped once, rendered when they change, compressed in pieces, joined into a page.

Text format 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import asyncio
import struct
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Protocol, TypeAlias

from isal import isal_zlib

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence

Samples: TypeAlias = "Sequence[tuple[tuple[str, ...], float]]"
"""Values by the family's own labels."""

_GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\xff"
_LAST_BLOCK = b"\x03\x00"  # an empty final deflate block
_MOST_KNOWN = 10_000
_HELP = b"# HELP "


class FamilyHead(Protocol):
    """What the exposition needs to know of a family."""

    @property
    def name(self) -> str:
        """As exposed, with _total on counters."""

    @property
    def help(self) -> str:
        """One line."""

    @property
    def type(self) -> str:
        """Gauge, counter or histogram."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Its own, beyond the identity."""


def escape_label(value: str) -> str:
    """A label value as it stands between its quotes."""
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def label_text(labels: Iterable[tuple[str, str | None]]) -> bytes:
    """`a="b",c="d"`; a label without a value is left out, which means the same to Prometheus."""
    return ",".join(f'{name}="{escape_label(value)}"' for name, value in labels if value).encode(errors="replace")


def number_text(value: float) -> bytes:
    """A value, whole numbers without a fraction."""
    return b"%d" % value if value == int(value) and abs(value) < 1e15 else repr(value).encode()  # noqa: PLR2004


@dataclass(frozen=True, slots=True)
class Chunk:
    """One family of a page, plain and as a piece of a deflate stream that can be joined with others."""

    name: str
    text: bytes
    deflated: bytes
    crc: int

    @classmethod
    def of(cls, name: str, text: bytes) -> Chunk:
        """Compress: a full flush ends the piece at a byte, without a reference to what came before."""
        packer = isal_zlib.compressobj(level=1, wbits=-15)
        deflated = packer.compress(text) + packer.flush(isal_zlib.Z_FULL_FLUSH)
        return cls(name, text, deflated, isal_zlib.crc32(text))


class Page:
    """What /metrics serves: never changed, only replaced."""

    def __init__(self, chunks: Sequence[Chunk] = ()) -> None:
        self.chunks = tuple(chunks)

    def plain(self, names: frozenset[str] | None = None) -> list[bytes]:
        """The text in pieces; with `names` only those families."""
        return [chunk.text for chunk in self._chosen(names)]

    def gzip(self, names: frozenset[str] | None = None) -> list[bytes]:
        """The same as one gzip member, in pieces. Several members would be read short by common clients."""
        crc, size, pieces = 0, 0, [_GZIP_HEAD]
        for chunk in self._chosen(names):
            crc = isal_zlib.crc32_combine(crc, chunk.crc, len(chunk.text))
            size += len(chunk.text)
            pieces.append(chunk.deflated)
        return [*pieces, _LAST_BLOCK, struct.pack("<II", crc, size & 0xFFFFFFFF)]

    def _chosen(self, names: frozenset[str] | None) -> Iterable[Chunk]:
        return self.chunks if names is None else (chunk for chunk in self.chunks if chunk.name in names)


class _Column:
    """All samples of one family: a template of its lines, and the values that fill it.

    Filling one prepared template is the cheapest way found to render many samples in Python, and values take the
    least memory when the labels stand in the template alone.
    """

    def __init__(self, family: FamilyHead, identities: Mapping[Hashable, bytes]) -> None:
        self._family = family
        self._identities = identities
        self._labels: dict[Hashable, tuple[bytes, ...]] = {}
        self._values: dict[Hashable, tuple[bytes, ...]] = {}
        self._known: dict[tuple[tuple[str, ...], tuple[tuple[str, ...], ...]], tuple[bytes, ...]] = {}
        self._template: bytes | None = None
        self._chunk: Chunk | None = None

    def put(self, key: Hashable, samples: Samples, names: tuple[str, ...] | None = None) -> None:
        """Replace the samples of one key; `names` of their labels where they are not the family's."""
        if not samples:
            self.drop(key)
            return
        labels = self._label_texts(names or self._family.labels, tuple(values for values, _ in samples))
        values = tuple(number_text(value) for _, value in samples)
        if self._labels.get(key) != labels:
            self._labels[key] = labels
            self._template = self._chunk = None
        if self._values.get(key) != values:
            self._values[key] = values
            self._chunk = None

    def drop(self, key: Hashable) -> None:
        """Forget the samples of one key."""
        if self._values.pop(key, None) is not None:
            del self._labels[key]
            self._template = self._chunk = None

    def chunk(self) -> Chunk | None:
        """The rendered family; None where it has no sample."""
        if self._chunk is None and self._values:
            text = self._lines() % tuple(chain.from_iterable(self._values.values()))
            self._chunk = Chunk.of(self._family.name, text)
        return self._chunk

    def _label_texts(self, names: tuple[str, ...], shape: tuple[tuple[str, ...], ...]) -> tuple[bytes, ...]:
        """The family's own labels as text; keys with the same ones share the tuple."""
        known = self._known.get((names, shape))
        if known is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            texts = (label_text(zip(names, values, strict=True)) for values in shape)
            known = self._known[names, shape] = tuple(b"," + _quoted(text) if text else b"" for text in texts)
        return known

    def _lines(self) -> bytes:
        if self._template is None:
            name = self._family.name.encode()
            lines = (
                b"%b{%b%b} %%b\n" % (name, self._identities[key], label)
                for key in self._values
                for label in self._labels[key]
            )
            self._template = _quoted(family_head(self._family)) + b"".join(lines)
        return self._template


class Board:
    """Every sample there is, and the page that was last published of them.

    Args:
        families: all families that can have samples, in the order of the page.
        tail: gives our own metrics as text, the last families of each page.
    """

    def __init__(self, families: Iterable[FamilyHead], tail: Callable[[], bytes]) -> None:
        self._identities: dict[Hashable, bytes] = {}
        self._columns = {family.name: _Column(family, self._identities) for family in families}
        self._tail = tail
        self.page = Page()
        self.lock = asyncio.Lock()
        """Held while a page is rendered, and while samples that belong together change."""

    def identify(self, key: Hashable, labels: Iterable[tuple[str, str | None]]) -> bool:
        """Name the labels that each series of a key carries; True where they are new, and its old series gone."""
        text = _quoted(label_text(labels))
        if self._identities.get(key) == text:
            return False
        self.drop(key)
        self._identities[key] = text
        return True

    def put(self, key: Hashable, family: str, samples: Samples, names: tuple[str, ...] | None = None) -> None:
        """Replace the samples of an identified key in a family; none: its series there go.

        `names` are those of the labels that the samples have, where they are not the family's.
        """
        self._columns[family].put(key, samples, names)

    def drop(self, key: Hashable) -> None:
        """Forget all series of a key."""
        if self._identities.pop(key, None) is not None:
            for column in self._columns.values():
                column.drop(key)

    async def drop_all(self, keys: Iterable[Hashable]) -> None:
        """Forget all series of many keys; others run in between, and the lock is to be held."""
        for key in keys:
            self.drop(key)
            await asyncio.sleep(0)

    async def publish(self) -> None:
        """Render what has changed and put the new page in place of the old; others run between two families."""
        async with self.lock:
            chunks = []
            for column in self._columns.values():
                if (chunk := column.chunk()) is not None:
                    chunks.append(chunk)
                await asyncio.sleep(0)
            self.page = Page([*chunks, *(Chunk.of(name, text) for name, text in split_families(self._tail()))])


def family_head(family: FamilyHead) -> bytes:
    """The HELP and TYPE lines."""
    text = family.help.replace("\\", "\\\\").replace("\n", "\\n")
    return f"# HELP {family.name} {text}\n# TYPE {family.name} {family.type}\n".encode()


def split_families(text: bytes) -> Iterator[tuple[str, bytes]]:
    """The families in a text, by name; each begins with its HELP line."""
    for piece in (b"\n" + text).split(b"\n" + _HELP)[1:]:
        yield piece.split(b" ", 1)[0].decode(), _HELP + piece.removesuffix(b"\n") + b"\n"


def _quoted(text: bytes) -> bytes:
    """Text for a template, where a percent sign has a meaning."""
    return text.replace(b"%", b"%%")
