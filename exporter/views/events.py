"""An event as a sentence, and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from exporter.model.cutover_words import ADVICE
from exporter.model.events import NO_PROJECT, Event, Kind
from exporter.runtime.escape import printable
from exporter.views.cutover import subjects
from exporter.views.text import duration, listing, plural, project_text

_SENTENCES: Mapping[Kind, str] = {
    Kind.APPEARED: "{subject} is new, in phase {phase}.",
    Kind.REMOVED: "{subject} was removed: the cloud does not list it any more.",
    Kind.RENAMED: "{subject} has a new name; it was {name_before} before.",
    Kind.PHASE_CHANGED: "{subject} changed from phase {phase_before} to {phase}{unobserved}.",
    Kind.FAILED: "{subject} failed{error_code}{unobserved}; it was in phase {phase_before} before.",
    Kind.ERROR_CODE: "{subject} failed{error_code}.",
    Kind.ENDED: "{subject} ended{unobserved}; it was in phase {phase_before} before.",
    Kind.READY: "{subject} became ready for the cut-over{unchecked}.",
    Kind.NOT_READY: "{subject} is no longer ready for the cut-over{unobserved}. {reasons}",
    Kind.COMPARED: "A comparison of {subject} finished ({type}): {result}.",
    Kind.SWITCHOVER_BEGAN: "A switchover of {subject} began{direction}.",
    Kind.SWITCHOVER_ENDED: "A switchover of {subject} ended{direction}.",
    Kind.TASKS_STALE: "{subject} has data that is too old: {tasks} lost the verdict ready.",
    Kind.TASKS_FRESH: "{subject} has fresh data again: {tasks} regained the verdict ready.",
    Kind.PROJECT_UNREADABLE: "{subject} became unreadable: every task list fails ({error}).",
    Kind.PROJECT_READABLE: "{subject} is readable again.",
    Kind.WAVE_READY: "{subject} is ready for the cut-over: {states}.",
    Kind.WAVE_NOT_READY: "{subject} is no longer ready for the cut-over: {states}.",
    Kind.RESTARTED: "The exporter runs again. It has no record of {subject} for the {seconds} before.",
    Kind.MUTED: "{subject} changes too often: its further events are left out for {seconds}.",
    Kind.LEFT_OUT: "The list of events lacks {events} of {tasks} of {subject} with too many changes.",
}
_OPTIONAL = ("error_code", "unchecked", "direction", "unobserved")
_WORDS: Mapping[str, Callable[[str], str]] = {
    "error_code": " with error code {}".format,
    "direction": ", direction {}".format,
    "unobserved": lambda _: ", which was found after a restart",
    "unchecked": lambda names: f"; not checked: {listing(subjects(names.split(',')))}",
    "reasons": lambda names: " ".join(_meaning(name) for name in names.split(",")),
    "result": {
        "equal": "all is equal",
        "inconsistent": "it found a difference",
        "failed": "it ended without a result",
    }.__getitem__,
    "tasks": lambda count: plural(int(count), "task"),
    "events": lambda count: plural(int(count), "event"),
    "seconds": lambda seconds: duration(float(seconds)),
}
"""How a sentence contains a detail; the others are contained as they are."""


def _meaning(name: str) -> str:
    """Return a reason as a sentence; one of another version, which has stored the event, by its name."""
    return f"{name}: {ADVICE[name].means}" if name in ADVICE else f"{name}."


def sentence(event: Event) -> str:
    """Return an event as a sentence, which names the task or the project."""
    details = {name: _WORDS.get(name, str)(value) for name, value in event.detail.items()}
    values = {**dict.fromkeys(_OPTIONAL, ""), **details, "subject": _subject(event)}
    text = printable(_SENTENCES[event.kind].format_map(values))
    return text[0].upper() + text[1:]


def event_json(event: Event) -> dict[str, Any]:
    """Return an event with its details, which depend on the kind. The event of a wave has no project."""
    document = event._asdict()
    detail = document.pop("detail")
    if event.wave is not None:
        document |= dict.fromkeys(NO_PROJECT._fields)
    return {"at_timestamp_seconds": document.pop("at"), **document, **detail}


def _subject(event: Event) -> str:
    if event.wave is not None:
        return f"wave {event.wave}"
    if event.task_id is None:
        return f"project {project_text(event)}"
    parent = event.detail.get("parent_name")
    return f"task {event.task_name}" if parent is None else f"subtask {event.task_name} of {parent}"
