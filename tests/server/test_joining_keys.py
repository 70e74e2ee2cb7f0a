"""Who asks by another key joins nothing that was asked by the one before, and is told nothing of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from oneact.protocol import token
from tests.server.asking_service import on_behalf
from tests.server.peers import Service
from tests.server.test_joining import count, reason
from tests.server.test_oauth_agents import deliver

if TYPE_CHECKING:
    from tests.server.peers import Agent, Person, RunningServer

KEY = {"Idempotency-Key": "one"}


@pytest.fixture
def asking(server: RunningServer, service: Service, person: Person) -> Agent:
    """The service, which asks for itself."""
    person.link(service)
    return on_behalf(server, service, person.approver.sub)


def offer(asking: Agent, service: Service, to: str = "NYC") -> str:
    return service.offer(asking.server.url, asking.server.clock(), service.act(to=to))


def rekey(asking: Agent, service: Service) -> None:
    """Have the service sign, and ask, by a new key; the old one is published still."""
    service.rotate()
    asking.key = service.key
    asking.server.app.state.world.fetch._entries.clear()  # as after 10 seconds


def executed(asking: Agent, service: Service, person: Person) -> str:
    """Ask under the key `one`, have it approved and executed; give the receipt."""
    identifier = asking.ask(offer(asking, service), KEY).json()["transaction_authorization_id"]
    person.approve(identifier)
    claims = token.parse(asking.poll(identifier).json()["access_token"])[0].claims()
    receipt = service.receipt(asking.server.url, claims, service.act().digest, asking.server.clock())
    assert deliver(asking.server, receipt).status_code == 204
    return receipt


def test_an_idempotency_key_is_that_of_the_key_by_which_it_was_used(asking: Agent, service: Service) -> None:
    first = asking.ask(offer(asking, service), KEY).json()
    assert asking.ask(offer(asking, service), KEY).json()["joined"] is True
    rekey(asking, service)
    again = asking.ask(offer(asking, service), KEY)
    assert reason(again) == "idempotency_conflict"
    assert first["transaction_authorization_id"] not in again.text
    assert count(asking.server) == 1


def test_the_same_offer_by_another_key_joins_nothing(asking: Agent, service: Service) -> None:
    offered = offer(asking, service)
    assert asking.ask(offered).status_code == 200
    assert asking.ask(offered).json()["joined"] is True
    rekey(asking, service)
    assert reason(asking.ask(offered)) == "idempotency_conflict"
    assert count(asking.server) == 1


def test_the_same_act_by_another_key_is_another_request(asking: Agent, service: Service) -> None:
    first = asking.ask(offer(asking, service)).json()["transaction_authorization_id"]
    rekey(asking, service)
    second = asking.ask(offer(asking, service)).json()
    assert "joined" not in second
    assert second["transaction_authorization_id"] != first
    assert reason(asking.poll(first)) == "grant_unknown"


def test_what_came_of_an_act_is_told_to_the_key_that_asked_for_it_alone(
    asking: Agent, service: Service, person: Person
) -> None:
    receipt = executed(asking, service, person)
    told = asking.ask(offer(asking, service, "LAX"), KEY)
    assert (reason(told), told.json()["receipt"]) == ("idempotency_conflict", receipt)
    rekey(asking, service)
    untold = asking.ask(offer(asking, service, "LAX"), KEY)
    assert reason(untold) == "idempotency_conflict"
    assert "receipt" not in untold.json()
