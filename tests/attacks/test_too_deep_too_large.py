"""Input made to exhaust whoever reads it, or to make a token that no service takes."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from oneact.errors import Reason, Refusal
from oneact.protocol import act, canonical
from oneact.testing import SoftwarePasskey
from tests.attacks.played import played
from tests.attacks.stage import FLIGHT, reason
from tests.server.peers import Agent, Person, RunningServer, Service
from tests.service.airline import Airline
from tests.service.world import Caller

KIB_256 = 256 * 1024


@pytest.mark.parametrize(
    ("kind", "attack", "reason"),
    [
        ("canonical", "seventeen levels", "json_too_deep"),
        ("display", "too many lines", "too_large_to_show"),
        ("display", "too many octets", "too_large_to_show"),
        ("check", "a token over 6 KiB", "token_too_large"),
        ("check", "a proof over 2 KiB", "proof_too_large"),
    ],
)
def test_it_is_refused_with_its_code(kind: str, attack: str, reason: str) -> None:
    assert played(attack, kind) == reason


def test_a_quarter_of_a_mebibyte_of_json_is_read_and_an_octet_more_is_not() -> None:
    most = b'"' + b"x" * (KIB_256 - 2) + b'"'
    assert canonical.parse(most) == "x" * (KIB_256 - 2)
    with pytest.raises(Refusal) as refused:
        canonical.parse(most + b" ")
    assert refused.value.reason is Reason.JSON_TOO_LARGE


async def test_a_service_reads_no_more_than_that_of_a_request(caller: Caller, airline: Airline) -> None:
    body = canonical.encode({**FLIGHT, "note": "x" * KIB_256})
    for path in ("/bookings", "/oneact/act", "/oneact/roster"):
        answer = await caller.client.post(
            caller.resource + path, content=body, headers={**caller.accept, "Content-Type": "application/json"}
        )
        assert (answer.status_code, reason(answer)) == (413, "request_too_large")
    assert airline.books.all() == []


async def test_a_service_reads_no_more_than_that_of_a_request_without_a_length(caller: Caller) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b" " * (KIB_256 // 4)

    answer = await caller.client.post(caller.resource + "/bookings", content=endless())
    assert (answer.status_code, reason(answer)) == (413, "request_too_large")


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("transaction", "application/x-www-form-urlencoded"),
        ("token", "application/x-www-form-urlencoded"),
        ("par", "application/x-www-form-urlencoded"),
        ("receipts", "application/jwt"),
    ],
)
def test_an_approval_server_reads_no_more_than_that_of_a_request(approval: RunningServer, path: str, kind: str) -> None:
    address, body = f"{approval.url}/oauth/{path}", b"x" * (KIB_256 + 1)
    answer = httpx.post(address, content=body, headers={"Content-Type": kind})
    assert (answer.status_code, reason(answer)) == (413, "request_too_large")


def test_an_act_whose_token_no_service_would_take_is_refused_before_anyone_is_asked(
    approval: RunningServer, shop: Service
) -> None:
    """The longest credential id that WebAuthn allows, a long signature, terms of a KiB, and nineteen acts beside it."""
    terms = {"price": {"amount": "1" * 980, "currency": "USD"}}
    acts = [shop.act(to=str(number))._replace(terms=terms) for number in range(20)]
    offers = [shop.offer(approval.url, approval.clock(), act.build(*_parts(item))) for item in acts]

    def ask(account: str, **passkey: Any) -> httpx.Response:
        agent, person = Agent(approval), Person(approval, account)
        person.approver.passkey = SoftwarePasskey("localhost", approval.url, **passkey)
        person.link(shop)
        agent.register()
        person.pair(agent)
        return agent.post("/oauth/transaction", batch=json.dumps(offers), login_hint=agent.hint)

    key = rsa.generate_private_key(public_exponent=65537, key_size=4096)
    answer = ask("ada", alg="RS256", credential_id=bytes(1023), key=key)
    assert (answer.status_code, reason(answer)) == (422, "token_would_be_too_large")
    assert approval.execute("SELECT count(*) FROM requests") == [(0,)]
    assert ask("bob").status_code == 200


def _parts(item: act.Act) -> tuple[Any, ...]:
    return item.location, item.action, item.action_digest, item.parameters, item.terms
