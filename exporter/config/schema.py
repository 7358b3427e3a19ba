"""The schema of the configuration file.

config.example.yaml explains every key; a test keeps it complete.
"""

from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, create_model, model_validator

from exporter.config.collectors import COLLECTORS, TASKS, Collector
from exporter.config.files import CaFile, Secret
from exporter.config.section import Section
from exporter.config.storage import StorageSettings
from exporter.config.tasks import Cutover, Tasks
from exporter.config.values import (
    BaseUrl,
    Duration,
    Endpoint,
    IamEndpoint,
    Interval,
    ListOf,
    ProjectId,
    ProxyUrl,
    Region,
    Text,
    proxy_url,
)
from exporter.config.waves import Wave

Cloud = Literal["huaweicloud", "huaweicloud_eu", "otc"]

_DOMAINS: dict[Cloud, str] = {
    "huaweicloud": "myhuaweicloud.com",
    "huaweicloud_eu": "myhuaweicloud.eu",
    "otc": "otc.t-systems.com",
}


class AkSk(Section):
    """A permanent access key, or a temporary one with its security token. It signs each call."""

    type: Literal["ak_sk"]
    access_key: Secret
    secret_key: Secret
    security_token: Secret | None = None


class Password(Section):
    """An IAM user of the account (IAM domain) `domain`, who signs in for a token of each project."""

    type: Literal["password"]
    domain: Text
    user: Text
    password: Secret


class Token(Section):
    """An IAM token of a project, which expires after 24 h: another program renews it, best in a file."""

    type: Literal["token"]
    token: Secret


class EcsAgency(Section):
    """The agency of the ECS instance that the exporter runs on: its metadata service returns temporary keys."""

    type: Literal["ecs_agency"]
    metadata_endpoint: Endpoint = "http://169.254.169.254"


Credentials = Annotated[AkSk | Password | Token | EcsAgency, Field(discriminator="type")]


class Project(Section):
    """One IAM project in one region: the unit that is polled."""

    region: Region
    name: Text | None = None
    project_id: ProjectId | None = None
    endpoint: Endpoint | None = None
    api: Literal["auto", "v3", "v5"] = "auto"
    enterprise_project_ids: ListOf[Text] = ()

    @property
    def label(self) -> str:
        """The label project, known without IAM, where a region's default project has the name of the region."""
        return self.name or self.project_id or self.region

    @property
    def iam_name(self) -> str:
        """The name by which IAM finds the project without `project_id`; a default project is named like its region."""
        return self.name or self.region


class Poll(Section):
    """Intervals, time-outs and the rate limit of the API calls, per account and region."""

    interval: Interval = 30.0
    timeout: Duration = 10.0
    stale_after: Duration = 300.0
    rate_limit: float = Field(3.0, gt=0, allow_inf_nan=False)
    burst: int = Field(5, ge=1)
    operation_rate_limit: float | None = Field(None, gt=0, allow_inf_nan=False)


class CollectorSettings(Section):
    """The settings of one collector; without an interval, that of its row or `poll.interval` applies."""

    enabled: bool = True
    interval: Interval | None = None


class DetailSettings(CollectorSettings):
    """The settings of the collector `detail`; `audit` shows networks, zones and the use of SSL."""

    audit: bool = False


def _always_on(settings: CollectorSettings) -> CollectorSettings:
    if not settings.enabled:
        raise ValueError("can't be disabled: all other collectors work on its lists")
    return settings


_AlwaysOn = Annotated[
    CollectorSettings,
    AfterValidator(_always_on),
    Field(json_schema_extra={"type": "object", "properties": {"enabled": {"const": True}}}),
]


def _field_of(collector: Collector) -> tuple[Any, CollectorSettings]:
    kinds = {TASKS: _AlwaysOn, "detail": DetailSettings}
    default = DetailSettings if collector.name == "detail" else CollectorSettings
    return kinds.get(collector.name, CollectorSettings), default(enabled=collector.enabled)


_fields: Any = {collector.name: _field_of(collector) for collector in COLLECTORS.values()}


class Collectors(create_model("CollectorFields", __base__=Section, **_fields)):  # type: ignore[misc]  # from the table
    """The interval of each collector; a field for each row of the table of collectors."""


