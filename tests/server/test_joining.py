"""What an agent asks twice is one request, what it asks for twice in one batch is two, and a batch is kept whole."""

from __future__ import annotations

import json
import threading
from typing import Any

import httpx
import pytest

from tests.server.peers import DOCUMENT, WITHOUT_TERMS, Agent, Person, RunningServer, Service


def reason(answer: httpx.Response) -> str:
    return str(answer.json()["reason"])


@pytest.fixture
def linked(service: Service, person: Person) -> Service:
    person.link(service)
    return service


def batch(agent: Agent, offers: list[str], headers: dict[str, str] | None = None) -> httpx.Response:
    form = {"batch": json.dumps(offers), "login_hint": agent.hint}
    return agent.post("/oauth/transaction", headers, **form)


def offers(agent: Agent, service: Service, *destinations: str) -> list[str]:
    server = agent.server
    return [service.offer(server.url, server.clock(), service.act(to=to)) for to in destinations]


def count(server: RunningServer) -> int:
    [[found]] = server.execute("SELECT count(*) FROM requests")
    return int(found)


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "one"}])
def test_two_tickets_in_one_batch_are_two_tickets(
    server: RunningServer, linked: Service, person: Person, agent: Agent, headers: dict[str, str]
) -> None:
    first = batch(agent, offers(agent, linked, "NYC", "LAX", "NYC"), headers).json()
    assert "joined" not in first
    assert len(set(first["items"])) == count(server) == 3
    rows = server.execute("SELECT count(DISTINCT batch_id), count(DISTINCT txn) FROM requests")
    assert rows == [(1, 3)]
    again = batch(agent, offers(agent, linked, "NYC", "LAX", "NYC"), headers).json()
    assert (again["items"], again["joined"]) == (first["items"], True)
    person.approve(first["items"][0])
    person.approve(first["items"][2])
    issued = {agent.poll(first["items"][index]).json()["access_token"] for index in (0, 2)}
    assert len(issued) == 2


def test_an_offer_joins_its_own_request_before_another_of_the_same_act(linked: Service, agent: Agent) -> None:
    old = offers(agent, linked, "NYC", "NYC")
    first = batch(agent, old).json()["items"]
    [new] = offers(agent, linked, "NYC")
    assert batch(agent, [new, old[0]]).json()["items"] == [first[1], first[0]]
    mixed = batch(agent, [new, *old]).json()["items"]
    assert (mixed[1:], mixed[0] in first) == (first, False)
    assert agent.ask(old[1]).json()["transaction_authorization_id"] == first[1]


def test_one_more_of_the_same_act_is_asked_for_beside_those_that_wait(linked: Service, agent: Agent) -> None:
    single = agent.ask(*offers(agent, linked, "NYC")).json()["transaction_authorization_id"]
    items = batch(agent, offers(agent, linked, "NYC", "NYC")).json()["items"]
    assert items[0] == single
    assert items[1] != single


def test_a_batch_is_kept_whole_or_not_at_all(server: RunningServer, linked: Service, agent: Agent) -> None:
    stolen = Agent(server)
    stolen.register()
    taken = offers(agent, linked, "NYC", "LAX")
    agent.ask(taken[1])
    server.execute("UPDATE requests SET client_id = ?", stolen.client_id)
    assert reason(batch(agent, taken)) == "idempotency_conflict"
    assert count(server) == 1
    assert server.execute("SELECT count(*) FROM entries WHERE kind = 'asked'") == [(1,)]


def test_a_batch_of_two_offers_of_one_transaction_is_refused(
    server: RunningServer, linked: Service, agent: Agent
) -> None:
    twice = [linked.offer(server.url, server.clock(), txn="t" * 76) for _ in range(2)]
    assert reason(batch(agent, twice)) == "offer_act"
    assert count(server) == 0


def test_a_batch_key_means_the_same_acts_at_the_same_places(linked: Service, agent: Agent) -> None:
    key = {"Idempotency-Key": "one"}
    assert batch(agent, offers(agent, linked, "NYC", "LAX"), key).status_code == 200
    assert reason(batch(agent, offers(agent, linked, "LAX", "NYC"), key)) == "idempotency_conflict"


