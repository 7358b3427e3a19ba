"""Facts about a member of a wave that stay after the task has ended."""

from __future__ import annotations

from exporter.model.details import Detail
from exporter.model.facts import Compared, Comparison, Objects
from exporter.model.member_facts import UNKNOWN_FACTS, Finding, MemberFacts
from tests.lib.reports import exposed

EQUAL = Compared("lines", "SUCCESSFUL", consistent=True, finished_at=40.0)


def test_facts_that_are_not_known_any_more_stay() -> None:
    known = exposed(
        objects=Objects(started_at=10.0, full_completed_at=30.0),
        detail=Detail(source_type="mysql", target_type="taurus"),
        comparison=Comparison((EQUAL,)),
        blockers=(("phase", False),),
        unchecked=(("log_error", "ignored"),),
    )
    facts = UNKNOWN_FACTS.updated(known).updated(exposed(blockers=None))
    assert facts == MemberFacts(
        *("mysql-to-taurus", "mysql", "taurus", 10.0, 30.0),
        (Finding("lines", "equal", 40.0),),
        ("phase",),
        ("log_error",),
    )


def test_new_facts_replace_old_ones() -> None:
    different = Compared("lines", "SUCCESSFUL", consistent=False, finished_at=50.0)
    before = UNKNOWN_FACTS.updated(exposed(comparison=Comparison((EQUAL,)), objects=Objects(started_at=1.0)))
    facts = before.updated(exposed(comparison=Comparison((different,)), objects=Objects(started_at=2.0)))
    assert facts.findings == (Finding("lines", "inconsistent", 50.0),)
    assert facts.load_started_at == 2.0


def test_a_reason_that_was_checked_once_counts_as_checked() -> None:
    first = exposed(blockers=(("phase", True),), unchecked=(("side_down", "unknown"), ("log_error", "ignored")))
    second = exposed(blockers=(("phase", False), ("side_down", False)), unchecked=(("log_error", "ignored"),))
    for facts in (UNKNOWN_FACTS.updated(first).updated(second), UNKNOWN_FACTS.updated(second).updated(first)):
        assert (facts.checked, facts.unchecked) == (("phase", "side_down"), ("log_error",))


def test_the_end_of_the_full_load_may_be_in_the_details() -> None:
    assert UNKNOWN_FACTS.updated(exposed(detail=Detail(full_completed_at=30.0))).load_ended_at == 30.0
