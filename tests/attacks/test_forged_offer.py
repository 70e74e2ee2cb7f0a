"""An agent makes an offer itself, with a price of its own."""

from tests.attacks.stage import reason
from tests.server.peers import Agent, RunningServer, Service
from tests.server.visitor import Visitor


def test_an_offer_by_another_key_is_refused(
    approval: RunningServer, shop: Service, visitor: Visitor, paired: Agent
) -> None:
    visitor.link(shop)
    forger = Service(shop.url)
    assert reason(paired.ask(forger.offer(approval.url, approval.clock()))) == "offer_key"
    head = shop.offer(approval.url, approval.clock()).split(".")[0]
    _, payload, signature = forger.offer(approval.url, approval.clock()).split(".")
    assert reason(paired.ask(f"{head}.{payload}.{signature}")) == "offer_signature"


def test_an_offer_for_another_server_is_refused(
    approval: RunningServer, shop: Service, visitor: Visitor, paired: Agent
) -> None:
    visitor.link(shop)
    assert reason(paired.ask(shop.offer("https://other.example", approval.clock()))) == "offer_audience"
