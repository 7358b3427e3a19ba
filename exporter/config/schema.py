"""The schema of the configuration file.

Every field has its meaning, default and unit, from which the documentation and the test of the example file are made.
"""

from typing import Annotated, Any, Literal, Self, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, create_model, model_validator

from exporter.config.collectors import COLLECTORS, TASKS, Collector
from exporter.config.files import CaFile, Secret
from exporter.config.values import (
    Duration,
    Endpoint,
    IamEndpoint,
    Interval,
    ListOf,
    NameRegex,
    ProjectId,
    ProxyUrl,
    Region,
    TagLabels,
    Text,
    proxy_url,
)

Cloud = Literal["huaweicloud", "huaweicloud_eu", "otc"]
JobType = Literal["migration", "sync", "cloudDataGuard"]
JOB_TYPES: tuple[JobType, ...] = get_args(JobType)
"""The task scenarios that are polled; `job_type` in v5, `db_use_type` in v3."""
Need = Literal["required", "if_available", "ignore"]

_DOMAINS: dict[Cloud, str] = {
    "huaweicloud": "myhuaweicloud.com",
    "huaweicloud_eu": "myhuaweicloud.eu",
    "otc": "otc.t-systems.com",
}


class Section(BaseModel):
    """Keys that belong together. An unknown key is an error, and no value is converted from another type."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)


class AkSk(Section):
    """A permanent access key, or a temporary one with its security token."""

    type: Literal["ak_sk"] = Field(description="Signs each call with an access key; asks for no token.")
    access_key: Secret = Field(description="Access key id (AK).")
    secret_key: Secret = Field(description="Secret access key (SK).")
    security_token: Secret | None = Field(None, description="Only for temporary keys: their security token.")


class Password(Section):
    """An IAM user, who signs in for a token of each project."""

    type: Literal["password"] = Field(description="Signs in at IAM with a password.")
    domain: Text = Field(description="Name of the account (IAM domain) that the user belongs to.")
    user: Text = Field(description="Name of the IAM user.")
    password: Secret = Field(description="Password of the IAM user.")


class Token(Section):
    """An IAM token that somebody else keeps fresh, best in a file."""

    type: Literal["token"] = Field(description="Uses a project's IAM token as it is.")
    token: Secret = Field(description="The token (X-Auth-Token); it ends after 24 h, so renew it in the file.")


class EcsAgency(Section):
    """The agency of the ECS instance that the exporter runs on: no secret to store."""

    type: Literal["ecs_agency"] = Field(description="Temporary keys from the metadata service of an ECS instance.")
    metadata_endpoint: Endpoint = Field("http://169.254.169.254", description="The metadata service.")


Credentials = Annotated[AkSk | Password | Token | EcsAgency, Field(discriminator="type")]


class Project(Section):
    """One IAM project in one region: the unit that is polled."""

    region: Region = Field(description="Region id, the label region.")
    name: Text | None = Field(
        None,
        description="Label project; without project_id also the project's name in IAM, such as eu-de_payments. "
        "Default: project_id, or region where that is left out.",
    )
    project_id: ProjectId | None = Field(
        None,
        description="Project id, quoted. Default: found in IAM by name; without name, the region's default project.",
    )
    endpoint: Endpoint | None = Field(None, description="DRS endpoint. Default: from cloud and region.")
    api: Literal["auto", "v3", "v5"] = Field(
        "auto", description="API generation. auto asks every one that is published; a pin may hide tasks."
    )
    enterprise_project_ids: ListOf[Text] = Field(
        (), description="Lists only these enterprise projects, one list call each on v3. Empty: all."
    )

    @property
    def label(self) -> str:
        """The label project, known without IAM, where a region's default project has the name of the region."""
        return self.name or self.project_id or self.region

    @property
    def iam_name(self) -> str:
        """The name by which IAM finds the project without `project_id`; a default project is named like its region."""
        return self.name or self.region


class Poll(Section):
    """How often, how long and how fast the cloud is asked."""

    interval: Interval = Field(30.0, description="Between two polls of tasks, progress and recovery; at least 1s.")
    timeout: Duration = Field(10.0, description="Longest wait for the answer to one API call.")
    stale_after: Duration = Field(
        300.0, description="Age at which a value goes, or 3 intervals of its collector if longer; at least interval."
    )
    rate_limit: float = Field(3.0, gt=0, allow_inf_nan=False, description="API calls a second, per account and region.")
    burst: int = Field(5, ge=1, description="API calls that may leave at once after a pause.")


class CollectorSettings(Section):
    """The settings of one collector."""

    enabled: bool = Field(default=True, description="Whether these facts are collected.")
    interval: Interval | None = Field(None, description="Between two collections; default: poll.interval.")


def _always_on(settings: CollectorSettings) -> CollectorSettings:
    if not settings.enabled:
        raise ValueError("can't be disabled: all other collectors work on its lists")
    return settings


def _field_of(collector: Collector) -> tuple[Any, Any]:
    kind = Annotated[CollectorSettings, AfterValidator(_always_on)] if collector.name == TASKS else CollectorSettings
    default = CollectorSettings(enabled=collector.enabled, interval=collector.interval)
    return kind, Field(default, description=collector.about)


