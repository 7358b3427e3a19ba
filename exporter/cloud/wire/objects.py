"""Objects moved by type: `migration_object_progress_info` of v5 "Querying Task Details", tables 37 and 38."""

from __future__ import annotations

from exporter.cloud.wire.fields import NestedList, Number, Time, Wire, Word, alias
from exporter.model.facts import ObjectCount


class ObjectCountWire(Wire):
    """An item of `migration_object_overview`; counts are strings."""

    type: Word = None
    src_count: Number = None
    dst_count: Number = None
    status: Word = None


class ObjectsWire(Wire):
    """The block."""

    started_at: Time = alias("full_start_time")
    incremental_started_at: Time = alias("incr_start_time")
    full_completed_at: Time = alias("full_complete_time")
    migration_object_overview: NestedList[ObjectCountWire] = ()

    def counts(self) -> tuple[ObjectCount, ...]:
        """Return the counts of each type that has a name."""
        return tuple(
            ObjectCount(item.type, item.src_count, item.dst_count, item.status)
            for item in self.migration_object_overview
            if item.type
        )
