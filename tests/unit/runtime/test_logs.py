"""One line an event that machines can read, ours and those of libraries, and no exception's message in any."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import re
import sys
import threading
import warnings

import pytest
import structlog

from exporter.runtime import logs

SECRET = "s3cr3t"
TIMEOUT = 10.0
PAIR = re.compile(r'([a-z_]+)=("(?:[^"\\]|\\.)*"|[^\s"=]*)(?: |$)')


class Output:
    """What was logged, read by a machine."""

    def __init__(self, capsys: pytest.CaptureFixture[str], style: str) -> None:
        self._capsys = capsys
        self._style = style

    def begin(self, level: str = "info") -> None:
        """Not in a fixture: pytest gives each phase of a test its own standard error."""
        logs.configure(level, self._style)

    def events(self) -> list[dict[str, str]]:
        logs.drain(TIMEOUT)
        out, err = self._capsys.readouterr()
        assert out == ""
        assert SECRET not in err
        assert err.endswith("\n")
        return [json.loads(line) if self._style == "json" else logfmt(line) for line in err[:-1].split("\n")]


def logfmt(line: str) -> dict[str, str]:
    event, at = {}, 0
    while at < len(line):
        pair = PAIR.match(line, at)
        assert pair, line[at:]
        name, value = pair.groups()
        event[name] = re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value
        at = pair.end()
    return event


@pytest.fixture(params=logs.FORMATS)
def output(request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> Output:
    return Output(capsys, request.param)


def test_an_event_is_a_line_that_parses(output: Output) -> None:
    output.begin()
    structlog.get_logger().bind(account="prod").warning("the cloud is away", error="v3: 503 APIGW.0201", what="a=b")
    [event] = output.events()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", event.pop("ts"))
    assert event == {
        "level": "warning",
        "event": "the cloud is away",
        "account": "prod",
        "error": "v3: 503 APIGW.0201",
        "what": "a=b",
    }


def test_logfmt_starts_with_time_level_and_event(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "logfmt")
    structlog.get_logger().info("stopping", code=1)
    logs.drain(TIMEOUT)
    assert re.fullmatch(r"ts=\S+Z level=info event=stopping code=1\n", capsys.readouterr().err)


@pytest.mark.parametrize(
    "word", ['say "hi" \\o/', "two\nlines", "a\r\x1b[2Jlevel=error", "half \ud800", "é 訂單", "", " "]
)
def test_any_word_of_the_cloud_stays_inside_its_value(output: Output, word: str) -> None:
    output.begin()
    structlog.get_logger().info("x", status=word, level_of="it")
    [event] = output.events()
    assert event["level_of"] == "it"
    readable = "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in word)
    assert event["status"] in {readable, readable.replace("\\", "\\\\")}
    assert event["status"].isprintable()


@pytest.mark.parametrize("level", logs.LEVELS)
def test_levels_below_the_chosen_one_are_silent(output: Output, level: str) -> None:
    output.begin(level)
    for name in logs.LEVELS:
        getattr(structlog.get_logger(), name)("x")
    assert [event["level"] for event in output.events()] == list(logs.LEVELS[logs.LEVELS.index(level) :])


def test_libraries_log_the_same_way_from_warnings_up(output: Output) -> None:
    output.begin()
    logging.getLogger("httpx").info("GET https://drs.test")
    logging.getLogger("uvicorn.error").warning("slow %s", "client")
    [event] = output.events()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\S+Z", event.pop("ts"))
    assert event == {"level": "warning", "event": "slow client"}


def raised(message: str) -> Exception:
    with pytest.raises(ValueError, match=message) as caught:
        int(message)
    return caught.value


def test_an_exception_that_a_library_logs_is_a_type_without_message_and_traceback(output: Output) -> None:
    output.begin()
    logging.getLogger("uvicorn.error").error(
        "Exception in ASGI application\n", exc_info=raised(SECRET), stack_info=True
    )
    logging.getLogger("uvicorn.error").error("without one", exc_info=True)  # noqa: LOG014 - libraries do it
    first, second = output.events()
    assert (first["event"], first["error"], first["level"]) == ("Exception in ASGI application", "ValueError", "error")
    assert (set(first), set(second)) == ({"ts", "level", "event", "error"}, {"ts", "level", "event"})


async def test_an_exception_of_a_task_that_is_never_awaited_is_logged_without_message(output: Output) -> None:
    output.begin()

    async def fail() -> None:
        raise ValueError(SECRET)

    lost = asyncio.create_task(fail())
    await asyncio.sleep(0)
    del lost
    gc.collect()
    [event] = output.events()
    assert (event["event"], event["error"]) == ("Task exception was never retrieved", "ValueError")


def test_the_place_that_raised_an_exception() -> None:
    assert re.fullmatch(r"test_logs\.py:\d+", logs.location(raised(SECRET)))
    assert logs.location(ValueError(SECRET)) == ""


def test_a_line_that_cannot_be_formatted_is_counted(output: Output) -> None:
    output.begin()
    logging.getLogger("library").error("%d", "no number")
    assert logs.dropped() == 1
    logging.getLogger("library").error("%d", 1)
    assert [event["event"] for event in output.events()] == [
        "lines of the log were dropped: they could not be written",
        "1",
    ]


def test_exceptions_that_python_would_print_are_logged(output: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody sees the exception of a finaliser, or of a thread; neither is its message shown."""

    class Faulty:
        def __del__(self) -> None:
            raise ValueError(SECRET)

    def fail() -> None:
        raise KeyError(SECRET)

    for module, name in ((sys, "unraisablehook"), (threading, "excepthook"), (warnings, "showwarning")):
        monkeypatch.setattr(module, name, getattr(module, name))
    output.begin()
    logs.log_ignored_exceptions()
    try:
        Faulty()
        gc.collect()
        thread = threading.Thread(target=fail)
        thread.start()
        thread.join()
        warnings.showwarning("old", UserWarning, "file.py", 1)
    finally:
        logging.captureWarnings(capture=False)
    finaliser, ended, warned = output.events()
    assert (finaliser["event"], finaliser["error"]) == ("an exception was ignored", "ValueError")
    assert (ended["error"], ended["where"].partition(":")[0]) == ("KeyError", "test_logs.py")
    assert warned["event"].startswith("file.py:1: UserWarning: old")
