from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from exporter import cli, logs, questions
from exporter.check import check
from exporter.config import from_mapping
from exporter.simulator import ABSENT, Fault, faults
from tests.asking import CANARY, OTHER_ID, WHERE, Dated, config_for, project, two_projects
from tests.virtual import now, simulate
from tests.world import cloud_of, sim

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from exporter.config import Config
    from exporter.simulator import SimulatedCloud

LACKS = "lacks a permission, 403 DRS.M00102"
ROLE = 'grant the system role "DRS ReadOnlyAccess"'
PROJECT = "check project_id, region and endpoint"
REPORT = "please report it, with check --report=FILE"
NTP = "set it, best by NTP"
SLOW = "check the endpoint, firewall and proxy, or raise poll.timeout"
HEAD = """\
ok    configuration             valid, 1 account, 1 project
ok    acme/cn-north-4/payments  DRS answers
ok    acme/cn-north-4/payments  the clock is right within 1s
"""
IN = "ok    acme/cn-north-4/payments  the credentials are accepted\n"


def fleet(**options: Any) -> SimulatedCloud:
    """A task of each kind that some operation wants."""
    return cloud_of(
        sim("orders", comparison="equal"),
        sim("dr", scenario="cloudDataGuard", engine="cloudDataGuard-mysql"),
        sim("draft", status="CONFIGURATION"),
        sim("cache", scenario="migration", engine="redis-to-gaussredis"),
        sim("sessions", scenario="migration", engine="redis-to-gaussredis"),
        **options,
    )


def checked(
    cloud: SimulatedCloud,
    config: Config | None = None,
    behind: float = 0.0,
    way: httpx.AsyncBaseTransport | None = None,
) -> tuple[bool, str]:
    """Whether nothing fails, and all findings."""
    lines: list[str] = []
    fine, _ = simulate(check(config or config_for(), lines.append, transport=way or Dated(cloud, behind), now=now))
    return fine, "".join(f"{line}\n" for line in lines)


def finding(text: str, word: str) -> str:
    """The one line that has this word, without the place."""
    (line,) = [line for line in text.splitlines() if word in line]
    return " ".join(line.replace(WHERE, "").split())


def test_all_is_well() -> None:
    assert checked(fleet()) == (
        True,
        HEAD
        + IN
        + """\
ok    acme/cn-north-4/payments  v3 lists 3 tasks (mysql 2, cloudDataGuard-mysql 1)
ok    acme/cn-north-4/payments  v5 lists 4 tasks, 2 of them unknown to v3 (mysql-to-mysql 2, redis-to-gaussredis 2)
ok    acme/cn-north-4/payments  v3_batch_progress works (progress)
ok    acme/cn-north-4/payments  v3_batch_rpo_and_rto works (recovery)
ok    acme/cn-north-4/payments  v3_dr_monitoring works (node)
ok    acme/cn-north-4/payments  v3_batch_detail works (detail)
ok    acme/cn-north-4/payments  v3_query_compare_result works (comparison)
ok    acme/cn-north-4/payments  v3_batch_precheck_result works (precheck)
ok    acme/cn-north-4/payments  v3_quotas works (quota)
ok    acme/cn-north-4/payments  v5_job_progress works (node, objects, progress)
ok    acme/cn-north-4/payments  v5_monitor_data works (node)
ok    acme/cn-north-4/payments  v5_job_detail works (detail)
ok    acme/cn-north-4/payments  v5_job_is_writable works (detail)
ok    acme/cn-north-4/payments  v5_job_compare works (comparison)
ok    acme/cn-north-4/payments  v5_batch_async_jobs works (async_jobs)
""",
    )


def test_a_project_without_tasks_and_without_v5() -> None:
    assert checked(cloud_of(published={"v3"})) == (
        True,
        HEAD
        + IN
        + """\
ok    acme/cn-north-4/payments  v3 lists no tasks
ok    acme/cn-north-4/payments  v5 is not published here
ok    acme/cn-north-4/payments  v3_batch_progress has no task to be tried with (progress)
ok    acme/cn-north-4/payments  v3_batch_rpo_and_rto has no task to be tried with (recovery)
ok    acme/cn-north-4/payments  v3_dr_monitoring has no task to be tried with (node)
ok    acme/cn-north-4/payments  v3_batch_detail has no task to be tried with (detail)
ok    acme/cn-north-4/payments  v3_query_compare_result has no task to be tried with (comparison)
ok    acme/cn-north-4/payments  v3_batch_precheck_result has no task to be tried with (precheck)
ok    acme/cn-north-4/payments  v3_quotas works (quota)
ok    acme/cn-north-4/payments  objects is not available here
ok    acme/cn-north-4/payments  async_jobs is not available here
""",
    )


