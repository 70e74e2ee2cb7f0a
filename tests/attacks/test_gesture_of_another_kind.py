"""A dishonest page has a gesture of signing in, pairing, linking or adding a passkey made, offered as an approval."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from oneact.testing import SoftwarePasskey
from tests.attacks.stage import reason
from tests.ports import free_port
from tests.server.peers import Agent, RunningServer, Service, serving
from tests.server.visitor import Visitor, push


def sign_in(visitor: Visitor, _: Service) -> dict[str, Any]:
    return dict(visitor.post("/signin/begin").json())


def pair(visitor: Visitor, _: Service) -> dict[str, Any]:
    other = Agent(visitor.server)
    other.register()
    shown = visitor.submit("/pair", user_code=other.post("/oauth/device").json()["user_code"]).text
    [device] = re.findall(r'data-device="([^"]+)"', shown)
    return dict(visitor.post("/pair/begin", device=device, name="Planner").json())


def roster(visitor: Visitor, _: Service) -> dict[str, Any]:
    [[link]] = visitor.server.execute("SELECT id FROM links WHERE state = 'linked'")
    return dict(visitor.post("/services/begin", link=link).json())


def link(visitor: Visitor, _: Service) -> dict[str, Any]:
    other = Service(f"http://localhost:{free_port()}")
    with serving(other.app(), int(other.url.rpartition(":")[2])):
        asked = {"client_id": other.client_id, "request_uri": push(visitor.server, other)}
        visitor.get("/oauth/authorize", **asked)
        return dict(visitor.post("/link/begin", **asked).json())


def passkey(visitor: Visitor, _: Service) -> dict[str, Any]:
    return visitor.begin_add(SoftwarePasskey("localhost", visitor.server.url))


@pytest.mark.parametrize("begin", [sign_in, pair, link, roster, passkey])
def test_it_approves_nothing(
    approval: RunningServer,
    shop: Service,
    visitor: Visitor,
    paired: Agent,
    begin: Callable[[Visitor, Service], dict[str, Any]],
) -> None:
    visitor.link(shop)
    identifier = paired.ask(shop.offer(approval.url, approval.clock())).json()["transaction_authorization_id"]
    begun = visitor.begin_approval(identifier)
    signed = visitor.sign(begin(visitor, shop))
    answer = visitor.post("/requests/approve", requests=[identifier], **signed)
    assert reason(answer) == "gesture_unknown"
    other = {"gesture": begun["gesture"], "credential": signed["credential"]}
    assert reason(visitor.post("/requests/approve", requests=[identifier], **other)) == "assertion_challenge"
    assert approval.execute("SELECT state FROM requests") == [("pending",)]
