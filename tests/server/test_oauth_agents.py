from __future__ import annotations

import threading
from pathlib import Path

import httpx
import pytest

from oneact.errors import Refusal
from oneact.protocol import act, action, canonical, client_assertion, ended, jwk, metadata, token
from oneact.server import ending, forgetting, pairing, waiting
from oneact.service import checks
from oneact.testing import TestAgent, new_key
from tests.server.peers import DOCUMENT, WITHOUT_TERMS, Agent, Person, RunningServer, Service, running_server

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


def reason(answer: httpx.Response) -> str:
    return str(answer.json()["reason"])


def keys(server: RunningServer) -> dict[str, jwk.PublicKey]:
    return jwk.parse_set(httpx.get(server.url + "/oauth/jwks.json").json())


def test_the_metadata_names_every_endpoint_and_the_issuer(server: RunningServer) -> None:
    document = httpx.get(server.url + metadata.SERVER_PATH).json()
    found = metadata.parse_server(document, server.url)
    assert found.endpoints["transaction_authorization_endpoint"] == server.url + "/oauth/transaction"
    assert document["token_endpoint_auth_methods_supported"] == ["private_key_jwt"]
    for name, endpoint in found.endpoints.items():
        call = httpx.get if name in {"jwks_uri", "authorization_endpoint"} else httpx.post
        assert call(endpoint).status_code != 404, name


def test_registering_one_key_twice_gives_one_client(server: RunningServer) -> None:
    agent = Agent(server)
    first, second = agent.register(), agent.register()
    assert first.status_code == second.status_code == 201
    assert first.json()["client_id"] == second.json()["client_id"]


@pytest.mark.parametrize(
    "changes",
    [
        {"jwks": {"keys": []}},
        {"jwks": {"keys": [new_key().public.public_jwk(), new_key().public.public_jwk()]}},
        {"token_endpoint_auth_method": "client_secret_basic"},
        {"client_secret": "s"},
        {"client_name": ""},
        {"backchannel_token_delivery_mode": "push"},
    ],
)
def test_registration_refuses_what_is_not_one_public_key(server: RunningServer, changes: dict[str, object]) -> None:
    answer = Agent(server).register(**changes)
    assert (answer.status_code, reason(answer)) == (400, "client_metadata")


def test_a_private_key_is_never_taken(server: RunningServer) -> None:
    answer = Agent(server).register(jwks={"keys": [new_key().private_jwk()]})
    assert reason(answer) == "client_metadata"


def test_registration_is_limited_by_address(server: RunningServer) -> None:
    answers = [Agent(server).register() for _ in range(21)]
    assert [answer.status_code for answer in answers] == [201] * 20 + [429]
    assert answers[-1].headers["Retry-After"] == "60"


def call(agent: Agent, **changes: object) -> httpx.Response:
    """Make one call to the cancellation endpoint with something changed."""
    url = agent.server.url + "/oauth/cancel"
    fields = {
        "client_assertion_type": client_assertion.ASSERTION_TYPE,
        "client_assertion": changes.get("assertion", agent.assertion()),
        "transaction_authorization_id": "none",
    }
    proof = changes.get("proof", agent.proof(url))
    headers = {} if proof is None else {"DPoP": str(proof)}
    return httpx.post(url, data=fields, headers=headers)


def test_all_as_it_should_be_only_the_request_is_unknown(agent: Agent) -> None:
    assert reason(call(agent)) == "grant_unknown"


def test_a_call_without_a_nonce_is_given_one(agent: Agent) -> None:
    answer = call(agent, proof=agent.proof(agent.server.url + "/oauth/cancel", nonce=None))
    assert (answer.status_code, answer.json()["error"]) == (401, "use_dpop_nonce")
    assert answer.headers["DPoP-Nonce"]


