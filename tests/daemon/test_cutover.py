"""Readiness for a cut-over as a scrape shows it, in virtual time: which tasks have it, and how it follows the facts."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from exporter.simulator import ABSENT, Fault, SimTask, faults
from tests.lib.daemon import Scrape, cloud_of, config_of, polling, scraped, sim_task
from tests.lib.virtual_time import EPOCH

READY, BLOCKER, UNCHECKED = (f"drs_task_cutover_{end}" for end in ("ready", "blocker", "unchecked"))
SINCE = "drs_task_cutover_ready_since_timestamp_seconds"
COLLECTORS = ("tasks", "progress", "recovery", "node", "objects", "detail")
DR = {"scenario": "cloudDataGuard", "engine": "cloudDataGuard-mysql"}


def silent(match: str) -> Fault:
    """No answer at all: every call runs into its time-out."""
    return Fault(match=match, kind="slow", seconds=1e6)


def judged(*tasks: SimTask, api: str = "auto", **world: Any) -> Scrape:
    """The page after one poll of the collectors that a cut-over depends on."""
    return scraped(*tasks, config=config_of(api, COLLECTORS), **world)


def quick(name: str, **facts: Any) -> SimTask:
    """A task whose delay speaks for a cut-over."""
    return sim_task(name, **{"delay": 1.0, "rpo": 1.0, "rto": 1.0, **facts})


def blocking(page: Scrape, task: str) -> set[str]:
    return {reason for reason, blocks in page.by("reason", BLOCKER, task_name=task).items() if blocks}


def test_which_tasks_can_be_ready_at_all() -> None:
    statuses = {
        "CREATING": None,
        "CONFIGURATION": None,
        "WAITING_FOR_START": None,
        "STARTJOBING": None,
        "FULL_TRANSFER_STARTED": 0,
        "FULL_TRANSFER_COMPLETE": 0,
        "INCRE_TRANSFER_STARTED": 1,
        "PAUSING": 0,
        "CHANGE_JOB_STARTED": 0,
        "INCRE_TRANSFER_FAILED": 0,
        "RELEASE_RESOURCE_STARTED": None,
        "RELEASE_RESOURCE_COMPLETE": None,
        "SOMETHING_NEW": None,
    }
    page = judged(*(quick(status, status=status) for status in statuses))
    assert {status: page.value(READY, task_name=status) for status in statuses} == statuses
    shown = page.by("task_name", BLOCKER, reason="phase")
    assert shown.keys() == {status for status, ready in statuses.items() if ready is not None}


@pytest.mark.parametrize("api", ["v3", "v5"])
def test_of_pairs_the_standby_and_of_dual_active_tasks_none_can_be_ready(api: str) -> None:
    pair = sim_task(
        "pair", relation="multi_az", children=[quick("one", role="master"), quick("two", role="slave", delay=99)]
    )
    halves = [quick("forward", role="child", **DR), quick("backward", role="child", direction="down", **DR)]
    dual = sim_task("dual", relation="multi_write", children=halves, **DR)
    words = ("mysql-to-mysql", "cloudDataGuard-mysql")
    page = judged(pair, dual, api=api, v5_engines=words)
    assert page.by("task_name", READY) == {"pair": 1}
    assert {labels["task_name"] for labels, _ in page.samples(BLOCKER, reason="phase", parent_id="")} == {"pair"}
    assert {labels["task_name"] for labels, _ in page.samples(BLOCKER, reason="phase")} == {"pair", "one"}


def test_subtasks_have_reasons_of_their_own_and_their_parent_alone_is_ready() -> None:
    parent = sim_task("parent", relation="multi_to_single", role="parent", children=[quick("a"), quick("b", delay=9.0)])
    page = judged(parent)
    assert page.by("task_name", READY) == {"parent": 0}
    of_parent = page.by("reason", BLOCKER, parent_id="")
    assert of_parent == {"phase": 0, "stale": 0, "action_needed": 0, "subtask": 1}
    assert [page.value(BLOCKER, reason="delay_high", task_name=name) for name in ("a", "b")] == [0, 1]
    assert page.value(UNCHECKED, reason="log_error", cause="ignored", task_name="a") == 1


@pytest.mark.parametrize(
    ("child", "blocked"),
    [
        ({}, False),
        ({"delay": 99.0}, True),
        ({"status": "INCRE_TRANSFER_FAILED"}, True),
        ({"status": "PAUSING"}, True),
        ({"status": "CREATING"}, True),  # nothing is known of it
        ({"status": "CONFIGURATION"}, True),
        ({"status": "RELEASE_CHILD_TRANSFER_STARTED"}, True),
        ({"status": "RELEASE_CHILD_TRANSFER_COMPLETE"}, False),
        ({"status": "RELEASE_RESOURCE_COMPLETE"}, False),
        ({"role": "slave", "status": "INCRE_TRANSFER_FAILED"}, False),
        ({"role": "slave", "status": "CREATING"}, False),
        ({"source_up": False}, True),
    ],
)
@pytest.mark.parametrize("api", ["v5", "auto"])
def test_one_subtask_decides_over_its_parent(api: str, child: dict[str, Any], *, blocked: bool) -> None:
    parent = sim_task("parent", relation="multi_to_single", children=[quick("fine"), quick("other", **child)])
    page = judged(parent, api=api)
    assert blocking(page, "parent") == ({"subtask"} if blocked else set())
    assert page.value(READY, task_name="parent") == (0 if blocked else 1)


@pytest.mark.usefixtures("published_seldom")
async def test_a_parent_follows_its_subtasks() -> None:
    slow, other = quick("slow"), quick("other")
    cloud = cloud_of(sim_task("parent", relation="multi_to_single", children=[slow, other]))
    async with polling(cloud, config_of(collectors=COLLECTORS, cutover={"stable_for": "1s"})) as exporter:
        values = []
        for status, delay in (
            ("STARTJOBING", 1.0),
            ("RELEASE_CHILD_TRANSFER_COMPLETE", 1.0),
            ("RELEASE_CHILD_TRANSFER_COMPLETE", 60.0),
            ("RELEASE_CHILD_TRANSFER_COMPLETE", 0.5),
        ):
            other.pin(status)
            slow.delay = delay
            page = await Scrape.after(65, exporter)  # two polls: tasks of one list are looked at in any order
            values.append(page.value(READY, task_name="parent"))
        assert values == [0, 1, 0, 1]


@pytest.mark.parametrize(
    ("match", "hidden"),
    [
        ("batch-progress", False),  # no progress any more
        ("/jobs$", False),  # no lists
        (".", False),  # nothing at all
        ("/jobs$", True),  # no lists where there never was a progress
    ],
)
async def test_a_task_turns_stale_by_itself_at_max_age(match: str, *, hidden: bool) -> None:
    cloud = cloud_of(quick("one"))
    if hidden:
        cloud.faults = [faults.forbidden("batch-progress")]
    config = config_of("v3", COLLECTORS[:2], cutover={"max_age": "70s", "stable_for": "1s"})
    async with polling(cloud, config) as exporter:
        await asyncio.sleep(10)
        stale, ready = [Scrape(exporter).value(BLOCKER, reason="stale")], Scrape(exporter).value(READY)
        assert ready == (0 if hidden else 1)
        cloud.faults.insert(0, silent(match))
        await asyncio.sleep(54)
        stale.append(Scrape(exporter).value(BLOCKER, reason="stale"))
        await asyncio.sleep(12)  # a page is published every five seconds or so
        stale.append(Scrape(exporter).value(BLOCKER, reason="stale"))
        assert stale == [0, 0, 1]
        assert Scrape(exporter).value(READY) == 0
        cloud.faults.pop(0)
        assert (await Scrape.after(90, exporter)).value(BLOCKER, reason="stale") == 0


@pytest.mark.usefixtures("published_seldom")
async def test_a_rate_limit_that_is_too_low_makes_tasks_stale_and_never_ready_on_old_facts() -> None:
    cloud = cloud_of(
        *(quick(f"task-{number}") for number in range(60)), published={"v5"}, v5_engines=("mysql-to-mysql",)
    )
    config = config_of("v5", COLLECTORS[:2], poll={"rate_limit": 0.25, "burst": 1}, cutover={"stable_for": "1s"})
    async with polling(cloud, config) as exporter:
        for _ in range(20):
            page = await Scrape.after(60, exporter)
            now_ready = {labels["task_id"] for labels, value in page.samples(READY) if value}
            collected = page.by("task_id", "drs_task_collected_timestamp_seconds", collector="progress")
            assert all(exporter.now() - collected[task_id] <= 90 + 6 for task_id in now_ready)
        assert len(now_ready) < 60
        assert 1 in page.by("task_id", BLOCKER, reason="stale").values()


async def test_a_task_is_ready_after_it_was_clear_for_stable_for_and_shows_since_when() -> None:
    task = quick("one")
    async with polling(cloud_of(task), config_of("v3", COLLECTORS)) as exporter:
        page = await Scrape.after(100, exporter)
        assert (page.value(READY), blocking(page, "one"), page.value(SINCE)) == (0, {"not_stable"}, None)
        page = await Scrape.after(40, exporter)
        assert (page.value(READY), page.value(BLOCKER, reason="not_stable")) == (1, 0)
        since = page.value(SINCE)
        assert since == pytest.approx(EPOCH + 120, abs=15)
        assert (await Scrape.after(60, exporter)).value(SINCE) == since
        task.delay = 99.0
        page = await Scrape.after(40, exporter)
        assert (page.value(READY), blocking(page, "one"), page.value(SINCE)) == (0, {"delay_high"}, None)
        task.delay = 1.0
        assert blocking(await Scrape.after(40, exporter), "one") == {"not_stable"}
        page = await Scrape.after(130, exporter)
        assert page.value(READY) == 1
        assert page.value(SINCE) == pytest.approx(exporter.now(), abs=60)


def test_a_command_that_polls_once_cannot_check_for_how_long_a_task_has_been_clear() -> None:
    page = judged(quick("one"))
    assert (page.value(READY), page.value(UNCHECKED, reason="not_stable", cause="unknown")) == (1, 1)


@pytest.mark.usefixtures("published_seldom")
async def test_a_task_whose_list_has_aged_out_has_no_readiness() -> None:
    cloud = cloud_of(quick("one"))
    async with polling(cloud, config_of("v3", COLLECTORS[:2])) as exporter:
        await asyncio.sleep(5)
        cloud.faults = [silent("/jobs$")]
        page = await Scrape.after(320, exporter)
        assert page.samples(READY) == page.samples(BLOCKER) == []
        assert page.value("drs_task_full_progress_ratio") == 1


@pytest.mark.parametrize(
    ("facts", "settings", "reasons"),
    [
        ({}, {}, set()),
        ({"delay": 6.0}, {}, {"delay_high"}),
        ({"delay": 6.0}, {"max_delay": "1m"}, set()),
        ({"source_up": False}, {}, {"side_down"}),
        ({"source_up": False}, {"endpoints": "ignore"}, set()),
        ({"comparison": "different"}, {}, {"comparison_inconsistent"}),
        ({"comparison": "different"}, {"comparison": "ignore"}, set()),
        ({}, {"comparison": "required"}, {"comparison_missing"}),
        (
            {"comparison": "equal", "comparison_status": "RUNNING"},
            {"comparison": "required"},
            {"comparison_running"},
        ),
        ({"comparison": "equal", "comparison_status": "FAILED"}, {"comparison": "required"}, set()),
        ({"comparison": "equal"}, {"comparison": "required"}, set()),
        ({"extra_actions": ("CONTINUE_APPLY",)}, {}, {"action_needed"}),
        ({"mode": "FULL_TRANS", "status": "FULL_TRANSFER_COMPLETE"}, {}, set()),
        (
            {"mode": "FULL_TRANS", "status": "FULL_TRANSFER_STARTED"},
            {},
            {"phase", "full_incomplete", "objects_missing"},
        ),
        ({**DR, "rpo": 6.0}, {}, {"rpo_high"}),
        ({**DR, "rto": 6.0}, {}, {"rto_high"}),
        ({**DR, "rto": 6.0, "alarms": {"rto_delay": 7}}, {}, {"rto_high"}),
        ({**DR, "switching": True}, {}, {"switching", "action_running"}),
    ],
)
def test_what_is_known_of_a_task_decides(facts: dict[str, Any], settings: dict[str, str], reasons: set[str]) -> None:
    # 51 hours after its birth its newest comparisons have all ended well.
    task = quick("one", **{"born": quick("x").born - 11 * 3600, **facts})
    config = config_of(collectors=(*COLLECTORS, "comparison"), cutover=settings)
    page = scraped(task, config=config)
    assert blocking(page, "one") == reasons
    assert page.value(READY) == float(not reasons)


@pytest.mark.parametrize(
    "lost", [{"status": ABSENT}, {"status": None}, {"id": "a b", "status": "INCRE_TRANSFER_FAILED"}]
)
@pytest.mark.parametrize("api", ["v3", "v5"])
def test_a_parent_of_a_subtask_that_cannot_be_decoded_is_not_ready(api: str, lost: dict[str, Any]) -> None:
    children = [quick("fine"), quick("lost", overrides={f"{api}_list": lost})]
    parent = sim_task("parent", relation="multi_to_single", children=children)
    page = judged(parent, quick("other"), published={api})
    assert blocking(page, "parent") == {"subtask"}
    assert page.value(READY, task_name="parent") == 0
    assert page.value(READY, task_name="other") == 1
    assert page.value("drs_exporter_decode_errors_total", collector="tasks") == 1
    assert "fine" in page.tasks()


@pytest.mark.parametrize(
    ("api", "progress", "reason"),
    [
        ("v3", {"incre_trans_delay": "9000", "incre_trans_delay_millis": "0"}, "delay_high"),
        ("v3", {"incre_trans_delay": "0", "incre_trans_delay_millis": "400000000000"}, "delay_unknown"),
        ("v3", {"job_id": "00000000-0000-0000-0000-000000000000"}, "delay_unknown"),
        ("v5", {"progress_info": {"incr_trans_delay": "9000", "incr_trans_delay_millis": "0"}}, "delay_high"),
        ("v5", {"id": "00000000-0000-0000-0000-000000000000"}, "delay_unknown"),
    ],
)
def test_old_contradictory_and_foreign_facts_never_make_ready(api: str, progress: dict[str, Any], reason: str) -> None:
    page = judged(quick("one", overrides={f"{api}_progress": progress}), quick("other"), published={api})
    assert reason in blocking(page, "one")
    assert page.value(READY, task_name="one") == 0
    assert page.value(READY, task_name="other") == 1
