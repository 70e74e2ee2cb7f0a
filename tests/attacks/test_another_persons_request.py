"""A signed-in person approves what is asked of someone else."""

from tests.attacks.stage import reason
from tests.server.peers import Agent, RunningServer, Service
from tests.server.visitor import Visitor


def test_it_does_not_exist_for_them(approval: RunningServer, shop: Service, visitor: Visitor, paired: Agent) -> None:
    visitor.link(shop)
    identifier = paired.ask(shop.offer(approval.url, approval.clock())).json()["transaction_authorization_id"]
    begun = visitor.begin_approval(identifier)
    mallory = Visitor(approval).sign_up("Mallory")
    assert mallory.get(f"/requests/{identifier}").status_code == 404
    assert reason(mallory.post("/requests/begin", requests=[identifier])) == "not_yours"
    stolen = mallory.post("/requests/approve", requests=[identifier], **visitor.sign(begun))
    assert reason(stolen) == "gesture_unknown"
    assert approval.execute("SELECT state FROM requests") == [("pending",)]
