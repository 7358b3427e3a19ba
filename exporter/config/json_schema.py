"""What JSON Schema accepts for the values that this package parses itself, for `drs-exporter schema`.

Each is an annotation beside the parser of its type. It accepts whatever the parser accepts, and its patterns are such
that Python, JavaScript and Go read them alike. Rules across keys, files and regular expressions are left to the parser.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import WithJsonSchema

_DURATION = "^([0-9]{1,12}d)?([0-9]{1,12}h)?([0-9]{1,12}m)?([0-9]{1,12}s)?([0-9]{1,12}ms)?$"
_ZERO = "^(0+(d|h|m|s|ms))*$"
_HTTP = "[hH][tT][tT][pP]://"
_HTTPS = "[hH][tT][tT][pP][sS]://"
_HOST = "[^/?#@]+"
_LOCAL = r"([lL][oO][cC][aA][lL][hH][oO][sS][tT]|[0-9][^/?#@:]*|\[[0:]*:0*1\])(:[0-9]+)?"
"""Hosts that the parser accepts without TLS; it also checks the address."""


def shown(schema: Mapping[str, object]) -> WithJsonSchema:
    """Return an annotation that puts a schema in place of the one that pydantic derives."""
    return WithJsonSchema(dict(schema))


def matching(pattern: str) -> WithJsonSchema:
    """Return the schema of a text that matches a pattern from its beginning to its end."""
    return shown({"type": "string", "pattern": f"^({pattern})$"})


def duration(longest: float, *, least: float = 0, zero: bool = False) -> WithJsonSchema:
    """Return the schema of a duration: text with units, or a number of seconds.

    Args:
        longest: seconds that a number may be.
        least: seconds that a number has to be.
        zero: whether zero is accepted.
    """
    limit = "minimum" if least or zero else "exclusiveMinimum"
    written: dict[str, object] = {"type": "string", "pattern": _DURATION, "minLength": 2}
    if not zero:
        written["not"] = {"pattern": _ZERO}
    return shown({"anyOf": [written, {"type": "number", limit: least, "maximum": longest}]})


def size(least: int, most: int) -> WithJsonSchema:
    """Return the schema of a size: text with a unit, or a number of bytes within these limits."""
    written = {"type": "string", "pattern": "^[0-9]{1,12}(MB|GB|MiB|GiB)$"}
    return shown({"anyOf": [written, {"type": "integer", "minimum": least, "maximum": most}]})


PATH = shown({"type": "string", "minLength": 1})
REGEX = shown({"type": "string"})
MOMENT = matching("[0-9].{9,}(Z|[+-][0-9]{2}(:?[0-9]{2}(:?[0-9]{2}([.,][0-9]+)?)?)?)")
ORIGIN = matching(f"({_HTTP}|{_HTTPS}){_HOST}/?")
ENDPOINT = matching(f"({_HTTP}{_LOCAL}|{_HTTPS}{_HOST})/?")
IAM_ENDPOINT = matching(f"({_HTTP}{_LOCAL}|{_HTTPS}{_HOST})/?(v3/?)?")
BASE_URL = matching(f"({_HTTP}|{_HTTPS}){_HOST}(/[^?#@]*)?")