def test_nothing_but_reads_is_sent_and_each_operation_once() -> None:
    cloud = fleet()
    checked(cloud)
    asked = [f"{call.path} {call.query} {call.body}" for call in cloud.calls]
    assert len(asked) == len(set(asked))
    assert len([words for words in asked if "compar" not in words]) == 3 + 3 + 11
    assert all(call.method == "GET" or "/v3/" in call.path for call in cloud.calls)


@pytest.mark.parametrize(
    ("match", "line"),
    [
        (
            "batch-rpo-and-rto",
            f"fail v3_batch_rpo_and_rto {LACKS} (recovery): grant the action drs:dataGuardJob:list",
        ),
        (
            "v3.*/quotas",
            f"fail v3_quotas {LACKS} (quota): {ROLE}",
        ),
        (
            "type=detail",
            f"fail v5_job_detail {LACKS} (detail): {ROLE}",
        ),
    ],
)
def test_a_missing_permission_is_named_with_what_to_grant(match: str, line: str) -> None:
    cloud = fleet()
    cloud.faults = [faults.forbidden(match)]
    fine, text = checked(cloud)
    assert not fine
    assert finding(text, "permission") == line
    assert text.count("works") == 12  # the rest goes on


def test_an_operation_that_others_stand_in_for_is_no_failure() -> None:
    cloud = cloud_of(sim("orders"))  # v3 lists it, and serves its details
    cloud.faults = [faults.forbidden("type=detail")]
    fine, text = checked(cloud)
    assert fine
    assert finding(text, "v5_job_detail") == (
        f"warn v5_job_detail {LACKS}; others serve all tasks now (detail): {ROLE}"
    )


def test_a_list_that_is_forbidden() -> None:
    cloud = fleet()
    cloud.faults = [faults.forbidden("POST .*/jobs$")]
    fine, text = checked(cloud)
    assert not fine
    assert finding(text, "v3_list_jobs") == (f"fail v3_list_jobs {LACKS}: {ROLE}")
    assert "v3 lists" not in text
    assert (
        finding(text, "v5 lists")
        == "ok v5 lists 4 tasks, 4 of them unknown to v3 (mysql-to-mysql 2, redis-to-gaussredis 2)"
    )


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_wrong_secret(status: int) -> None:
    cloud = fleet()
    fine, text = checked(cloud, config_for(secret_key="guessed"))
    assert (fine, text) == (
        False,
        HEAD
        + "fail  acme/cn-north-4/payments  the credentials are refused, 401 APIGW.0301: "
        + "check them, and whether they have ended\n",
    )


def test_credentials_that_can_not_be_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("SK")
    config = config_for(secret_key={"file": str(secret)})
    secret.unlink()
    fine, text = checked(fleet(), config)
    assert not fine
    assert text.splitlines()[1].startswith("fail  acme/cn-north-4/payments  ")
    assert len(text.splitlines()) == 2


def test_a_wrong_password() -> None:
    cloud = fleet()
    account = {
        "name": "acme",
        "cloud": "huaweicloud",
        "credentials": {"type": "password", "domain": "demo-domain", "user": "demo-user", "password": CANARY},
        "projects": [project()],
    }
    fine, text = checked(cloud, from_mapping({"accounts": [account]}))
    assert not fine
    assert [line.partition(":")[0] for line in text.splitlines()[1:]] == [f"fail  {WHERE}  iam_auth_tokens failed, 401"]
    assert CANARY not in text
    assert "demo-user" not in text


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        (
            faults.forbidden("projects"),
            "fail iam_list_projects is refused, 403 DRS.M00102: check the credentials and iam_endpoint",
        ),
        (Fault(match="projects", kind="slow", seconds=60), f"fail iam_list_projects got no answer, timeout: {SLOW}"),
    ],
)
def test_a_project_that_can_not_be_found_through_iam(fault: Fault, line: str) -> None:
    cloud = fleet()
    cloud.faults = [fault]
    fine, text = checked(cloud, config_for({"region": "cn-north-4", "name": "payments"}))
    assert not fine
    assert finding(text, "iam") == line


def test_a_project_of_somebody_else() -> None:
    fine, text = checked(fleet(), config_for(project(OTHER_ID)))
    assert not fine
    assert text.splitlines()[3:] == [
        f"fail  {WHERE}  the project is not one of these credentials, 403 DRS.M00261: {PROJECT}"
    ]


