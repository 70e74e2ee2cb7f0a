"""Strangers and agents fill the approval server's tables with what nobody needs."""

import httpx
import pytest

from oneact.protocol import canonical, client_assertion
from oneact.server import forgetting, joining, relying
from oneact.testing import new_key
from tests.attacks.stage import reason
from tests.server.peers import WITHOUT_TERMS, Agent, RunningServer, Service
from tests.server.visitor import Visitor, push

HOUR, DAY = 3600, 24 * 3600


def rows(server: RunningServer, table: str) -> int:
    [[found]] = server.execute(f"SELECT count(*) FROM {table}")  # noqa: S608 - a name of these tests
    return int(found)


def test_an_address_to_be_pinged_at_has_a_length(approval: RunningServer) -> None:
    agent, mode = Agent(approval), {"backchannel_token_delivery_mode": "ping"}
    long = "https://agent.example/" + "a" * 2000
    assert reason(agent.register(**mode, backchannel_client_notification_endpoint=long)) == "client_metadata"
    assert rows(approval, "clients") == 0
    assert agent.register(**mode, backchannel_client_notification_endpoint=long[:500]).status_code == 201


@pytest.mark.parametrize(
    "changes",
    [
        {"client_assertion": "a" * 5000},
        {"state": "s" * 513},
        {"nonce": "n" * 513},
        {"code_challenge": "c" * 44},
        {"scope": "openid " + "s" * 600},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_pushed_request_has_a_length(approval: RunningServer, shop: Service, changes: dict[str, str]) -> None:
    made = client_assertion.build(new_key(), shop.client_id, approval.url, approval.clock(), "j")
    form = {
        "response_type": "code", "redirect_uri": shop.redirect_uri, "state": "s", "nonce": "n", "scope": "openid",
        "code_challenge": canonical.sha256(b"v"), "code_challenge_method": "S256",
        "client_assertion_type": client_assertion.ASSERTION_TYPE, "client_assertion": made,
    }  # fmt: skip
    assert httpx.post(approval.url + "/oauth/par", data=form).status_code == 201
    assert httpx.post(approval.url + "/oauth/par", data={**form, **changes}).status_code in {400, 401}
    assert rows(approval, "pushed_requests") == 1


def test_what_has_ended_and_whom_nobody_paired_is_forgotten(
    approval: RunningServer, shop: Service, visitor: Visitor, paired: Agent
) -> None:
    stranger = Agent(approval)
    stranger.register()
    stranger.post("/oauth/device")
    visitor.submit("/pair/code")
    push(approval, shop)
    tables = ("device_codes", "pairing_codes", "pushed_requests")
    for seconds, left in [
        (0, (2, 1, 1)),
        (601, (2, 0, 1)),
        (60, (2, 0, 0)),
        (HOUR, (0, 0, 0)),
    ]:
        approval.clock.now += seconds
        approval.call(forgetting.forget)
        assert tuple(rows(approval, table) for table in tables) == left
    assert rows(approval, "clients") == 2
    approval.clock.now += DAY
    approval.call(forgetting.forget)
    assert approval.execute("SELECT id FROM clients") == [(paired.client_id,)]
    for table in ("sessions", "gestures", "codes"):
        assert rows(approval, table) == 0
    assert approval.app.state.world.waiting._seen == {}


def test_a_pushed_request_lives_as_long_as_a_person_may_take_to_sign_in() -> None:
    assert forgetting.AFTER["end_pushed_requests"] == relying.SIGN_IN


def asked_first(agent: Agent, shop: Service, to: str, **more: str) -> httpx.Response:
    details = canonical.encode(shop.act(WITHOUT_TERMS, to=to).details()).decode()
    form = {"scope": "openid", "login_hint": agent.hint, "authorization_details": details, **more}
    return agent.post("/oauth/bc-authorize", **form)


def test_the_same_act_asked_first_again_and_again_is_one_request(
    approval: RunningServer, shop: Service, visitor: Visitor, paired: Agent
) -> None:
    visitor.link(shop)
    first = asked_first(paired, shop, "NYC").json()
    approval.clock.now += 10
    again = asked_first(paired, shop, "NYC").json()
    assert again == {"auth_req_id": first["auth_req_id"], "expires_in": 590, "interval": 5, "joined": True}
    offered = shop.offer(approval.url, approval.clock(), shop.act(WITHOUT_TERMS))
    assert paired.ask(offered).json()["transaction_authorization_id"] == first["auth_req_id"]
    assert rows(approval, "requests") == 1
    other = paired.post("/oauth/bc-authorize", {"Idempotency-Key": "two"}, **form_of(paired, shop)).json()
    assert other["auth_req_id"] != first["auth_req_id"]
    assert paired.post("/oauth/bc-authorize", {"Idempotency-Key": "two"}, **form_of(paired, shop)).json()["joined"]


def form_of(agent: Agent, shop: Service) -> dict[str, str]:
    details = canonical.encode(shop.act(WITHOUT_TERMS).details()).decode()
    return {"scope": "openid", "login_hint": agent.hint, "authorization_details": details}


def test_an_agent_has_no_more_than_a_hundred_requests_before_its_person(
    approval: RunningServer, shop: Service, visitor: Visitor, paired: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joining, "MAX_OPEN", 3)
    visitor.link(shop)

    def offer(to: str) -> str:
        return shop.offer(approval.url, approval.clock(), shop.act(to=to))

    assert [paired.ask(offer(to)).status_code for to in ("A", "B")] == [200, 200]
    batch = canonical.encode([offer("C"), offer("D")]).decode()
    assert reason(paired.post("/oauth/transaction", batch=batch, login_hint=paired.hint)) == "rate_limited"
    assert asked_first(paired, shop, "C").status_code == 200
    assert reason(paired.ask(offer("D"))) == reason(asked_first(paired, shop, "D")) == "rate_limited"
    assert paired.ask(offer("A")).json()["joined"]
    assert rows(approval, "requests") == 3
    approval.clock.now += 601
    assert paired.ask(offer("D")).status_code == 200
