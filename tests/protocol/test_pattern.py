"""Patterns: what is portable is read and matched as everyone's regular expressions do, without ever going back."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from oneact.protocol import matching, pattern


def matches(text_of_pattern: str, text: str) -> bool:
    return matching.matches(pattern.parse(text_of_pattern), text, lambda _: None)


def steps(text_of_pattern: str, text: str) -> int:
    taken: list[int] = []
    matching.matches(pattern.parse(text_of_pattern), text, taken.append)
    return sum(taken)


_CHARACTERS = st.sampled_from(["a", "b", "-", r"\-", r"\d", r"\W", r"\.", r"\n", ".", "é", "😀", "1"])
_MEMBERS = st.lists(st.sampled_from(["a", "b", "a-c", "0-9", r"\w", r"\S", r"\]", "^", "é"]), min_size=1, max_size=3)
_CLASSES = st.builds(lambda sign, members: f"[{sign}x{''.join(members)}]", st.sampled_from(["", "^"]), _MEMBERS)
_ENDS = st.sampled_from(["^", "$"])
_QUANTIFIERS = st.sampled_from(["", "*", "+", "?", "{2}", "{0}", "{1,}", "{1,3}", "{0,2}"])


def _larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    group = st.builds(lambda sign, found: f"({sign}{found})", st.sampled_from(["", "?:"]), inner)
    repeated = st.builds(str.__add__, group, _QUANTIFIERS)
    return st.one_of(repeated, st.builds(str.__add__, inner, inner), st.builds("{}|{}".format, inner, inner))


_ATOMS = st.builds(str.__add__, st.one_of(_CHARACTERS, _CLASSES), _QUANTIFIERS)
_PATTERNS = st.recursive(st.one_of(_ATOMS, _ENDS, st.just("")), _larger, max_leaves=8)


@given(_PATTERNS, st.text("ab-1.\né😀 ", max_size=7))
@example("(a|ab)(c|bcd)$", "abcd")
@example("^(?:(a*)+|b){2,3}$", "aabab")
def test_a_portable_pattern_matches_what_any_regular_expression_would(portable: str, text: str) -> None:
    ends = re.sub(r"\\.|\[(?:\\.|[^\]])*\]|\$", lambda part: r"\Z" if part[0] == "$" else part[0], portable)
    assert matches(portable, text) is (re.search(ends, text, re.ASCII) is not None)


@given(st.text("ab()[]{}?*+|^$\\-,.d19&", max_size=12))
def test_what_is_read_is_also_a_regular_expression_to_others(text: str) -> None:
    try:
        pattern.parse(text)
    except ValueError:
        return
    assert re.compile(text).pattern == text


@pytest.mark.parametrize(
    ("nested", "text"),
    [
        ("^(a+)+$", "a" * 50_000 + "b"),
        ("^(a|a)*$", "a" * 5_000 + "b"),
        ("^(a|aa)+$", "a" * 5_000 + "b"),
        ("(x+x+)+y", "x" * 10_000),
        ("(.*)*(.*)*(.*)*z", "a" * 10_000),
        ("^(([a-z])+.)+[A-Z]([a-z])+$", "a" * 10_000),
        ("^(?:(?:a?){0,99}){0,99}$", "a" * 3_000 + "b"),
        ("(a?){1000}b", "a" * 1_000),
    ],
)
def test_repetitions_in_repetitions_take_no_more_than_some_steps_for_a_character(nested: str, text: str) -> None:
    assert not matches(nested, text)
    assert steps(nested, text) < 20 * len(text)


def test_whoever_counts_the_steps_may_end_the_match() -> None:
    def enough(_: int) -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        matching.matches(pattern.parse("a"), "a", enough)


def test_a_class_is_walked_once_for_a_text() -> None:
    once, often = steps("[a-c]", "a" * 32_000), steps("[a-c]{5}", "a" * 32_000)
    assert often - once < 32


@pytest.mark.parametrize("text", ["a" * 1025, "(" * 17 + ")" * 17, "(" * 1000])
def test_a_pattern_too_long_or_too_deep_is_not_read(text: str) -> None:
    with pytest.raises(ValueError, match=r"over \d|deep"):
        pattern.parse(text)