def test_client_authentication_refuses_each_part_that_is_wrong(agent: Agent) -> None:
    url = agent.server.url + "/oauth/cancel"
    other = new_key()
    assert reason(call(agent, assertion=agent.assertion(key=other))) == "client_assertion"
    assert reason(call(agent, assertion=agent.assertion(aud="http://localhost:1"))) == "client_assertion"
    assert reason(call(agent, assertion=agent.assertion(now=agent.server.clock() - 61))) == "client_assertion"
    assert reason(call(agent, assertion=agent.assertion(client_id="nobody"))) == "client_unknown"
    assert reason(call(agent, proof=agent.proof(url, key=other))) == "client_key"
    assert reason(call(agent, proof=agent.proof(url + "/else"))) == "proof_htu"
    assert reason(call(agent, proof=None)) == "proof_malformed"
    once = agent.assertion()
    assert reason(call(agent, assertion=once)) == "grant_unknown"
    assert reason(call(agent, assertion=once)) == "client_assertion_replayed"
    proof = agent.proof(url)
    assert reason(call(agent, proof=proof)) == "grant_unknown"
    assert reason(call(agent, proof=proof)) == "proof_replayed"


def test_a_form_with_a_charset_is_taken_and_a_field_given_twice_is_not(agent: Agent) -> None:
    kind = {"Content-Type": "application/x-www-form-urlencoded;charset=UTF-8"}
    url = agent.server.url + "/oauth/cancel"
    assert reason(httpx.post(url, content="a=1", headers=kind)) == "client_assertion"
    assert reason(httpx.post(url, content="a=1&a=2", headers=kind)) == "parameter_repeated"
    assert reason(httpx.post(url, json={})) == "media_type"
    latin = {"Content-Type": "application/x-www-form-urlencoded; charset=latin-1"}
    assert reason(httpx.post(url, content="a=1", headers=latin)) == "media_type"
    assert httpx.post(url, content=b"a=" + b"x" * 300_000, headers=kind).status_code == 413


def test_pairing_gives_a_hint_and_no_token(server: RunningServer, person: Person) -> None:
    agent = Agent(server)
    agent.register()
    started = agent.post("/oauth/device", agent_name="Mine").json()
    assert "verification_uri_complete" not in started
    assert started["interval"] == 5
    form = {"grant_type": DEVICE, "device_code": started["device_code"]}
    assert agent.post("/oauth/token", **form).json()["error"] == "authorization_pending"
    assert agent.post("/oauth/token", **form).json()["error"] == "slow_down"
    row = server.call(pairing.by_user_code, person.account, started["user_code"].lower().replace("-", " "))
    assert row["agent_name"] == "Mine"
    server.call(pairing.confirm, person.account, row["id"], "Planner")
    answer = agent.post("/oauth/token", **form).json()
    assert set(answer) == {"token_type", "login_hint", "expires_in"}
    assert answer["token_type"] == "N_A"
    [kinds] = server.execute("SELECT kind FROM entries WHERE kind = 'agent_paired'")
    assert kinds == ("agent_paired",)


def test_a_device_code_is_its_agents_alone_and_ends(server: RunningServer) -> None:
    agent, other = Agent(server), Agent(server)
    agent.register()
    other.register()
    started = agent.post("/oauth/device").json()
    form = {"grant_type": DEVICE, "device_code": started["device_code"]}
    assert reason(other.post("/oauth/token", **form)) == "grant_unknown"
    server.clock.now += 600
    assert reason(agent.post("/oauth/token", **form)) == "expired"


def test_a_pairing_code_from_the_person_is_good_once(server: RunningServer, person: Person) -> None:
    agent = Agent(server)
    agent.register()
    code = server.call(pairing.new_pairing_code, person.account)
    assert agent.post("/oauth/device", pairing_code=code).status_code == 200
    [row] = server.call(pairing.waiting_for, person.account)
    assert row["client_id"] == agent.client_id
    assert reason(agent.post("/oauth/device", pairing_code=code)) == "user_code_unknown"


def test_pairing_codes_cannot_be_guessed_in_a_row(server: RunningServer, person: Person) -> None:
    agent, code = Agent(server), server.call(pairing.new_pairing_code, person.account)
    agent.register()
    guessed = [reason(agent.post("/oauth/device", pairing_code="BBBB-BBBB")) for _ in range(5)]
    assert guessed == ["user_code_unknown"] * 5
    assert reason(agent.post("/oauth/device", pairing_code=code)) == "rate_limited"


