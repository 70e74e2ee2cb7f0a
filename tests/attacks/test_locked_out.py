"""Strangers, or one agent, use up the room in which tries are counted, so that everyone else is refused."""

import httpx
import pytest

from oneact.errors import Reason, Refusal
from oneact.protocol import dpop
from oneact.server import limits, nonces
from oneact.server.limits import RateLimits
from oneact.server.nonces import SeenOnce
from oneact.testing import new_key
from tests.attacks.stage import reason
from tests.server.peers import Agent, RunningServer
from tests.server.visitor import Visitor

NOW = 1_800_000_000


def crowded(addresses: int = 50_000) -> RateLimits:
    """Give limits on which someone with many IPv6 subnets has tried what they could."""
    found = RateLimits()
    for number in range(addresses):
        try:
            found.stranger("sign in", f"2001:db8:{number >> 16:x}:{number & 0xFFFF:x}::1", 60, NOW)
        except Refusal:
            continue
    return found


def test_who_is_known_is_never_refused_for_want_of_room() -> None:
    found = crowded()
    for key in ("gesture of-a-session", "user code of-a-person", "pairing code of-an-agent"):
        found.known(key, 1, NOW)
        with pytest.raises(Refusal):
            found.known(key, 1, NOW)


def test_a_stranger_elsewhere_still_gets_in_and_the_crowds_network_does_not() -> None:
    found = crowded(52_000)
    found.stranger("sign in", "9.9.9.9", 60, NOW)
    found.stranger("sign in", "2001:db9::1", 60, NOW)
    with pytest.raises(Refusal) as refused:
        found.stranger("sign in", "2001:db8:ffff::1", 60, NOW)
    assert refused.value.reason is Reason.RATE_LIMITED
    assert len(found._strangers) <= limits._MAX_STRANGERS + 3


def test_all_addresses_of_one_subnet_are_one_caller() -> None:
    found = RateLimits()
    for number in range(5):
        found.stranger("register", f"2001:db8::{number:x}:1", 5, NOW)
    with pytest.raises(Refusal):
        found.stranger("register", "2001:db8::ffff", 5, NOW)
    found.stranger("register", "2001:db8::ffff", 5, NOW + 60)


def test_an_agent_that_fills_its_own_memory_fills_nobody_elses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nonces, "_MAX_SEEN", 30)
    monkeypatch.setattr(nonces, "_MAX_HELD", 20)
    monkeypatch.setattr(nonces, "_FAIR_SHARE", 5)
    seen = SeenOnce()
    for number in range(20):
        assert seen.first("mallory", str(number), NOW + 300, NOW)
    with pytest.raises(Refusal) as refused:
        seen.first("mallory", "one more", NOW + 300, NOW)
    assert refused.value.reason is Reason.RATE_LIMITED
    for number in range(10):
        assert seen.first("greedy", str(number), NOW + 60, NOW)
    with pytest.raises(Refusal):  # all of it is used up now, and this one has more than a fair share
        seen.first("greedy", "one more", NOW + 60, NOW)
    assert seen.first("honest", "1", NOW + 60, NOW)
    assert not seen.first("honest", "1", NOW + 60, NOW)
    assert seen.first("mallory", "one more", NOW + 700, NOW + 360)


def test_an_identifier_is_known_until_it_could_not_be_used_any_more() -> None:
    seen = SeenOnce()
    assert seen.first("a", "x", NOW + 90, NOW)
    assert seen.first("b", "x", NOW + 90, NOW)
    assert not seen.first("a", "x", NOW + 180, NOW + 89)
    assert seen.first("a", "x", NOW + 400, NOW + 300)
    assert len(seen._buckets) == 1


def test_proofs_by_keys_that_are_not_the_agents_are_not_remembered(approval: RunningServer) -> None:
    agent, url = Agent(approval), approval.url + "/oauth/cancel"
    agent.register()
    agent.post("/oauth/cancel")
    before = seen_names(approval)
    form = {"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}
    for _ in range(3):
        proof = dpop.build(new_key(), "POST", url, approval.clock(), "p", nonce=agent.nonce)
        answer = httpx.post(url, data={**form, "client_assertion": agent.assertion()}, headers={"DPoP": proof})
        assert reason(answer) == "client_key"
    assert seen_names(approval) == before


def seen_names(server: RunningServer) -> int:
    return sum(len(bucket.names) for bucket in server.app.state.world.seen._buckets.values())


def test_pairing_is_begun_ten_times_a_minute_and_not_more(approval: RunningServer, visitor: Visitor) -> None:
    agent = Agent(approval)
    agent.register()
    answers = [agent.post("/oauth/device").status_code for _ in range(12)]
    assert answers == [200] * 10 + [429] * 2
    assert [visitor.submit("/pair/code").status_code for _ in range(12)] == [200] * 10 + [429] * 2
