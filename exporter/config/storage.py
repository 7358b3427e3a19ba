"""The settings of the storage."""

from exporter.config.section import Section
from exporter.config.values import ByteSize, Directory, Keep


class StorageSettings(Section):
    """Where events, times and the history of waves are kept over a restart; without a path, in memory only."""

    path: Directory | None = None
    keep: Keep = 30 * 86_400.0
    max_size: ByteSize = 512_000_000
