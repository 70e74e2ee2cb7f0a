"""An agent comes for an approval after the person has blocked or removed it, or has unlinked the service."""

from typing import Any

import httpx
import pytest

from oneact.protocol import ended, jwk, jws
from oneact.server import issuing
from tests.attacks.stage import reason
from tests.server.peers import Agent, RunningServer, Service
from tests.server.visitor import Visitor

WAYS = ["agent blocked", "agent removed", "service unlinked"]


@pytest.fixture
def approved(approval: RunningServer, shop: Service, visitor: Visitor, paired: Agent) -> str:
    """A request that the person has approved and the agent has not collected."""
    visitor.link(shop)
    identifier: str = paired.ask(shop.offer(approval.url, approval.clock())).json()["transaction_authorization_id"]
    assert visitor.approve(identifier).status_code == 200
    return identifier


def take_back(visitor: Visitor, way: str) -> None:
    [[pairing, link]] = visitor.server.execute("SELECT pairing_id, link_id FROM requests")
    path = {"agent blocked": f"/agents/{pairing}/block", "agent removed": f"/agents/{pairing}/remove"}.get(way)
    assert visitor.submit(path or f"/services/{link}/unlink").status_code == 303


def behind(server: RunningServer, way: str) -> None:
    """Change the rows alone, as a change that commits while the agent's poll is under way."""
    change = {
        "agent blocked": "UPDATE pairings SET blocked_at = 1",
        "agent removed": "UPDATE pairings SET removed_at = 1",
        "service unlinked": "UPDATE links SET state = 'unlinked'",
        "passkey removed": "UPDATE passkeys SET removed_at = 1",
    }
    server.execute(change[way])


def check_denied(server: RunningServer, answer: httpx.Response) -> None:
    told = answer.json()
    assert (answer.status_code, told["error"], reason(answer)) == (400, "access_denied", "denied")
    signed = jws.parse(told["statement"], ended.TYP, jws.PLAIN)
    jws.verify_with(signed, jwk.parse_set(httpx.get(server.url + "/oauth/jwks.json").json()), jws.PLAIN)
    assert signed.claims["status"] == "denied"


@pytest.mark.parametrize("way", WAYS)
def test_it_gets_a_signed_denial(visitor: Visitor, paired: Agent, approved: str, way: str) -> None:
    take_back(visitor, way)
    check_denied(visitor.server, paired.poll(approved))
    assert paired.poll(approved).json() == paired.poll(approved).json()


@pytest.mark.parametrize("way", WAYS)
def test_the_person_and_the_log_are_told_at_once(visitor: Visitor, approved: str, way: str) -> None:
    take_back(visitor, way)
    assert "Nothing was done." in visitor.get(f"/requests/{approved}").text
    kinds = [kind for (kind,) in visitor.server.execute("SELECT kind FROM entries WHERE request_id != '' ORDER BY seq")]
    assert kinds == ["asked", "shown", "approved", "denied"]


@pytest.mark.parametrize("way", [*WAYS, "passkey removed"])
def test_it_gets_none_either_where_the_change_and_the_poll_race(
    approval: RunningServer, paired: Agent, approved: str, way: str
) -> None:
    behind(approval, way)
    check_denied(approval, paired.poll(approved))
    assert approval.execute("SELECT state, token FROM requests") == [("denied", None)]


def test_another_agents_approval_stands(
    approval: RunningServer, visitor: Visitor, paired: Agent, approved: str
) -> None:
    other = Agent(approval)
    other.register()
    pairing = visitor.pair(other, "Other")
    assert visitor.submit(f"/agents/{pairing}/block").status_code == 303
    assert paired.poll(approved).status_code == 200


def test_where_its_time_runs_out_in_the_same_second_it_gets_a_signed_end_too(
    approval: RunningServer, approved: str
) -> None:
    [[until]] = approval.execute("SELECT approved_until FROM requests")
    behind(approval, "agent blocked")

    async def at_the_boundary(world: Any) -> issuing.Ended:
        row = await world.store.one("request", approved)
        seconds = iter([until - 1])
        world.now = lambda: next(seconds, until)
        with pytest.raises(issuing.Ended) as caught:
            await issuing._answer(world, row)
        world.now = approval.clock
        return caught.value

    found = approval.call(at_the_boundary)
    assert found.reason.value == "expired"
    assert ended.parse(found.statement)[0].status == "expired"
    assert approval.execute("SELECT state, token FROM requests") == [("expired", None)]
