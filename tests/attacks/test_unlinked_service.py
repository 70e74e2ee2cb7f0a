"""An agent brings the offer of a service that its person never linked, to have it fetched."""

from tests.attacks.stage import reason
from tests.server.peers import Agent, RunningServer, Service


def test_the_offer_is_refused_and_nothing_is_fetched(approval: RunningServer, shop: Service, paired: Agent) -> None:
    answer = paired.ask(shop.offer(approval.url, approval.clock()))
    assert (answer.status_code, reason(answer)) == (403, "unlinked_service")
    assert shop.fetched == []
