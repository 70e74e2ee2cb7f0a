"""Asking tokens: given to a paired agent for a linked service, and to nobody for anything else."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from oneact.errors import Reason
from oneact.protocol import asking, canonical, jwk, jws, token
from tests.server.peers import Agent, Person, RunningServer, Service


def ask(agent: Agent, service: str, **fields: str) -> httpx.Response:
    form = {"grant_type": "client_credentials", "scope": "ask", "resource": service, "login_hint": agent.hint, **fields}
    return agent.post("/oauth/token", **form)


def reason(answer: httpx.Response) -> str:
    return str(answer.json()["reason"])


def told(server: RunningServer, kind: str) -> list[dict[str, Any]]:
    rows = server.execute("SELECT content FROM entries WHERE kind = ? ORDER BY seq", kind)
    return [json.loads(content) for (content,) in rows]


def test_it_names_the_person_as_the_service_knows_them_and_the_agents_key(
    server: RunningServer, service: Service, person: Person, agent: Agent
) -> None:
    person.link(service)
    answer = ask(agent, service.url)
    assert answer.status_code == 200
    body = answer.json()
    assert {name: body[name] for name in ("token_type", "expires_in", "scope")} == {
        "token_type": "DPoP", "expires_in": 300, "scope": "ask",
    }  # fmt: skip
    found, parsed = asking.parse(body["access_token"])
    jws.verify_with(parsed, jwk.parse_set(httpx.get(server.url + "/oauth/jwks.json").json()), token.FAULTS)
    now = server.clock()
    assert (found.iss, found.sub, found.aud) == (server.url, person.approver.sub, service.url)
    assert (found.client_id, found.jkt) == (agent.client_id, agent.key.public.thumbprint)
    assert (found.iat, found.exp) == (now, now + 300)


def test_each_is_in_the_persons_log(server: RunningServer, service: Service, person: Person, agent: Agent) -> None:
    person.link(service)
    text = ask(agent, service.url).json()["access_token"]
    found = asking.parse(text)[0]
    assert told(server, "introduced") == [
        {
            "service": service.url,
            "sub": found.sub,
            "agent": {"client_id": agent.client_id, "jkt": agent.key.public.thumbprint},
            "jti": found.jti,
            "exp": found.exp,
            "token": canonical.sha256(text.encode()),
        }
    ]
    assert server.execute("SELECT account_id FROM entries WHERE kind = 'introduced'") == [(person.account,)]


def test_the_server_fetches_nothing_for_it(service: Service, person: Person, agent: Agent) -> None:
    person.link(service)
    ask(agent, service.url)
    assert service.fetched == []


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"scope": "openid"}, "scope_invalid"),
        ({"scope": "ask openid"}, "scope_invalid"),
        ({"login_hint": "another"}, "hint_unknown"),
        ({"resource": "https://other.example"}, "unlinked_service"),
        ({"resource": ""}, "request_malformed"),
    ],
)
def test_anything_else_gets_none(
    server: RunningServer, service: Service, person: Person, agent: Agent, fields: dict[str, str], expected: str
) -> None:
    person.link(service)
    assert reason(ask(agent, service.url, **fields)) == expected
    assert told(server, "introduced") == []


def test_a_link_that_is_not_complete_or_has_ended_gives_none(
    server: RunningServer, service: Service, person: Person, agent: Agent
) -> None:
    identifier = person.link(service, "signed")
    assert reason(ask(agent, service.url)) == "unlinked_service"
    server.execute("UPDATE links SET state = 'unlinked' WHERE id = ?", identifier)
    assert reason(ask(agent, service.url)) == "unlinked_service"


@pytest.mark.parametrize("column", ["blocked_at", "removed_at"])
def test_an_agent_that_was_blocked_or_removed_gets_none(
    server: RunningServer, service: Service, person: Person, agent: Agent, column: str
) -> None:
    person.link(service)
    server.execute(f"UPDATE pairings SET {column} = 1")  # noqa: S608 - a name from above
    assert reason(ask(agent, service.url)) == "hint_unknown"
    assert told(server, "introduced") == []


def test_another_agents_hint_gets_none(server: RunningServer, service: Service, person: Person, agent: Agent) -> None:
    person.link(service)
    thief = Agent(server)
    thief.register()
    thief.hint = agent.hint
    assert reason(ask(thief, service.url)) == "hint_unknown"


def test_nobody_fills_a_persons_log_with_them(
    server: RunningServer, service: Service, person: Person, agent: Agent
) -> None:
    person.link(service)
    answers = [ask(agent, service.url) for _ in range(31)]
    assert [answer.status_code for answer in answers] == [200] * 30 + [Reason.RATE_LIMITED.status]
    assert len(told(server, "introduced")) == 30


def test_what_was_asked_in_vain_is_in_the_log(
    server: RunningServer, service: Service, person: Person, agent: Agent
) -> None:
    ask(agent, service.url)
    agent_ = {"client_id": agent.client_id, "jkt": agent.key.public.thumbprint}
    assert told(server, "refused") == [{"reason": "unlinked_service", "agent": agent_}]
    assert person.account
