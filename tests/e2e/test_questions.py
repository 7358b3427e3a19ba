"""`drs-exporter check`, `explain` and `query` against the simulated cloud in a process of its own, over TCP."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from tests.e2e.programs import COMMAND, account, configuration, run

if TYPE_CHECKING:
    from pathlib import Path


def test_check_finds_nothing_wrong_and_reports_no_text(cloud: str, tmp_path: Path) -> None:
    option = configuration(tmp_path / "config.yaml", account("prod", cloud, 0, 1))
    report = tmp_path / "shapes.json"
    done = run(COMMAND, "check", option, f"--report={report}")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.findall(r"^ok +prod/cn-north-4/cn-north-4 +the clock is right within \ds$", done.stdout, re.MULTILINE)
    assert "v5 is not published here" in done.stdout
    assert "orders-to-rds" not in report.read_text()
    first, second = json.loads(report.read_text())["projects"]
    assert (first["region"], second["region"]) == ("cn-north-4", "eu-de")
    assert first["answers_have_a_date"]
    assert first["operations"]["v3_batch_progress"]["202"]["body"]["results[].progress"] == "string number"


def test_check_says_what_is_refused(cloud: str, tmp_path: Path) -> None:
    option = configuration(tmp_path / "config.yaml", account("prod", cloud, 0, secret_key="guessed"))
    done = run(COMMAND, "check", option)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.splitlines()[-2].startswith("fail  prod/cn-north-4/cn-north-4  the credentials are refused, 401")
    assert "guessed" not in done.stdout


def test_tasks_as_a_table_and_as_json(cloud: str, tmp_path: Path) -> None:
    option = configuration(tmp_path / "config.yaml", account("prod", cloud, 0, 1))
    done = run(COMMAND, "tasks", option)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"^core-dr +prod/cn-north-4/cn-north-4 +\w+ ", done.stdout, re.MULTILINE)
    done = run(COMMAND, "tasks", option, "--output=json")
    assert (done.returncode, done.stderr) == (0, "")
    assert "core-dr" in {task["task_name"] for task in json.loads(done.stdout)["tasks"]}
    option = configuration(tmp_path / "wrong.yaml", account("prod", cloud, 0, secret_key="guessed"))
    done = run(COMMAND, "tasks", option)
    assert (done.returncode, done.stdout) == (1, "0 tasks; those of 1 project unknown or incomplete\n")
    assert done.stderr.startswith(
        "drs-exporter: prod/cn-north-4/cn-north-4: failed, and so unknown or incomplete: tasks"
    )


def test_explain_and_query_one_task(cloud: str, tmp_path: Path) -> None:
    option = configuration(tmp_path / "config.yaml", account("prod", cloud, 0, 1))
    done = run(COMMAND, "explain", "core-dr", option)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"^cut-over: .*\n  reason .*\n  phase ", done.stdout, re.MULTILINE)
    task_id = re.search(r"^  task id +(\S+)$", done.stdout, re.MULTILINE)
    assert task_id is not None
    again = run(COMMAND, "explain", task_id[1], option)
    assert (again.returncode, again.stdout.partition(":")[0]) == (0, "core-dr")
    done = run(COMMAND, "query", "orders-to-rds", "--type=file", option)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["support_import_file_resp"] == {"file_size": "2", "previous_select": "manual"}
