"""Terms that depend on who asks: told to an asking token alone, good for that person and agent alone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.ports import free_port
from tests.service.personal import ITEM, MONEY, Shop
from tests.service.serving import serving
from tests.service.world import ApprovalServer, Caller, calling, link, served

from oneact.protocol import base64url, offer
from oneact.service import Asker, Guard
from oneact.service.askers import asker_argument, is_asking
from oneact.service.exchange import Request
from oneact.testing import TestAgent, new_key

ORDER = {"item": "lamp"}


@pytest.fixture(params=["fastapi", "asgi", "flask", "wsgi"])
def shop(request: pytest.FixtureRequest, server: ApprovalServer, tmp_path: Path) -> Iterator[Shop]:
    found = Shop(request.param, port := free_port(), [server.issuer], tmp_path)
    asyncio.run(link(tmp_path, found.resource, server))
    with serving(found, port):
        yield found


@pytest.fixture
async def caller(server: ApprovalServer, shop: Shop) -> AsyncIterator[Caller]:
    async with calling(server, shop.resource) as found:
        yield found


async def asked(caller: Caller, path: str = "/orders", **changes: Any) -> httpx.Response:
    """Ask for an offer with an asking token, any claim of it changed."""
    now = int(time.time())
    text = caller.server.person.asking_token(caller.resource, caller.agent, now, **changes)
    headers = caller.agent.headers("POST", caller.resource + path, text, now) | caller.accept
    return await caller.client.post(caller.resource + path, headers=headers, json=ORDER)


async def offered(caller: Caller, path: str = "/orders") -> str:
    answer = await asked(caller, path)
    assert answer.json()["reason"] == "approval_required", answer.text
    return str(answer.json()["transaction_challenge"])


def reason(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["reason"]


async def test_a_price_of_ones_own_is_offered_approved_and_paid(caller: Caller, shop: Shop) -> None:
    text = await offered(caller)
    made, _ = offer.parse(text)
    assert made.act.terms == {"price": {"amount": "7", "currency": "EUR"}}
    assert (made.sub, made.jkt) == (caller.server.person.sub, caller.agent.jkt)
    assert base64url.decode(made.txn)[0] == 1
    answer = await caller.show(await caller.approved(text), "POST", "/orders", json=ORDER)
    assert (answer.status_code, answer.json()) == (200, {"sold": "7"})
    assert shop.sold == [("alice", "7")]


async def test_the_terms_are_told_who_asks(caller: Caller, shop: Shop) -> None:
    await offered(caller)
    person, agent = caller.server.person, caller.agent
    assert shop.askers == [Asker("alice", person.issuer, person.sub, agent.client_id, agent.jkt)]


async def test_without_an_asking_token_there_is_no_offer_and_the_answer_says_what_is_wanted(
    caller: Caller, shop: Shop
) -> None:
    answer = await caller.client.post(caller.resource + "/orders", headers=caller.accept, json=ORDER)
    assert reason(answer) == (401, "asking_token_required")
    assert answer.headers["www-authenticate"] == 'DPoP error="insufficient_authorization", scope="ask"'
    assert "transaction_challenge" not in answer.json()
    assert shop.askers == []


async def test_the_metadata_says_that_an_asking_token_is_wanted(caller: Caller) -> None:
    found = await caller.client.get(caller.resource + "/.well-known/oauth-protected-resource")
    assert found.json()["scopes_supported"] == ["ask"]


async def test_an_action_whose_terms_are_anyones_takes_both(caller: Caller) -> None:
    plain, _ = offer.parse(await caller.ask("POST", "/wishes", json=ORDER))
    named, _ = offer.parse(await offered(caller, "/wishes"))
    assert (plain.sub, plain.jkt) == (None, None)
    assert (named.sub, named.jkt) == (caller.server.person.sub, caller.agent.jkt)


async def test_a_price_that_rose_meanwhile_is_offered_anew_to_the_same_asker_alone(caller: Caller, shop: Shop) -> None:
    token = await caller.approved(await offered(caller))
    shop.prices["alice"] = "8"
    answer = await caller.show(token, "POST", "/orders", json=ORDER)
    assert reason(answer) == (401, "terms_changed")
    assert answer.json()["not_executed"] is True
    anew, _ = offer.parse(answer.json()["transaction_challenge"])
    assert anew.act.terms == {"price": {"amount": "8", "currency": "EUR"}}
    assert (anew.sub, anew.jkt) == (caller.server.person.sub, caller.agent.jkt)
    assert shop.sold == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"iat": 1, "exp": 301}, "token_expired"),
        ({"aud": "http://localhost:1"}, "token_audience"),
        ({"iss": "http://localhost:1"}, "token_issuer"),
        ({"jkt": new_key().public.thumbprint}, "proof_binding"),
        ({"sub": "somebody else"}, "account_not_linked"),
    ],
)
async def test_an_asking_token_that_does_not_hold_gets_no_offer(
    caller: Caller, shop: Shop, changes: dict[str, Any], expected: str
) -> None:
    answer = await asked(caller, **changes)
    assert reason(answer) == (401, expected)
    assert answer.json().keys().isdisjoint({"transaction_challenge", "not_executed"})
    assert shop.askers == []


async def test_a_proof_with_an_asking_token_is_good_once(caller: Caller) -> None:
    now, url = int(time.time()), caller.resource + "/orders"
    text = caller.server.person.asking_token(caller.resource, caller.agent, now)
    headers = caller.agent.headers("POST", url, text, now) | caller.accept
    first, second = [await caller.client.post(url, headers=headers, json=ORDER) for _ in range(2)]
    assert reason(first) == (401, "approval_required")
    assert reason(second) == (401, "proof_replayed")


async def test_an_issuer_that_is_accepted_may_not_vouch_for_another(server: ApprovalServer, tmp_path: Path) -> None:
    other = ApprovalServer("http://localhost:" + str(other_port := free_port()))
    shop = Shop("asgi", port := free_port(), [server.issuer, other.issuer], tmp_path)
    await link(tmp_path, shop.resource, other)
    with served(other, other_port), served(shop.app, port):
        async with calling(server, shop.resource) as caller:
            now, url = int(time.time()), shop.resource + "/orders"
            text = other.person.asking_token(shop.resource, caller.agent, now)
            headers = caller.agent.headers("POST", url, text, now) | caller.accept
            answer = await caller.client.post(url, headers=headers, json=ORDER)
    assert reason(answer) == (401, "token_issuer")


def headed(*headers: tuple[str, str]) -> Request:
    return Request("POST", "/orders", "", headers, b"", "")


def test_a_request_asks_only_with_an_asking_token_or_without_any(server: ApprovalServer) -> None:
    text = server.person.asking_token("http://localhost:1", TestAgent(), 1)
    accept, shown = ("accept-txn-challenge", "?1"), ("authorization", f"DPoP {text}")
    assert is_asking(headed())
    assert is_asking(headed(accept, shown))
    assert not is_asking(headed(shown))
    assert not is_asking(headed(accept, shown, shown))
    assert not is_asking(headed(accept, ("authorization", "DPoP x.y.z")))
    assert not is_asking(headed(accept, ("authorization", "DPoP " + text + "x" * 6144)))


def test_who_asks_is_found_by_the_annotation_of_an_argument() -> None:
    def postponed(parameters: dict[str, Any], who: Asker) -> None: ...
    def twice(parameters: dict[str, Any], who: "Asker") -> None: ...  # noqa: UP037 - as some owners write it
    def without(parameters: dict[str, Any], asker: str) -> None: ...

    assert asker_argument(postponed) == asker_argument(twice) == "who"
    assert asker_argument(without) is None
    assert asker_argument(None) is None


def test_terms_that_hold_by_who_asks_are_personal_too(tmp_path: Path) -> None:
    guard = Guard(
        resource="http://localhost:1", name="Shop", key=tmp_path / "k", store=tmp_path / "s",
        account=lambda _: None, issuers=["http://localhost:2"],
    )  # fmt: skip

    def holds(_: dict[str, Any], terms: dict[str, Any], asker: Asker) -> bool:
        return asker.account == terms["price"]

    guard.asgi(
        "buy", intent="Buy", summary="Buy {item}", schema=ITEM, terms=lambda _: {}, terms_schema=MONEY, terms_hold=holds
    )(lambda parameters, act: None)  # noqa: ARG005 - it is never run
    assert guard.actions["buy"].personal
    assert not guard.actions["oneact.unlink"].personal
