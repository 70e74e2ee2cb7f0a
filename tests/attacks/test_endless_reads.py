"""A read session is drawn out: beyond an hour, beyond what was signed, by a token that lives long."""

import json

import pytest

from tests.attacks.played import played
from tests.attacks.stage import reason
from tests.server.peers import ITINERARIES, Agent, Service
from tests.server.test_reads import ask, details
from tests.server.visitor import Visitor


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("longer than an hour", "read_malformed"),
        ("a statement of an hour and a second", "statement_lifetime"),
        ("a token past its statement", "statement_time"),
        ("a life of three hundred and one seconds", "token_lifetime"),
        ("the second at which it expires", "token_expired"),
    ],
)
def test_the_service_holds_every_end(name: str, expected: str) -> None:
    assert played(name, "read") == expected


def test_the_approval_server_does_not_ask_for_more_than_an_hour(shop: Service, visitor: Visitor, paired: Agent) -> None:
    visitor.link(shop)
    wanted = json.loads(details(shop, ITINERARIES))
    assert reason(ask(paired, json.dumps([{**wanted[0], "duration": 3601}]))) == "read_unknown"
    assert ask(paired, json.dumps(wanted)).status_code == 200
