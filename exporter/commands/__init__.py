"""The commands, a file each, and the table that names them.

The module of a command has ABOUT and EXAMPLES for its help, `add_options`, which declares its options, and `run`, which
returns its `Outcome`. It is imported when its command runs: most of them need half a second for that.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

COMMANDS: Mapping[str, str] = {
    "run": "poll and serve",
    "demo": "the same against a simulated cloud",
    "once": "poll everything once and print the metrics",
    "tasks": "a table of all tasks",
    "explain": "one task: can it be cut over, and all facts",
    "check": "validate the configuration, then query the cloud",
    "query": "the status of one task, or details by their type",
    "metrics": "print the catalogue of metrics",
    "completion": "print a script for your shell",
}
"""By name, what the list of commands says about each; the name is also the name of its module."""


def module_of(command: str) -> ModuleType:
    """Import the module of a command."""
    return import_module(f"exporter.commands.{command}")
