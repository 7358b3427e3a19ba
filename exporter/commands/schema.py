"""Print the JSON Schema of the configuration, for editors and CI.

Examples:
  drs-exporter schema > config.schema.json
          beside config.yaml, whose first line is then
          # yaml-language-server: $schema=config.schema.json
  check-jsonschema --schemafile=config.schema.json config.yaml

The schema finds unknown keys and wrong types. Rules across keys are left to
drs-exporter check --offline.
"""

from __future__ import annotations

import argparse
import json

from exporter.commands.options import add_log
from exporter.commands.outcome import Outcome, unusable
from exporter.docs.config_schema import config_schema
from exporter.runtime.assets import config_example

add_options = add_log


def run(_options: argparse.Namespace) -> Outcome:
    try:
        return Outcome(0, schema_text())
    except OSError as error:
        return unusable(error)


def schema_text() -> str:
    """Return the schema as JSON, without a line break at the end; raises OSError if the package is incomplete."""
    return json.dumps(config_schema(config_example()), indent=2)
