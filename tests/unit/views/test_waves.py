"""A wave and its members in words, and as JSON."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from exporter.model.task import ProjectKey
from exporter.model.waves import Incomplete, IncompleteProject, Stage, WaveMember, WaveState
from exporter.views.waves import (
    MemberView,
    cutover_text,
    deleted_sentence,
    gap_sentence,
    level_of,
    member_json,
    obstacles,
    score,
    timing,
    wave_json,
    wave_verdict,
)
from tests.lib.verdicts import PLAIN
from tests.lib.waves import BLOCKED, ENDED, EVERY, EXCLUDED, FAILED, KEY, NOW, READY, UNKNOWN, task, wave

LISTS = IncompleteProject(KEY, Incomplete.LISTS)
GONE = (WaveMember(KEY, "id-9", "old", WaveState.ENDED),)
WORST = "1 failed: crm; 1 blocked: billing"
DONE: dict[str, Any] = {"ready": True, "ready_since": NOW - 600}


@pytest.mark.parametrize(
    ("members", "status", "text"),
    [
        ((READY, READY), DONE, "Ready for 10m: 2 of 2 ready; 2 not fully checked."),
        ((READY, ENDED, EXCLUDED), DONE, "Ready for 10m: 1 of 2 ready; 1 not fully checked; 1 ended; 1 excluded."),
        (
            EVERY,
            {},
            f"Not ready: 1 of 5 ready; 1 not fully checked; {WORST}; 1 unknown: users; 1 ended; 1 excluded.",
        ),
        ((BLOCKED,), {"expected": 12}, "Not ready: 0 of 12 ready; 1 blocked: billing; 11 of 12 expected missing."),
        ((EXCLUDED,), {"expected": 1}, "Not ready: 0 of 1 ready; 1 of 1 expected missing; 1 excluded."),
        ((), {"missing_ids": ("id-7",)}, "Not ready: 0 of 1 ready; 1 unknown: id-7 (not found)."),
        ((), {"missing_ids": ("id-7",), "expected": 1}, "Not ready: 0 of 1 ready; 1 unknown: id-7 (not found)."),
        (
            (READY,),
            {"incomplete": (LISTS, LISTS._replace(reason=Incomplete.TAGS))},
            "Not ready: 1 of 1 ready; 1 not fully checked; not all tasks are known of acme/eu-de/shop.",
        ),
        ((ENDED,), {}, "All tasks have ended: 1 of 1; no task is left to cut over."),
        ((ENDED,), {"expected": 2}, "Not ready: 0 of 2 ready; 1 of 2 expected missing; 1 ended."),
        (
            (ENDED, EXCLUDED),
            {"deleted": GONE},
            "All tasks have ended: 1 of 1; no task is left to cut over; 1 excluded; 1 deleted.",
        ),
        ((), {}, "Not ready: 0 of 0 ready; no task matches."),
        ((EXCLUDED,), {}, "Not ready: 0 of 0 ready; no task matches but excluded ones; 1 excluded."),
        ((READY,), {"ready": None}, "No verdict yet: the first poll of its projects has not ended."),
        ((READY,), {"stage": Stage.PLANNED, "ready": None}, "No verdict before it begins; 1 task matches now."),
        ((READY, BLOCKED), {"stage": Stage.PLANNED, "ready": None}, "No verdict before it begins; 2 tasks match now."),
        (
            (),
            {"stage": Stage.PLANNED, "ready": None, "incomplete": (LISTS,)},
            "No verdict before it begins; 0 tasks match now; not all tasks are known of acme/eu-de/shop.",
        ),
        ((READY,), {"stage": Stage.OVER, "ready": None}, "The wave is over: it has no verdict any more."),
    ],
)
def test_the_verdict_is_one_sentence(members: tuple[MemberView, ...], status: dict[str, Any], text: str) -> None:
    assert wave_verdict(wave(*members, **status), NOW) == text


def test_a_sentence_names_three_tasks_at_most() -> None:
    members = [BLOCKED._replace(task=task(f"{number:03}-{'x' * 196}")) for number in range(300)]
    text = wave_verdict(wave(*members), NOW)
    assert text.startswith("Not ready: 0 of 300 ready; 300 blocked: 000-")
    assert text.endswith(" and 297 more.")
    assert len(text) < 3 * 200 + 100


@pytest.mark.parametrize(
    ("status", "text"),
    [
        ({}, "running for 1h, since 2027-01-15 07:00:00Z; ends in 2h, at 2027-01-15 10:00:00Z"),
        ({"starts_at": None, "ends_at": None}, "running; no end is set"),
        ({"starts_at": None, "ends_at": None, "polled_every": 30.0}, "running; no end is set"),
        (
            {"starts_at": None, "ends_at": None, "interval": 10.0, "polled_every": 10.0},
            "running; no end is set; polled every 10s",
        ),
        (
            {"starts_at": None, "ends_at": None, "interval": 10.0, "polled_every": 14.7},
            "running; no end is set; polled every 15s instead of 10s, which would take over half of the rate limit",
        ),
        ({"stage": Stage.PLANNED, "starts_at": NOW + 60}, "planned: begins in 1m, at 2027-01-15 08:01:00Z"),
        ({"stage": Stage.OVER, "ends_at": NOW - 90}, "over for 1m30s, since 2027-01-15 07:58:30Z"),
    ],
)
def test_the_stage_with_the_time_until_it_changes(status: dict[str, Any], text: str) -> None:
    assert timing(wave(**status).status, NOW) == text


@pytest.mark.parametrize(
    ("member", "text"),
    [
        (READY, "ready for 10m, since 07:50Z; not checked: log (ignored by the settings)"),
        (READY._replace(since=None), "ready; not checked: log (ignored by the settings)"),
        (BLOCKED, "blocked for 2m, since 07:58Z: delay, full load"),
        (FAILED, "failed 1m ago, at 07:59Z"),
        (ENDED, "ended 2h ago, at 06:00Z"),
        (ENDED._replace(since=NOW - 90_000), "ended 1d1h ago, at 2027-01-14 07:00:00Z"),
        (ENDED._replace(since=None), "ended"),
        (EXCLUDED, "excluded: it is the standby of a pair"),
        (UNKNOWN, "unknown: the status is unknown"),
        (BLOCKED._replace(state=WaveState.UNKNOWN, since=None), "unknown: delay, full load"),
        (READY._replace(state=WaveState.UNKNOWN, since=None), "unknown: its verdict is out of date"),
        (
            MemberView(WaveState.BLOCKED, task("draft", replace(PLAIN, status="CONFIGURATION"))),
            "blocked: the phase is preparing",
        ),
    ],
)
def test_the_state_of_a_member_and_why(member: MemberView, text: str) -> None:
    assert cutover_text(member, NOW) == text


def test_a_member_as_json_has_its_task_its_state_and_the_cells_of_the_page() -> None:
    ready, blocked, unknown = (member_json(member, NOW) for member in (READY, BLOCKED, UNKNOWN))
    assert [ready[name] for name in ("task_id", "state", "state_since_timestamp_seconds", "comparison")] == [
        "orders",
        "ready",
        NOW - 600,
        "equal",
    ]
    assert ready["comparison_timestamp_seconds"] == NOW - 300
    assert ready["cells"] == {
        "full_load": "100%",
        "delay": "0.5s",
        "comparison": "equal, 5m ago",
        "cutover": "ready for 10m, since 07:50Z; not checked: log (ignored by the settings)",
    }
    assert blocked["cells"] == {
        "full_load": "50%, loaded in 30m",
        "delay": "30s, shrinking, caught up in 50s",
        "comparison": "",
        "cutover": "blocked for 2m, since 07:58Z: delay, full load",
    }
    assert (unknown["phase"], unknown["comparison"], unknown["comparison_timestamp_seconds"]) == ("unknown", None, None)
    assert (unknown["cells"]["full_load"], unknown["cells"]["delay"]) == ("", "")


def test_a_wave_as_json() -> None:
    assert wave_json(wave(*EVERY, expected=8, missing_ids=("id-7",), incomplete=(LISTS,), deleted=GONE), NOW) == {
        "name": "weekend-1",
        "stage": "running",
        "timing": "running for 1h, since 2027-01-15 07:00:00Z; ends in 2h, at 2027-01-15 10:00:00Z",
        "from_timestamp_seconds": NOW - 3600,
        "until_timestamp_seconds": NOW + 7200,
        "interval_seconds": None,
        "polled_every_seconds": None,
        "expected": 8,
        "ready": False,
        "ready_since_timestamp_seconds": None,
        "verdict": f"Not ready: 1 of 8 ready; 1 not fully checked; {WORST}; 2 unknown: users and id-7 (not found); "
        "2 of 8 expected missing; not all tasks are known of acme/eu-de/shop; 1 ended; 1 excluded; 1 deleted.",
        "not_ready_because": [
            "1 failed: crm",
            "1 blocked: billing",
            "2 unknown: users and id-7 (not found)",
            "2 of 8 expected missing",
            "not all tasks are known of acme/eu-de/shop",
        ],
        "not_fully_checked": 1,
        "missing": 2,
        "missing_ids": ["id-7"],
        "deleted": [{**KEY._asdict(), "task_id": "id-9", "task_name": "old", "last_state": "ended"}],
        "incomplete_projects": [{**KEY._asdict(), "reason": "lists", "sentence": gap_sentence(LISTS)}],
        "states": {"failed": 1, "unknown": 2, "blocked": 1, "ready": 1, "ended": 1, "excluded": 1},
    }


def test_former_members_are_named_with_their_last_state() -> None:
    assert deleted_sentence(wave().status) == ""
    assert deleted_sentence(wave(deleted=GONE).status) == "Deleted, and no members any more: old (last ended)."
    assert deleted_sentence(wave(deleted=GONE * 300).status).endswith("old (last ended) and 280 more.")


@pytest.mark.parametrize("reason", Incomplete)
def test_each_reason_why_tasks_may_be_missing_is_a_sentence(reason: Incomplete) -> None:
    text = gap_sentence(IncompleteProject(ProjectKey("acme", "eu-de", "shop"), reason))
    assert text.startswith("Tasks of acme/eu-de/shop may be missing here: ")
    assert text.endswith(".")


@pytest.mark.parametrize(
    ("status", "level", "obstacle"),
    [
        ({"stage": Stage.PLANNED, "ready": None}, "plain", []),
        ({"ready": True}, "good", []),
        ({"ready": None}, "warn", ["no verdict yet: the first poll of its projects has not ended"]),
        ({}, "warn", ["1 blocked: billing"]),
    ],
)
def test_only_a_running_wave_has_obstacles(status: dict[str, Any], level: str, obstacle: list[str]) -> None:
    found = wave(BLOCKED, **status)
    assert (level_of(found), obstacles(found), score(found)) == (level, obstacle, "0 of 1 ready")


def test_a_wave_of_which_all_tasks_have_ended_is_no_warning() -> None:
    assert level_of(wave(ENDED)) == "plain"
    assert level_of(wave(ENDED, expected=2)) == "warn"
