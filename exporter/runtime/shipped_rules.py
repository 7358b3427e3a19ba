"""The recording rules and alerts that ship inside the package."""

from __future__ import annotations

import re
from typing import Any

import yaml

from exporter.runtime.assets import asset_files

Rule = dict[str, Any]
Groups = list[dict[str, Any]]

_FILE = re.compile(r"prometheus/drs-[a-z-]+\.yml")
_Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def shipped_groups() -> Groups:
    """Return the groups of all shipped rules; raises OSError if the package is incomplete."""
    files = (path for name, path in asset_files().items() if _FILE.fullmatch(name))
    texts = [path.read_text(encoding="utf-8") for path in files]
    return [group for text in texts for group in yaml.load(text, _Loader)["groups"]]  # noqa: S506 - a SafeLoader
