"""Whatever lists, responses and reloads bring: no wave is ready without each task that it has seen."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.model.facts import Progress
from tests.lib.daemon import StoreFixture, listed_task
from tests.lib.virtual_time import simulate

RUNS, ENDED = "INCRE_TRANSFER_STARTED", "RELEASE_RESOURCE_COMPLETE"
LAG = 60.0
PROOF = 2
IDS = ("a", "b", "c")
ENTRIES = st.dictionaries(
    st.sampled_from(IDS),
    st.tuples(st.sampled_from([RUNS, RUNS, ENDED, "PAUSING"]), st.sampled_from(["task", "task", "renamed"])),
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("list"), ENTRIES, st.sampled_from([True, True, False])),
        st.tuples(st.just("facts"), st.dictionaries(st.sampled_from(IDS), st.sampled_from([0.0, 0.0, 3.0, 9.0]))),
        st.tuples(st.just("missing"), st.sampled_from(IDS)),
        st.tuples(st.just("wait"), st.sampled_from([1.0, 30.0, 95.0])),
        st.tuples(
            st.just("reload"), st.sampled_from(["task", "renamed", "task|renamed"]), st.sampled_from(["1s", "4s"])
        ),
    ),
    max_size=12,
)


def wave(name: str = "task", delay: str = "4s") -> dict[str, Any]:
    return {"name": "w", "include": [{"name": name}], "cutover": {"max_delay": delay}}


class Model:
    """What the steps have shown of each task, independent of the store."""

    def __init__(self) -> None:
        self.rule = {"task"}
        self.limit = 4.0
        self.now = 0.0
        self.listed: dict[str, tuple[str, str]] = {}
        self.listed_at: dict[str, float] = {}
        self.delays: dict[str, tuple[float, float]] = {}
        self.absence = dict.fromkeys(IDS, 0)
        """Lists in a row without the task; a complete one counts twice."""
        self.reported: dict[str, float] = {}
        self.seen: set[str] = set()

    def observe(self) -> None:
        """The wave sees the living tasks that match."""
        self.seen |= {key for key, (status, name) in self.listed.items() if name in self.rule and status != ENDED}

    def list(self, entries: dict[str, tuple[str, str]], *, complete: bool) -> None:
        self.absence = {key: 0 if key in entries else self.absence[key] + 1 + complete for key in IDS}
        deleted = {key for key in IDS if self.absence[key] >= PROOF}
        self.seen -= deleted
        self.listed = {key: entry for key, entry in self.listed.items() if key not in deleted}
        # A list may lag: for a minute it does not show tasks of which a query reports that they do not exist.
        hidden = {key for key, at in self.reported.items() if self.now - at < LAG}
        self.listed |= {key: entry for key, entry in entries.items() if key not in hidden or entry[0] == ENDED}
        self.listed_at |= dict.fromkeys(entries, self.now)

    def report_missing(self, task_id: str) -> None:
        if self.listed.get(task_id, (ENDED, ""))[0] != ENDED:
            del self.listed[task_id]
            self.reported[task_id] = self.now

    def ready(self, task_id: str) -> bool:
        """Whether a task may be ready."""
        delay, at = self.delays.get(task_id, (1e9, 0.0))
        fresh = self.now - at <= 90 and self.now - self.listed_at.get(task_id, -1e9) <= 90
        return fresh and delay <= self.limit and self.listed.get(task_id, ("", ""))[0] == RUNS

    def may_be_ready(self) -> bool:
        ended = {key for key in self.seen if self.listed.get(key, ("", ""))[0] == ENDED}
        return bool(self.seen - ended) and all(self.ready(key) for key in self.seen - ended)


async def apply(step: tuple[Any, ...], fixture: StoreFixture, model: Model) -> None:
    match step:
        case "list", entries, complete:
            model.list(entries, complete=complete)
            await fixture.lists(
                *(listed_task(key, status, name=name) for key, (status, name) in entries.items()), complete=complete
            )
            for job_type in ("migration", "cloudDataGuard"):
                await fixture.lists(job_type=job_type)
        case "facts", delays:
            model.delays |= {key: (delay, model.now) for key, delay in delays.items()}
            await fixture.store.update(
                {key: [Progress(full_ratio=1, delay_seconds=delay)] for key, delay in delays.items()}
            )
        case "missing", task_id:
            model.report_missing(task_id)
            await fixture.store.update({}, [task_id])
        case "reload", names, delay:
            model.rule, model.limit = set(names.split("|")), float(delay[0])
            fixture.run(wave(names, delay))
        case _:
            model.now += step[1]
            await fixture.scrape(step[1])


async def check(steps: list[tuple[Any, ...]]) -> int:
    fixture, model, ready = StoreFixture(), Model(), 0
    fixture.run(wave())
    await fixture.scrape()
    for step in steps:
        await apply(step, fixture, model)
        page = await fixture.scrape()
        model.observe()
        status = fixture.waves.status("w")
        assert status is not None
        assert model.seen <= {member.task_id for member in status.members}
        assert page.value("drs_wave_ready") in {None, float(bool(status.ready))}
        if status.ready:
            ready += 1
            assert model.may_be_ready(), status
    return ready


@settings(max_examples=80, deadline=None)
@given(steps=STEPS)
def test_a_ready_wave_contains_each_task_that_it_has_seen_and_all_are_ready_or_ended(steps: list[Any]) -> None:
    simulate(check(steps))


def test_the_property_is_not_empty() -> None:
    runs = {"a": (RUNS, "task"), "b": (RUNS, "task")}
    later = {"a": (RUNS, "renamed"), "b": (ENDED, "task")}
    delays = {"a": 0.0, "b": 0.0}
    steps = [("list", runs, True), ("facts", delays), ("list", later, True), ("missing", "a"), ("list", later, True)]
    assert simulate(check(steps)) == 2  # until the response that a does not exist
