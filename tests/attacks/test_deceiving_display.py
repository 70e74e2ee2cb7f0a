"""What would deceive the eye: bidi, zero-width and newline tricks, piled-up marks, a template that leaves one out."""

import re
from typing import Any

import pytest

from oneact.protocol import action, display
from tests.server import peers
from tests.server.peers import Agent, RunningServer, Service
from tests.server.visitor import Visitor
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


def test_marks_that_pile_up_over_other_lines_are_shown_as_escapes() -> None:
    lines = shown({"from": "N" + "\u033f\u0305\u0489\u20e0" * 20, "to": "x"})
    assert any("N\u033f\u0305\\u{489}\\u{20E0}\\u{33F}" in line for line in lines)
    assert not any(re.search("[\u0300-\u036f\u0483-\u0489\u20d0-\u20ff]{3}", line) for line in lines)


def test_what_is_no_line_is_escaped_on_the_page_too(
    approval: RunningServer, shop: Service, visitor: Visitor, paired: Agent
) -> None:
    trick = "a\u202eb" + "\u0338" * 9
    entry = {"pointer": "/terms/price", "label": "Price " + trick, "format": "money"}
    document = {**peers.DOCUMENT, "intent": "Book " + trick, "display": [entry]}
    shop.documents.append(document)
    visitor.link(shop)
    offered = shop.offer(approval.url, approval.clock(), shop.act(document))
    identifier = paired.ask(offered, reason="Please " + trick).json()["transaction_authorization_id"]
    for path in (f"/requests/{identifier}", "/inbox", "/history"):
        page = visitor.get(path).text
        assert "\u202e" not in page
        assert "\u0338" * 3 not in page
        assert 'a<span class="escape">\\u{202E}</span>b' in page


def test_a_value_cannot_close_the_marks_around_it() -> None:
    lines = shown({"from": "SFO\u00bb, free of charge, \u00ab", "to": "x"})
    assert lines[0].count("\u00ab") == lines[0].count("\u00bb") == 2


def test_what_the_template_leaves_out_is_shown_all_the_same() -> None:
    lines = display.render(action.parse(PLAIN), {"from": "a", "to": "b", "hidden": {"fee": "999"}}, None)
    assert ("other", "/parameters/hidden/fee", "text", "999") in lines
