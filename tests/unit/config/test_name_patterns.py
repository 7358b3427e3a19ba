"""No regular expression of a user, and no name of the cloud, holds up the process."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from exporter.config import TaskRule, Tasks, name_patterns
from exporter.config.name_patterns import NamePattern
from exporter.model.filters import TaskFilter
from exporter.model.task import Listed

CATASTROPHE = "(a|aa)+b"
NAME = "a" * 60 + "c"
BOMBS = (
    *("(?:a{1000}){1000}", "a{10001}", "(?:(?:(?:a{9999}){9999}){9999}){9999}", "(a{1000}|b{1000}){10}"),
    *("(?:[)(]{100}){101}", "(?:\\){101}){100}", "[]a]{10001}", "(?:x(?:y){5000}){3}", "(?<=a{5001})a{5000}"),
    "(?:a{0,10001})",
)


def task(name: str) -> Listed:
    return Listed(id="a", name=name, status="INCRE_TRANSFER_STARTED", job_type="sync")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(name_patterns, "_SECONDS", 0.02)
    monkeypatch.setattr(name_patterns, "_BURST_SECONDS", 0.1)


@given(
    text=st.lists(st.sampled_from([*"ab.|*+?()[]^$\\-1", "{2}", "{0,3}", "(?:", "\\d", "\\w"]), max_size=8).map(
        "".join
    ),
    name=st.text("ab1-", max_size=8),
)
def test_it_matches_as_the_module_of_python_does(text: str, name: str) -> None:
    try:
        pattern = NamePattern(text)
    except ValueError:
        return
    assert pattern.matches(name) is (re.fullmatch(text, name) is not None)


@pytest.mark.parametrize("text", BOMBS)
def test_an_expression_that_needs_too_much_memory_is_refused(text: str) -> None:
    re.compile(text)
    with pytest.raises(ValueError, match="may repeat 10000 times"):
        NamePattern(text)


def test_an_expression_of_more_than_a_thousand_characters_is_refused() -> None:
    assert NamePattern("a" * 1000).matches("a" * 1000)
    with pytest.raises(ValueError, match="may have 1000 characters; this one has 1001"):
        NamePattern("a" * 1001)


@pytest.mark.parametrize(
    "text",
    [
        *("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "a{10000}", "(orders|shops)-[0-9]{1,4}", "a{,3}b", "a{b}"),
        "(?i)X{3}",
    ],
)
def test_usual_repetitions_are_fine(text: str) -> None:
    assert NamePattern(text).text == text


def test_expressions_are_equal_when_their_texts_are() -> None:
    assert (NamePattern("a."), hash(NamePattern("a."))) == (NamePattern("a."), hash(NamePattern("a.")))
    assert NamePattern("a.") != NamePattern("a+")
    assert NamePattern("a.") != "a."


def test_ten_thousand_names_cost_little_time_and_one_line() -> None:
    pattern = NamePattern(CATASTROPHE)
    started = time.process_time()
    with capture_logs() as lines:
        assert {pattern.matches(f"{NAME}{number}") for number in range(10_000)} == {None}
    assert time.process_time() - started < 2
    assert [line["pattern"] for line in lines] == [CATASTROPHE]


def test_a_name_is_judged_once_the_time_for_it_has_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    pattern = NamePattern(CATASTROPHE)
    while pattern.matches(NAME) is None and pattern._left > 0:
        pass
    assert pattern.matches("aab") is None  # quick to judge, but no time is left
    now[0] += 60
    assert pattern.matches("aab") is True
    assert pattern.matches("aac") is False


def test_the_time_of_other_threads_is_not_charged(monkeypatch: pytest.MonkeyPatch) -> None:
    pattern, seconds = NamePattern("a.*"), iter(range(1000))
    monkeypatch.setattr(time, "process_time", lambda: float(next(seconds)))
    assert [pattern.matches(f"a{number}") for number in range(10)] == [True] * 10


def test_results_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(name_patterns, "_MOST_KNOWN", 2)
    pattern = NamePattern("a.*")
    assert [pattern.matches(name) for name in ("ab", "b", "ab", "b", "ac")] == [True, False] * 2 + [True]
    assert pattern._known == {"ac": True}


@pytest.mark.parametrize("setting", ["include", "exclude"])
def test_a_task_whose_name_cannot_be_judged_is_shown(setting: str) -> None:
    wanted = TaskFilter(Tasks(**{setting: (TaskRule(name=CATASTROPHE),)}))  # type: ignore[arg-type]
    with capture_logs() as lines:
        assert wanted.select([task(NAME)]) == [task(NAME)]
        assert wanted.wants(task(NAME), None)
    assert (len(lines), wanted.select([task("aab")])) == (1, [task("aab")] if setting == "include" else [])
