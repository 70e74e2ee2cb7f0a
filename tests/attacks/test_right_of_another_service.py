"""The right to ask on behalf is used for another service's act, by another's key, or for someone who has no link."""

import secrets

from oneact.protocol import client_assertion
from oneact.testing import new_key
from tests.attacks.stage import reason
from tests.ports import free_port
from tests.server.asking_service import on_behalf
from tests.server.peers import Agent, RunningServer, Service, serving
from tests.server.visitor import Visitor


def sub_at(server: RunningServer, service: Service) -> str:
    [[found]] = server.execute("SELECT sub FROM links WHERE state = 'linked' AND resource = ?", service.url)
    return str(found)


def offer(server: RunningServer, service: Service) -> str:
    return service.offer(server.url, server.clock())


def test_a_service_asks_for_no_act_at_another(approval: RunningServer, shop: Service, visitor: Visitor) -> None:
    bank = Service(f"http://localhost:{free_port()}")
    with serving(bank.app(), int(bank.url.rpartition(":")[2])):
        visitor.link(shop)
        visitor.link(bank)
        asking = on_behalf(approval, shop, sub_at(approval, shop))
        assert reason(asking.ask(offer(approval, bank))) == "offer_not_own"
        asking.hint = sub_at(approval, bank)  # nor under the name that the person has there
        assert reason(asking.ask(offer(approval, bank))) == "hint_unknown"
        assert reason(asking.ask(offer(approval, shop))) == "hint_unknown"
        asking.hint = sub_at(approval, shop)
        assert asking.ask(offer(approval, shop)).status_code == 200


def test_an_agents_key_is_not_the_services(
    approval: RunningServer, shop: Service, visitor: Visitor, paired: Agent
) -> None:
    visitor.link(shop)
    thief = on_behalf(approval, shop, sub_at(approval, shop))
    thief.key = paired.key
    assert reason(thief.ask(offer(approval, shop))) == "client_assertion"
    right = on_behalf(approval, shop, sub_at(approval, shop))
    right.ask(offer(approval, shop))  # so that it has a nonce
    url, now = approval.url + "/oauth/transaction", approval.clock()
    borrowed = client_assertion.build(shop.key, shop.client_id, approval.url, now, secrets.token_urlsafe(8))
    fields = {
        "client_assertion_type": client_assertion.ASSERTION_TYPE, "client_assertion": borrowed,
        "transaction_challenge": offer(approval, shop), "login_hint": right.hint,
    }  # fmt: skip
    proof = right.proof(url, key=new_key())
    answer = right.post("/oauth/transaction", {"DPoP": proof}, **fields)
    assert reason(answer) == "client_key"


def test_an_agent_does_not_ask_by_the_name_of_a_link(
    approval: RunningServer, shop: Service, visitor: Visitor, paired: Agent
) -> None:
    visitor.link(shop)
    on_behalf(approval, shop, sub_at(approval, shop)).ask(offer(approval, shop))
    [[link]] = approval.execute("SELECT id FROM links WHERE state = 'linked'")
    for hint in (sub_at(approval, shop), f"link {link}"):
        paired.hint = hint
        assert reason(paired.ask(offer(approval, shop))) == "hint_unknown"


def test_a_service_that_nobody_has_linked_has_nothing_fetched(approval: RunningServer, shop: Service) -> None:
    assert reason(on_behalf(approval, shop, "ada").ask(offer(approval, shop))) == "client_unknown"
    assert shop.fetched == []
