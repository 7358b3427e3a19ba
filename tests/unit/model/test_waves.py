"""The rules of waves: which tasks match, the strictest settings, and when a wave is ready."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.config import Cutover, Wave
from exporter.model.task import Listed, ProjectKey
from exporter.model.waves import (
    Incomplete,
    IncompleteProject,
    Stage,
    WaveMember,
    WaveState,
    WaveStatus,
    matches_wave,
    stage_of,
    strictest,
)
from tests.unit.model.test_cutover_property import NEEDS, SETTINGS, Link, blocked, links

KEY = ProjectKey("acme", "eu-de", "shop")
TASK = Listed("a", "orders-1", "INCRE_TRANSFER_STARTED", "sync", engine_type="mysql")
DELAYS = st.sampled_from(["1s", "4s", "5s", "6s"])
TIGHTENED = st.fixed_dictionaries(
    {},
    optional={"max_delay": DELAYS, **dict.fromkeys(("comparison", "endpoints", "objects", "report", "logs"), NEEDS)},
)


def wave_of(*rules: dict[str, str], **keys: Any) -> Wave:
    return Wave.model_validate({"name": "w", "include": rules or ({"name": ".*"},), **keys})


def status_of(**states: int) -> WaveStatus:
    members = [
        WaveMember(KEY, f"{state}{number}", state, WaveState(state))
        for state, count in states.items()
        for number in range(count)
    ]
    return WaveStatus("w", Stage.RUNNING, members=tuple(members))


@settings(max_examples=400)
@given(
    link=links(), base=SETTINGS, waves=st.lists(TIGHTENED, max_size=3), age=st.sets(st.sampled_from(["node", "logs"]))
)
def test_ready_by_the_rules_of_waves_implies_ready_by_those_of_the_account(
    link: Link, base: Cutover, waves: list[dict[str, str]], age: set[str]
) -> None:
    rules = strictest(base, [wave_of(cutover=cutover) for cutover in waves])
    if blocked(replace(link, old=link.old | age), rules) is False:
        assert blocked(link, base) is False


def test_the_strictest_settings_are_the_shortest_durations_the_longest_wait_and_the_most_demanding_needs() -> None:
    one = wave_of(cutover={"max_delay": "1s", "stable_for": "5m", "logs": "if_available"})
    two = wave_of(cutover={"max_delay": "2s", "max_age": "60s", "stable_for": "3m", "logs": "required"})
    found = strictest(Cutover(max_delay=5, stable_for=120), [one, two])
    assert (found.max_delay, found.max_age, found.stable_for, found.logs) == (1, 60, 300, "required")
    assert strictest(Cutover(), []) == Cutover()


@pytest.mark.parametrize(
    ("rules", "task", "tags", "found"),
    [
        ([{"name": "orders-.*"}], TASK, None, True),
        ([{"name": "orders"}], TASK, None, False),
        ([{"id": "b"}, {"id": "a"}], TASK, None, True),
        ([{"id": "a", "name": "x"}], TASK, None, False),
        ([{"account": "acme", "region": "eu-de", "project": "shop"}], TASK, None, True),
        ([{"account": "other", "name": ".*"}], TASK, None, False),
        ([{"engine_type": "mysql", "job_type": "sync"}], TASK, None, True),
        ([{"tag": "team"}], TASK, None, Incomplete.TAGS),
        ([{"tag": "team", "name": "x"}], TASK, None, False),
        ([{"tag": "team=a"}], TASK, {"team": "a"}, True),
        ([{"tag": "team=a"}], TASK, {"team": "b"}, False),
        ([{"tag": "team"}, {"id": "a"}], TASK, None, True),
        ([{"name": "(a|aa)+b"}], replace(TASK, name="a" * 60), None, Incomplete.NAMES),
        ([{"name": ".*"}], replace(TASK, status="RELEASE_RESOURCE_COMPLETE"), None, False),
        ([{"id": "a"}], replace(TASK, status="RELEASE_RESOURCE_COMPLETE"), None, True),
    ],
)
def test_a_task_matches_if_all_keys_of_a_rule_do(
    rules: list[dict[str, str]], task: Listed, tags: dict[str, str] | None, found: object
) -> None:
    assert matches_wave(wave_of(*rules), KEY, task, tags) == found


def test_the_stage_follows_from_the_time() -> None:
    wave = wave_of(**{"from": "1970-01-01T00:00:10Z", "until": "1970-01-01T00:00:20Z"})
    assert [stage_of(wave, now) for now in (9.9, 10, 19.9, 20)] == [
        Stage.PLANNED,
        Stage.RUNNING,
        Stage.RUNNING,
        Stage.OVER,
    ]
    assert stage_of(wave_of(), 0) is Stage.RUNNING


@pytest.mark.parametrize(
    ("status", "ready"),
    [
        (status_of(ready=2), True),
        (status_of(ready=1, ended=1, excluded=1), True),
        (status_of(ended=2), False),
        (status_of(), False),
        (status_of(ready=1, blocked=1), False),
        (status_of(ready=1, failed=1), False),
        (status_of(ready=1, unknown=1), False),
        (replace(status_of(ready=1, ended=1), expected=2), True),
        (replace(status_of(ready=1, excluded=1), expected=2), False),
        (replace(status_of(ready=1), missing_ids=("z",)), False),
        (replace(status_of(ready=1), incomplete=(IncompleteProject(KEY, Incomplete.LISTS),)), False),
        (replace(status_of(ready=1), incomplete=(IncompleteProject(KEY, Incomplete.UNPOLLED),)), None),
        (replace(status_of(ready=1), stage=Stage.OVER), None),
        (replace(status_of(ready=1), stage=Stage.PLANNED), None),
    ],
)
def test_a_running_wave_is_ready_if_each_member_is_known_and_ready_or_ended(status: WaveStatus, ready: object) -> None:
    assert status.judged() is ready


def test_a_word_of_another_version_is_an_unknown_state() -> None:
    assert WaveState("sleeping") is WaveState.UNKNOWN