def test_user_codes_cannot_be_guessed_in_a_row(server: RunningServer, person: Person) -> None:
    reasons = []
    for _ in range(7):
        with pytest.raises(Refusal) as refused:
            server.call(pairing.by_user_code, person.account, "BBBB-BBBB")
        reasons.append(refused.value.reason.value)
    assert reasons == ["user_code_unknown"] * 5 + ["rate_limited"] * 2


def test_an_approved_act_becomes_one_token_that_the_service_accepts(
    server: RunningServer, service: Service, person: Person, agent: Agent
) -> None:
    person.link(service)
    started = agent.ask(service.offer(server.url, server.clock()), reason="You said so").json()
    identifier = started["transaction_authorization_id"]
    assert (started["interval"], started["expires_in"]) == (5, 600)
    assert identifier not in started["authorization_uri"]
    pending = agent.poll(identifier)
    assert (pending.json()["error"], pending.json()["interval"]) == ("authorization_pending", 5)
    assert agent.poll(identifier).json()["error"] == "slow_down"
    person.approve(identifier)
    first, second = agent.poll(identifier).json(), agent.poll(identifier).json()
    assert first["access_token"] == second["access_token"]
    assert first["token_type"] == "DPoP"

    holder = TestAgent(agent.client_id, agent.key)
    url, now = service.url + "/bookings", server.clock()
    shown = holder.headers("POST", url, first["access_token"], now)
    presented = checks.Presented(
        (shown["Authorization"],), (shown["DPoP"],), "POST", url, action.parse(DOCUMENT), {"from": "SFO", "to": "NYC"}
    )
    trust = checks.Trust(service.url, (b"k" * 32,), {server.url: keys(server)})
    held = checks.check_presented(presented, trust, now)
    assert (held.token.exp - held.token.iat, held.token.sub) == (30, person.approver.sub)
    kinds = [kind for (kind,) in server.execute("SELECT kind FROM entries WHERE request_id = ?", identifier)]
    assert kinds == ["asked", "token_issued"]
    server.clock.now += 30
    assert reason(agent.poll(identifier)) == "expired"


def test_a_long_poll_ends_when_the_person_decides(
    server: RunningServer, service: Service, person: Person, agent: Agent
) -> None:
    person.link(service)
    identifier = agent.ask(service.offer(server.url, server.clock())).json()["transaction_authorization_id"]
    timer = threading.Timer(0.3, person.approve, [identifier])
    timer.start()
    answer = agent.poll(identifier, {"Prefer": "wait=15"})
    timer.join()
    assert answer.json()["token_type"] == "DPoP"


def test_the_same_act_joins_and_another_key_does_not(
    server: RunningServer, service: Service, person: Person, agent: Agent
) -> None:
    person.link(service)
    now = server.clock()
    first = agent.ask(service.offer(server.url, now)).json()
    again = agent.ask(service.offer(server.url, now)).json()
    assert again["joined"] is True
    assert again["transaction_authorization_id"] == first["transaction_authorization_id"]
    keyed = agent.ask(service.offer(server.url, now), {"Idempotency-Key": "one"}).json()
    assert "joined" not in keyed
    assert keyed["transaction_authorization_id"] != first["transaction_authorization_id"]
    same = agent.ask(service.offer(server.url, now), {"Idempotency-Key": "one"}).json()
    assert same["transaction_authorization_id"] == keyed["transaction_authorization_id"]
    other = service.offer(server.url, now, service.act(to="LAX"))
    conflict = agent.ask(other, {"Idempotency-Key": "one"})
    assert reason(conflict) == "idempotency_conflict"
    assert "receipt" not in conflict.json()


