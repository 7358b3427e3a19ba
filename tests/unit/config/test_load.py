"""What a configuration becomes: defaults, accounts completed from the top level, endpoints, rules across fields."""

from pathlib import Path
from types import MappingProxyType
from typing import Any

import certifi
import pytest

from exporter.config import NEEDS, Config, Cutover, Project, from_mapping, load
from exporter.config.name_patterns import NamePattern
from exporter.model.cutover import REASONS
from tests.lib.daemon import PROJECT_ID
from tests.lib.settings import fault_of
from tests.lib.settings import otc_account as account


def config_of(*accounts: dict[str, object], **sections: object) -> Config:
    return from_mapping({"accounts": list(accounts or [account()]), **sections})


def faults_of(*accounts: dict[str, object], **sections: object) -> list[str]:
    return fault_of(config_of, *accounts, **sections).split("\n")


def test_defaults() -> None:
    config = config_of()
    assert config.poll.model_dump() == {
        "interval": 30, "timeout": 10, "stale_after": 300, "rate_limit": 3, "burst": 5,
        "operation_rate_limit": None,
    }  # fmt: skip
    assert {name: config.accounts[0].interval(name) for name in type(config.collectors).model_fields} == {
        "tasks": 30, "progress": 30, "recovery": 30, "node": 60, "objects": 120, "comparison": 300,
        "async_jobs": 300, "detail": 600, "precheck": 600, "quota": 3600, "logs": 300,
    }  # fmt: skip
    disabled = [name for name in type(config.collectors).model_fields if not config.accounts[0].enabled(name)]
    assert disabled == ["logs"]
    assert config.tasks.model_dump() == {
        "job_types": ("migration", "sync", "cloudDataGuard"), "include": (), "exclude": (), "ended_for": 604_800,
        "tag_labels": (),
    }  # fmt: skip
    assert config.cutover.model_dump() == {
        "max_delay": 5, "max_age": 90, "stable_for": 120, "comparison": "if_available", "comparison_max_age": 86_400,
        "endpoints": "if_available", "objects": "if_available", "report": "ignore", "logs": "ignore",
    }  # fmt: skip


def test_the_top_level_is_the_default_of_each_account_key_by_key() -> None:
    config = config_of(
        account("plain"),
        account("own", poll={"timeout": "1s"}, collectors={"node": {"enabled": False}, "logs": {"enabled": True}}),
        poll={"interval": "10s"},
        collectors={"tasks": {"interval": 15}, "node": {"interval": "20s"}, "detail": {"interval": None}},
        cutover={"comparison": "required"},
    )
    plain, own = config.accounts
    assert (plain.poll.interval, plain.poll.timeout, own.poll.interval, own.poll.timeout) == (10, 10, 10, 1)
    assert [plain.interval(name) for name in ("tasks", "progress", "node", "detail")] == [15, 10, 20, 600]
    assert (plain.enabled("node"), own.enabled("node"), own.interval("node")) == (True, False, 20)
    assert (plain.enabled("logs"), own.enabled("logs"), own.interval("logs")) == (False, True, 300)
    assert (own.cutover.comparison, config.poll) == ("required", plain.poll)
    assert [plain.sets_interval(name) for name in ("tasks", "progress", "node", "detail")] == [True, False, True, False]


def test_lists_of_an_account_replace_those_of_the_top_level() -> None:
    config = config_of(account(tasks={"include": []}), account("b"), tasks={"include": [{"name": "pay.*"}]})
    none, one = config.accounts
    assert (none.tasks.include, one.tasks.include[0].name) == ((), NamePattern("pay.*"))


@pytest.mark.parametrize(
    ("cloud", "region", "drs", "iam"),
    [
        ("huaweicloud", "cn-north-4", "https://drs.cn-north-4.myhuaweicloud.com", "https://iam.cn-north-4.myhuaweicloud.com"),
        ("huaweicloud_eu", "eu-west-101", "https://drs.eu-west-101.myhuaweicloud.eu", "https://iam.eu-west-101.myhuaweicloud.eu"),
        ("otc", "eu-de", "https://drs.eu-de.otc.t-systems.com", "https://iam.eu-de.otc.t-systems.com"),
    ],
)  # fmt: skip
def test_endpoints_follow_cloud_and_region(cloud: str, region: str, drs: str, iam: str) -> None:
    made = config_of(account(cloud=cloud, regions=[region])).accounts[0]
    assert (made.endpoint_for(made.all_projects()[0]), made.iam_endpoint_for(region)) == (drs, iam)


