"""The status page never lies either: no tasks, nothing known yet, and a cloud that gives no list are three things."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re

import pytest

from exporter.simulator import faults
from exporter.web import percent_text, seconds_text
from tests.virtual import simulate
from tests.world import Seen, cloud_of, config_of, exporter_on, get, polling, served, sim

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7 * 7 }}&amp;"
NONE = "No tasks."


def test_the_status_page_shows_hostile_words_as_words() -> None:
    hostile = sim(HOSTILE)
    hostile.overrides["v3_list"] = {"status": "<b>ODD</b>", "job_action": None}
    got = served("/", "", "GET", hostile, sim("plain", progress=42, status="FULL_TRANSFER_STARTED"))
    seen = Seen(got.body)
    assert HOSTILE in seen.text
    assert "<b>ODD</b>" in seen.text
    assert not {"script", "img", "iframe", "object"} & seen.tags
    assert not [name for name in seen.attributes if name.startswith("on")]
    assert not [word for name in ("href", "src") for word in seen.attributes.get(name, ()) if "//" in word]
    assert "42%" in seen.text


def test_the_status_page_may_load_and_run_nothing() -> None:
    got = served("/")
    assert got.headers["content-type"] == "text/html; charset=utf-8"
    policy = dict(part.strip().split(" ", 1) for part in got.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy.keys() <= {"default-src", "style-src", "img-src", "base-uri", "form-action", "frame-ancestors"}
    assert "http" not in got.headers["content-security-policy"]
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["referrer-policy"] == "no-referrer"
    assert got.headers["cache-control"] == "no-store"


def test_of_styles_only_the_one_that_the_page_holds_may_be_used() -> None:
    got = served("/")
    (style,) = re.findall("<style>(.*?)</style>", got.body.decode(), re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}';" in got.headers["content-security-policy"]
    assert "style" not in Seen(got.body).attributes
    assert "unsafe" not in got.headers["content-security-policy"]


def test_hostile_names_of_accounts_and_projects_are_words_too() -> None:
    async def main() -> None:
        config = config_of()
        account = config.accounts[0]
        project = account.projects[0].model_copy(update={"name": f"project {HOSTILE}"})
        hostile = account.model_copy(update={"name": f"account {HOSTILE}", "projects": (project,)})
        async with exporter_on(cloud_of(sim("one")), config.model_copy(update={"accounts": (hostile,)})) as exporter:
            await exporter.poll_once()
            seen = Seen((await get(exporter, "/")).body)
            assert f"account {HOSTILE} / project {HOSTILE}" in seen.text
            assert not {"script", "img"} & seen.tags

    simulate(main())


def test_no_tasks() -> None:
    async def main() -> None:
        async with exporter_on(cloud_of()) as exporter:
            await exporter.poll_once()
            seen = Seen((await get(exporter, "/")).body)
            assert NONE in seen.text
            assert "The first poll has not ended yet." not in seen.text

    simulate(main())


def test_before_the_first_poll_has_ended_nothing_is_known() -> None:
    async def main() -> None:
        async with exporter_on(cloud_of(sim("one"))) as exporter:
            got = await get(exporter, "/")
            assert got.status == 200
            seen = Seen(got.body)
            assert "The first poll has not ended yet." in seen.text
            assert NONE not in seen.text
            assert "0 tasks" not in seen.text
            assert "not polled yet" in seen.text

    simulate(main())


def test_a_cloud_that_gives_no_list_is_not_a_cloud_without_tasks() -> None:
    async def main() -> None:
        cloud = cloud_of(sim("one"))
        cloud.faults = [faults.forbidden("jobs$"), faults.forbidden("job_type")]
        async with exporter_on(cloud) as exporter:
            await exporter.poll_once()
            seen = Seen((await get(exporter, "/")).body)
            assert NONE not in seen.text
            assert "0 tasks" not in seen.text
            assert "the cloud gives no list of" in seen.text

    simulate(main())


def test_a_task_whose_list_is_too_old_is_shown_as_unknown() -> None:
    async def main() -> None:
        cloud = cloud_of(sim("one"))
        async with polling(cloud, config_of("v3")) as exporter:
            await asyncio.sleep(2)
            assert "incremental" in Seen((await get(exporter, "/")).body).text
            cloud.faults = [faults.forbidden("jobs$")]
            await asyncio.sleep(400)
            seen = Seen((await get(exporter, "/")).body)
            assert "one" in seen.text
            assert "unknown" in seen.text
            assert "INCRE_TRANSFER_STARTED" not in seen.text

    simulate(main())


def test_the_worst_tasks_come_first_and_among_them_those_that_lag_most() -> None:
    tasks = [
        sim("task-4", delay=1),
        sim("task-5", status="RELEASE_RESOURCE_COMPLETE"),
        sim("task-3", delay=100),
        sim("task-1", status="INCRE_TRANSFER_FAILED"),
        sim("task-2", status="DREAMING"),
    ]
    body = served("/", "", "GET", *tasks).body.decode()
    places = [body.index(f"task-{number}") for number in range(1, 6)]
    assert places == sorted(places)


def test_percent_are_those_of_the_cloud_and_100_only_at_the_end() -> None:
    assert [percent_text(number / 100) for number in range(101)] == [f"{number}%" for number in range(101)]
    assert percent_text(0.999) == "99%"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.25, "250 ms"),
        (1, "1 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (61, "1 min 1 s"),
        (3599, "59 min 59 s"),
        (3600, "1 h 0 min"),
        (12_000, "3 h 20 min"),
        (86_400, "1 d 0 h"),
        (187_200, "2 d 4 h"),
    ],
)
def test_a_span_of_time_for_people(seconds: float, text: str) -> None:
    assert seconds_text(seconds) == text