def test_of_many_that_ask_at_once_one_request_stands(
    server: RunningServer, service: Service, person: Person, agent: Agent
) -> None:
    person.link(service)
    agent.ask(service.offer(server.url, server.clock(), service.act(to="LAX")))
    offers = [service.offer(server.url, server.clock()) for _ in range(8)]
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda text=text: found.append(agent.ask(text).json()["transaction_authorization_id"]))
        for text in offers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_a_service_that_is_not_linked_is_not_even_fetched(
    server: RunningServer, service: Service, agent: Agent
) -> None:
    assert reason(agent.ask(service.offer(server.url, server.clock()))) == "unlinked_service"
    assert service.fetched == []


def test_a_hint_is_this_agents_alone(server: RunningServer, service: Service, person: Person, agent: Agent) -> None:
    person.link(service)
    thief = Agent(server)
    thief.register()
    thief.hint = agent.hint
    offered = service.offer(server.url, server.clock())
    assert reason(thief.ask(offered)) == "hint_unknown"
    assert reason(agent.ask(offered, login_hint="x")) == "hint_unknown"
    server.execute("UPDATE pairings SET blocked_at = 1")
    assert reason(agent.ask(offered)) == "hint_unknown"


def test_offers_that_do_not_hold_are_refused(
    server: RunningServer, service: Service, person: Person, agent: Agent
) -> None:
    person.link(service)
    now = server.clock()
    cases = {
        "offer_audience": service.offer("http://localhost:1", now),
        "offer_expired": service.offer(server.url, now - 600),
        "offer_time": service.offer(server.url, now, exp=now + 601),
        "offer_subject": service.offer(server.url, now, sub="someone-else", jkt=agent.key.public.thumbprint),
        "offer_malformed": "x.y.z",
        "offer_key": Service(service.url).offer(server.url, now),
    }
    for expected, text in cases.items():
        assert reason(agent.ask(text)) == expected
    head, payload, _ = service.offer(server.url, now).split(".")
    assert reason(agent.ask(f"{head}.{payload}." + service.offer(server.url, now).split(".")[2])) == "offer_signature"
    unpublished = {**DOCUMENT, "intent": "Something else"}
    assert agent.ask(service.offer(server.url, now, service.act(unpublished))).status_code in {400, 503}
    too_large = service.offer(server.url, now, service.act(to="x" * 17_000))
    assert reason(agent.ask(too_large)) == "too_large_to_show"


def test_an_action_is_the_one_of_the_offers_digest_and_name(
    server: RunningServer, service: Service, person: Person, agent: Agent
) -> None:
    person.link(service)
    now, honest, publish = server.clock(), service.act(), service.published
    other = act.build(service.url, "another_name", honest.action_digest, honest.parameters or {}, honest.terms)
    free = act.build(service.url, honest.action, honest.action_digest, honest.parameters or {}, None)
    for offered in (other, free):
        assert reason(agent.ask(service.offer(server.url, now, offered))) == "offer_action"
    swapped = {"/oneact/actions/" + "d" * 43: {**DOCUMENT, "intent": "Something else"}}
    service.published = lambda: {**publish(), **swapped}  # type: ignore[method-assign]
    lying = act.build(service.url, honest.action, "d" * 43, honest.parameters or {}, honest.terms)
    assert reason(agent.ask(service.offer(server.url, now, lying))) == "offer_action"


def test_a_request_ends_expired_and_says_so_the_same_way(
    server: RunningServer, service: Service, person: Person, agent: Agent
) -> None:
    person.link(service)
    identifier = agent.ask(service.offer(server.url, server.clock())).json()["transaction_authorization_id"]
    server.clock.now += 600
    first = agent.poll(identifier)
    assert (first.json()["error"], first.json()["reason"]) == ("expired_token", "expired")
    assert agent.poll(identifier).json() == first.json()
    assert ended.check(first.json()["statement"], keys(server)).status == "expired"
    person.approve(identifier)
    kinds = [kind for (kind,) in server.execute("SELECT kind FROM entries WHERE request_id = ?", identifier)]
    assert kinds == ["asked", "expired"]


def test_an_approval_that_nobody_collects_in_time_ends(
    server: RunningServer, service: Service, person: Person, agent: Agent
) -> None:
    person.link(service)
    identifier = agent.ask(service.offer(server.url, server.clock())).json()["transaction_authorization_id"]
    person.approve(identifier)
    server.clock.now += 60
    assert reason(agent.poll(identifier)) == "expired"


