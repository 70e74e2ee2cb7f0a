"""A price of one's own, on real parts: the agent says who it is, the person approves, the shop sells."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from oneact.agent import Agent, Refused, keys
from oneact.service import LocalAccount
from tests.flows.test_whole import RealClock, _link, deciding
from tests.ports import free_port
from tests.server.peers import Agent as Peer
from tests.server.peers import RunningServer, running_server
from tests.server.visitor import Visitor
from tests.service.personal import Shop
from tests.service.world import served


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    (tmp_path / "server").mkdir()
    with running_server(tmp_path / "server", clock=RealClock()) as running:
        yield running


@pytest.fixture(params=["fastapi", "asgi"])
def shop(request: pytest.FixtureRequest, server: RunningServer, tmp_path: Path) -> Iterator[Shop]:
    found = Shop(request.param, port := free_port(), [server.url], tmp_path)
    found.account = LocalAccount("alice", "alice@example", int(time.time()))
    with served(found.app, port):
        yield found


@pytest.fixture
async def agent(server: RunningServer, visitor: Visitor, tmp_path: Path) -> AsyncIterator[Agent]:
    peer = Peer(server)
    peer.register()
    visitor.pair(peer)
    keys.save(tmp_path / "agent.json", keys.Pairing(server.url, peer.key, peer.client_id, peer.hint))
    async with await Agent.open(server.url, key_file=tmp_path / "agent.json") as found:
        yield found


@pytest.fixture
def visitor(server: RunningServer) -> Visitor:
    return Visitor(server).sign_up()


async def test_the_agent_is_told_its_persons_own_price_and_buys_at_it(
    agent: Agent, shop: Shop, visitor: Visitor
) -> None:
    assert _link(visitor, shop).status_code == 200
    async with deciding(visitor, "approve"):
        result = await agent.act(shop.resource, "buy", {"item": "lamp"})
    assert result.json() == {"sold": "7"}
    assert shop.sold == [("alice", "7")]
    kinds = [kind for (kind,) in visitor.server.execute("SELECT kind FROM entries ORDER BY seq")]
    assert kinds[-6:] == ["introduced", "asked", "shown", "approved", "token_issued", "receipt"]


async def test_an_agent_whose_person_has_not_linked_the_shop_is_told_where_to(
    agent: Agent, shop: Shop, visitor: Visitor
) -> None:
    with pytest.raises(Refused) as refused:
        await agent.act(shop.resource, "buy", {"item": "lamp"})
    assert (refused.value.reason, refused.value.link_uri) == ("unlinked_service", shop.resource + "/oneact/link")
    assert shop.askers == []
    assert visitor.account
