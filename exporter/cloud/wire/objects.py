"""Objects moved by type: `migration_object_progress_info` of v5 "Querying Task Details", tables 37 and 38."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exporter.cloud.wire.fields import Items, Number, Time, Wire, Word
from exporter.model.facts import ObjectCount, Objects

if TYPE_CHECKING:
    from exporter.cloud.wire.fields import DecodeErrors

_AT_END = "TRANSFER_WHEN_END"


class Overview(Wire):
    """An item of `migration_object_overview`; counts are strings."""

    type: Word = None
    src_count: Number = None
    dst_count: Number = None
    status: Word = None


class ObjectProgress(Wire):
    """The block."""

    full_complete_time: Time = None
    migration_object_overview: Items = None

    def part(self, errors: DecodeErrors) -> Objects:
        """The neutral part."""
        return Objects(
            tuple(
                ObjectCount(one.type, one.src_count, one.dst_count, at_end=one.status == _AT_END)
                for one in Overview.read_all(self.migration_object_overview, errors)
                if one.type
            ),
            full_completed_at=self.full_complete_time,
        )