def test_the_sweep_ends_what_nobody_polls(
    server: RunningServer, service: Service, person: Person, agent: Agent
) -> None:
    person.link(service)
    agent.ask(service.offer(server.url, server.clock()))
    assert server.call(ending.sweep) == 0
    server.clock.now += 601
    server.call(ending.sweep)
    assert server.execute("SELECT state FROM requests") == [("expired",)]


def test_an_agent_can_take_a_request_back(
    server: RunningServer, service: Service, person: Person, agent: Agent
) -> None:
    person.link(service)
    identifier = agent.ask(service.offer(server.url, server.clock())).json()["transaction_authorization_id"]
    other = Agent(server)
    other.register()
    assert reason(other.post("/oauth/cancel", transaction_authorization_id=identifier)) == "grant_unknown"
    assert agent.post("/oauth/cancel", transaction_authorization_id=identifier).status_code == 204
    assert reason(agent.poll(identifier)) == "cancelled"
    assert agent.post("/oauth/cancel", transaction_authorization_id=identifier).status_code == 204


def issued(server: RunningServer, service: Service, person: Person, agent: Agent) -> tuple[str, str, dict[str, object]]:
    person.link(service)
    identifier = agent.ask(service.offer(server.url, server.clock())).json()["transaction_authorization_id"]
    person.approve(identifier)
    text = agent.poll(identifier).json()["access_token"]
    return identifier, text, token.parse(text)[0].claims()


def test_polls_are_kept_in_memory_only_as_long_as_they_count(
    server: RunningServer, service: Service, person: Person, agent: Agent
) -> None:
    identifier, *_ = issued(server, service, person, agent)
    started = agent.post("/oauth/device").json()
    form = {"grant_type": DEVICE, "device_code": started["device_code"]}
    assert reason(agent.post("/oauth/token", **form)) == "authorization_pending"
    seen = server.app.state.world.waiting
    server.call(forgetting.forget)
    assert len(seen._seen) == 2
    assert seen.listening(identifier, server.clock())
    server.clock.now += waiting.FRESH
    server.call(forgetting.forget)
    assert seen._seen == {}
    assert not seen.listening(identifier, server.clock())


def deliver(server: RunningServer, text: str) -> httpx.Response:
    return httpx.post(server.url + "/oauth/receipts", content=text, headers={"Content-Type": "application/jwt"})


def test_a_receipt_is_taken_once_and_the_agent_can_ask_for_it(
    server: RunningServer, service: Service, person: Person, agent: Agent
) -> None:
    identifier, text, claims = issued(server, service, person, agent)
    digest, now = service.act().digest, server.clock()
    assert reason(agent.post("/oauth/receipts", transaction_authorization_id=identifier)) == "receipt_unknown"
    unknown = service.receipt(server.url, claims, digest, now, status="unknown")
    executed = service.receipt(server.url, claims, digest, now)
    assert deliver(server, unknown).status_code == 204
    assert deliver(server, executed).status_code == 204
    assert deliver(server, executed).status_code == 204
    other = service.receipt(server.url, claims, digest, now, status="failed")
    assert reason(deliver(server, other)) == "receipt_conflict"
    answer = agent.post("/oauth/receipts", transaction_authorization_id=identifier).json()
    assert answer == {"receipt": executed, "status": "executed"}
    told = agent.post("/oauth/introspect", token=text).json()
    assert (told["active"], told["oneact_receipt"]) == (False, executed)
    kinds = [kind for (kind,) in server.execute("SELECT kind FROM entries WHERE request_id = ?", identifier)]
    assert kinds == ["asked", "token_issued", "receipt", "receipt", "finding"]


