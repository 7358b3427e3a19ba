"""Pages of families: what goes in comes out, plain and as one gzip member, in both formats."""

from __future__ import annotations

import gzip
import struct
import zlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.metrics.page import Block, FamilyText, Format, Page, heads_of, split_families, unit_of

if TYPE_CHECKING:
    from collections.abc import Sequence

FORMATS = pytest.mark.parametrize("form", Format)
TAIL = (
    b"# HELP own_total Ours.\n# TYPE own_total counter\nown_total 1\n# HELP their_info Too.\n# TYPE their_info gauge\n"
)


def unpacked(blocks: Sequence[bytes]) -> bytes:
    """Decompress the first gzip member only, as Chromium, curl and httpx do."""
    body = b"".join(blocks)
    reader = zlib.decompressobj(wbits=31)
    text = reader.decompress(body)
    assert reader.eof
    assert reader.unused_data == b""
    assert gzip.decompress(body) == text
    assert struct.unpack("<II", body[-8:]) == (zlib.crc32(text), len(text))
    return text


def page_of(*texts: bytes) -> Page:
    """A page with a family of each text, in two blocks."""
    return Page(
        [
            FamilyText(f"f{number}", heads_of(f"f{number}", "gauge", ""), (Block.of(text[:7]), Block.of(text[7:])))
            for number, text in enumerate(texts)
        ]
    )


@FORMATS
@given(st.lists(st.binary(max_size=500), max_size=6), st.frozensets(st.integers(0, 5)))
def test_gzip_is_one_member_and_equal_to_the_plain_text(
    form: Format, texts: list[bytes], chosen: frozenset[int]
) -> None:
    page = page_of(*texts)
    names = frozenset(f"f{number}" for number in chosen)
    families = [b"# HELP f%d \n# TYPE f%d gauge\n%b" % (number, number, text) for number, text in enumerate(texts)]
    end = b"# EOF\n" if form is Format.OPENMETRICS else b""
    assert unpacked(page.gzip(form=form)) == b"".join(page.plain(form=form)) == b"".join(families) + end
    kept = b"".join(family for number, family in enumerate(families) if number in chosen)
    assert unpacked(page.gzip(names, form)) == b"".join(page.plain(names, form)) == kept + end
    assert page.size(names, form) == len(kept + end)


def test_gzip_of_large_families() -> None:
    texts = [bytes([letter]) * 3_000_000 + letter.to_bytes(4, "big") * 70_000 for letter in b"abc"]
    page = page_of(*texts)
    assert unpacked(page.gzip()) == b"".join(page.plain())
    assert sum(map(len, page.gzip())) < 200_000


def test_gzip_of_nothing() -> None:
    assert unpacked(Page().gzip()) == b""
    assert unpacked(Page().gzip(form=Format.OPENMETRICS)) == b"# EOF\n"
    assert unpacked(page_of(b"text").gzip(frozenset({"unknown"}))) == b""


def test_the_gzip_member_of_a_page_is_joined_once_for_each_format() -> None:
    page = page_of(b"text")
    assert page.gzip() is page.gzip()
    assert page.gzip(form=Format.OPENMETRICS) is page.gzip(form=Format.OPENMETRICS)
    assert page.gzip() != page.gzip(form=Format.OPENMETRICS)


@pytest.mark.parametrize(
    ("name", "kind", "help_text", "openmetrics"),
    [
        ("f", "gauge", "a \\\\ \\n", None),
        ("f_total", "gauge", "a \\\\ \\n", None),
        ("f_info", "histogram", "a", None),
        ("f_total", "counter", "a \\\\ \\n", "# HELP f a \\\\ \\n\n# TYPE f counter\n"),
        ("f", "gauge", 'say "hi"', '# HELP f say \\"hi\\"\n# TYPE f gauge\n'),
        ("f_info", "gauge", "a", "# HELP f a\n# TYPE f info\n"),
        ("f_seconds_info", "gauge", "a", "# HELP f_seconds a\n# TYPE f_seconds info\n"),
        ("f_seconds", "gauge", "a", "# HELP f_seconds a\n# TYPE f_seconds gauge\n# UNIT f_seconds seconds\n"),
        ("f_bytes_total", "counter", "a", "# HELP f_bytes a\n# TYPE f_bytes counter\n# UNIT f_bytes bytes\n"),
        ("f_seconds", "histogram", "a", "# HELP f_seconds a\n# TYPE f_seconds histogram\n# UNIT f_seconds seconds\n"),
    ],
)
def test_heads_of_openmetrics_differ_for_counters_infos_units_and_quotes(
    name: str, kind: str, help_text: str, openmetrics: str | None
) -> None:
    heads, text = heads_of(name, kind, help_text), f"# HELP {name} {help_text}\n# TYPE {name} {kind}\n"
    assert heads[Format.TEXT].text.decode() == text
    assert heads[Format.OPENMETRICS].text.decode() == (openmetrics or text)
    assert (heads[Format.TEXT] is heads[Format.OPENMETRICS]) is (openmetrics is None)


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("drs_task_rpo_seconds", "seconds"),
        ("drs_up_timestamp_seconds", "seconds"),
        ("process_cpu_seconds_total", "seconds"),
        ("drs_node_disk_size_bytes", "bytes"),
        ("drs_node_cpu_usage_ratio", "ratio"),
        ("drs_comparison_different_rows", "rows"),
        ("drs_node_disk_read_bytes_per_second", "bytes_per_second"),
        ("drs_exporter_api_rate_limit_calls_per_second", "calls_per_second"),
        ("drs_tasks", ""),
        ("drs_throws", ""),
        ("drs_exporter_api_retries_total", ""),
        ("drs_seconds_left", ""),
    ],
)
def test_the_unit_is_the_end_of_the_name(name: str, unit: str) -> None:
    assert unit_of(name) == unit


def test_a_page_in_text_is_split_into_families() -> None:
    counter, info = split_families(TAIL)
    assert (counter.name, [block.text for block in counter.samples]) == ("own_total", [b"own_total 1\n"])
    assert counter.heads[Format.TEXT].text == b"# HELP own_total Ours.\n# TYPE own_total counter\n"
    assert counter.heads[Format.OPENMETRICS].text == b"# HELP own Ours.\n# TYPE own counter\n"
    assert (info.name, info.samples) == ("their_info", ())
    assert info.heads[Format.OPENMETRICS].text == b"# HELP their Too.\n# TYPE their info\n"
    assert b"".join(Page([counter, info]).plain()) == TAIL
    assert list(split_families(b"")) == []


@FORMATS
@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("own_total", 3),
        ("own", 3),
        ("their_info", 2),
        ("their", 2),
        ("their_info_total", 0),
        ("own_info", 0),
        ("own_", 0),
    ],
)
def test_a_counter_and_an_info_are_found_by_both_of_their_names(form: Format, name: str, lines: int) -> None:
    page = Page(list(split_families(TAIL)))
    end = form is Format.OPENMETRICS
    assert len(b"".join(page.plain(frozenset({name}), form)).splitlines()) == lines + end
