"""Facts that seldom change about a task: the fields that v3 and v5 have in common."""

from __future__ import annotations

import re
from typing import Any, Self

from pydantic import model_validator

from exporter.cloud.wire.fields import (
    Flag,
    Megabytes,
    Nested,
    NestedList,
    Number,
    Positive,
    Switch,
    Text,
    Time,
    UserText,
    Version,
    Wire,
    Word,
    WordList,
    alias,
    facts_of,
)
from exporter.model.details import Detail, SpeedLimit
from exporter.model.facts import Switchover

_DAY = 86_400
_BEGIN, _END = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]"), re.compile(r"([01][0-9]|2[0-3]):59")
_EIP_BOUND = {"SUCCESS": True, "FAILED": False}


class AlarmWire(Wire):
    """`alarm_notify`: thresholds in seconds in both generations; 0 means that none is set."""

    alarm_enabled: Flag = alias("alarm_to_user")
    delay_threshold_seconds: Positive = alias("delay_time")
    rpo_threshold_seconds: Positive = alias("rpo_delay")
    rto_threshold_seconds: Positive = alias("rto_delay")

    @property
    def in_force(self) -> AlarmWire:
        """The thresholds at which the cloud alarms: none while the alarm is off."""
        return AlarmWire.model_construct(alarm_enabled=False) if self.alarm_enabled is False else self


class OrderWire(Wire):
    """`period_order`; only there for yearly or monthly billing. Status and end are in v3 only."""

    order_status: Word = alias("status")
    order_expires_at: Time = alias("exp_time")
    order_auto_renew: Switch = alias("is_auto_renew")


class SpeedLimitWire(Wire):
    """An item of `speed_limit`: v5 table 16, v3 table 9. The end is in the last minute of an hour."""

    begin: Text = None
    end: Text = None
    speed: Megabytes = None
    is_utc: Flag = None

    @model_validator(mode="after")
    def _check_times(self) -> Self:
        if not _BEGIN.fullmatch(self.begin or "00:00") or not _END.fullmatch(self.end or "00:59"):
            raise ValueError
        return self

    @property
    def limit(self) -> SpeedLimit | None:
        """The limit; None if it is not known when it is in force. The cloud ignores the minutes of the begin."""
        if not (self.begin and self.end and self.speed):
            return None
        limit = SpeedLimit(int(self.begin[:2]), (int(self.end[:2]) + 1) % 24, self.speed)
        return None if self.is_utc is False and not limit.all_day else limit


class TagWire(Wire):
    """A tag of the task."""

    key: UserText = None
    value: UserText = None


class DetailWire(Wire):
    """Fields that both generations have under the same names, v5 partly in `base_info` and `policy_config`."""

    created_at: Time = alias("create_time")
    job_direction: Word = None
    kernel_direction: Word = alias("job_kernel_direction")
    master_task_id: Word = alias("master_job_id")
    multi_write: Flag = None
    conflict_policy: Word = None
    filter_ddl_policy: Word = None
    ddl_trans: Flag = None
    index_trans: Flag = None
    sync_type_policy: WordList = None
    topology: Word = alias("data_sync_topology_type")
    task_version: Version = None
    bind_public_ip_state: Word = None
    expired_days: Number = None
    scheduled_start_at: Time = alias("start_time")
    tags: NestedList[TagWire] = ()
    speed_limit: NestedList[SpeedLimitWire] = ()
    alarm_notify: Nested[AlarmWire] = None
    period_order: Nested[OrderWire] = None

    def parts(self, *wires: Wire | None, **values: Any) -> tuple[Detail, Switchover]:
        """Return the facts, with those of other wire models and other values.

        During a switchover the kernel runs against the direction; both are in one response, so of one moment.
        """
        directions = self.job_direction, self.kernel_direction
        detail = facts_of(
            Detail,
            self,
            self.alarm_notify and self.alarm_notify.in_force,
            self.period_order,
            *wires,
            tags=tuple((tag.key, tag.value or "") for tag in self.tags if tag.key),
            speed_limits=tuple(limit for window in self.speed_limit if (limit := window.limit)),
            eip_bound=_EIP_BOUND.get((self.bind_public_ip_state or "").upper()),
            auto_stop_after_seconds=self.expired_days * _DAY if self.expired_days else None,
            **values,
        )
        return detail, Switchover(None if None in directions else directions[0] != directions[1])


class NetworkWire(Wire):
    """Where the node is: in an item of v3, table 5; `node_info.vpc` of v5, table 28."""

    vpc_id: Word = None
    subnet_id: Word = None
    security_group_id: Word = None
