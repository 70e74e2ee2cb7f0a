"""A dishonest page has a sign-in or pairing gesture made, and offers it as an approval."""

from tests.attacks.stage import reason
from tests.server.peers import Agent, RunningServer, Service
from tests.server.visitor import Visitor


def test_a_sign_in_gesture_approves_nothing(
    approval: RunningServer, shop: Service, visitor: Visitor, paired: Agent
) -> None:
    visitor.link(shop)
    identifier = paired.ask(shop.offer(approval.url, approval.clock())).json()["transaction_authorization_id"]
    begun = visitor.begin_approval(identifier)
    signed = visitor.sign(visitor.post("/signin/begin").json())
    answer = visitor.post("/requests/approve", requests=[identifier], **signed)
    assert reason(answer) == "gesture_unknown"
    other = {"gesture": begun["gesture"], "credential": signed["credential"]}
    assert reason(visitor.post("/requests/approve", requests=[identifier], **other)) == "assertion_challenge"
    assert approval.execute("SELECT state FROM requests") == [("pending",)]
