from __future__ import annotations

from exporter.runtime.shipped_rules import shipped_groups
from tests.lib.rules import RULES


def test_the_shipped_rules_are_those_of_all_rule_files() -> None:
    assert [rule for group in shipped_groups() for rule in group["rules"]] == RULES
