"""The imports of programs that tests run as text, so that no text names a module of the exporter."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType


def imports(*things: Callable[..., object] | ModuleType) -> str:
    """The lines that import these modules, functions and classes under their own names."""
    return "".join(
        f"from {thing.__name__.rpartition('.')[0]} import {thing.__name__.rpartition('.')[2]}\n"
        if isinstance(thing, ModuleType)
        else f"from {thing.__module__} import {thing.__name__}\n"
        for thing in things
    )
