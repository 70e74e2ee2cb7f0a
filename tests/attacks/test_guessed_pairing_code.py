"""Someone guesses the codes of other people's agents."""

from tests.server.peers import Agent, RunningServer
from tests.server.visitor import Visitor


def test_after_five_tries_in_a_minute_even_the_right_code_is_refused(approval: RunningServer, visitor: Visitor) -> None:
    agent = Agent(approval)
    agent.register()
    code = agent.post("/oauth/device").json()["user_code"]
    for _ in range(5):
        assert visitor.submit("/pair", user_code="BBBB-BBBB").status_code == 400
    assert visitor.submit("/pair", user_code=code).status_code == 429
    assert approval.execute("SELECT count(*) FROM pairings") == [(0,)]
