"""Every kind of task with subtasks, with each status of a subtask and each field that its entry may lack."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import pytest

from exporter.simulator import ABSENT, SimTask
from tests.lib.daemon import HOUR, Scrape, cloud_of, config_of, polling, scraped, sim_task

COLLECTORS = ("tasks", "progress", "recovery", "node", "detail")
RUNS = "INCRE_TRANSFER_STARTED"
DR = {"scenario": "cloudDataGuard", "engine": "cloudDataGuard-mysql"}
REDIS = {"scenario": "migration", "engine": "rediscluster-to-gaussredis"}
V5_WORDS = ("mysql-to-mysql", "cloudDataGuard-mysql", "rediscluster-to-gaussredis")
ENDED = {"RELEASE_CHILD_TRANSFER_COMPLETE", "RELEASE_RESOURCE_COMPLETE", "DELETED"}
BLOCKED = (
    *("CREATING", "CONFIGURATION", "FULL_TRANSFER_STARTED", "INCRE_TRANSFER_FAILED", "PAUSING", "SOMETHING_NEW"),
    *("CHANGE_JOB_STARTED", "CHILD_TRANSFER_STARTING", "CHILD_TRANSFER_STARTED", "CHILD_TRANSFER_COMPLETE"),
    *("CHILD_TRANSFER_FAILED", "RELEASE_CHILD_TRANSFER_STARTED"),
)
STATUSES = (RUNS, *BLOCKED, *sorted(ENDED))
MISSING: dict[str, Any] = {
    "nothing": {},
    "no status": {"status": ABSENT},
    "status null": {"status": None},
    "no id": {"id": ABSENT},
    "an id that is none": {"id": "a b"},
    "no name": {"name": ABSENT},
    "an empty name": {"name": ""},
    "no entry": None,
}


@dataclass(frozen=True)
class Kind:
    """A kind of parents; one of its subtasks varies.

    Attributes:
        facts: of all its tasks.
        relation: why the parent has subtasks.
        others: the roles of the subtasks that do not vary, which are ready.
        role: of the subtask that varies.
        apis: the generations that list it.
        own_delay: whether the parent replicates itself.
        judged: whether the parent has a verdict.
    """

    relation: str
    others: tuple[str, ...] = ()
    role: str = "child"
    facts: dict[str, Any] = field(default_factory=dict)
    apis: tuple[str, ...] = ("v3", "v5")
    own_delay: bool = False
    judged: bool = True

    def parent(self, name: str, status: str, missing: Any) -> SimTask:
        facts = {"delay": 1.0, "rpo": 1.0, "rto": 1.0, **self.facts}
        child = sim_task(f"{name} varies", role=self.role, **facts)
        child.pin(None if status == "DELETED" else status)
        listed = {"status": status, **missing} if isinstance(missing, dict) else missing
        child.overrides |= {"v3_list": listed, "v5_list": listed}
        others = [sim_task(f"{name} {number}", role=role, **facts) for number, role in enumerate(self.others)]
        if self.relation == "multi_write":
            child.direction = "down"
        return sim_task(name, relation=self.relation, children=[*others, child], **facts)

    def blocks(self, api: str, status: str, missing: Any) -> bool:
        """Whether the subtasks of a parent block its cut-over."""
        # The role is in the details alone for v3, and a configured task has none.
        standby = self.role == "slave" and (api, status) != ("v3", "CONFIGURATION")
        counts = not standby and status not in ENDED
        living = counts or "child" in self.others or "master" in self.others
        return missing != {} or (counts and status != RUNS) or not (living or self.own_delay)


KINDS = {
    "edited": Kind("edit", own_delay=True),
    "many to one": Kind("multi_to_single", ("child",)),
    "its only subtask": Kind("multi_to_single"),
    "primary": Kind("multi_az", ("slave",), "master"),
    "standby": Kind("multi_az", ("master",), "slave"),
    "dual-active": Kind("multi_write", ("child",), facts=DR, judged=False),
    "cluster": Kind("cluster", ("child", "child"), facts=REDIS, apis=("v5",)),
}
WITH_GAPS = {RUNS, "PAUSING", "INCRE_TRANSFER_FAILED", "CHILD_TRANSFER_STARTED", "RELEASE_CHILD_TRANSFER_COMPLETE"}
CASES = [*product(STATUSES, ("nothing",)), *product(sorted(WITH_GAPS), [name for name in MISSING if name != "nothing"])]
WORLDS = [
    (name, api, mixed)
    for name, (api, mixed) in product(KINDS, (("v3", "item"), ("v3", "whole"), ("v5", "item")))
    if api in KINDS[name].apis
]


@pytest.mark.parametrize(("name", "api", "mixed"), WORLDS)
def test_each_status_and_missing_field_of_a_subtask(name: str, api: str, mixed: str) -> None:
    kind = KINDS[name]
    parents = {f"{status}, {missing}": (status, MISSING[missing]) for status, missing in CASES}
    tasks = [kind.parent(case, *facts) for case, facts in parents.items()]
    page = scraped(
        *tasks, published={api}, v5_engines=V5_WORDS, mixed_batches=mixed, config=config_of("auto", COLLECTORS)
    )

    blocked = page.by("task_name", "drs_task_cutover_blocker", reason="subtask")
    expected = {case: float(kind.blocks(api, *facts)) for case, facts in parents.items()} if kind.judged else {}
    assert blocked == expected
    assert page.by("task_name", "drs_task_cutover_ready").keys() == expected.keys()

    delays = page.by("task_name", "drs_task_incremental_delay_seconds", parent_id="")
    assert delays == (dict.fromkeys(parents, 1.0) if kind.own_delay else {})

    scenario = kind.facts.get("scenario", "sync")
    counts = {phase: n for phase, n in page.by("phase", "drs_tasks", job_type=scenario).items() if n}
    assert counts == {"incremental": len(parents)}
    unknown = sum(missing != {} for _, missing in parents.values())
    assert page.value("drs_exporter_decode_errors_total", collector="tasks") == unknown
    assert page.succeeded()


@pytest.mark.usefixtures("published_seldom")
@pytest.mark.parametrize("mixed", ["item", "whole"])
async def test_virtual_parents_cost_a_call_an_hour_of_each_operation_and_split_no_batch(mixed: str) -> None:
    names = ("many to one", "primary", "standby", "dual-active")
    virtual = [KINDS[name].parent(name, RUNS, {}) for name in names]
    edited = KINDS["edited"].parent("edited", RUNS, {})
    cloud = cloud_of(*virtual, edited, published={"v3"}, mixed_batches=mixed)
    async with polling(cloud, config_of("v3", COLLECTORS)) as exporter:
        await asyncio.sleep(HOUR + 60)
        await exporter.publish()
        page = Scrape(exporter)
    made: Counter[tuple[str, str]] = Counter()
    for call in cloud.calls:
        ids = (call.body or {}).get("jobs", [])
        parents = [task for task in virtual if task.id in ids]
        assert not parents or len(ids) == 1
        made.update((task.name, call.path) for task in parents)
    assert len(made) == len(virtual) * 2 + 2  # progress and details; of a DR task also recovery and node
    assert set(made.values()) == {2}
    assert page.succeeded()
    assert not any(page.by("collector", "drs_exporter_task_errors_total").values())
    with_edited = [call.body["jobs"] for call in cloud.calls if "progress" in call.path]
    assert [len(ids) for ids in with_edited if edited.id in ids][:3] == [1, 10, 10]  # with all nine subtasks
