"""One project with waves, and the members of a wave, for tests."""

from __future__ import annotations

from typing import Any

from exporter.daemon.exporter import Exporter
from exporter.model.facts import Progress
from exporter.model.waves import WaveStatus
from tests.lib.daemon import StoreFixture

FINE = Progress(full_ratio=1, delay_seconds=0)
ENDED = "RELEASE_RESOURCE_COMPLETE"
OTHERS = ("migration", "cloudDataGuard")


def wave(*rules: dict[str, str], **keys: Any) -> dict[str, Any]:
    return {"name": "w", "include": rules or [{"name": "task .*"}], **keys}


async def fixture_of(*waves: dict[str, Any]) -> StoreFixture:
    fixture = StoreFixture()
    fixture.run(*(waves or (wave(),)))
    await fixture.scrape()
    for job_type in OTHERS:
        await fixture.lists(job_type=job_type)
    return fixture


def status_of(source: StoreFixture | Exporter, name: str = "w") -> WaveStatus:
    status = source.waves.status(name)
    assert status is not None
    return status


def states(source: StoreFixture | Exporter, name: str = "w") -> dict[str, str]:
    return {member.task_name: member.state.value for member in status_of(source, name).members}
