"""One reason against a cut-over, and what it says about a task."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from enum import StrEnum

from exporter.config import COLLECTOR_OF, NEEDS, Cutover
from exporter.model.cutover_input import CutoverInput

REQUIRED, IGNORED = "required", "ignore"


class Outcome(StrEnum):
    """What a reason says about a task. All but the first two are causes for which it was not checked."""

    __hash__ = str.__hash__  # that of an Enum is a function in Python

    BLOCKS = "blocks"
    FINE = "fine"
    UNKNOWN = "unknown"
    UNPUBLISHED = "unpublished"
    IGNORED = "ignored"

    @property
    def judged(self) -> bool:
        """True if the reason was checked."""
        return self in {Outcome.BLOCKS, Outcome.FINE}


CAUSES = (Outcome.UNKNOWN, Outcome.IGNORED, Outcome.UNPUBLISHED)
"""The causes, the most important for a reader first."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason against a cut-over.

    Args:
        name: the label `reason`.
        source: the name of the facts that it depends on.
        bad: returns whether it blocks; None if that is unknown.
        evidence: returns the value that it depends on: a text, a flag, names, a ratio, seconds with their limit, or
            the reachable endpoints; None if it is unknown.
        applies: returns whether it can apply to a task at all; without it, the reason applies to all.
        setting: the key of `cutover` that decides whether it blocks.
        of_parents: whether it applies to a parent that is no link itself; its subtasks have the others.
        blocks_unknown: whether an unknown value blocks where the setting is `required`.
    """

    name: str
    source: str
    bad: Callable[[CutoverInput], bool | None]
    evidence: Callable[[CutoverInput], object]
    _: KW_ONLY
    applies: Callable[[CutoverInput], bool] | None = None
    setting: str = ""
    of_parents: bool = False
    blocks_unknown: bool = True

    def outcome(self, case: CutoverInput) -> Outcome | None:
        """Return what the reason says about a task; None if it does not apply to it.

        A reason that was not checked of a living subtask was not checked of its parent either, unless it blocks.
        """
        own = self.own_outcome(case)
        if not case.living or (own is not None and own is not Outcome.FINE):
            return own
        causes = case.unchecked_subtasks(self.name)
        return next((cause for cause in CAUSES if cause in causes), own)

    def own_outcome(self, case: CutoverInput) -> Outcome | None:
        """Return what the reason says about a task without its subtasks; None if it does not apply to it."""
        if self.applies is not None and not self.applies(case):
            return None
        bad = self.bad(case)
        if bad is None and not self.of_parents and case.is_virtual_for(self.source):
            return None
        need = self._need(case.settings)
        if need == IGNORED:
            return Outcome.IGNORED
        unknown = bad is None or (not bad and self.source in case.old)
        if unknown and not (need == REQUIRED and self.blocks_unknown):
            return self._cause(case)
        return Outcome.BLOCKS if bad or unknown else Outcome.FINE

    def ignored(self, settings: Cutover) -> bool:
        """Return whether the settings exclude it from the verdict."""
        return self._need(settings) == IGNORED

    def _need(self, settings: Cutover) -> str:
        return getattr(settings, self.setting) if self.setting in NEEDS else ""

    def _cause(self, case: CutoverInput) -> Outcome:
        """Return why the value is unknown."""
        if self.source in case.disabled:
            return Outcome.IGNORED
        return Outcome.UNPUBLISHED if self.source in case.unpublished else Outcome.UNKNOWN

    @property
    def collector(self) -> str:
        """The collector of its source."""
        return COLLECTOR_OF[self.source]
