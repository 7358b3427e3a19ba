"""`drs-exporter` with a ready page: `python -m tests.bench.ready TASKS ARGUMENTS...` polls nothing."""

from __future__ import annotations

import asyncio
import sys

from exporter.commands import main as cli
from exporter.daemon.exporter import Exporter
from tests.bench.fleet import Fleet


def main() -> int:
    """Run it to its end, which is a signal."""
    tasks, *arguments = sys.argv[1:]

    async def run(self: Exporter) -> None:
        self.exposition = Fleet(int(tasks)).exposition
        await self.exposition.publish()
        await asyncio.Event().wait()

    Exporter.run = run  # type: ignore[method-assign]
    return cli.main(arguments)


if __name__ == "__main__":
    sys.exit(main())