def test_receipts_that_do_not_match_are_refused(
    server: RunningServer, service: Service, person: Person, agent: Agent
) -> None:
    _, _, claims = issued(server, service, person, agent)
    digest, now = service.act().digest, server.clock()
    cases = {
        "receipt_mismatch": service.receipt(server.url, claims, digest, now, jti="another"),
        "receipt_unknown": service.receipt(server.url, {**claims, "txn": "another"}, digest, now),
        "receipt_key": Service(service.url).receipt(server.url, claims, digest, now),
        "receipt_malformed": "a.b.c",
    }
    for expected, text in cases.items():
        assert reason(deliver(server, text)) == expected
    assert reason(deliver(server, service.receipt(server.url, claims, "x" * 43, now))) == "receipt_mismatch"
    assert reason(deliver(server, service.receipt("http://localhost:1", claims, digest, now))) == "receipt_mismatch"


def test_introspection_is_for_the_holder_alone(
    server: RunningServer, service: Service, person: Person, agent: Agent
) -> None:
    _, text, _ = issued(server, service, person, agent)
    assert agent.post("/oauth/introspect", token=text).json()["active"] is True
    other = Agent(server)
    other.register()
    assert other.post("/oauth/introspect", token=text).json() == {"active": False}
    assert agent.post("/oauth/introspect", token="rubbish").json() == {"active": False}
    server.clock.now += 30
    assert agent.post("/oauth/introspect", token=text).json()["active"] is False


def test_introspection_tells_of_the_very_token_to_the_very_key(
    server: RunningServer, service: Service, person: Person, agent: Agent
) -> None:
    _, text, _ = issued(server, service, person, agent)
    alike = token.sign(token.parse(text)[0]._replace(sub="someone-else"), server.app.state.world.key)
    assert agent.post("/oauth/introspect", token=alike).json() == {"active": False}
    server.execute("UPDATE requests SET jkt = ?", new_key().public.thumbprint)
    assert agent.post("/oauth/introspect", token=text).json() == {"active": False}


def test_a_batch_is_one_question_with_an_item_each(
    server: RunningServer, service: Service, person: Person, agent: Agent
) -> None:
    person.link(service)
    offers = [service.offer(server.url, server.clock(), service.act(to=to)) for to in ("NYC", "LAX", "BOS")]
    batch = canonical.encode([*offers]).decode()
    answer = agent.post("/oauth/transaction", batch=batch, login_hint=agent.hint).json()
    assert len(set(answer["items"])) == 3
    [(batches,)] = server.execute("SELECT count(DISTINCT batch_id) FROM requests")
    assert batches == 1
    twenty_one = canonical.encode([f"{number}" for number in range(21)]).decode()
    assert reason(agent.post("/oauth/transaction", batch=twenty_one, login_hint=agent.hint)) == "request_malformed"


def test_asking_first_works_for_an_action_without_terms(service: Service, person: Person, agent: Agent) -> None:
    person.link(service)
    details = canonical.encode(service.act(WITHOUT_TERMS).details()).decode()
    form = {"scope": "openid", "login_hint": agent.hint, "authorization_details": details}
    started = agent.post("/oauth/bc-authorize", **form).json()
    grant = {"grant_type": "urn:openid:params:grant-type:ciba", "auth_req_id": started["auth_req_id"]}
    assert agent.post("/oauth/token", **grant).json()["error"] == "authorization_pending"
    person.approve(started["auth_req_id"])
    assert agent.post("/oauth/token", **grant).json()["token_type"] == "DPoP"
    with_terms = canonical.encode(service.act().details()).decode()
    refused = agent.post("/oauth/bc-authorize", **{**form, "authorization_details": with_terms})
    assert reason(refused) == "action_needs_offer"


def test_the_store_gone_is_503_and_says_nothing_of_it(server: RunningServer) -> None:
    server.call(lambda world: world.store.close())
    answer = Agent(server).register()
    assert (answer.status_code, reason(answer)) == (503, "store_unavailable")


def test_what_should_not_happen_is_500_without_a_word_of_it(tmp_path: Path) -> None:
    with running_server(tmp_path) as running:
        running.app.state.world.limits = None
        answer = Agent(running).register(client_name="<marquee>")
        assert (answer.status_code, reason(answer)) == (500, "internal")
        assert "marquee" not in answer.text
