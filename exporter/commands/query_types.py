"""Which details of a task `drs-exporter query` asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

STATUS = "status"
"""The only type that v3 is asked for: "Querying Task Statuses in Batches"."""
TYPES: Mapping[str, tuple[tuple[str, str], ...]] = {
    STATUS: (),
    "detail": (),
    "network": (),
    "precheck": (),
    "progress": (),
    "log": (("offset", "0"), ("limit", "100")),
    "compare": (("compare_type", "data_compare"), ("query_type", "list"), ("offset", "0"), ("limit", "100")),
    "file": (),
    "is_writable": (),
    "cloud_connection": (),
}
"""The status, and all of "Querying Task Details" (v5), table 2, with what they need beside the type."""
NEEDS_QUERY_ID = frozenset({"network", "precheck", "cloud_connection"})
"""The cloud hands the id out to who starts such a test, and keeps the result under it."""
