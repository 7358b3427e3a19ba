"""Objects moved by type: `migration_object_progress_info` of v5 "Querying Task Details", tables 37 and 38."""

from __future__ import annotations

from exporter.cloud.wire.fields import NestedList, Number, Time, Wire, Word, alias
from exporter.model.facts import ObjectCount

_UNNAMED = "unknown"


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
        """Return the counts of each type; those without a name that can be read are one, of which no number is known.

        Else a type that failed would be no fact, and a verdict would see only those that did not.
        """
        overview = self.migration_object_overview
        counts = [ObjectCount(item.type, item.src_count, item.dst_count, item.status) for item in overview if item.type]
        if others := {item.status for item in overview if not item.type}:
            status = "FAILED" if "FAILED" in others else others.pop() if len(others) == 1 else None
            counts.append(ObjectCount(_UNNAMED, None, None, status))
        return tuple(counts)
