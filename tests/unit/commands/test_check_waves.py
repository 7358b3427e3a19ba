"""What `check` finds about waves: missing tasks, their calls, and how old delays will be."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from exporter.commands import check_waves
from exporter.commands.check_waves import wave_findings
from exporter.config import Wave
from exporter.model.task import Listed, ProjectKey
from exporter.model.waves import Incomplete, matches_wave
from exporter.simulator import SimulatedCloud
from tests.lib.commands import checked, config_for
from tests.lib.daemon import cloud_of, sim_task
from tests.lib.virtual_time import EPOCH

DR = {"scenario": "cloudDataGuard", "engine": "cloudDataGuard-mysql"}
RULE = [{"name": "wave-.*"}]
NEED = "wave weekend: 13 tasks every 10s need 1.6 calls a second"
"""Progress of 13 tasks, details of the one for disaster recovery, and two lists by ids."""
TIMES = re.compile(r" is (planned|running|over): ")


def stamp(at: float) -> str:
    return datetime.fromtimestamp(EPOCH + at, UTC).isoformat()


def cloud() -> SimulatedCloud:
    """A cloud that publishes v5 only, with 13 tasks in the wave and 20 others."""
    tasks = [
        *(sim_task(f"wave-{number}") for number in range(12)),
        sim_task("wave-dr", **DR),
        sim_task("wave-ended", status="RELEASE_RESOURCE_COMPLETE"),
        *(sim_task(f"other-{number}") for number in range(20)),
    ]
    return cloud_of(*tasks, published={"v5"}, v5_engines=tuple({task.words.v5 for task in tasks}))


def found(*waves: dict[str, Any], rate: float = 1000.0, **sections: Any) -> list[str]:
    """The lines about waves, without their places and those about their times."""
    return [line for line in every_line(*waves, rate=rate, **sections) if not TIMES.search(line)]


def every_line(*waves: dict[str, Any], rate: float = 1000.0, **sections: Any) -> list[str]:
    given = [{"name": "weekend", "include": RULE, "interval": "10s", **wave} for wave in waves]
    config = config_for(poll={"rate_limit": rate, "burst": 1000}, waves=given, **sections)
    fine, text = checked(cloud(), config)
    assert fine
    return [
        f"{line[:4].strip()} {line[32:]}"
        for line in text.splitlines()
        if " wave " in line and line[:4].strip() in {"ok", "warn", "fail"}
    ]


def test_a_wave_within_its_half_of_the_rate_limit() -> None:
    assert found({}) == [f"ok {NEED} of the 500 that waves may use: their delays will be about 10s old"]


def test_a_wave_without_an_interval_is_polled_as_often_as_usual() -> None:
    (line,) = found({"interval": None})
    assert line == (
        "ok wave weekend: 13 tasks every 30s need 0.53 calls a second of the 500 that waves may use: "
        "their delays will be about 30s old"
    )


def test_an_interval_that_is_longer_than_that_of_an_account_is_a_warning() -> None:
    warning, _ = found({"interval": "1m"})
    assert warning == (
        "warn wave weekend: its interval of 1m has no effect, since the tasks of account acme are polled every 30s "
        "without it: shorten the interval of the wave, or remove it"
    )


def test_delays_of_other_tasks_that_become_older_are_reported() -> None:
    (line,) = found({"interval": "20s"}, rate=2.0)
    assert "0.8 calls a second of the 1 that waves may use: their delays will be about 20s old, those of" in line
    assert "those of other tasks up to " in line


def test_a_wave_that_needs_more_is_stretched() -> None:
    (line,) = found({"interval": "5s"}, rate=4.0)
    assert line == (
        "warn wave weekend: 13 tasks every 5s need 3.2 calls a second of the 2 that waves may use: they are polled "
        "every 8s, their delays will be about 8s old: set poll.rate_limit to 7 if no other program needs the API, or "
        "interval: 8s in the wave"
    )


def test_a_wave_that_needs_far_more_is_polled_as_without_a_wave() -> None:
    (line,) = found({"cutover": {"max_age": "20s"}}, rate=1.0)
    assert line == (
        f"warn {NEED} of the 0.5 that waves may use: they are polled as without a wave, and do not go first, and no "
        "task is ready while its delay is older than cutover.max_age (20s): set poll.rate_limit to 4 if no other "
        "program needs the API, or a longer interval of the wave"
    )


def test_waves_that_run_at_the_same_time_share_their_half() -> None:
    first = {"until": stamp(3600)}
    during = {"name": "night", "include": [{"name": "other-.*"}], "from": stamp(1800), "until": stamp(7200)}
    after = {"name": "later", "include": [{"name": "other-.*"}], "from": stamp(7200)}
    lines = found(first, during, after)
    assert [line.partition(" of the ")[0] for line in lines] == [
        f"ok {NEED} (3.8 with waves that overlap it)",
        "ok wave night: 20 tasks every 10s need 2.2 calls a second (3.8 with waves that overlap it)",
        "ok wave later: 20 tasks every 10s need 2.2 calls a second",
    ]


def test_of_a_wave_that_is_over_only_its_times_are_reported() -> None:
    assert every_line({"until": stamp(-60), "expected": 99}) == [
        "ok wave weekend is over: without a beginning, until 2025-12-31 23:59:00Z; it changes nothing any more"
    ]


@pytest.mark.parametrize(
    ("times", "text"),
    [
        ({}, "running: without a beginning, without an end"),
        ({"from": stamp(60), "until": stamp(120)}, "planned: from 2026-01-01 00:01:00Z, until 2026-01-01 00:02:00Z"),
    ],
)
def test_the_times_of_each_wave_are_reported_in_utc(times: dict[str, str], text: str) -> None:
    assert every_line(times)[0] == f"ok wave weekend is {text}"


@pytest.mark.parametrize(
    ("wave", "text"),
    [
        ({"expected": 14}, "wave weekend has 13 tasks that have not ended, 14 are expected"),
        ({"include": [{"name": "weekly-.*"}]}, "wave weekend has 0 tasks that have not ended"),
        ({"include": [*RULE, {"id": "gone"}]}, "wave weekend lists 1 id that no project has: it cannot become ready"),
    ],
)
def test_a_wave_that_lacks_tasks_is_a_warning(wave: dict[str, Any], text: str) -> None:
    assert found(wave)[0].startswith(f"warn {text}: correct ")


def test_as_many_tasks_as_expected_are_no_warning() -> None:
    assert len(found({"expected": 13})) == 1


def test_nothing_is_said_about_the_tasks_of_a_wave_while_those_of_a_project_are_unknown() -> None:
    config = config_for(waves=[{"name": "weekend", "include": RULE, "expected": 12}])
    (account,) = config.accounts
    (project,) = account.all_projects()

    unread: Any = SimpleNamespace(
        account=account,
        key=(account.name, project.region, project.label),
        region=project.region,
        listed=None,
        polled=(),
        demand={},
    )
    times, shards, storage = wave_findings(config, [unread], EPOCH)
    assert TIMES.search(times.what)
    assert "with --shard" in shards.what
    assert "without storage" in storage.what


@pytest.mark.parametrize(("storage", "lines"), [({}, 1), ({"path": "/var/lib/drs-exporter"}, 0)])
def test_waves_without_storage_are_a_warning(storage: dict[str, str], lines: int) -> None:
    config = config_for(waves=[{"name": "weekend", "include": RULE}], storage=storage)
    _, text = checked(cloud(), config)
    assert text.count("without storage, a restart of the exporter loses the history of waves") == lines


def test_a_project_that_no_rule_names_is_not_needed_to_count_the_tasks() -> None:
    (line,) = found({"include": [{"project": "payments", "name": "wave-.*"}], "expected": 13})
    assert line.startswith("ok ")


@pytest.mark.parametrize(("until", "lines"), [(60, 1), (-60, 0)])
def test_it_says_once_what_waves_lack_with_shards_unless_all_are_over(until: float, lines: int) -> None:
    waves = [{"name": name, "include": RULE, "until": stamp(until)} for name in ("weekend", "other")]
    _, text = checked(cloud(), config_for(waves=waves))
    assert text.count("with --shard, no process knows a whole wave") == lines


def test_each_task_is_matched_once_with_each_wave(monkeypatch: pytest.MonkeyPatch) -> None:
    matched = Counter[tuple[str, str]]()

    def counted(wave: Wave, key: ProjectKey, task: Listed, tags: Mapping[str, str] | None) -> bool | Incomplete:
        matched[wave.name, task.name] += 1
        return matches_wave(wave, key, task, tags)

    monkeypatch.setattr(check_waves, "matches_wave", counted)
    found({}, {"name": "second"}, {"name": "third"})
    assert len(matched) == 3 * 33
    assert {*matched.values()} == {1}
