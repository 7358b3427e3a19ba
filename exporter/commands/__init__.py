"""The commands, a file each, and the table that names them.

The docstring of a command's module is its help. Its function `add_options` declares the options, and `run` returns the
`Outcome`. The module is imported when its command runs: most of them need half a second for that.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

COMMANDS: Mapping[str, str] = {
    "run": "poll and serve",
    "demo": "poll and serve a simulated cloud",
    "once": "poll everything once and print the metrics",
    "tasks": "print a table of all tasks",
    "explain": "print whether a task can be cut over, and all its facts",
    "wait": "wait until tasks are ready, caught up, loaded or ended",
    "report": "write a report of a wave: what happened to each task, when",
    "check": "validate the configuration, then query the cloud",
    "query": "print the status of a task, or details by their type",
    "rules": "print recording rules and alerts for your Prometheus",
    "dashboards": "write dashboards for your Grafana",
    "assets": "write rules, dashboards, runbooks and examples into a directory",
    "schema": "print the JSON Schema of the configuration",
    "metrics": "print the catalogue of metrics",
    "completion": "print a script for your shell",
}
"""By name, what the list of commands says about each; the name is also the name of its module."""


def module_of(command: str) -> ModuleType:
    """Import the module of a command."""
    return import_module(f"exporter.commands.{command}")