@pytest.mark.parametrize(
    ("behind", "line"),
    [
        (59.4, "ok the clock is right within 1m"),
        (-60, "ok the clock is right within 1m"),
        (75, "warn the clock of this machine is wrong by 1m15s, ahead: set it, best by NTP"),
        (-300, "warn the clock of this machine is wrong by 5m, behind: set it, best by NTP"),
        (-1200, "fail the clock of this machine is wrong by 20m, behind, signatures are refused: set it, best by NTP"),
        (901.5, "fail the clock of this machine is wrong by 15m2s, ahead, signatures are refused: set it, best by NTP"),
    ],
)
def test_clocks(behind: float, line: str) -> None:
    fine, text = checked(fleet(), behind=behind)
    assert finding(text, "clock") == line
    assert fine is not line.startswith("fail")
    assert ("works" in text) is fine  # a wrong clock is no sign of wrong credentials
    assert "refused," not in text


def test_a_signature_that_expired_tells_of_the_clock_where_no_date_does() -> None:
    cloud = fleet()
    cloud.now = lambda: now() + 1000
    fine, text = checked(cloud, way=httpx.ASGITransport(app=cloud))
    assert not fine
    assert text.splitlines()[2:] == [
        f"fail  {WHERE}  the clock of this machine is wrong by more than 15m, signatures are refused: {NTP}"
    ]


@pytest.mark.parametrize("date", [None, "", "yesterday", "Mon, 99 Foo 2026 99:99:99 GMT", "1e999"])
def test_answers_without_a_good_date(date: str | None) -> None:
    class Way(Dated):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            response = await super().handle_async_request(request)
            del response.headers["Date"]
            response.headers.update({} if date is None else {"Date": date})
            return response

    cloud = cloud_of()
    fine, text = checked(cloud, way=Way(cloud))
    assert fine
    assert finding(text, "clock") == "ok the clock was not compared, since the answers carry no date"


def test_a_pin_and_what_it_hides() -> None:
    fine, text = checked(fleet(), config_for(project(api="v5")))
    assert fine
    assert text == HEAD + IN + (
        """\
ok    acme/cn-north-4/payments  v3 lists 3 tasks (mysql 2, cloudDataGuard-mysql 1)
ok    acme/cn-north-4/payments  v5 lists 4 tasks, 2 of them unknown to v3 (mysql-to-mysql 2, redis-to-gaussredis 2)
warn  acme/cn-north-4/payments  api: v5 hides 1 task that only v3 lists (cloudDataGuard-mysql 1): set api: auto
ok    acme/cn-north-4/payments  v5_job_progress works (node, objects, progress)
ok    acme/cn-north-4/payments  v5_monitor_data works (node)
ok    acme/cn-north-4/payments  v5_job_detail works (detail)
ok    acme/cn-north-4/payments  v5_job_is_writable works (detail)
ok    acme/cn-north-4/payments  v5_job_compare works (comparison)
ok    acme/cn-north-4/payments  v5_batch_async_jobs works (async_jobs)
ok    acme/cn-north-4/payments  recovery is not available here with api: v5
ok    acme/cn-north-4/payments  precheck is not available here with api: v5
ok    acme/cn-north-4/payments  quota is not available here with api: v5
"""
    )
    _, text = checked(fleet(), config_for(project(api="v3")))
    assert (
        finding(text, "hides") == "warn api: v3 hides 2 tasks that only v5 lists (redis-to-gaussredis 2): set api: auto"
    )
    assert "v5_" not in text


def test_a_pin_that_hides_nothing() -> None:
    _, text = checked(cloud_of(sim("orders")), config_for(project(api="v3")))
    assert finding(text, "hides") == "ok api: v3 hides no task"
    _, text = checked(cloud_of(sim("orders"), published={"v3"}), config_for(project(api="v3")))
    assert finding(text, "hides") == "ok api: v3 hides no task"


def test_a_pin_of_which_nobody_knows_what_it_hides() -> None:
    cloud = fleet()
    cloud.faults = [faults.forbidden("GET .*v5.*/jobs[?]")]
    fine, text = checked(cloud, config_for(project(api="v3")))
    assert fine
    assert finding(text, "hides") == "warn what api: v3 hides is not known, since v5 gives no list: set api: auto"
    assert finding(text, "v5_list_jobs").startswith("warn v5_list_jobs lacks a permission")


def test_a_pin_on_what_is_not_published() -> None:
    fine, text = checked(cloud_of(sim("orders"), published={"v3"}), config_for(project(api="v5")))
    assert not fine
    assert finding(text, "v5 is") == "fail v5 is not published here: set api: auto"
    assert finding(text, "hides") == "warn api: v5 hides 1 task that only v3 lists (mysql 1): set api: auto"


