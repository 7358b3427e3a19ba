"""The simulated Huawei Cloud DRS: IAM, metadata service, DRS v3 and v5 as one ASGI app over worlds with a clock.

It stands in for the real cloud in demo mode and in tests, is as odd as the documents say, and shares no code
with the rest of the exporter.
"""

from exporter.simulator.accounts import DEMO_DOMAIN, DEMO_PASSWORD, DEMO_USER, Metadata
from exporter.simulator.cloud import Call, SimulatedCloud
from exporter.simulator.demo import DEMO_ACCESS_KEY, DEMO_PROJECTS, DEMO_SECRET_KEY, demo_cloud
from exporter.simulator.faults import Fault
from exporter.simulator.protocol import ABSENT
from exporter.simulator.v5.detail import query_id
from exporter.simulator.world.fleet import fleet_world
from exporter.simulator.world.tasks import SimTask
from exporter.simulator.world.world import AsyncJob, World

__all__ = [
    "ABSENT",
    "DEMO_ACCESS_KEY",
    "DEMO_DOMAIN",
    "DEMO_PASSWORD",
    "DEMO_PROJECTS",
    "DEMO_SECRET_KEY",
    "DEMO_USER",
    "AsyncJob",
    "Call",
    "Fault",
    "Metadata",
    "SimTask",
    "SimulatedCloud",
    "World",
    "demo_cloud",
    "fleet_world",
    "query_id",
]
