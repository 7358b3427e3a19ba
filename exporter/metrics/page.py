"""Pages as they are served: families as text that is compressed once and joined into a page of either format.

Text 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/
OpenMetrics 1.0: https://prometheus.io/docs/specs/om/open_metrics_spec/
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from isal import isal_zlib

_GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\xff"
_LAST_BLOCK = b"\x03\x00"  # an empty final deflate block
_HELP = b"# HELP "
_SUFFIXES = {"counter": "_total", "info": "_info"}
"""The end of the names of samples that the name of an OpenMetrics family lacks, by type."""
_UNIT = re.compile("_([a-z]+_per_second|seconds|bytes|rows|ratio)(_total)?$")


class Format(Enum):
    """The formats. They differ in the heads of families and in the last line, never in samples."""

    TEXT = "text/plain; version=0.0.4; charset=utf-8"
    OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Block:
    """Lines of a page, as a part of a deflate stream that can be joined with others. Plain they take ten times as much.

    Args:
        deflated: the lines, compressed.
        size: of the lines, in bytes.
        crc: of the lines.
    """

    deflated: bytes
    size: int
    crc: int

    @classmethod
    def of(cls, text: bytes) -> Block:
        """Compress lines. A full flush ends the block at a whole byte, and the next block refers to nothing in it."""
        packer = isal_zlib.compressobj(level=1, wbits=-15)
        deflated = packer.compress(text) + packer.flush(isal_zlib.Z_FULL_FLUSH)
        return cls(deflated, len(text), isal_zlib.crc32(text))

    @property
    def text(self) -> bytes:
        """The lines, decompressed."""
        return isal_zlib.decompressobj(wbits=-15).decompress(self.deflated)


_END: Mapping[Format, tuple[Block, ...]] = {Format.TEXT: (), Format.OPENMETRICS: (Block.of(b"# EOF\n"),)}


@dataclass(frozen=True, slots=True)
class FamilyText:
    """One family of a page: its HELP, TYPE and UNIT lines in each format, and its samples."""

    name: str
    heads: Mapping[Format, Block]
    samples: tuple[Block, ...]

    def has_name(self, names: frozenset[str]) -> bool:
        """Return whether the family has one of these names; a counter or an info has one in each format."""
        return self.name in names or any(
            self.name.endswith(suffix) and self.name.removesuffix(suffix) in names for suffix in _SUFFIXES.values()
        )


class Page:
    """The page that /metrics serves. It never changes; a new page replaces it."""

    def __init__(self, families: Sequence[FamilyText] = ()) -> None:
        self.families = tuple(families)
        self._gzip: dict[Format, tuple[bytes, ...]] = {}

    def plain(self, names: frozenset[str] | None = None, form: Format = Format.TEXT) -> Iterator[bytes]:
        """Yield the text in blocks, each decompressed when it is needed; with `names` only these families."""
        return (block.text for block in self._blocks(names, form))

    def size(self, names: frozenset[str] | None = None, form: Format = Format.TEXT) -> int:
        """Return the size of the text in bytes."""
        return sum(block.size for block in self._blocks(names, form))

    def gzip(self, names: frozenset[str] | None = None, form: Format = Format.TEXT) -> Sequence[bytes]:
        """Return the text as one gzip member, in blocks. Common clients read only the first of several members."""
        if names is not None:
            return _member(self._blocks(names, form))
        if form not in self._gzip:
            self._gzip[form] = _member(self._blocks(None, form))
        return self._gzip[form]

    def _blocks(self, names: frozenset[str] | None, form: Format) -> Iterator[Block]:
        for family in self.families:
            if names is None or family.has_name(names):
                yield family.heads[form]
                yield from family.samples
        yield from _END[form]


def _member(blocks: Iterable[Block]) -> tuple[bytes, ...]:
    crc, size, deflated = 0, 0, [_GZIP_HEAD]
    for block in blocks:
        crc = isal_zlib.crc32_combine(crc, block.crc, block.size)
        size += block.size
        deflated.append(block.deflated)
    return (*deflated, _LAST_BLOCK, struct.pack("<II", crc, size & 0xFFFFFFFF))


def unit_of(name: str) -> str:
    """Return the unit at the end of a name, without `_total`; empty for counts of things, states and flags."""
    found = _UNIT.search(name)
    return found[1] if found else ""


@lru_cache(maxsize=1000)
def heads_of(name: str, metric_type: str, help_text: str) -> dict[Format, Block]:
    """Return HELP and TYPE lines in each format, and in OpenMetrics the UNIT line.

    State sets are gauges in both formats: OpenMetrics would require a label with the name of the family.

    Args:
        name: the name in samples.
        metric_type: gauge, counter or histogram; in OpenMetrics a gauge whose name ends in _info is an info.
        help_text: escaped for text 0.0.4, in which quotes are not escaped.
    """
    text = Block.of(f"# HELP {name} {help_text}\n# TYPE {name} {metric_type}\n".encode())
    kind = "info" if metric_type == "gauge" and name.endswith("_info") else metric_type
    bare, quoted, unit = name.removesuffix(_SUFFIXES.get(kind, "")), help_text.replace('"', '\\"'), unit_of(name)
    if (kind, bare, quoted, unit) == (metric_type, name, help_text, ""):
        return dict.fromkeys(Format, text)
    lines = f"# HELP {bare} {quoted}\n# TYPE {bare} {kind}\n" + (f"# UNIT {bare} {unit}\n" if unit else "")
    return {Format.TEXT: text, Format.OPENMETRICS: Block.of(lines.encode())}


def split_families(text: bytes) -> Iterator[FamilyText]:
    """Split a page in text 0.0.4 into its families; each starts with its HELP and its TYPE line."""
    for family in (b"\n" + text).split(b"\n" + _HELP)[1:]:
        described, typed, samples = (family.removesuffix(b"\n") + b"\n").split(b"\n", 2)
        name, _, help_text = described.decode().partition(" ")
        metric_type = typed.decode().rpartition(" ")[2]
        yield FamilyText(name, heads_of(name, metric_type, help_text), (Block.of(samples),) if samples else ())
