"""The questions of a DBA, each answered by the status page or the page of the task, without Prometheus."""

from __future__ import annotations

import asyncio
import re

from exporter.simulator import SimTask
from exporter.simulator.world.life import DAY, FOR_EVER, HOUR, INCREMENTAL, PREPARED
from tests.lib.daemon import cloud_of, config_of, get, polling
from tests.lib.html_page import ParsedPage
from tests.lib.virtual_time import EPOCH

_MINUTES_30 = 1800


def replicating(name: str, seconds_at_start: float, per_second: float) -> SimTask:
    """A task whose delay changes evenly from now on."""
    task = SimTask(name=name, script=INCREMENTAL, born=EPOCH - DAY)
    began = sum(seconds for _, seconds in INCREMENTAL[:-1])
    task.delay_shape = lambda age: max(0.0, seconds_at_start + per_second * (age + began - DAY))
    return task


def loading(name: str) -> SimTask:
    """A task whose full load takes four hours, and began a few minutes ago."""
    script = (*PREPARED, ("FULL_TRANSFER_STARTED", 4 * HOUR), ("INCRE_TRANSFER_STARTED", FOR_EVER))
    return SimTask(name=name, script=script, born=EPOCH - sum(seconds for _, seconds in PREPARED) - 300)


def row(body: str, name: str) -> str:
    """The text of a task in the list."""
    found = re.search(rf'<tr id="task-[^>]+>\s*<th scope="row"><a href="[^"]+">{name}</a>.*?</tr>', body, re.DOTALL)
    assert found
    return " ".join(ParsedPage(found[0].encode()).text.split())


async def test_every_question_has_its_answer_within_a_click() -> None:
    tasks = [
        loading("loads"),
        replicating("shrinks", 3000, -0.5),
        replicating("grows", 100, 0.5),
        replicating("ready", 1, 0),
    ]
    failing = replicating("fails", 1, 0)
    async with polling(cloud_of(*tasks, failing), config_of("v3", ("tasks", "progress", "node"))) as exporter:
        await asyncio.sleep(_MINUTES_30 - 60)
        failing.pin("INCRE_TRANSFER_FAILED")
        await asyncio.sleep(60)
        status = (await get(exporter, "/")).body.decode()
        pages = {
            task.name: " ".join(ParsedPage((await get(exporter, f"/tasks/{task.id}")).body).text.split())
            for task in (*tasks, failing)
        }
    # When is the full load done?
    for text in (row(status, "loads"), pages["loads"]):
        assert re.search(r" 1[0-9]% loaded in 3h[0-9]+m", text)
    assert re.search(r"at the present rate it ends in about 3h[0-9]+m, at 2026-01-01 0[34]:", pages["loads"])
    # Is the delay shrinking, and when is it caught up?
    assert re.search(r"shrinking caught up in 1h(9|10)m", row(status, "shrinks"))
    assert re.search(
        r"the delay is shrinking\. At this rate it is within the limit in about 1h(9|10)m", pages["shrinks"]
    )
    assert "growing" in row(status, "grows")
    assert "caught up" not in row(status, "grows")
    # Since when is it ready, and what was not checked?
    assert re.search(r"ready for 2[0-9]m[0-9]*s?; not checked: ", row(status, "ready"))
    assert "It is ready to cut over since 2026-01-01 00:0" in pages["ready"]
    # What changed in the last hour?
    changes = " ".join(ParsedPage(status.partition('id="events"')[2].partition("</section>")[0].encode()).text.split())
    assert "Task fails failed" in changes
    assert "Task fails failed" in pages["fails"]
    assert rows_of(status)[0] == "fails"


def rows_of(body: str) -> list[str]:
    """The names of the tasks in the list, in its order."""
    return re.findall(r'<th scope="row"><a href="tasks/[^"]+">([^<]+)</a>', body)
