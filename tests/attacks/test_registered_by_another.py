"""Someone who has only seen an agent's public key, which stands in each of its proofs, registers it anew."""

import httpx

from tests.attacks.stage import reason
from tests.server.peers import Agent, RunningServer

EVIL = {
    "client_name": "Your bank",
    "backchannel_token_delivery_mode": "ping",
    "backchannel_client_notification_endpoint": "http://localhost:1/evil",
}


def registered(approval: RunningServer) -> list[tuple[str, str]]:
    return [(name, metadata) for name, metadata in approval.execute("SELECT name, metadata FROM clients")]


def test_without_a_proof_nothing_is_registered(approval: RunningServer, paired: Agent) -> None:
    before = registered(approval)
    body = {**EVIL, "jwks": {"keys": [paired.key.public.public_jwk()]}}
    assert reason(httpx.post(approval.url + "/oauth/register", json=body)) == "proof_malformed"
    assert registered(approval) == before


def test_with_a_proof_by_another_key_nothing_is_registered(approval: RunningServer, paired: Agent) -> None:
    before = registered(approval)
    thief = Agent(approval)
    answer = thief.register(**EVIL, jwks={"keys": [paired.key.public.public_jwk()]})
    assert (answer.status_code, reason(answer)) == (401, "client_key")
    assert registered(approval) == before


def test_a_proof_for_another_address_or_seen_before_registers_nothing(approval: RunningServer, paired: Agent) -> None:
    body = {**EVIL, "jwks": {"keys": [paired.key.public.public_jwk()]}}
    url = approval.url + "/oauth/register"
    stolen = paired.proof(approval.url + "/oauth/device")
    assert reason(httpx.post(url, json=body, headers={"DPoP": stolen})) == "proof_htu"
    used = {"DPoP": paired.proof(url)}
    honest = {"client_name": "Trip planner", "jwks": body["jwks"]}
    assert httpx.post(url, json=honest, headers=used).status_code == 201
    assert reason(httpx.post(url, json=body, headers=used)) == "proof_replayed"
    assert [name for name, _ in registered(approval)] == ["Trip planner"]


def test_the_holder_of_the_key_may_change_what_is_registered(approval: RunningServer, paired: Agent) -> None:
    answer = paired.register(client_name="Trip planner 2")
    assert (answer.status_code, answer.json()["client_id"]) == (201, paired.client_id)
    assert [name for name, _ in registered(approval)] == ["Trip planner 2"]
