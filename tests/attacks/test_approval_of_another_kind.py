"""The approval of an act is used to read, and that of a read session to act."""

import pytest

from tests.attacks.played import played
from tests.attacks.stage import reason
from tests.server.peers import Agent, RunningServer, Service
from tests.server.test_reads import asked
from tests.server.visitor import Visitor


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("the approval of an act", "statement_malformed"),
        ("a statement with acts", "statement_malformed"),
        ("a gesture of an act", "assertion_challenge"),
        ("a sign-in", "assertion_challenge"),
    ],
)
def test_a_passkey_that_approved_an_act_has_opened_no_reads(name: str, expected: str) -> None:
    assert played(name, "read") == expected


def test_a_passkey_that_opened_reads_has_approved_no_act() -> None:
    assert played("a gesture over reads") == "assertion_challenge"


def test_the_server_takes_no_gesture_of_one_kind_for_the_other(
    approval: RunningServer, shop: Service, visitor: Visitor, paired: Agent
) -> None:
    visitor.link(shop)
    act = paired.ask(shop.offer(approval.url, approval.clock())).json()["transaction_authorization_id"]
    session = asked(paired, shop)
    visitor.get(f"/reads/{session}")
    over_act = visitor.sign(visitor.begin_approval(act))
    over_reads = visitor.sign(visitor.post("/reads/begin", session=session).json())
    assert reason(visitor.post("/reads/approve", **over_act)) == "gesture_unknown"
    assert reason(visitor.post("/requests/approve", requests=[act], **over_reads)) == "gesture_unknown"
    assert approval.execute("SELECT state FROM requests") == [("pending",)]
    assert approval.execute("SELECT state FROM read_sessions") == [("pending",)]
