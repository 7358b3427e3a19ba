"""Can we cut over? The reasons against it, as a table of functions of what is known of a task.

Ready means that nothing known blocks, not that it is safe.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from exporter.model import Phase

if TYPE_CHECKING:
    from collections.abc import Callable

    from exporter.config_schema import Cutover
    from exporter.model import Compared, Task

_PHASES = frozenset({Phase.FULL, Phase.INCREMENTAL, Phase.PAUSED, Phase.CHANGING, Phase.FAILED})
_ACTIONS = frozenset({"CONTINUE_APPLY", "CONTINUE_CAPTURE"})
_RUNNING = frozenset({"RUNNING", "WAITING_FOR_RUNNING", "FULL_DOING", "INCRE_DOING"})
_REQUIRED, _IGNORED = "required", "ignore"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the reasons look at."""

    task: Task
    stale: bool
    """The list or the progress of the task is older than three effective intervals."""
    subtasks_blocked: bool
    """Any subtask is blocked or unknown; only parents have some."""
    settings: Cutover

    @property
    def full_only(self) -> bool:
        """A task without an incremental phase."""
        return self.task.tasks is not None and self.task.tasks.task_type == "FULL_TRANS"

    @property
    def disaster_recovery(self) -> bool:
        """A DR pair."""
        return self.task.tasks is not None and self.task.tasks.disaster_recovery

    @property
    def parent(self) -> bool:
        """A virtual task, which has no facts of its own."""
        return self.task.tasks is not None and self.task.tasks.is_parent

    def limit(self, threshold: float | None) -> float:
        """The task's own threshold, else the setting; seconds."""
        return self.settings.max_delay if threshold is None else threshold


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason against a cut-over.

    Args:
        name: the label `reason`.
        applies: to which tasks it can apply at all.
        blocks: whether it speaks against a cut-over now.
        fact: what it looked at, for people.
        collector: whose facts those are.
    """

    name: str
    applies: Callable[[Facts], bool]
    blocks: Callable[[Facts], bool]
    fact: Callable[[Facts], str]
    collector: str


def _seconds(value: float | None, limit: float) -> str:
    return "unknown" if value is None else f"{value:g} s, limit {limit:g} s"


def _wrong_phase(facts: Facts) -> bool:
    listed = facts.task.tasks
    wanted = "FULL_TRANSFER_COMPLETE" if facts.full_only else "INCRE_TRANSFER_STARTED"
    return listed is None or listed.status != wanted


def _full_ratio(facts: Facts) -> float | None:
    return facts.task.progress.full_ratio if facts.task.progress else None


def _open_actions(facts: Facts) -> frozenset[str]:
    return facts.task.tasks.available_actions & _ACTIONS if facts.task.tasks else frozenset()


def _rpo(facts: Facts) -> float | None:
    return facts.task.recovery.rpo_seconds if facts.task.recovery else None


def _rto(facts: Facts) -> float | None:
    return facts.task.recovery.rto_seconds if facts.task.recovery else None


def _rpo_limit(facts: Facts) -> float:
    return facts.limit(facts.task.detail.rpo_threshold_seconds if facts.task.detail else None)


def _rto_limit(facts: Facts) -> float:
    return facts.limit(facts.task.detail.rto_threshold_seconds if facts.task.detail else None)


def _over(value: float | None, limit: float) -> bool:
    return value is not None and value > limit


def _sides(facts: Facts) -> tuple[bool | None, bool | None]:
    monitor = facts.task.monitor
    return (monitor.source_up, monitor.target_up) if monitor else (None, None)


def _missing_objects(facts: Facts) -> list[str] | None:
    """Object types of which the target lacks some; None where none is known to, and not all counts are known."""
    counts = facts.task.objects.counts if facts.task.objects else ()
    due = [(one.type, one.source, one.target) for one in counts if not one.at_end]
    missing = [kind for kind, source, target in due if source is not None and target is not None and target < source]
    unknown = not counts or any(None in sides for sides in due)
    return None if unknown and not missing else missing


def _compared(facts: Facts) -> tuple[Compared, ...]:
    """The newest comparison of each type."""
    return facts.task.comparison.types if facts.task.comparison else ()


def _unjudged(facts: Facts) -> bool:
    """Nothing was ever compared, or a newest comparison ended without a verdict."""
    return not _compared(facts) or any(
        one.consistent is None and one.status not in _RUNNING for one in _compared(facts)
    )


def _comparing(facts: Facts) -> bool:
    return any(one.status in _RUNNING for one in _compared(facts))


def _inconsistent(facts: Facts) -> bool:
    return any(one.consistent is False for one in _compared(facts))


def _statuses(facts: Facts) -> str:
    return ", ".join(one.status for one in _compared(facts)) or "none"


def _log_ends_in_error(facts: Facts) -> bool | None:
    newest = dict(facts.task.logs.newest) if facts.task.logs else {}
    return None if not newest else newest.get("error") == max(newest.values())


def _demanded(setting: str, bad: bool | None) -> bool:  # noqa: FBT001 - the fact that is judged
    """`required` blocks when unknown as well, `if_available` only when known bad."""
    return setting == _REQUIRED if bad is None else bad


def _single(facts: Facts) -> bool:
    return not facts.parent


def _delayed(facts: Facts) -> bool:
    return _single(facts) and not facts.full_only


def _recovering(facts: Facts) -> bool:
    return _single(facts) and facts.disaster_recovery


def _endpoints(facts: Facts) -> bool:
    return _single(facts) and facts.settings.endpoints != _IGNORED


def _objects(facts: Facts) -> bool:
    return _single(facts) and facts.settings.objects != _IGNORED


def _comparisons(facts: Facts) -> bool:
    return _single(facts) and facts.settings.comparison != _IGNORED


def _comparisons_required(facts: Facts) -> bool:
    return _single(facts) and facts.settings.comparison == _REQUIRED


def _logs(facts: Facts) -> bool:
    return _single(facts) and facts.settings.logs != _IGNORED


REASONS: tuple[Reason, ...] = (
    Reason(
        "phase",
        lambda _: True,
        _wrong_phase,
        lambda facts: facts.task.tasks.status if facts.task.tasks else "unknown",
        "tasks",
    ),
    Reason("stale", lambda _: True, lambda facts: facts.stale, lambda f: "too old" if f.stale else "fresh", "tasks"),
    Reason(
        "delay_unknown",
        _delayed,
        lambda facts: facts.task.delay_seconds is None,
        lambda facts: _seconds(facts.task.delay_seconds, facts.settings.max_delay),
        "progress",
    ),
    Reason(
        "delay_high",
        _delayed,
        lambda facts: _over(facts.task.delay_seconds, facts.settings.max_delay),
        lambda facts: _seconds(facts.task.delay_seconds, facts.settings.max_delay),
        "progress",
    ),
    Reason(
        "full_incomplete",
        lambda facts: (
            _single(facts) and facts.task.tasks is not None and facts.task.tasks.task_type == "FULL_INCR_TRANS"
        ),
        lambda facts: (ratio := _full_ratio(facts)) is not None and ratio < 1,
        lambda facts: "unknown" if (ratio := _full_ratio(facts)) is None else f"{ratio:.0%}",
        "progress",
    ),
    Reason(
        "action_needed",
        _single,
        lambda facts: bool(_open_actions(facts)),
        lambda facts: ", ".join(sorted(_open_actions(facts))) or "none",
        "tasks",
    ),
    Reason(
        "subtask",
        lambda facts: facts.parent,
        lambda facts: facts.subtasks_blocked,
        lambda facts: "a subtask is blocked or unknown" if facts.subtasks_blocked else "all subtasks are ready",
        "tasks",
    ),
    Reason(
        "switching",
        _recovering,
        lambda facts: facts.task.switching is True,
        lambda facts: {True: "yes", False: "no", None: "unknown"}[facts.task.switching],
        "detail",
    ),
    Reason(
        "rpo_unknown",
        _recovering,
        lambda facts: _rpo(facts) is None,
        lambda facts: _seconds(_rpo(facts), _rpo_limit(facts)),
        "recovery",
    ),
    Reason(
        "rpo_high",
        _recovering,
        lambda facts: _over(_rpo(facts), _rpo_limit(facts)),
        lambda facts: _seconds(_rpo(facts), _rpo_limit(facts)),
        "recovery",
    ),
    Reason(
        "rto_unknown",
        _recovering,
        lambda facts: _rto(facts) is None,
        lambda facts: _seconds(_rto(facts), _rto_limit(facts)),
        "recovery",
    ),
    Reason(
        "rto_high",
        _recovering,
        lambda facts: _over(_rto(facts), _rto_limit(facts)),
        lambda facts: _seconds(_rto(facts), _rto_limit(facts)),
        "recovery",
    ),
    Reason(
        "side_down",
        _endpoints,
        lambda facts: _demanded(
            facts.settings.endpoints, True if False in _sides(facts) else None if None in _sides(facts) else False
        ),
        lambda facts: "source {}, target {}".format(
            *({True: "up", False: "down", None: "unknown"}[side] for side in _sides(facts))
        ),
        "node",
    ),
    Reason(
        "objects_missing",
        _objects,
        lambda facts: _demanded(
            facts.settings.objects, None if (missing := _missing_objects(facts)) is None else bool(missing)
        ),
        lambda facts: "unknown" if (missing := _missing_objects(facts)) is None else ", ".join(missing) or "none",
        "objects",
    ),
    Reason(
        "comparison_missing",
        _comparisons_required,
        _unjudged,
        _statuses,
        "comparison",
    ),
    Reason(
        "comparison_running",
        _comparisons_required,
        _comparing,
        _statuses,
        "comparison",
    ),
    Reason(
        "comparison_inconsistent",
        _comparisons,
        _inconsistent,
        lambda facts: "inconsistent" if _inconsistent(facts) else "nothing inconsistent known",
        "comparison",
    ),
    Reason(
        "log_error",
        _logs,
        lambda facts: _demanded(facts.settings.logs, _log_ends_in_error(facts)),
        lambda facts: {True: "the newest entry is an error", False: "no error at its end", None: "unknown"}[
            _log_ends_in_error(facts)
        ],
        "logs",
    ),
)


def standby(task: Task | None) -> bool:
    """Whether this is the standby of a primary/standby pair; lists tell it through v5 only, details everywhere."""
    listed, detail = (task.tasks, task.detail) if task is not None else (None, None)
    return "slave" in {listed.role if listed else None, detail.node_role if detail else None}


def concerned(task: Task) -> bool:
    """Whether a task can be cut over at all by its kind and phase; subtasks are judged, but shown by their parent."""
    listed = task.tasks
    return (
        listed is not None
        and listed.phase in _PHASES
        and not standby(task)
        and not listed.multi_write
        and not (task.detail and task.detail.multi_write)
    )


def blockers(facts: Facts) -> tuple[tuple[str, bool], ...]:
    """Each reason that applies to the task, and whether it blocks."""
    return tuple((reason.name, reason.blocks(facts)) for reason in REASONS if reason.applies(facts))
