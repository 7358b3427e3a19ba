"""Facts that seldom change about a task: v5 "Querying Task Details" with type=detail and type=is_writable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

from exporter.cloud import operations
from exporter.cloud.source import DecodeErrors, ErrorsByCollector, TaskResults
from exporter.cloud.wire.batch_item import JobWire, read_job
from exporter.cloud.wire.detail import DetailWire, NetworkWire
from exporter.cloud.wire.fields import (
    Flag,
    JsonObject,
    Nested,
    NestedList,
    Switch,
    Text,
    Wire,
    Word,
    WordList,
    alias,
)
from exporter.model.details import Detail, Writable
from exporter.model.facts import Switchover

if TYPE_CHECKING:
    from exporter.cloud.http.client import Client


class DatabaseV5Wire(Wire):
    """`endpoint` in an endpoint of v5, table 9."""

    target_instance_id: Word = alias("instance_id")


class TargetConfigV5Wire(Wire):
    """`config` in an endpoint of v5, table 12."""

    target_read_only: Flag = alias("is_target_readonly")


class SslV5Wire(Wire):
    """`ssl` in an endpoint of v5, table 13."""

    ssl_link: Switch = None


class EndpointV5Wire(Wire):
    """An item of `source_endpoint` and `target_endpoint` of v5, table 8."""

    db_type: Word = None
    endpoint: Nested[DatabaseV5Wire] = None
    config: Nested[TargetConfigV5Wire] = None
    ssl: Nested[SslV5Wire] = None


class SpecV5Wire(Wire):
    """`node_info.spec` of v5, table 27."""

    node_type: Word = None


class NodeBaseV5Wire(Wire):
    """`node_info.base_info` of v5, table 29."""

    instance_type: Word = None
    node_status: Word = alias("status")
    node_role: Word = alias("role")
    az: WordList = alias("availability_zone")


class NodeV5Wire(Wire):
    """`node_info` of v5, table 26."""

    spec: Nested[SpecV5Wire] = None
    vpc: Nested[NetworkWire] = None
    base_info: Nested[NodeBaseV5Wire] = None


class DetailJobWire(DetailWire, JobWire):
    """The object `job` of v5 with type=detail, table 5, with `base_info` and `policy_config`, tables 6 and 20."""

    base_info: JsonObject = None
    policy_config: JsonObject = None
    charging_mode: Word = None
    source_endpoint: NestedList[EndpointV5Wire] = ()
    target_endpoint: NestedList[EndpointV5Wire] = ()
    node_info: Nested[NodeV5Wire] = None

    @classmethod
    def read(cls, value: Any, errors: DecodeErrors) -> Self | None:
        """Decode the object; the fields of these blocks may be in them or beside them."""
        blocks = (value.get(name) for name in ("base_info", "policy_config")) if isinstance(value, dict) else ()
        inner = {name: field for block in blocks if isinstance(block, dict) for name, field in block.items()}
        return super().read({**value, **inner} if inner else value, errors)

    def facts(self) -> tuple[Detail, Switchover]:
        node = self.node_info or NodeV5Wire()
        source = next(iter(self.source_endpoint), EndpointV5Wire())
        target = next(iter(self.target_endpoint), EndpointV5Wire())
        return self.parts(
            node.spec,
            node.base_info,
            node.vpc,
            target.endpoint,
            target.config,
            source_type=source.db_type,
            target_type=target.db_type,
            source_ssl=_ssl(self.source_endpoint),
            target_ssl=_ssl(self.target_endpoint),
        )


def _ssl(endpoints: Sequence[EndpointV5Wire]) -> bool | None:
    """Return whether the connections use SSL; None if that is not the same for all, or is unknown for one."""
    links = {endpoint.ssl.ssl_link if endpoint.ssl else None for endpoint in endpoints}
    return links.pop() if len(links) == 1 else None


async def fetch_detail(client: Client, errors: ErrorsByCollector, ids: Sequence[str]) -> TaskResults:
    """Fetch the details of one task."""
    job = await read_job(client, operations.DETAIL_V5, ids[0], DetailJobWire, errors[Detail.collector])
    return {ids[0]: job.facts()}


class WritableJobWire(JobWire):
    """The object `job` of v5 with type=is_writable."""

    is_writable: Text = None


async def fetch_writable(client: Client, errors: ErrorsByCollector, ids: Sequence[str]) -> TaskResults:
    """Fetch whether read-only was lifted on the target of one task; nothing where the user has not requested it."""
    job = await read_job(client, operations.WRITABLE_V5, ids[0], WritableJobWire, errors[Writable.collector])
    known = {"success": True, "pending": False}
    return {ids[0]: (Writable(known[job.is_writable]),) if job.is_writable in known else ()}
