"""An agent uses the hint of another agent's pairing."""

from tests.attacks.stage import reason
from tests.server.peers import Agent, RunningServer, Service
from tests.server.visitor import Visitor


def test_a_hint_is_worth_nothing_to_another_agent(
    approval: RunningServer, shop: Service, visitor: Visitor, paired: Agent
) -> None:
    visitor.link(shop)
    thief = Agent(approval)
    thief.register()
    thief.hint = paired.hint
    assert reason(thief.ask(shop.offer(approval.url, approval.clock()))) == "hint_unknown"
