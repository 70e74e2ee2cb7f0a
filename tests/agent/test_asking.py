"""Where a service tells its terms to known callers alone, the agent says who it is before it asks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from oneact.agent import Refused, Unreachable
from oneact.agent.flow import Call
from oneact.protocol import metadata
from oneact.testing import new_key
from tests.agent.test_flow import AIR, ISSUER, World


class Personal(World):
    """A service whose terms depend on who asks, unless a test says otherwise."""

    personal = True

    def metadata(self) -> dict[str, Any]:
        return replace(metadata.parse_service(super().metadata(), AIR), personal=self.personal).document()

    def server(self) -> metadata.ServerMetadata:
        found = super().server()
        return replace(found, endpoints={**found.endpoints, "token_endpoint": f"{ISSUER}/token_endpoint"})

    def kind(self, call: Call) -> str:
        return "plain" if "Accept-Txn-Challenge" in call.headers else super().kind(call)

    def answer(self, kind: str) -> Any:
        if kind == "token_endpoint" and not self.bent.get(kind):
            return self.json(200, {"access_token": "an.asking.token", "token_type": "DPoP"})
        return super().answer(kind)


@pytest.fixture
def world() -> Personal:
    return Personal()


def test_the_plain_request_carries_an_asking_token_and_the_act_its_own(world: Personal) -> None:
    assert world.run().receipt is not None
    kinds = [kind for kind, _ in world.calls][2:]
    assert kinds == ["token_endpoint", "plain", "ask", "transaction_authorization_endpoint", "act"]
    calls = dict(world.calls)
    assert calls["token_endpoint"].authenticated
    assert calls["token_endpoint"].form == {
        "grant_type": "client_credentials", "scope": "ask", "resource": AIR, "login_hint": "hint",
    }  # fmt: skip
    assert calls["plain"].token == "an.asking.token"
    assert calls["act"].token == world.token()


def test_no_service_that_does_not_ask_for_it_is_told_who_asks(world: Personal) -> None:
    world.personal = False
    world.run()
    assert world.asked("token_endpoint") == 0
    assert dict(world.calls)["plain"].token is None


def test_a_refusal_says_where_linking_helps(world: Personal) -> None:
    world.bent["token_endpoint"] = [lambda: world.json(403, {"error": "access_denied", "reason": "unlinked_service"})]
    with pytest.raises(Refused) as refused:
        world.run()
    assert (refused.value.reason, refused.value.link_uri) == ("unlinked_service", AIR + "/link")
    assert world.asked("plain") == 0


def test_no_answer_or_none_with_a_token_is_told(world: Personal) -> None:
    world.bent["token_endpoint"] = [None, lambda: world.json(200, {})]
    with pytest.raises(Unreachable):
        world.run()
    with pytest.raises(Refused):
        world.run()


@pytest.mark.parametrize("whose", ["own", "another's"])
def test_an_offer_for_another_agent_is_not_taken_further(world: Personal, whose: str) -> None:
    jkt = world.agent.jkt if whose == "own" else new_key().public.thumbprint
    world.bent["plain"] = [lambda: world.json(401, {"transaction_challenge": world.offer(sub="p-1", jkt=jkt)})]
    if whose == "own":
        assert world.run().receipt is not None
        return
    with pytest.raises(Refused) as refused:
        world.run()
    assert refused.value.reason == "offer_subject"
    assert world.asked("ask") == 0
