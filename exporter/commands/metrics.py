"""Print the catalogue of metrics as Markdown: name, type, labels, meaning.

Examples:
  drs-exporter metrics | less
  drs-exporter metrics | grep delay
"""

from __future__ import annotations

import argparse

from exporter.commands.options import add_log
from exporter.commands.outcome import Outcome
from exporter.docs.catalogue import catalogue_markdown

add_options = add_log


def run(_options: argparse.Namespace) -> Outcome:
    return Outcome(0, catalogue_markdown().removesuffix("\n"))