class Proxy(Section):
    """An HTTP proxy for the calls of an account."""

    url: ProxyUrl | None = None
    user: Secret | None = None
    password: Secret | None = None
    from_environment: bool = False

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                {
                    "required": ["url"],
                    "properties": {"from_environment": {"const": False}},
                    "dependentRequired": {"user": ["password"], "password": ["user"]},
                },
                {
                    "required": ["from_environment"],
                    "properties": {"from_environment": {"const": True}},
                    "maxProperties": 1,
                },
            ]
        }
    )

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.from_environment and self.model_fields_set != {"from_environment"}:
            raise ValueError("from_environment: true excludes url, user and password: remove them, or from_environment")
        if not self.from_environment and self.url is None:
            raise ValueError("needs url: http://HOST:PORT, or from_environment: true")
        if (self.user is None) != (self.password is None):
            raise ValueError("needs user and password, or neither")
        return self


def _proxy(value: object) -> object:
    """Convert a plain URL to a mapping with `url`."""
    return {"url": proxy_url(value)} if isinstance(value, str) else value


class Links(Section):
    """Where the links of the pages to other programs lead; no link without a URL."""

    grafana: BaseUrl | None = None
    console: BaseUrl | None = None


class Account(Section):
    """A named set of credentials, and the projects that they open."""

    name: Text
    cloud: Cloud
    credentials: Credentials
    regions: ListOf[Region] = ()
    projects: ListOf[Project] = ()
    iam_endpoint: IamEndpoint | None = None
    proxy: Annotated[
        Proxy | None,
        BeforeValidator(_proxy, json_schema_input_type=ProxyUrl | Proxy | None),
    ] = None
    ca_file: CaFile | None = None
    poll: Poll = Field(default_factory=Poll)
    collectors: Collectors = Field(default_factory=Collectors)
    tasks: Tasks = Field(default_factory=Tasks)
    cutover: Cutover = Field(default_factory=Cutover)

    model_config = ConfigDict(json_schema_extra={"anyOf": [{"required": ["regions"]}, {"required": ["projects"]}]})

    def all_projects(self) -> tuple[Project, ...]:
        """Return the projects to poll: the default project of each of `regions`, then `projects`."""
        return (*(Project(region=region) for region in self.regions), *self.projects)

    def endpoint_for(self, project: Project) -> str:
        """Return the DRS endpoint of a project: `https://HOST[:PORT]`."""
        return project.endpoint or self._default_endpoint("drs", project.region)

    def iam_endpoint_for(self, region: str) -> str:
        """Return the IAM endpoint of a region: `https://HOST[:PORT]`."""
        return self.iam_endpoint or self._default_endpoint("iam", region)

    def _default_endpoint(self, service: str, region: str) -> str:
        return f"https://{service}.{region}.{_DOMAINS[self.cloud]}"

    @staticmethod
    def is_of_cloud(endpoint: str) -> bool:
        """Return whether an endpoint is a host of one of the known clouds, which can only be reached by HTTPS."""
        return (urlsplit(endpoint).hostname or "").endswith(tuple(f".{name}" for name in _DOMAINS.values()))

    def enabled(self, collector: str) -> bool:
        """Return whether the account enables a collector."""
        return self._collector(collector).enabled

    @property
    def audit(self) -> bool:
        """Whether the account shows the families for audits."""
        settings: DetailSettings = self.collectors.detail
        return settings.audit

    def interval(self, collector: str) -> float:
        """Return the seconds between two polls of a collector."""
        return self._collector(collector).interval or COLLECTORS[collector].interval or self.poll.interval

    def sets_interval(self, collector: str) -> bool:
        """Return whether the configuration sets the interval of a collector: then no source or task has another."""
        return self._collector(collector).interval is not None

    def _collector(self, name: str) -> CollectorSettings:
        settings: CollectorSettings = getattr(self.collectors, name)
        return settings


class Config(Section):
    """The whole file. `load` returns it with the sections of each account complete."""

    accounts: ListOf[Account] = Field(min_length=1)
    poll: Poll = Field(default_factory=Poll)
    collectors: Collectors = Field(default_factory=Collectors)
    tasks: Tasks = Field(default_factory=Tasks)
    cutover: Cutover = Field(default_factory=Cutover)
    storage: StorageSettings = Field(default_factory=StorageSettings)
    waves: ListOf[Wave] = ()
    links: Links = Field(default_factory=Links)
