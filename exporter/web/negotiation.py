"""What a client takes: the format of a page by Accept, its compression by Accept-Encoding."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exporter.metrics.page import Format

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_VERSIONS: Mapping[Format, tuple[str, str]] = {
    Format.TEXT: ("text/plain", "0.0.4"),
    Format.OPENMETRICS: ("application/openmetrics-text", "1.0.0"),
}
"""Media type and version of each format. The first is for clients that like both equally, or neither."""


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether an Accept-Encoding header allows gzip; by name if it has it, else by the asterisk."""
    allowed = {coding: quality > 0 for coding, quality, _ in _items(accept_encoding)}
    return allowed.get("gzip", allowed.get("*", False))


def wanted_format(accept: str) -> Format:
    """The format that an Accept header likes best; of two that it likes alike, the one that it names.

    A client that takes neither gets text: what it cannot read tells its user more than an empty refusal.
    """
    ranges = list(_items(accept))
    return max(_VERSIONS, key=lambda form: _liking(*_VERSIONS[form], ranges))


def _liking(media_type: str, version: str, ranges: list[tuple[str, float, Mapping[str, str]]]) -> tuple[float, int]:
    """Quality, and how exactly the format is named by the range that decides: the most exact one."""
    patterns = ("*/*", media_type.partition("/")[0] + "/*", media_type)
    found = [
        (patterns.index(name) + ("version" in parameters), quality)
        for name, quality, parameters in ranges
        if name in patterns and parameters.get("version", version) == version
    ]
    exactness, quality = max(found, default=(0, 0.0))
    return quality, exactness if quality else 0


def _items(header: str) -> Iterator[tuple[str, float, Mapping[str, str]]]:
    """What a header lists: name, quality, parameters. A quality that is no number counts as 0."""
    for item in header.lower().split(","):
        name, *rest = (part.strip() for part in item.split(";"))
        pairs = (part.partition("=") for part in rest)
        parameters = {key.strip(): value.strip().strip('"') for key, _, value in pairs}
        yield name, _number(parameters.pop("q", "1")), parameters


def _number(text: str) -> float:
    try:
        return max(0.0, min(1.0, float(text)))
    except ValueError:
        return 0.0
