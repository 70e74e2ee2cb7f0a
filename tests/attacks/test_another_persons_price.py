"""A price that one person was told is used by another person, or by another of that person's agents."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from oneact.protocol import base64url, offer
from oneact.testing import TestAgent
from tests.attacks.played import played
from tests.attacks.stage import told
from tests.ports import free_port
from tests.service.personal import Shop
from tests.service.world import ApprovalServer, Caller, calling, link, served

ORDER = {"item": "lamp"}


@pytest.fixture
def shop(server: ApprovalServer, tmp_path: Path) -> Iterator[Shop]:
    found = Shop("asgi", port := free_port(), [server.issuer], tmp_path)
    asyncio.run(link(tmp_path, found.resource, server))
    with served(found.app, port):
        yield found


@pytest.fixture
async def caller(server: ApprovalServer, shop: Shop) -> AsyncIterator[Caller]:
    async with calling(server, shop.resource) as found:
        yield found


async def offered(caller: Caller) -> str:
    now, url = int(time.time()), caller.resource + "/orders"
    text = caller.server.person.asking_token(caller.resource, caller.agent, now)
    headers = caller.agent.headers("POST", url, text, now) | caller.accept
    answer = await caller.client.post(url, headers=headers, json=ORDER)
    return str(answer.json()["transaction_challenge"])


async def test_another_person_cannot_pay_it(caller: Caller, shop: Shop, tmp_path: Path) -> None:
    text = await offered(caller)
    caller.server.person.sub = "another person"
    await link(tmp_path, shop.resource, caller.server, "bob")
    answer = await caller.show(await caller.approved(text), "POST", "/orders", json=ORDER)
    assert told(answer) == (401, "txn_foreign", 7)
    assert shop.sold == []


async def test_another_agent_cannot_have_it_approved(caller: Caller, shop: Shop) -> None:
    text = await offered(caller)
    caller.agent = TestAgent("another-agent")
    answer = await caller.show(await caller.approved(text), "POST", "/orders", json=ORDER)
    assert told(answer) == (401, "txn_foreign", 7)
    assert shop.sold == []


async def test_an_offer_made_for_one_cannot_be_turned_into_one_for_anyone(caller: Caller, shop: Shop) -> None:
    text = await offered(caller)
    caller.agent = TestAgent("another-agent")
    octets = base64url.decode(offer.parse(text)[0].txn)
    unnamed = base64url.encode(b"\x00" + octets[1:])
    answer = await caller.show(await caller.approved(text, txn=unnamed), "POST", "/orders", json=ORDER)
    assert told(answer) == (401, "txn_foreign", 7)
    assert shop.sold == []


@pytest.mark.parametrize("name", ["an offer to another person", "an offer to another agent"])
def test_the_checks_alone_refuse_it(name: str) -> None:
    assert played(name) == "txn_foreign"
