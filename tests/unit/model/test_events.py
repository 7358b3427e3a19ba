"""The log of events: its order, its bounds, and the search in it."""

from __future__ import annotations

from typing import Any

import pytest

from exporter.model import events
from exporter.model.events import Event, EventLog, Kind
from exporter.model.task import ProjectKey
from exporter.runtime.clock import Clock
from tests.lib.virtual_time import EPOCH

SHOP, BANK = ProjectKey("acme", "r1", "shop"), ProjectKey("acme", "r1", "bank")


class Watch:
    """A clock that a test advances and sets."""

    def __init__(self) -> None:
        self.elapsed = self.step = 0.0
        self.clock = Clock(lambda: EPOCH + self.elapsed + self.step, lambda: self.elapsed)
        self.log = EventLog(self.clock)

    def add(
        self, at: float, key: ProjectKey = SHOP, kind: Kind = Kind.READY, name: str = "one", **detail: Any
    ) -> Event:
        self.elapsed = at
        return self.log.add(key, kind, (f"id of {name}", name), **detail)


def names(found: list[Event]) -> list[str | None]:
    return [event.task_name for event in found]


def test_events_are_found_newest_first_also_those_of_one_moment() -> None:
    watch = Watch()
    for at, key, name in ((1, SHOP, "a"), (1, BANK, "b"), (1, SHOP, "c"), (2, BANK, "d")):
        watch.add(at, key, name=name)
    assert names(watch.log.find()) == ["d", "c", "b", "a"]
    assert names(watch.log.find(EPOCH + 2)) == ["d"]
    assert not watch.log.find(EPOCH + 2.5)


def test_an_added_event_is_returned_as_it_is_found() -> None:
    watch = Watch()
    event = watch.add(5, kind=Kind.PHASE_CHANGED, phase_before="full", phase="incremental")
    assert [event] == watch.log.find()
    assert event[:-1] == (EPOCH + 5, "phase_changed", *SHOP, "id of one", "one")
    assert event.detail == {"phase_before": "full", "phase": "incremental"}


def test_a_step_of_the_clock_moves_all_events_and_the_start() -> None:
    watch = Watch()
    watch.add(5)
    watch.step = 100.0
    watch.clock.update_step()
    assert (watch.log.since(), watch.log.find()[0].at) == (EPOCH + 100, EPOCH + 105)


def test_a_task_is_found_by_its_id_its_name_and_its_former_name_and_as_a_parent() -> None:
    watch = Watch()
    watch.add(1, name="old")
    watch.log.add(SHOP, Kind.RENAMED, ("id of old", "new"), name_before="old")
    watch.log.add(SHOP, Kind.FAILED, ("id of part", "part"), phase_before="full", parent_id="id of old")
    watch.add(2, name="other")
    for text in ("id of old", "old", "new"):
        assert names(watch.log.find(task_id=text)) == ["part", "new", "old"]
    assert names(watch.log.find(task_id="part")) == ["part"]
    assert names(watch.log.find(EPOCH + 2, "old")) == []
    assert not watch.log.find(task_id="")


def test_a_noisy_project_does_not_displace_the_events_of_others() -> None:
    watch = Watch()
    watch.add(0, BANK, name="quiet")
    for number in range(3 * events.MOST_OF_PROJECT):
        watch.add(number, name=str(number))
    assert len(watch.log) == events.MOST_OF_PROJECT + 1
    assert names(watch.log.find(task_id="quiet")) == ["quiet"]
    assert watch.log.find()[0].task_name == str(3 * events.MOST_OF_PROJECT - 1)
    assert watch.log.find()[-2].at == EPOCH + 2 * events.MOST_OF_PROJECT
    assert watch.log.since(SHOP) == watch.log.since() == EPOCH + 2 * events.MOST_OF_PROJECT - 1
    assert watch.log.since(BANK) == EPOCH


def test_many_projects_stay_within_the_bound_of_the_process_and_each_keeps_its_newest_events() -> None:
    watch = Watch()
    keys = [ProjectKey("acme", "r1", str(number)) for number in range(50)]
    for number in range(200):
        for key in keys:
            watch.add(number, key, name=f"{key.project} {number}")
    assert len(watch.log) == events.MOST_EVENTS
    assert watch.log.since() == EPOCH + 99
    for key in keys:
        assert watch.log.since(key) == EPOCH + 99
        assert watch.log.find(task_id=f"{key.project} 199")
        assert watch.log.find(task_id=f"{key.project} 101")


def test_restored_events_come_before_all_others_and_are_not_stored_again() -> None:
    first, stored = Watch(), list[Event]()
    first.add(-100.0, name="a")
    first.add(-50.0, BANK, name="b")
    earlier = first.log.find()[::-1]
    watch = Watch()
    watch.log = EventLog(watch.clock, stored.append)
    watch.log.restore(earlier)
    assert watch.log.since() == EPOCH - 100
    added = watch.add(5, name="c")
    assert names(watch.log.find()) == ["c", "b", "a"]
    assert stored == [added]


def test_restored_events_are_bounded_as_all_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "MOST_OF_PROJECT", 3)
    watch = Watch()
    earlier = [watch.add(number - 100.0, name=str(number)) for number in range(5)]
    log = EventLog(watch.clock)
    log.restore(earlier)
    assert names(log.find()) == ["4", "3", "2"]
    assert log.since(SHOP) == EPOCH - 99
