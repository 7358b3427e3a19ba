"""The facts of a task in groups, and the reasons against its cut-over."""

from __future__ import annotations

from exporter.config import Cutover
from exporter.model import cutover
from exporter.model.explanation import TaskExplanation
from exporter.model.task import Identity, Listed, Project, Task
from exporter.views.cutover import reasons, verdict
from exporter.views.task import Group, groups
from tests.lib.virtual_time import EPOCH

IDENTITY = Identity("acme", "cn-north-4", "payments", "id", "orders")


def test_a_task_whose_list_has_aged_out() -> None:
    subject = TaskExplanation(Task(IDENTITY), None, frozenset({"v3"}), {}, None)
    project = Project("acme", "cn-north-4", "payments")
    found = {group.title: group for group in groups(subject, project, lambda _: True, EPOCH)}
    assert found["status"] == Group("status", "unknown", [("status", "unknown")])
    assert found["progress"].unknown == "no operation that provides it is available here"
    assert verdict(subject) == "out of the question, the status is unknown"
    assert reasons(subject) == []


def test_every_reason_has_a_fact_in_one_line() -> None:
    listed = Listed("id", "orders", "INCRE_TRANSFER_STARTED", "cloudDataGuard", task_type="FULL_INCR_TRANS")
    settings = Cutover(endpoints="required", objects="required", comparison="required", logs="required")
    facts = cutover.CutoverInput(Task(IDENTITY, listed), settings)
    judgements = reasons(TaskExplanation(facts.task, None, frozenset({"v3"}), {}, facts))
    names = [reason.name for reason in cutover.REASONS if reason.outcome(facts)]
    assert [judgement.name for judgement in judgements] == names
    assert len(names) > 12
    assert {judgement.age for judgement in judgements} == {"unknown"}
    assert not any("\n" in judgement.fact for judgement in judgements)
