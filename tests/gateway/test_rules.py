from __future__ import annotations

import pytest

from oneact.gateway import rules
from oneact.gateway.rules import MAX_RULES, Found


def test_an_exact_name_wins_over_every_beginning_and_a_longer_one_over_a_shorter() -> None:
    found = rules.parse({"read_*": "allow", "read_secret*": "deny", "read_secret_of_mine": "approve", "*": "deny"})
    assert found.of("read_file") == Found("allow", exact=False)
    assert found.of("read_secret_of_theirs") == Found("deny", exact=False)
    assert found.of("read_secret_of_mine") == Found("approve", exact=True)
    assert found.of("write") == Found("deny", exact=False)


def test_what_no_rule_names_is_approved_each_time() -> None:
    assert rules.parse({"read": "allow"}).of("read_more") == Found("approve", exact=False)
    assert rules.parse({}).of("") == Found("approve", exact=False)


@pytest.mark.parametrize("pattern", ["", "a*b", "**", "a\n", 1, None, "x" * 201])
def test_a_pattern_that_is_none_is_refused(pattern: object) -> None:
    with pytest.raises(ValueError, match="is no name"):
        rules.parse({pattern: "allow"})


@pytest.mark.parametrize("rule", ["Allow", "", True, None, ["allow"]])
def test_a_rule_that_is_none_is_refused(rule: object) -> None:
    with pytest.raises(ValueError, match="none of approve, allow, deny"):
        rules.parse({"a": rule})


def test_more_rules_than_anyone_writes_are_refused() -> None:
    assert rules.parse({f"a{number}": "deny" for number in range(MAX_RULES)}).of("a7").rule == "deny"
    with pytest.raises(ValueError, match="the most"):
        rules.parse({f"a{number}": "deny" for number in range(MAX_RULES + 1)})