def test_an_item_with_a_key_of_its_own_is_the_same_request_in_whatever_company(linked: Service, agent: Agent) -> None:
    def keyed(keys: list[str], *destinations: str, **headers: str) -> httpx.Response:
        form = {"batch": json.dumps(offers(agent, linked, *destinations)), "batch_keys": json.dumps(keys)}
        return agent.post("/oauth/transaction", headers or None, login_hint=agent.hint, **form)

    items = keyed(["a", "b", "c"], "NYC", "LAX", "NYC").json()["items"]
    assert len(set(items)) == 3
    alone = agent.ask(*offers(agent, linked, "NYC"), headers={"Idempotency-Key": "c"}).json()
    assert (alone["transaction_authorization_id"], alone["joined"]) == (items[2], True)
    assert keyed(["b", "d", "a"], "LAX", "NYC", "NYC").json()["items"][::2] == [items[1], items[0]]
    assert reason(keyed(["a"], "LAX")) == "idempotency_conflict"
    for bad in (keyed(["a", "a"], "NYC", "NYC"), keyed(["a"], "NYC", "LAX"), keyed(["x" * 129], "NYC")):
        assert reason(bad) == "request_malformed"
    assert reason(keyed(["e"], "NYC", **{"Idempotency-Key": "e"})) == "request_malformed"


def test_of_many_batches_that_ask_at_once_one_stands(server: RunningServer, linked: Service, agent: Agent) -> None:
    agent.ask(*offers(agent, linked, "BOS"))
    found: list[tuple[str, ...]] = []
    asked = [offers(agent, linked, "NYC", "NYC", "LAX") for _ in range(6)]
    threads = [
        threading.Thread(target=lambda each=each: found.append(tuple(batch(agent, each).json()["items"])))
        for each in asked
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert (len(found), len(set(found)), len(set(found[0]))) == (6, 1, 3)
    assert count(server) == 4


def test_a_request_that_has_run_out_and_is_not_yet_swept_is_in_nobodys_way(
    server: RunningServer, linked: Service, agent: Agent
) -> None:
    first = agent.ask(*offers(agent, linked, "NYC")).json()["transaction_authorization_id"]
    server.clock.now += 600
    again = agent.ask(*offers(agent, linked, "NYC")).json()
    assert "joined" not in again
    assert again["transaction_authorization_id"] != first


def test_a_joined_request_says_how_long_it_has_itself(server: RunningServer, linked: Service, agent: Agent) -> None:
    assert agent.ask(*offers(agent, linked, "NYC")).json()["expires_in"] == 600
    server.clock.now += 400
    joined = agent.ask(*offers(agent, linked, "NYC")).json()
    assert (joined["joined"], joined["expires_in"]) == (True, 200)
    assert batch(agent, offers(agent, linked, "LAX", "NYC")).json()["expires_in"] == 200
    key = {"Idempotency-Key": "one"}
    agent.ask(*offers(agent, linked, "NYC"), headers=key)
    server.clock.now += 601
    assert agent.ask(*offers(agent, linked, "NYC"), headers=key).json()["expires_in"] == 0


@pytest.mark.parametrize(
    "rule", [{"approvers": 2, "requester_excluded": False}, {"approvers": 1, "requester_excluded": True}]
)
def test_what_more_than_one_person_has_to_approve_is_refused_when_it_is_asked(
    server: RunningServer, linked: Service, agent: Agent, rule: dict[str, Any]
) -> None:
    several, asked_first = {**DOCUMENT, "rule": rule}, {**WITHOUT_TERMS, "rule": rule}
    linked.documents += [several, asked_first]
    offered = linked.offer(server.url, server.clock(), linked.act(several))
    assert (agent.ask(offered).status_code, reason(agent.ask(offered))) == (422, "rule_unsupported")
    details = json.dumps(linked.act(asked_first).details())
    form = {"scope": "openid", "login_hint": agent.hint, "authorization_details": details}
    assert reason(agent.post("/oauth/bc-authorize", **form)) == "rule_unsupported"
    assert count(server) == 0
