"""Pages as they are served: families as text that is compressed once and joined into a page of either format.

Text 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/
OpenMetrics 1.0: https://prometheus.io/docs/specs/om/open_metrics_spec/
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from isal import isal_zlib

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\xff"
_LAST_BLOCK = b"\x03\x00"  # an empty final deflate block
_HELP = b"# HELP "
_TOTAL = "_total"


class Format(Enum):
    """The formats; they differ in heads of families and in the last line, never in samples."""

    TEXT = "text/plain; version=0.0.4; charset=utf-8"
    OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


class FamilyHead(Protocol):
    """What the exposition needs to know of a family."""

    @property
    def name(self) -> str:
        """As samples have it, with _total on counters."""

    @property
    def help(self) -> str:
        """One line."""

    @property
    def type(self) -> str:
        """Gauge, counter or histogram."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Its own, beyond the identity."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some lines, plain and as a piece of a deflate stream that can be joined with others."""

    text: bytes
    deflated: bytes
    crc: int

    @classmethod
    def of(cls, text: bytes) -> Piece:
        """Compress: a full flush ends the piece at a byte, without a reference to what came before."""
        packer = isal_zlib.compressobj(level=1, wbits=-15)
        deflated = packer.compress(text) + packer.flush(isal_zlib.Z_FULL_FLUSH)
        return cls(text, deflated, isal_zlib.crc32(text))


_END: Mapping[Format, tuple[Piece, ...]] = {Format.TEXT: (), Format.OPENMETRICS: (Piece.of(b"# EOF\n"),)}


@dataclass(frozen=True, slots=True)
class Chunk:
    """One family of a page: its head in each format, and its samples."""

    name: str
    heads: Mapping[Format, Piece]
    samples: tuple[Piece, ...]

    def is_called(self, names: frozenset[str]) -> bool:
        """Whether it is among these families; a counter goes by its name in either format."""
        return self.name in names or (self.name.endswith(_TOTAL) and self.name.removesuffix(_TOTAL) in names)


class Page:
    """What /metrics serves: never changed, only replaced."""

    def __init__(self, chunks: Sequence[Chunk] = ()) -> None:
        self.chunks = tuple(chunks)
        self._gzip: dict[Format, tuple[bytes, ...]] = {}

    def plain(self, names: frozenset[str] | None = None, form: Format = Format.TEXT) -> list[bytes]:
        """The text in pieces; with `names` only those families."""
        return [piece.text for piece in self._pieces(names, form)]

    def gzip(self, names: frozenset[str] | None = None, form: Format = Format.TEXT) -> Sequence[bytes]:
        """The same as one gzip member, in pieces. Several members would be read short by common clients."""
        if names is not None:
            return _member(self._pieces(names, form))
        if form not in self._gzip:
            self._gzip[form] = _member(self._pieces(None, form))
        return self._gzip[form]

    def _pieces(self, names: frozenset[str] | None, form: Format) -> Iterator[Piece]:
        for chunk in self.chunks:
            if names is None or chunk.is_called(names):
                yield chunk.heads[form]
                yield from chunk.samples
        yield from _END[form]


def _member(pieces: Iterable[Piece]) -> tuple[bytes, ...]:
    crc, size, parts = 0, 0, [_GZIP_HEAD]
    for piece in pieces:
        crc = isal_zlib.crc32_combine(crc, piece.crc, len(piece.text))
        size += len(piece.text)
        parts.append(piece.deflated)
    return (*parts, _LAST_BLOCK, struct.pack("<II", crc, size & 0xFFFFFFFF))


def heads_of(name: str, kind: str, help_text: str) -> dict[Format, Piece]:
    """The HELP and TYPE lines of a family in each format.

    Args:
        name: as samples have it.
        kind: its type.
        help_text: escaped as text 0.0.4 wants it, which leaves quotes alone.
    """
    text = Piece.of(f"# HELP {name} {help_text}\n# TYPE {name} {kind}\n".encode())
    bare = name.removesuffix(_TOTAL) if kind == "counter" else name
    quoted = help_text.replace('"', '\\"')
    if (bare, quoted) == (name, help_text):
        return dict.fromkeys(Format, text)
    return {
        Format.TEXT: text,
        Format.OPENMETRICS: Piece.of(f"# HELP {bare} {quoted}\n# TYPE {bare} {kind}\n".encode()),
    }


def family_heads(family: FamilyHead) -> dict[Format, Piece]:
    """The HELP and TYPE lines of a family in each format."""
    return heads_of(family.name, family.type, family.help.replace("\\", "\\\\").replace("\n", "\\n"))


def split_families(text: bytes) -> Iterator[Chunk]:
    """The families of a page in text 0.0.4, in which each begins with its HELP and its TYPE line."""
    for family in (b"\n" + text).split(b"\n" + _HELP)[1:]:
        described, typed, samples = (family.removesuffix(b"\n") + b"\n").split(b"\n", 2)
        name, _, help_text = described.decode().partition(" ")
        kind = typed.decode().rpartition(" ")[2]
        yield Chunk(name, heads_of(name, kind, help_text), (Piece.of(samples),) if samples else ())
