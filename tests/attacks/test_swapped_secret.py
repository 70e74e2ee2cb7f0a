"""A template whose pointer only the page would follow: it would reveal another secret than the one that was signed."""

import json
from typing import Any

import pytest

from oneact.errors import Reason
from oneact.protocol import action, display
from oneact.server.deciding import Shown
from oneact.server.pages import looks
from tests.protocol.refusing import expect_refusal
from tests.vectors.generate import PLAIN

LANDLORD, THIEF = "IBAN of your landlord", "IBAN of the agent"


def view(*pointers: str) -> looks.ActView:
    """Give the page's view of an act of which every pointer is a secret."""
    document: dict[str, Any] = {
        **PLAIN,
        "schema": {
            "type": "object", "additionalProperties": False,
            "properties": {"past": {"type": "array", "items": {"type": "string"}}, "to": {"type": "string"}},
        },
        "sources": {"past": "body", "to": "body"}, "summary": "Pay",
        "display": [{"pointer": pointer, "label": pointer, "format": "secret"} for pointer in pointers],
    }  # fmt: skip
    parameters: dict[str, Any] = {"past": [LANDLORD], "to": THIEF}
    lines = display.render(action.parse(document), parameters, None)
    return looks.act_view(Shown({"action": json.dumps(document), "act": json.dumps({"parameters": parameters})}, lines))


@pytest.mark.parametrize("index", ["00", "+0", " 0", "-0", "\u0660", "1"])
def test_what_is_revealed_is_the_secret_of_the_line(index: str) -> None:
    [line] = view(f"/parameters/past/{index}", "/parameters/to").parameters
    assert line.label == "/parameters/to"
    assert line.secret == THIEF


def test_each_secret_stands_at_its_own_line() -> None:
    shown = view("/parameters/past/0", "/parameters/to").parameters
    assert [line.secret for line in shown] == [LANDLORD, THIEF]


def test_a_secret_that_is_not_the_signed_one_is_not_revealed() -> None:
    line = ("parameter", "To", "secret", display.secret(THIEF) or "")
    row = {
        "action": json.dumps({**PLAIN, "display": [{"pointer": "/parameters/to", "label": "To", "format": "secret"}]}),
        "act": json.dumps({"parameters": {"to": LANDLORD}}),
    }
    with expect_refusal(Reason.INTERNAL):
        looks.act_view(Shown(row, (("intent", "Pay", "text", "Pay"), line)))