def test_a_region_without_the_service() -> None:
    fine, text = checked(cloud_of(published=set()))
    assert not fine
    assert finding(text, "neither") == "fail neither API generation is published here: check region and endpoint"


def test_a_list_that_is_published_for_some_only() -> None:
    cloud = fleet()
    cloud.faults = [faults.unpublished("GET .*job_type=sync")]
    fine, text = checked(cloud)
    assert fine
    assert finding(text, "v5_list_jobs") == "warn v5_list_jobs is not published here, 404 APIGW.0101"


def test_operations_that_are_not_published() -> None:
    cloud = fleet()
    cloud.faults = [faults.unpublished("batch-rpo-and-rto"), faults.unpublished("batch-progress")]
    fine, text = checked(cloud)
    assert fine
    assert finding(text, "rpo") == "ok v3_batch_rpo_and_rto is not published here, 404 APIGW.0101 (recovery)"
    assert finding(text, "recovery is") == "ok recovery is not available here"
    assert finding(text, "v3_batch_progress") == "ok v3_batch_progress is not published here, 404 APIGW.0101 (progress)"
    assert "  progress is" not in text  # v5 tells it


@pytest.mark.parametrize(
    ("need", "line"),
    [
        ("if_available", "ok comparison is not available here"),
        (
            "required",
            "warn comparison is not available here, but cutover requires it: set if_available there",
        ),
    ],
)
def test_comparison_that_is_not_available(need: str, line: str) -> None:
    cloud = fleet()
    cloud.faults = [faults.unpublished("query-compare-result"), faults.unpublished("type=compare")]
    fine, text = checked(cloud, config_for(cutover={"comparison": need}))
    assert fine
    assert finding(text, "comparison is") == line


def test_what_is_disabled_is_not_tried() -> None:
    config = config_for(collectors={"comparison": {"enabled": False}, "quota": {"enabled": False}})
    _, text = checked(fleet(), config)
    assert "compar" not in text
    assert "quota" not in text


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        (
            faults.throttled("/quotas"),
            "warn v3_quotas is throttled, 429 APIGW.0308 (quota): lower poll.rate_limit, or find who else calls",
        ),
        (
            faults.broken("/quotas"),
            "fail v3_quotas failed, 500 DRS.M00004 (quota): the cloud is at fault: try again later",
        ),
        (
            Fault(match="/quotas", kind="body", body="no JSON"),
            f"fail v3_quotas is answered with what no document knows, decode (quota): {REPORT}",
        ),
        (
            faults.refused("/quotas", 400, "DRS.M00200", CANARY),
            f"fail v3_quotas is refused as a bad request, 400 DRS.M00200 (quota): {REPORT}",
        ),
        (
            Fault(match="/quotas", kind="slow", seconds=60),
            f"fail v3_quotas got no answer, timeout (quota): {SLOW}",
        ),
        (
            Fault(match="/quotas", kind="reset"),
            "fail v3_quotas got no answer, network (quota): check the endpoint, DNS, firewall, proxy and ca_file",
        ),
        (
            faults.refused("type=detail", 400, "DRS.10000001", CANARY),
            "warn v5_job_detail is refused for the task that was tried, 400 DRS.10000001 (detail): run the check again",
        ),
        (
            faults.refused("type=detail", 400, "DRS.10000010", CANARY),
            "warn v5_job_detail says that the task is gone, 400 DRS.10000010 (detail): run the check again",
        ),
        (
            Fault(match="/quotas", kind="body", body={"quotas": {"resource": {"type": "instances", "used": CANARY}}}),
            f"warn v3_quotas works, with 1 field unlike the documents (quota): {REPORT}",
        ),
        (
            faults.refused("/quotas", 418, f"DRS.{CANARY}", CANARY),
            "fail v3_quotas failed, 418 (quota): the cloud is at fault: try again later",
        ),
    ],
)
def test_what_else_can_go_wrong_with_one_operation(fault: Fault, line: str) -> None:
    cloud = fleet()
    cloud.faults = [fault]
    fine, text = checked(cloud)
    assert line in [finding(text, word) for word in ("v3_quotas", "v5_job_detail")]
    assert fine is not line.startswith("fail")
    assert CANARY not in text


def test_lists_with_oddities() -> None:
    cloud = fleet()
    cloud.world("054ba152d480d55b2f5dc0069e7ddef0").task("orders").overrides["v3_list"] = {"multi_write": CANARY}
    cloud.faults = [Fault(match="POST .*/jobs$", kind="repeat_page")]
    fine, text = checked(cloud)
    assert fine
    assert finding(text, "unlike").startswith("warn the lists have 1 field unlike the documents: please report it")
    assert CANARY not in text


