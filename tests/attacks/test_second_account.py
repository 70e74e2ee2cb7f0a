"""A second account is linked over the first: the page would name the one, and the act would run on the other."""

from typing import Any

from tests.attacks.stage import reason
from tests.server.peers import Agent, RunningServer, Service
from tests.server.visitor import Visitor, exchange, push


def standing(approval: RunningServer) -> list[Any]:
    return approval.execute("SELECT sub, label, seq, roster FROM links WHERE state = 'linked'")


def test_a_second_account_of_a_linked_service_is_refused_before_anything_is_signed(
    approval: RunningServer, shop: Service, visitor: Visitor, paired: Agent
) -> None:
    visitor.link(shop, "ada@example")
    before, asked = standing(approval), {"client_id": shop.client_id, "request_uri": push(approval, shop)}
    page = visitor.get("/oauth/authorize", **asked).text
    assert ("is linked as ada@example" in page, 'id="accept"' in page, 'id="decline"' in page) == (True, False, True)
    answer = visitor.post("/link/begin", **asked)
    assert (answer.status_code, reason(answer)) == (409, "link_exists")
    assert standing(approval) == before
    identifier = paired.ask(shop.offer(approval.url, approval.clock())).json()["transaction_authorization_id"]
    assert "ada@example" in visitor.get(f"/requests/{identifier}").text


def test_a_roster_signed_while_nothing_was_linked_links_nothing_over_what_was_linked_meanwhile(
    approval: RunningServer, shop: Service, visitor: Visitor
) -> None:
    asked = {"client_id": shop.client_id, "request_uri": push(approval, shop)}
    late = visitor.sign(visitor.post("/link/begin", **asked).json())
    second = visitor.signed_link(shop)
    visitor.link(shop, "ada@example")
    before = standing(approval)
    assert reason(visitor.post("/link/finish", **late)) == "link_exists"
    refused = exchange(approval, shop, second, account_label="bob@example")
    assert (refused.status_code, reason(refused)) == (409, "link_exists")
    assert standing(approval) == before
    linked = approval.execute("SELECT count(*) FROM entries WHERE kind = 'service_linked'")
    assert linked == [(1,)]


def test_what_a_service_kept_of_an_unlinked_account_is_not_the_account_linked_after_it(
    approval: RunningServer, shop: Service, visitor: Visitor
) -> None:
    visitor.link(shop, "ada@example")
    [[ada, *_]] = standing(approval)
    visitor.unlink(shop)
    visitor.link(shop, "bob@example")
    [[bob, label, *_]] = standing(approval)
    assert label == "bob@example"
    assert bob != ada
