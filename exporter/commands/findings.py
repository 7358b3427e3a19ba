"""The findings of `check`: lines of its output."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from exporter.runtime.terminal import Screen
from exporter.views.errors import Advice, Level

_ENGINE = re.compile(r"[A-Za-z0-9_-]{1,60}")
CONFIGURATION = "configuration"
"""Where findings about the file are."""
_STYLES = {Level.OK: "good", Level.WARN: "warn", Level.FAIL: "bad"}


class Finding(NamedTuple):
    """A line of the output of `check`."""

    level: Level
    where: str
    what: str
    remedy: str = ""

    def line(self, width: int, screen: Screen = Screen()) -> str:  # noqa: B008 - it is frozen
        """Format the finding; `where` is padded to `width`."""
        level = screen.paint(f"{self.level:4}", _STYLES[self.level])
        return f"{level}  {self.where:{width}}  {self.what}" + (f": {self.remedy}" if self.remedy else "")


def summary(levels: Mapping[Level, int]) -> Finding:
    """Return the last line, from the number of findings of each level."""
    counts = ", ".join(f"{levels.get(level, 0)} {level}" for level in reversed(Level))
    worst = next(level for level in reversed(Level) if levels.get(level))
    return Finding(worst, "summary", f"{counts}; exit code {exit_code(levels)}")


def exit_code(levels: Mapping[Level, int]) -> int:
    """Return the exit code of `check`."""
    return 1 if levels.get(Level.FAIL) else 0


def describe_missing_collector(name: str, pin: str, *, required: bool) -> Advice:
    """Describe a collector that has no published operation; `pin` is the setting `api`."""
    here = "here" if pin == "auto" else f"here with api: {pin}"
    if required:
        return Advice(Level.WARN, f"{name} is not available {here}, but cutover requires it", "set if_available there")
    unused = f"set collectors.{name}.enabled: false if they are not needed"
    remedy = unused if pin == "auto" else f"api: auto may have them; {unused}"
    return Advice(Level.WARN, f"{name} is not available {here}, its metrics are missing", remedy)


def engines(counts: Mapping[str | None, int]) -> str:
    """Count tasks by engine, the most frequent first."""
    named: dict[str, int] = {}
    for engine, count in counts.items():
        name = engine if engine and _ENGINE.fullmatch(engine) else "other"
        named[name] = named.get(name, 0) + count
    return ", ".join(f"{name} {count}" for name, count in sorted(named.items(), key=lambda pair: (-pair[1], pair[0])))
