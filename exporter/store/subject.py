"""A task with all that its explanation needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exporter.config import TASKS
from exporter.model import cutover
from exporter.model.subject import Subject

if TYPE_CHECKING:
    from exporter.model.task import Task
    from exporter.store.store import Store


def subject_of(store: Store, task: Task, parent: Task | None, now: float) -> Subject:
    """A task of a store, with what is needed to explain it."""
    seen = store.last_seen(task.identity.task_id)
    collected = dict(task.collected)
    listed = {TASKS: now - max(at for _, at in seen)} if seen else {}
    ages = {**listed, **{name: now - at for name, at in collected.items()}}
    apis = frozenset(api for api, _ in seen)
    if not all(cutover.can_be_cut_over(each) for each in (task, parent) if each is not None):
        return Subject(task, parent, apis, ages, None)
    verdicts = dict(task.blockers or ())
    late = max((at + store.ages.late_after(api) for api, at in seen), default=now) < now or (
        "progress" in collected and collected["progress"] + store.ages.late_after("progress") < now
    )
    stale, subtask = verdicts.get("stale", late), verdicts.get("subtask", False)
    return Subject(task, parent, apis, ages, cutover.CutoverInput(task, stale, subtask, store.context.account.cutover))