def test_a_list_whose_pages_disagree() -> None:
    cloud = cloud_of(sim("orders"))
    listed = {"jobs": [], "total_record": 7}
    cloud.faults = [Fault(match="POST .*/jobs$", kind="body", body=listed)]
    fine, text = checked(cloud)
    assert fine
    assert finding(text, "disagree") == "warn v3 lists with pages and totals that disagree: run the check again"


def test_nobody_answers() -> None:
    cloud = fleet()
    cloud.faults = [Fault(match="", kind="slow", seconds=60)]
    fine, text = checked(cloud)
    assert (fine, text.splitlines()[1:]) == (
        False,
        [f"fail  {WHERE}  v3_list_jobs got no answer, timeout: {SLOW}"],
    )


def test_words_of_the_cloud_are_not_repeated() -> None:
    cloud = cloud_of(sim("orders"))
    task = cloud.worlds[0].task("orders")
    task.overrides["v3_list"] = {"engine_type": f"{CANARY} at 10.0.0.1", "name": CANARY, "description": CANARY}
    task.overrides["v5_list"] = {"engine_type": ABSENT}
    cloud.faults = [faults.refused("/quotas", 403, f"{CANARY}.example.com", f"user {CANARY}")]
    fine, text = checked(cloud, config_for(secret_key=CANARY))
    assert CANARY not in text
    cloud.keys["AK"] = CANARY
    fine, text = checked(cloud, config_for(secret_key=CANARY))
    assert not fine
    assert "v3 lists 1 task (other 1)" in text
    assert CANARY not in text


def test_projects_in_the_order_of_the_configuration() -> None:
    cloud, config = two_projects(sim("parcels"))
    cloud.faults = [Fault(match="054ba152d480d55b2f5dc0069e7ddef0", kind="slow", seconds=3)]
    _, text = checked(cloud, config)
    first, second = text.index("acme/cn-north-4/payments"), text.index("acme/cn-north-4/shipping")
    assert first < second
    assert "valid, 1 account, 2 projects" in text


# The command


@pytest.fixture
def _real_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command on a cloud that lives in real time."""
    cloud = fleet()
    cloud.now = time.time

    async def answered(config: Config, say: Any) -> tuple[bool, str]:
        return await check(config, say, transport=httpx.ASGITransport(app=cloud))

    monkeypatch.setattr(questions, "check", answered)
    monkeypatch.setattr(logs, "configure", lambda *_: None)


def command(folder: Path, *words: str, secret_key: str = "SK") -> int:  # noqa: S107 - invented
    """The exit code of `drs-exporter check` with a configuration of one project."""
    account = {
        "name": "acme",
        "cloud": "huaweicloud",
        "credentials": {"type": "ak_sk", "access_key": "AK", "secret_key": secret_key},
        "projects": [project()],
    }
    file = folder / "config.yaml"
    file.write_text(json.dumps({"accounts": [account], "poll": {"rate_limit": 1000, "burst": 1000}}))
    return cli.main(["check", f"--config.file={file}", *words])


@pytest.mark.usefixtures("_real_time")
def test_the_command_and_its_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(tmp_path, f"--report={tmp_path / 'shapes.json'}") == 0
    out, err = capsys.readouterr()
    assert out.startswith("ok    configuration             valid, 1 account, 1 project\n")
    assert err == ""
    report = json.loads((tmp_path / "shapes.json").read_text())
    assert report["projects"][0]["operations"]["v3_list_jobs"]["200"]["calls"] == 3


@pytest.mark.usefixtures("_real_time")
def test_the_exit_code_says_that_something_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(tmp_path, secret_key="hunter2") == 1
    out, err = capsys.readouterr()
    assert "fail" in out
    assert "hunter2" not in out + err
    assert list(tmp_path.iterdir()) == [tmp_path / "config.yaml"]


@pytest.mark.usefixtures("_real_time")
@pytest.mark.parametrize("words", [["--report=none/shapes.json"], ["--reports=x"], ["x"]])
def test_bad_usage(words: Iterable[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(tmp_path, *words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("drs-exporter: ")
    assert err.count("\n") == 1


def test_a_faulty_configuration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("accounts: []\n")
    assert cli.main(["check", f"--config.file={file}", f"--report={tmp_path / 'shapes.json'}"]) == 2
    assert capsys.readouterr().err.startswith(f"drs-exporter: {file}:1: accounts: ")
    assert not (tmp_path / "shapes.json").exists()