_fields: Any = {collector.name: _field_of(collector) for collector in COLLECTORS.values()}


class Collectors(create_model("CollectorFields", __base__=Section, **_fields)):  # type: ignore[misc]  # from the table
    """The interval of each collector; a field for each row of the table of collectors."""


class TaskRule(Section):
    """Matches a task for which all of the given keys hold."""

    name: NameRegex | None = Field(None, description="Regular expression for the whole name.")
    id: Text | None = Field(None, description="Task id.")
    job_type: JobType | None = Field(None, description="migration, sync or cloudDataGuard (disaster recovery).")
    engine_type: Text | None = Field(None, description="Engines, as the API calls them, such as mysql-to-mysql.")
    status: Text | None = Field(None, description="Raw status, such as INCRE_TRANSFER_STARTED.")
    enterprise_project_id: Text | None = Field(None, description="Enterprise project id, quoted.")
    tag: Text | None = Field(None, description="A tag, as key or as key=value.")

    @model_validator(mode="after")
    def _has_a_key(self) -> Self:
        if all(value is None for _, value in self):
            raise ValueError(f"give at least one of {', '.join(type(self).model_fields)}")
        return self


class Tasks(Section):
    """Which tasks are shown, and with what labels."""

    job_types: ListOf[JobType] = Field(JOB_TYPES, min_length=1, description="Kinds of tasks to list; a call each.")
    include: ListOf[TaskRule] = Field((), description="Only tasks that match one of these rules. Empty: all.")
    exclude: ListOf[TaskRule] = Field((), description="But no task that matches one of these rules.")
    ended_for: Duration = Field(
        7 * 86_400.0,
        description="Time for which an ended task is shown, since it was first seen so, also by a restarted exporter.",
    )
    tag_labels: TagLabels = Field((), description="Keys of tags, shown as labels tag_<key> of drs_task_detail_info.")


class Cutover(Section):
    """What must hold before drs_task_cutover_ready is 1."""

    max_delay: Duration = Field(5.0, description="Largest delay, and RPO and RTO where the task has no threshold.")
    endpoints: Need = Field("if_available", description="Source and target answer.")
    objects: Need = Field("if_available", description="The target has all objects.")
    comparison: Need = Field("if_available", description="The newest comparison ended, and all is equal.")
    logs: Need = Field("ignore", description="No error in the log.")


class Proxy(Section):
    """An HTTP proxy for the calls of an account."""

    url: ProxyUrl | None = Field(None, description="http://HOST:PORT, without user and password.")
    user: Secret | None = Field(None, description="User, if the proxy requires one.")
    password: Secret | None = Field(None, description="Password of that user.")
    from_environment: bool = Field(
        default=False, description="Follow HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY instead."
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


class Account(Section):
    """A named set of credentials, and the projects that they open."""

    name: Text = Field(description="Label account; unique.")
    cloud: Cloud = Field(description="Patterns of the endpoints: huaweicloud, huaweicloud_eu or otc.")
    credentials: Credentials = Field(description="How calls are authenticated.")
    regions: ListOf[Region] = Field((), description="Short form: the default project of each of these regions.")
    projects: ListOf[Project] = Field((), description="Long form: projects one by one.")
    iam_endpoint: IamEndpoint | None = Field(None, description="IAM endpoint. Default: from cloud and region.")
    proxy: Annotated[Proxy | None, BeforeValidator(_proxy)] = Field(
        None, description="HTTP proxy for all calls of this account: its URL, or these keys."
    )
    ca_file: CaFile | None = Field(None, description="PEM file of CAs to trust instead of the usual ones.")
    poll: Poll = Field(default_factory=Poll, description="Keys that differ from the top level.")
    collectors: Collectors = Field(default_factory=Collectors, description="Keys that differ from the top level.")
    tasks: Tasks = Field(default_factory=Tasks, description="Keys that differ from the top level.")
    cutover: Cutover = Field(default_factory=Cutover, description="Keys that differ from the top level.")

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

    def enabled(self, collector: str) -> bool:
        """Return whether the account enables a collector."""
        return self._collector(collector).enabled

    def interval(self, collector: str) -> float:
        """Return the seconds between two polls of a collector."""
        return self._collector(collector).interval or self.poll.interval

    def _collector(self, name: str) -> CollectorSettings:
        settings: CollectorSettings = getattr(self.collectors, name)
        return settings


class Config(Section):
    """The whole file. `load` returns it with the sections of each account complete."""

    accounts: ListOf[Account] = Field(min_length=1, description="Whom the exporter polls as.")
    poll: Poll = Field(default_factory=Poll, description="How often, how long and how fast the cloud is asked.")
    collectors: Collectors = Field(default_factory=Collectors, description="The pace of each kind of facts.")
    tasks: Tasks = Field(default_factory=Tasks, description="Which tasks are shown, and with what labels.")
    cutover: Cutover = Field(default_factory=Cutover, description="When a task counts as ready to cut over.")
