"""No token passes 6 KiB, and whether it carries the parameters or their digest is settled before Approve is offered."""

from __future__ import annotations

import itertools
import json
from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from oneact.errors import Refusal
from oneact.protocol import act, action, approval, canonical, jwk, token
from oneact.protocol.act import Act
from oneact.protocol.roster import Roster
from oneact.protocol.token import Approval
from oneact.server import tokens
from oneact.server.clients import Client
from oneact.service import checks
from oneact.testing import SoftwarePasskey, TestAgent, new_key
from tests.server.peers import DOCUMENT, Agent, RunningServer, Service
from tests.server.visitor import Visitor

AGENT = new_key().public
SIZES = (30, 400, 990, 1024, 1025, 1500, 7000)  # octets of parameters


def sized(service: str, parameters: int, terms: int) -> Act:
    """Give an act whose parameters and terms take so many octets of JCS, or as few as they can."""
    described = action.parse(DOCUMENT)
    given: dict[str, Any] = {"from": "", "to": "NYC"}
    given["from"] = "x" * (parameters - len(canonical.encode(given)))
    promised: dict[str, Any] = {"note": ""}
    promised["note"] = "x" * (terms - len(canonical.encode(promised)))
    return act.build(service, described.name, described.digest, given, promised)


@cache
def passkey(alg: str, id_octets: int, bits: int = 2048) -> SoftwarePasskey:
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits) if alg == "RS256" else None
    return SoftwarePasskey("localhost", "http://localhost:8400", alg, credential_id=b"i" * id_octets, key=key)


def test_an_act_is_not_refused_where_a_larger_one_passes(
    server: RunningServer, service: Service, agent: Agent, visitor: Visitor
) -> None:
    for octets in SIZES:
        answer = agent.ask(service.offer(server.url, server.clock(), sized(service.url, octets, 990)))
        assert answer.status_code == 200, (octets, answer.text)
        identifier = answer.json()["transaction_authorization_id"]
        assert visitor.approve(identifier).status_code == 200
        issued = agent.poll(identifier).json()
        assert len(issued["access_token"]) <= token.MAX_OCTETS
        assert "parameters" in issued["authorization_details"][0]  # the agent is told them in full either way


def test_a_small_act_in_a_large_batch_falls_to_its_digest_and_the_service_takes_it(
    server: RunningServer, service: Service, agent: Agent
) -> None:
    visitor = Visitor(server)
    visitor.passkey.credential_id = b"i" * 600
    visitor.sign_up().link(service)
    visitor.pair(agent)
    wanted = [sized(service.url, 1000 + index, 990) for index in range(20)]
    offers = json.dumps([service.offer(server.url, server.clock(), item) for item in wanted])
    items = agent.post("/oauth/transaction", batch=offers, login_hint=agent.hint).json()["items"]
    assert visitor.approve(*items).status_code == 200
    url, now = service.url + "/bookings", server.clock()
    keys = {server.url: jwk.parse_set({"keys": [server.app.state.world.key.public.public_jwk()]})}
    for identifier, item in zip(items, wanted, strict=True):
        text = agent.poll(identifier).json()["access_token"]
        assert len(text) <= token.MAX_OCTETS
        assert token.parse_act(token.parse(text)[0]).parameters is None
        shown = TestAgent(agent.client_id, agent.key).headers("POST", url, text, now)
        presented = checks.Presented(
            (shown["Authorization"],), (shown["DPoP"],), "POST", url, action.parse(DOCUMENT), item.parameters or {}
        )
        held = checks.check_presented(presented, checks.Trust(service.url, (b"k" * 32,), keys), now)
        assert held.act.digest == item.digest


def settled(*arguments: Any) -> str:
    try:
        return "whole" if tokens.settle(*arguments) else "digest"
    except Refusal as refusal:
        return refusal.reason.value


@pytest.mark.parametrize("together", [1, 20])
@pytest.mark.parametrize(
    ("alg", "id_octets", "bits"),
    [("ES256", 16, 0), ("ES256", 1023, 0), ("EdDSA", 64, 0), ("RS256", 32, 2048), ("RS256", 1023, 4096)],
)
def test_what_was_settled_at_asking_is_right_to_some_hundred_octets_and_never_too_little(
    server: RunningServer, alg: str, id_octets: int, bits: int, together: int
) -> None:
    world, key, client = server.app.state.world, passkey(alg, id_octets, bits), Client("c" * 22, AGENT, "x", {}, 1)
    key.origin = server.url
    listed = Roster(server.url, "http://localhost:8500", "s" * 22, "localhost", (server.url,), 1, (key.credential,))
    link = {"sub": listed.sub, "roster": json.dumps(listed.members())}
    row = {
        "sub": listed.sub, "resource": listed.aud, "client_id": client.id, "jkt": client.jkt, "txn": "t" * 76,
        "auth_time": server.clock(), "approved_until": server.clock() + 60,
    }  # fmt: skip
    given = approvals(server, row, key, together)
    for parameters, terms in itertools.product(SIZES, (20, 512, 1024)):
        wanted = sized(listed.aud, parameters, terms)
        made = {
            whole: len(token.sign(tokens.claims(world, row, wanted, given, server.clock(), whole=whole), world.key))
            for whole in (True, False)
        }
        found = settled(world, client, link, wanted, "t" * 76, together)
        if found == "whole":
            assert parameters <= act.INLINE_OCTETS
            assert made[True] <= token.MAX_OCTETS
        else:
            assert parameters > act.INLINE_OCTETS or made[True] > token.MAX_OCTETS - 400
        if found == "digest":
            assert made[False] <= token.MAX_OCTETS
        if found == "token_would_be_too_large":
            assert made[False] > token.MAX_OCTETS - 400


def approvals(server: RunningServer, row: dict[str, Any], key: SoftwarePasskey, together: int) -> Any:
    """Give an approval of a statement over so many acts, really signed."""
    now, acts = server.clock(), tuple(f"{index:0>43}" for index in range(together))
    statement = approval.Statement(server.url, row["client_id"], row["jkt"], now, now + 60, "n" * 22, acts)
    return token.approvals_members([Approval(statement, key.get(statement.challenge()))])


def test_a_larger_passkey_that_was_pinned_meanwhile_approves_nothing_that_would_not_fit(
    server: RunningServer, service: Service, agent: Agent, visitor: Visitor
) -> None:
    offered = service.offer(server.url, server.clock(), sized(service.url, 1000, 1024))
    identifier = agent.ask(offered).json()["transaction_authorization_id"]
    large = passkey("RS256", 1023, 4096)
    large.origin = server.url
    server.execute(
        "INSERT INTO passkeys (id, account_id, public_key, alg, name, sign_count, created_at) "
        "VALUES (?, ?, ?, ?, 'Large', 0, 1)",
        large.id, visitor.account, large.credential.public_key, large.alg,
    )  # fmt: skip
    [[pinned]] = server.execute("SELECT roster FROM links")
    listed = {**json.loads(pinned), "credentials": [large.credential.members()]}
    server.execute("UPDATE links SET roster = ?", json.dumps(listed))
    signed = visitor.sign(visitor.begin_approval(identifier), large)
    answer = visitor.post("/requests/approve", requests=[identifier], **signed)
    assert (answer.status_code, answer.json()["reason"]) == (422, "token_would_be_too_large")
    assert server.execute("SELECT state FROM requests") == [("pending",)]
