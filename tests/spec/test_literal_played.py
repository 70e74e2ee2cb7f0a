"""The literal run has the form of what the server in this repository answers: played, and held against the text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.ports import free_port
from tests.server.peers import Agent, RunningServer, Service, running_server, serving
from tests.server.visitor import Visitor, exchange, push
from tests.spec.exchanges import Message, exchanges
from tests.spec.literal import APPROVE

Told = tuple[str, str, frozenset[str], int, frozenset[str], bool]
PAGES = ("/signup", "/pair", "/link", "/requests", "/oauth/authorize")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    with running_server(tmp_path) as running:
        yield running


@pytest.fixture
def shop() -> Iterator[Service]:
    found = Service(f"http://localhost:{free_port()}")
    with serving(found.app(), int(found.url.rpartition(":")[2])):
        yield found


def names(body: str) -> frozenset[str]:
    """Give the members of a JSON object."""
    value = json.loads(body) if body.startswith("{") else {}
    return frozenset(value)


def told(request: Message, answer: Message | None) -> Told:
    """Give the form of an exchange as the text has it."""
    assert answer is not None
    fields = frozenset(request.form()) or names(request.body)
    path = request.start[1].partition("?")[0]
    nonce = "DPoP-Nonce" in answer.headers
    return request.start[0], path, fields, answer.status, names(answer.body), nonce


def test_every_answer_of_the_approval_server_has_the_form_of_a_real_one(
    server: RunningServer, shop: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    real: list[Told] = []
    send = httpx.Client.send

    def recorded(client: httpx.Client, request: httpx.Request, **more: Any) -> httpx.Response:
        answer = send(client, request, **more)
        answer.read()
        if str(request.url).startswith(server.url) and not request.url.path.startswith(PAGES):
            headers = {name.title(): value for name, value in request.headers.items()}
            sent = Message([request.method, request.url.path], headers, request.content.decode())
            got = {"DPoP-Nonce": "x"} if "dpop-nonce" in answer.headers else {}
            real.append(told(sent, Message(["", str(answer.status_code)], got, answer.text)))
        return answer

    monkeypatch.setattr(httpx.Client, "send", recorded)
    agent = Agent(server)
    visitor = play(server, shop, agent)
    asked = [item for item in exchanges() if item[0].url.startswith(APPROVE + "/") and item[1] is not None]
    said = [told(*item) for item in asked]
    assert visitor.account
    assert [item for item in said if item not in real] == []


def link(server: RunningServer, shop: Service, visitor: Visitor) -> None:
    """Link the service, whose requests have what this repository's own service sends."""
    asked = {"client_id": shop.client_id, "request_uri": push(server, shop, resource=shop.url)}
    visitor.get("/oauth/authorize", **asked)
    signed = visitor.sign(visitor.post("/link/begin", **asked).json())
    code = httpx.URL(visitor.post("/link/finish", **signed).json()["location"]).params["code"]
    assert exchange(server, shop, code, account_label="ada", client_id=shop.client_id).status_code == 200


def play(server: RunningServer, shop: Service, agent: Agent) -> Visitor:
    """Do what the run tells, and what its text has of errors on the way."""
    visitor = Visitor(server).sign_up()
    httpx.get(server.url + "/.well-known/oauth-authorization-server")
    httpx.get(server.url + "/oauth/jwks.json")
    agent.register()
    device = agent.post("/oauth/device", agent_name="Trip planner").json()["device_code"]
    agent.post("/oauth/token", grant_type="urn:ietf:params:oauth:grant-type:device_code", device_code=device)
    visitor.pair(agent)
    link(server, shop, visitor)
    agent.nonce = "an old one"
    key = {"Idempotency-Key": "7Zq"}
    identifier = agent.ask(shop.offer(server.url, server.clock()), key).json()["transaction_authorization_id"]
    agent.poll(identifier)
    visitor.approve(identifier)
    issued = agent.poll(identifier, {"Prefer": "wait=1"}).json()
    [[jti, digest, sub, txn]] = server.execute("SELECT token_jti, act_digest, sub, txn FROM requests")
    text = shop.receipt(server.url, {"sub": sub, "txn": txn, "jti": jti}, digest, server.clock())
    assert issued["token_type"] == "DPoP"
    httpx.post(server.url + "/oauth/receipts", content=text, headers={"Content-Type": "application/jwt"})
    return visitor
