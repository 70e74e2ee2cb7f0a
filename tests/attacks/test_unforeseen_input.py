"""Input that nobody thought of: addresses that are none, letters where ASCII belongs, the very second of an end."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from oneact.agent.client import check_url
from oneact.agent.errors import Refused
from oneact.errors import Reason, Refusal
from oneact.protocol import canonical, client_assertion, metadata
from oneact.server import Settings, clients, issuing
from oneact.server.world import World
from oneact.service import LocalAccount
from tests.attacks.stage import reason
from tests.ports import free_port
from tests.server.peers import Agent, RunningServer, Service
from tests.server.visitor import Visitor, authentication, push
from tests.service.airline import FACES, Airline
from tests.service.serving import serving

NO_ADDRESSES = ["https://[", "https://a:99999", "https://[::1", "//[", "https://a]b", "https://\u2100.example"]


@pytest.fixture(params=FACES)
def open_airline(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Airline]:
    """An airline that takes whichever approval server its people name."""
    port = free_port()
    found = Airline(request.param, port, "linked", tmp_path)
    found.account = LocalAccount("mallory", "mallory", int(time.time()))
    with serving(found, port):
        yield found


@pytest.mark.parametrize("issuer", NO_ADDRESSES)
def test_an_approval_server_that_is_no_address_is_refused(open_airline: Airline, issuer: str) -> None:
    with httpx.Client() as browser:
        page = browser.get(open_airline.resource + "/oneact/link").text
        form = {"issuer": issuer, "csrf": page.partition('name="csrf" value="')[2].partition('"')[0]}
        answer = browser.post(open_airline.resource + "/oneact/link", data=form)
    assert answer.status_code in {400, 403}
    assert "That did not work" in answer.text


@pytest.mark.parametrize("address", NO_ADDRESSES)
def test_whoever_reads_a_foreign_address_refuses_what_is_none(address: str, tmp_path: Path) -> None:
    for read in (metadata.origin, lambda text: metadata.well_known(text, "/x")):
        with pytest.raises(Refusal) as refused:
            read(address)
        assert refused.value.reason is Reason.METADATA_INVALID
    with pytest.raises(Refused):
        check_url(address)
    for setting in ({"public_url": address}, {"findings_to": (address,)}):
        with pytest.raises(Refusal):
            Settings(database=tmp_path / "s.db", **setting)  # type: ignore[arg-type]  # each by its own type


@pytest.mark.parametrize("address", [*NO_ADDRESSES, "/inbox\u2028", "/\\evil.example", "//evil.example", "http:/inbox"])
def test_a_page_to_come_back_to_that_is_no_address_leads_to_the_inbox(visitor: Visitor, address: str) -> None:
    answer = visitor.get("/signin", next=address)
    assert (answer.status_code, answer.headers["location"]) == (303, "/inbox")


@pytest.mark.parametrize("client_id", [*NO_ADDRESSES, "https://\u00e9.example/", "https://a..b/", "https://xn--\x80/"])
def test_a_service_that_is_no_address_is_refused(approval: RunningServer, visitor: Visitor, client_id: str) -> None:
    service = Service("https://air.example")
    service.__class__ = type("Named", (Service,), {"client_id": client_id})
    request_uri = push(approval, service)
    answer = visitor.get("/oauth/authorize", client_id=client_id, request_uri=request_uri)
    assert answer.status_code in {400, 503}


def test_a_challenge_or_verifier_that_is_not_ascii_is_refused(
    approval: RunningServer, shop: Service, visitor: Visitor
) -> None:
    form = {
        "response_type": "code", "redirect_uri": shop.redirect_uri, "state": "s", "nonce": "n", "scope": "openid",
        "code_challenge": "\u00e9" * 43, "code_challenge_method": "S256", **authentication(approval, shop),
    }  # fmt: skip
    assert reason(httpx.post(approval.url + "/oauth/par", data=form)) == "request_malformed"
    uri = push(approval, shop)
    visitor.get("/oauth/authorize", client_id=shop.client_id, request_uri=uri)
    begun = visitor.post("/link/begin", client_id=shop.client_id, request_uri=uri).json()
    location = visitor.post("/link/finish", **visitor.sign(begun)).json()["location"]
    approval.execute("UPDATE codes SET code_challenge = ?", canonical.sha256("\u00e9".encode() * 43))
    exchange = {
        "grant_type": "authorization_code", "code": httpx.URL(location).params["code"], "code_verifier": "\u00e9" * 43,
        "redirect_uri": shop.redirect_uri, **authentication(approval, shop),
    }  # fmt: skip
    assert reason(httpx.post(approval.url + "/oauth/token", data=exchange)) == "grant_unknown"


@pytest.mark.parametrize("readings", range(1, 6))
def test_a_poll_while_the_approval_runs_out_gives_the_token_or_says_that_it_ended(
    approval: RunningServer, shop: Service, visitor: Visitor, paired: Agent, readings: int
) -> None:
    visitor.link(shop)
    asked = paired.ask(shop.offer(approval.url, approval.clock())).json()["transaction_authorization_id"]
    assert visitor.approve(asked).status_code == 200
    [[until]] = approval.execute("SELECT approved_until FROM requests")

    async def poll(world: World) -> Any:
        client = await clients.registered(world, client_assertion.parse(paired.assertion()))
        times = iter([until - 1] * readings)
        world.now = lambda: next(times, until)
        try:
            return (await issuing.poll(world, client, asked, 0))["token_type"]
        except Refusal as refusal:
            return refusal.reason.value

    assert approval.call(poll) in {"DPoP", "expired", "denied"}
