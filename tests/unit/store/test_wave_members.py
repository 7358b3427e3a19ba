"""The members of waves, and the lists that prove their deletion."""

from __future__ import annotations

import pytest

from exporter.config import Wave
from exporter.model.shard import Shard
from exporter.model.task import ProjectKey
from exporter.storage import Member, Storage
from exporter.store.wave_members import WaveMembers
from tests.lib.virtual_time import EPOCH

SYNC, MIGRATION = ("v3", "sync"), ("v3", "migration")


def test_a_list_that_is_not_polled_any_more_may_contain_a_member() -> None:
    members = WaveMembers(ProjectKey("acme", "eu-de", "shop"))
    members.put("w", "a", Member("orders", "ready", 0.0))
    members.observe_list(SYNC, {"a"}, 2)
    members.observe_list(MIGRATION, set(), 2)
    members.observe_list(SYNC, set(), 2)
    assert not members.is_deleted("a", [SYNC])
    assert members.is_deleted("a", [SYNC, MIGRATION])


def wave(begins: int) -> Wave:
    return Wave.model_validate(
        {"name": "w", "include": [{"name": "orders-.*"}], "from": f"2026-01-01T00:0{begins}:00+00:00"}
    )


@pytest.mark.parametrize(("begins", "ids"), [(1, {"a"}), (3, set())], ids=["as before", "later"])
def test_a_wave_that_is_configured_again_has_its_members_unless_it_begins_later(begins: int, ids: set[str]) -> None:
    members, storage, shard = WaveMembers(ProjectKey("acme", "eu-de", "shop")), Storage(), Shard()
    members.keep([wave(1)], storage, shard)
    members.put("w", "a", Member("orders", "ended", EPOCH + 120))
    members.keep([], storage, shard)
    members.keep([wave(begins)], storage, shard)
    assert {*members.of("w")} == ids
