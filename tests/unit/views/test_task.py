"""The facts of a task in groups."""

from __future__ import annotations

from exporter.model.explanation import TaskExplanation
from exporter.model.task import Identity, Project, Task
from exporter.views.task import Group, groups
from tests.lib.virtual_time import EPOCH

IDENTITY = Identity("acme", "cn-north-4", "payments", "id", "orders")


def test_a_task_whose_list_has_aged_out() -> None:
    subject = TaskExplanation(Task(IDENTITY), None, frozenset({"v3"}), {}, None)
    project = Project("acme", "cn-north-4", "payments")
    found = {group.title: group for group in groups(subject, project, lambda _: True, EPOCH)}
    assert found["status"] == Group("status", "unknown", [("status", "unknown")])
    assert found["progress"].unknown == "no operation that provides it is available here"
