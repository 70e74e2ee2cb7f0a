"""The whole loop on real parts: an approval server, Express behind its sidecar, a paired agent."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from oneact.agent import Agent, Denied, keys
from tests.flows.test_whole import deciding, server
from tests.server.peers import Agent as Peer
from tests.server.peers import RunningServer
from tests.server.visitor import Visitor
from tests.sidecar.running import FLIGHT, Place, express, settle_in, sidecar

__all__ = ["server"]


@pytest.fixture
async def shop(server: RunningServer, tmp_path: Path) -> AsyncIterator[Place]:
    """The Express example, which accepts this approval server; nobody has linked an account yet."""
    place = await settle_in(tmp_path, issuers=f'["{server.url}"]')
    with contextlib.ExitStack() as running:
        running.enter_context(sidecar(place))
        running.enter_context(express(place))
        yield place


@pytest.fixture
def person(server: RunningServer, shop: Place) -> Visitor:
    """A person who has signed in at the shop and linked their account by its own page."""
    visitor = Visitor(server).sign_up()
    with httpx.Client(base_url=shop.resource, follow_redirects=True) as browser:
        page = browser.get("/login?name=ada").text
        fields = {"issuer": server.url, "csrf": page.partition('name="csrf" value="')[2].partition('"')[0]}
        started = browser.post("/oneact/link", data=fields, headers={"Origin": shop.resource}, follow_redirects=False)
        asked = httpx.URL(started.headers["location"])
        assert visitor.get(urlsplit(str(asked)).path, **dict(asked.params)).status_code == 200
        begun = visitor.post("/link/begin", **dict(asked.params)).json()
        answer = visitor.post("/link/finish", **visitor.sign(begun)).json()
        assert browser.get(answer["location"]).status_code == 200
    return visitor


@pytest.fixture
async def agent(server: RunningServer, person: Visitor, tmp_path: Path) -> AsyncIterator[Agent]:
    peer = Peer(server)
    peer.register()
    person.pair(peer)
    keys.save(tmp_path / "agent.json", keys.Pairing(server.url, peer.key, peer.client_id, peer.hint))
    async with await Agent.open(server.url, key_file=tmp_path / "agent.json") as found:
        yield found


async def test_an_act_goes_from_request_to_verified_receipt(agent: Agent, shop: Place, person: Visitor) -> None:
    async with deciding(person, "approve"):
        result = await agent.act(shop.resource, "book_flight", FLIGHT, reason="You asked")
    assert result.json()["price"] == "312.00"
    assert result.receipt is not None
    assert result.receipt.status == "executed"


async def test_a_guarded_route_can_be_called(agent: Agent, shop: Place, person: Visitor) -> None:
    async with deciding(person, "approve"):
        cancelled = await agent.call("DELETE", shop.resource + "/bookings/NYC-1?refund=true")
    assert cancelled.json() == {"cancelled": "NYC-1", "refund": True}


async def test_what_the_person_denies_does_not_happen(agent: Agent, shop: Place, person: Visitor) -> None:
    with pytest.raises(Denied):
        async with deciding(person, "not today"):
            await agent.act(shop.resource, "book_flight", FLIGHT)