def test_explicit_endpoints_win() -> None:
    project = {"region": "eu-de", "endpoint": "https://drs.example/"}
    made = config_of(account(regions=[], projects=[project], iam_endpoint="https://iam.example")).accounts[0]
    assert made.endpoint_for(made.projects[0]) == "https://drs.example"
    assert made.iam_endpoint_for("eu-de") == "https://iam.example"


def test_regions_are_projects_in_short() -> None:
    made = config_of(account(regions=["eu-de"], projects=[{"region": "eu-nl", "name": "pay"}])).accounts[0]
    assert made.all_projects() == (Project(region="eu-de"), Project(region="eu-nl", name="pay"))


@pytest.mark.parametrize(
    "credentials",
    [
        {"type": "ak_sk", "access_key": "a", "secret_key": "s"},
        {"type": "ak_sk", "access_key": "a", "secret_key": "s", "security_token": "t"},
        {"type": "password", "domain": "d", "user": "u", "password": "p"},
        {"type": "token", "token": "t"},
        {"type": "ecs_agency"},
        {"type": "ecs_agency", "metadata_endpoint": "http://127.0.0.1:8080"},
    ],
)
def test_credentials(credentials: dict[str, str]) -> None:
    parsed: Any = config_of(account(credentials=credentials)).accounts[0].credentials
    assert {key: getattr(parsed, key).reveal() if hasattr(getattr(parsed, key), "reveal") else getattr(parsed, key)
            for key in credentials} == credentials  # fmt: skip


def test_the_agency_uses_the_usual_metadata_service() -> None:
    credentials: Any = config_of(account(credentials={"type": "ecs_agency"})).accounts[0].credentials
    assert credentials.metadata_endpoint == "http://169.254.169.254"


def test_any_mapping_is_accepted() -> None:
    assert from_mapping(MappingProxyType({"accounts": (account(),)})) == config_of()


def test_paths_start_in_the_folder_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("hush\n")
    (tmp_path / "ca.pem").write_text(Path(certifi.where()).read_text())
    (tmp_path / "config.yaml").write_text(
        "accounts: [{name: a, cloud: otc, credentials: {type: token, token: {file: token}}, regions: [eu-de],"
        " ca_file: ca.pem}]"
    )
    made = load(tmp_path / "config.yaml").accounts[0]
    credentials: Any = made.credentials
    assert credentials.token.reveal() == "hush"
    assert made.ca_file
    assert made.ca_file.path == tmp_path / "ca.pem"


def test_what_must_be_unique() -> None:
    project = {"region": "eu-de", "project_id": PROJECT_ID, "name": "pay"}
    first = account(projects=[project, project | {"project_id": "f" * 32}, {"region": "eu-de"}])
    second = account(regions=[], projects=[project])
    path = "accounts[1].projects[0].project_id"
    assert faults_of(first, second, account("c", regions=["x", "x"])) == [
        "accounts[0].projects[1].name: project name pay of eu-de in a is already set at accounts[0].projects[0].name",
        "accounts[0].projects[2]: the default project of eu-de in a is already set at accounts[0].regions[0]",
        "accounts[1].name: account a is already set at accounts[0].name",
        f"{path}: project {PROJECT_ID} of eu-de is already set at accounts[0].projects[0].project_id",
        "accounts[1].projects[0].name: project name pay of eu-de in a is already set at accounts[0].projects[0].name",
        "accounts[2].regions[1]: the default project of x in c is already set at accounts[2].regions[0]",
    ]


def test_labels_that_no_name_gives_must_be_unique_too() -> None:
    project = {"region": "eu-de", "project_id": PROJECT_ID}
    assert faults_of(account(projects=[project | {"name": "eu-de"}])) == [
        "accounts[0].projects[0].name: project name eu-de of eu-de in a is already set at accounts[0].regions[0]"
    ]
    named_like_an_id = {"region": "eu-de", "name": PROJECT_ID, "project_id": "f" * 32}
    first, second = "accounts[0].projects[0].project_id", "accounts[0].projects[1]"
    assert faults_of(account(projects=[project, named_like_an_id])) == [
        f"{second}.name: project name {PROJECT_ID} of eu-de in a is already set at {first}"
    ]
    assert faults_of(account(projects=[project, project])) == [
        f"{second}.project_id: project {PROJECT_ID} of eu-de is already set at {first}"
    ]


