"""What would deceive the eye: bidi, zero-width and newline tricks, and a template that leaves a parameter out."""

from typing import Any

import pytest

from oneact.protocol import action, display
from tests.vectors.generate import DOCUMENT, PLAIN, STATED


def shown(parameters: dict[str, Any]) -> list[str]:
    return [line[3] for line in display.render(action.parse(DOCUMENT), parameters, STATED)]


@pytest.mark.parametrize(
    "trick", ["\u202e", "\u2066", "\u200b", "\u2060", "\ufeff", "\n", "\r", "\u2028", "\u0000", "\u00ad"]
)
def test_a_trick_is_shown_as_an_escape(trick: str) -> None:
    lines = shown({"from": f"a{trick}b", "to": "x"})
    assert not any(trick in line for line in lines)
    assert any(f"a\\u{{{ord(trick):X}}}b" in line for line in lines)


def test_a_value_cannot_close_the_marks_around_it() -> None:
    lines = shown({"from": "SFO\u00bb, free of charge, \u00ab", "to": "x"})
    assert lines[0].count("\u00ab") == lines[0].count("\u00bb") == 2


def test_what_the_template_leaves_out_is_shown_all_the_same() -> None:
    lines = display.render(action.parse(PLAIN), {"from": "a", "to": "b", "hidden": {"fee": "999"}}, None)
    assert ("other", "/parameters/hidden/fee", "text", "999") in lines
