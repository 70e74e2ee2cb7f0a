"""A service asks for acts at itself, in place of a program that has no key."""

from __future__ import annotations

import json

import httpx
import pytest

from oneact.log.entry import Entry, Kind
from oneact.log.states import Told, differences
from oneact.protocol import token
from oneact.store.snapshot import Snapshot
from tests.server.asking_service import on_behalf
from tests.server.peers import Agent, RunningServer, Service
from tests.server.visitor import Visitor


def reason(answer: httpx.Response) -> str:
    assert answer.status_code >= 400, answer.text
    return str(answer.json()["reason"])


@pytest.fixture
def visitor(server: RunningServer, service: Service) -> Visitor:
    found = Visitor(server).sign_up()
    found.link(service)
    return found


def sub_of(server: RunningServer) -> str:
    [[found]] = server.execute("SELECT sub FROM links WHERE state = 'linked'")
    return str(found)


@pytest.fixture
def asking(server: RunningServer, service: Service, visitor: Visitor) -> Agent:  # noqa: ARG001 - who has linked it
    return on_behalf(server, service, sub_of(server))


def ask(asking: Agent, service: Service, **fields: str) -> httpx.Response:
    return asking.ask(service.offer(asking.server.url, asking.server.clock()), **fields)


def test_the_link_is_the_right_to_ask_and_the_token_names_the_services_own_key(
    asking: Agent, service: Service, visitor: Visitor
) -> None:
    asked = ask(asking, service).json()
    identifier = asked["transaction_authorization_id"]
    assert asked["authorization_uri"] == f"{asking.server.url}/requests/{identifier}"
    assert visitor.approve(identifier).status_code == 200
    found = token.parse(asking.poll(identifier).json()["access_token"])[0]
    assert (found.client_id, found.jkt) == (service.client_id, service.key.public.thumbprint)


def test_the_page_says_who_is_not_known(asking: Agent, service: Service, visitor: Visitor) -> None:
    identifier = ask(asking, service).json()["transaction_authorization_id"]
    page = visitor.get(f"/requests/{identifier}").text
    assert "a program connected to Example Air, not identified" in page
    assert "the name that you gave it" not in page
    assert "Fingerprint" not in page
    listed = visitor.get("/agents").text
    assert "a program connected to Example Air, not identified" in listed
    assert "/remove" not in listed


def test_there_is_one_pairing_for_a_link_and_the_log_tells_of_it_once(
    asking: Agent, service: Service, visitor: Visitor
) -> None:
    first, second = ask(asking, service), ask(asking, service)
    assert second.json()["joined"] is True
    assert first.json()["transaction_authorization_id"] == second.json()["transaction_authorization_id"]
    assert asking.server.execute("SELECT count(*) FROM pairings") == [(1,)]
    assert asking.server.execute("SELECT count(*) FROM entries WHERE kind = 'agent_paired'") == [(1,)]
    assert visitor.account


def test_whom_the_person_blocks_asks_no_more_until_they_allow_it_again(
    asking: Agent, service: Service, visitor: Visitor
) -> None:
    identifier = ask(asking, service).json()["transaction_authorization_id"]
    [[pairing]] = asking.server.execute("SELECT id FROM pairings")
    assert visitor.submit(f"/agents/{pairing}/block").status_code == 303
    assert reason(asking.poll(identifier)) == "denied"
    assert reason(ask(asking, service)) == "hint_unknown"
    assert "Allow again" in visitor.get("/agents").text
    assert visitor.submit(f"/agents/{pairing}/allow").status_code == 303
    assert ask(asking, service).status_code == 200


def test_the_database_holds_of_it_what_the_log_tells(asking: Agent, service: Service, visitor: Visitor) -> None:
    ask(asking, service)
    [[pairing]] = asking.server.execute("SELECT id FROM pairings")
    for step in ("block", "allow"):
        visitor.submit(f"/agents/{pairing}/{step}")
        entries = asking.server.execute("SELECT kind, at, account_id, request_id, content FROM entries ORDER BY seq")
        told = Told()
        for kind, at, account, request, content in entries:
            told.tell(Entry(Kind(kind), at, account, request, json.loads(content)))
        with Snapshot(asking.server.database) as held:
            states = [tuple(row.values()) for row in held.rows("states")]
        assert differences(told, states) == []


def test_an_agent_that_was_blocked_is_paired_anew_and_not_allowed_again(
    server: RunningServer, visitor: Visitor
) -> None:
    agent = Agent(server)
    agent.register()
    pairing = visitor.pair(agent)
    visitor.submit(f"/agents/{pairing}/block")
    assert visitor.submit(f"/agents/{pairing}/allow").status_code == 404
    assert server.execute("SELECT count(*) FROM pairings WHERE blocked_at IS NOT NULL") == [(1,)]


def test_with_the_link_ends_the_right(asking: Agent, service: Service, visitor: Visitor) -> None:
    assert ask(asking, service).status_code == 200
    visitor.unlink(service)
    assert reason(ask(asking, service)) == "client_unknown"  # nobody else has linked it either
    assert "not identified" not in visitor.get("/agents").text
    visitor.link(service)
    assert reason(ask(asking, service)) == "hint_unknown"  # the name of the link before is nobody's
    asking.hint = sub_of(asking.server)
    assert ask(asking, service).status_code == 200


def test_a_key_that_the_service_has_just_made_asks_too(asking: Agent, service: Service) -> None:
    assert ask(asking, service).status_code == 200
    service.key = Service(service.url).key
    asking.key = service.key
    asking.server.app.state.world.fetch._entries.clear()  # as after 10 seconds
    assert ask(asking, service).status_code == 200


@pytest.mark.parametrize("path", ["/oauth/device", "/oauth/bc-authorize", "/oauth/introspect", "/oauth/receipts"])
def test_a_service_asks_and_polls_and_calls_nothing_else(asking: Agent, service: Service, path: str) -> None:
    assert ask(asking, service).status_code == 200
    assert reason(asking.post(path, transaction_authorization_id="x")) == "client_unknown"


def test_a_service_takes_back_what_it_asked(asking: Agent, service: Service) -> None:
    identifier = ask(asking, service).json()["transaction_authorization_id"]
    assert asking.post("/oauth/cancel", transaction_authorization_id=identifier).status_code == 204
    assert reason(asking.poll(identifier)) == "cancelled"
