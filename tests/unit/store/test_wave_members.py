"""The members of waves, and the lists that prove their deletion."""

from __future__ import annotations

from exporter.model.task import ProjectKey
from exporter.storage import Member
from exporter.store.wave_members import WaveMembers

SYNC, MIGRATION = ("v3", "sync"), ("v3", "migration")


def test_a_list_that_is_not_polled_any_more_may_contain_a_member() -> None:
    members = WaveMembers(ProjectKey("acme", "eu-de", "shop"))
    members.put("w", "a", Member("orders", "ready", 0.0))
    members.observe_list(SYNC, {"a"}, 2)
    members.observe_list(MIGRATION, set(), 2)
    members.observe_list(SYNC, set(), 2)
    assert not members.is_deleted("a", [SYNC])
    assert members.is_deleted("a", [SYNC, MIGRATION])
