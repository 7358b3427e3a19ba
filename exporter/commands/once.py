"""Poll everything once and print the metrics, for a first look and for scripts.

Examples:
  drs-exporter once --config.file=config.yaml | grep drs_up
  drs-exporter once --cloud=huaweicloud --region=cn-north-4
  drs-exporter once --demo

Exit codes: 0 fine, 1 any project failed, 2 bad usage or configuration.
"""

from __future__ import annotations

import argparse
import sys

import httpx

from exporter.commands.options import Parser, add_cloud, cloud_of
from exporter.commands.outcome import Outcome
from exporter.commands.output import writing_output
from exporter.config import Config
from exporter.daemon.exporter import Exporter
from exporter.runtime import interrupts


def add_options(parser: Parser) -> None:
    add_cloud(parser, log_level="info")


def run(options: argparse.Namespace) -> Outcome:
    return interrupts.run(once(*cloud_of(options)))


async def once(config: Config, transport: httpx.AsyncBaseTransport | None = None) -> Outcome:
    """Write the page of metrics to standard output, block by block: it may be large."""
    async with Exporter(config, transport=transport) as exporter:
        success = await exporter.poll_once()
        with writing_output():
            for block in exporter.exposition.page.plain():
                sys.stdout.buffer.write(block)
    return Outcome(0 if success else 1)
