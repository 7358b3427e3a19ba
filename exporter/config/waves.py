"""The settings of waves: tasks that are cut over together."""

from pydantic import Field

from exporter.config.section import Section
from exporter.config.tasks import Cutover, Rule
from exporter.config.values import Interval, ListOf, Moment, Region, Text, WaveName


class WaveRule(Rule):
    """A rule for members of a wave."""

    account: Text | None = None
    region: Region | None = None
    project: Text | None = None

    def of_project(self, account: str, region: str, project: str) -> bool:
        """Return whether tasks of a project can match."""
        return (
            (self.account is None or self.account == account)
            and (self.region is None or self.region == region)
            and (self.project is None or self.project == project)
        )


class Wave(Section):
    """A named group of tasks, with a shorter interval and a stricter cut-over while it runs.

    Its `cutover` contains only what the wave itself sets, see `model_fields_set`.
    """

    name: WaveName
    include: ListOf[WaveRule] = Field(min_length=1)
    expected: int | None = Field(None, ge=1)
    starts_at: Moment | None = Field(None, alias="from")
    """Unix time; without it, the wave has always begun."""
    ends_at: Moment | None = Field(None, alias="until")
    """Unix time; without it, the wave never ends."""
    interval: Interval | None = None
    cutover: Cutover = Field(default_factory=Cutover)
