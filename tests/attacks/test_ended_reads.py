"""An agent goes on reading after the person has ended its session."""

from oneact.protocol import read_token
from tests.attacks.stage import reason
from tests.server.peers import Agent, RunningServer, Service
from tests.server.test_reads import asked, opened, poll
from tests.server.visitor import Visitor


def test_what_it_holds_lives_five_minutes_at_the_most_and_it_gets_nothing_new(
    approval: RunningServer, shop: Service, visitor: Visitor, paired: Agent
) -> None:
    visitor.link(shop)
    identifier = asked(paired, shop)
    opened(visitor, identifier)
    held = read_token.parse(poll(paired, identifier).json()["access_token"])[0]
    assert visitor.submit(f"/reads/{identifier}/end").status_code == 303
    assert held.exp - approval.clock() <= 300
    assert reason(poll(paired, identifier)) == "read_ended"
    assert visitor.submit(f"/reads/{identifier}/end").status_code == 409
    again = asked(paired, shop)  # it may ask anew, and the person is asked anew
    assert again != identifier
    assert reason(poll(paired, again)) == "authorization_pending"
