"""A token that says who asks is used to act, and a token that acts to ask: each is none where the other is wanted."""

import asyncio
import time
from pathlib import Path

import httpx
import pytest

from oneact.testing import InProcessApprover, TestAgent
from tests.attacks.played import played
from tests.attacks.stage import told
from tests.ports import free_port
from tests.service.personal import Shop
from tests.service.world import ApprovalServer, link, served

ORDER = {"item": "lamp"}


@pytest.mark.parametrize("kind", ["fastapi", "asgi"])
@pytest.mark.parametrize("path", ["/orders", "/wishes", "/oneact/act"])
def test_an_asking_token_runs_no_act(server: ApprovalServer, tmp_path: Path, kind: str, path: str) -> None:
    shop = Shop(kind, port := free_port(), [server.issuer], tmp_path)
    asyncio.run(link(tmp_path, shop.resource, server))
    body = {"action": "wish", "parameters": ORDER} if path == "/oneact/act" else ORDER
    with served(shop.app, port):
        answer = shown(server.person, shop.resource + path, shop.resource, body)
    assert told(answer) == (401, "token_malformed", 2)
    assert shop.sold == []


def shown(person: InProcessApprover, url: str, resource: str, body: dict[str, object]) -> httpx.Response:
    agent, now = TestAgent(), int(time.time())
    headers = agent.headers("POST", url, person.asking_token(resource, agent, now), now)
    return httpx.post(url, headers=headers, json=body)


@pytest.mark.parametrize("name", ["an action token", "an action token with the scope"])
def test_an_action_token_does_not_ask(name: str) -> None:
    assert played(name, "asking") == "token_malformed"


def test_an_asking_token_is_no_action_token() -> None:
    assert played("an asking token", "token") == "token_malformed"