def test_the_label_of_a_project_is_known_without_the_cloud() -> None:
    assert Project(region="eu-de", project_id=PROJECT_ID, name="pay").label == "pay"
    assert Project(region="eu-de", project_id=PROJECT_ID).label == PROJECT_ID
    assert Project(region="eu-de").label == "eu-de"


def test_the_same_region_and_name_in_two_accounts_is_fine() -> None:
    project = [{"region": "eu-de", "name": "pay"}]
    config = config_of(account("a", regions=[], projects=project), account("b", regions=[], projects=project))
    assert len(config.accounts) == 2


def test_an_account_needs_something_to_poll() -> None:
    assert faults_of(account(regions=[])) == ["accounts[0]: needs regions, projects, or both"]


def test_values_must_not_go_stale_between_two_polls() -> None:
    fault, old = "stale_after (1m) must be at least interval (2m)", {"max_age": "5m"}
    slow = {"interval": "2m", "stale_after": "1m"}
    assert faults_of(account("a"), account("b"), poll=slow, cutover=old) == [f"poll: {fault}"]
    polled = account(poll={"interval": "2m"})
    assert faults_of(polled, poll={"stale_after": 60}, cutover=old) == [f"accounts[0].poll: {fault}"]
    fixed = config_of(account(poll={"stale_after": "5m"}), poll=slow, cutover=old)
    assert fixed.accounts[0].poll.stale_after == 300


def test_facts_of_a_verdict_must_be_polled_twice_before_they_are_too_old() -> None:
    fault = "must be at least 2 x poll.interval of a ({}), else no task stays ready: raise it, or poll more often"
    assert faults_of(cutover={"max_age": "59s"}) == [f"cutover.max_age: 59s {fault.format('30s')}"]
    for own, path in (
        (account(poll={"interval": "50s"}), "cutover"),
        (account(cutover={"max_age": "40s"}), "accounts[0].cutover"),
    ):
        (found,) = faults_of(own, cutover={"max_age": "90s"})
        assert found.startswith(f"{path}.max_age: ")
    assert config_of(cutover={"max_age": "60s"}).cutover.max_age == 60
    assert config_of(account(cutover={"max_age": "2m"}), poll={"interval": "1m"}).accounts[0].cutover.max_age == 120


def test_a_long_interval_is_named_itself_where_no_max_age_is_set() -> None:
    fault = (
        "1m must be at most half of cutover.max_age of a (1m30s), else no task stays ready: lower it, or set max_age"
    )
    assert faults_of(poll={"interval": "1m"}) == [f"poll.interval: {fault}"]
    assert faults_of(account(poll={"interval": "1m"})) == [f"accounts[0].poll.interval: {fault}"]


def test_cutover_can_not_require_what_is_not_collected() -> None:
    fault = "required, but collector logs of a is disabled: enable it"
    assert faults_of(cutover={"logs": "required"}) == [f"cutover.logs: {fault}"]
    assert faults_of(account(cutover={"logs": "required"})) == [f"accounts[0].cutover.logs: {fault}"]
    assert config_of(cutover={"logs": "required"}, collectors={"logs": {"enabled": True}}).cutover.logs == "required"


@pytest.mark.parametrize("name", NEEDS)
def test_cutover_can_not_require_what_a_disabled_collector_reads(name: str) -> None:
    (collector,) = {reason.collector for reason in REASONS if reason.setting == name}
    fault = f"cutover.{name}: required, but collector {collector} of a is disabled: enable it"
    assert faults_of(cutover={name: "required"}, collectors={collector: {"enabled": False}}) == [fault]


def test_sections_do_not_change_after_loading() -> None:
    config: Any = config_of()
    with pytest.raises(ValueError, match="frozen"):
        config.poll.interval = 1.0


def test_the_default_settings_of_the_cutover() -> None:
    assert Cutover().model_dump() == {
        "max_delay": 5,
        "max_age": 90,
        "stable_for": 120,
        "comparison_max_age": 86_400,
        **dict.fromkeys(("endpoints", "objects", "comparison"), "if_available"),
        **dict.fromkeys(("report", "logs"), "ignore"),
    }
