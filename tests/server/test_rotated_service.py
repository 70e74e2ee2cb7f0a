"""A service that has just changed its key is known again by its next assertion, offer and receipt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from oneact import documents
from tests.server.peers import Service
from tests.server.test_oauth_agents import deliver, issued
from tests.server.test_relying import linked, opened, reason
from tests.server.visitor import Visitor, exchange, push

if TYPE_CHECKING:
    from tests.server.peers import Agent, Person, RunningServer


@pytest.fixture(autouse=True)
def _ten_seconds_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service's new key signs 15 seconds after it is published; its keys are fetched anew once in 10."""
    monkeypatch.setattr(documents, "REFRESH_EVERY", 0.0)


@pytest.fixture
def visitor(server: RunningServer) -> Visitor:
    return Visitor(server).sign_up()


def test_its_pushed_request_and_its_code_are_taken_by_the_new_key(
    server: RunningServer, service: Service, visitor: Visitor
) -> None:
    assert opened(visitor, service, push(server, service)) == ""  # the old key is at hand now
    service.rotate()
    code = visitor.signed_link(service)
    service.rotate()
    assert exchange(server, service, code).status_code == 200
    assert linked(server) == 1


def test_an_assertion_under_a_key_that_is_not_published_is_refused_all_the_same(
    server: RunningServer, service: Service, visitor: Visitor
) -> None:
    thief = Service(service.url)
    assert opened(visitor, service, push(server, thief)) == "client_assertion"
    assert reason(exchange(server, thief, visitor.signed_link(service))) == "client_assertion"
    assert linked(server) == 0


def test_a_receipt_by_the_new_key_is_taken_for_an_act_that_was_offered_by_the_old_one(
    server: RunningServer, service: Service, person: Person, agent: Agent
) -> None:
    _, _, claims = issued(server, service, person, agent)
    service.rotate()
    receipt = service.receipt(server.url, claims, service.act().digest, server.clock())
    assert deliver(server, receipt).status_code == 204


def test_a_receipt_by_a_retired_key_is_refused_once_the_keys_kept_are_too_old(
    server: RunningServer, service: Service, person: Person, agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, _, claims = issued(server, service, person, agent)
    receipt = service.receipt(server.url, claims, service.act().digest, server.clock())
    service.rotate()
    service.older.clear()
    monkeypatch.setattr(documents, "TTL", 0.0)
    assert reason(deliver(server, receipt)) == "receipt_key"


def test_its_offers_are_taken_by_either_key(
    server: RunningServer, service: Service, visitor: Visitor, agent: Agent
) -> None:
    visitor.pair(agent)
    visitor.link(service)
    before = service.offer(server.url, server.clock())
    service.rotate()
    for offered in (before, service.offer(server.url, server.clock())):
        assert agent.ask(offered).status_code == 200
