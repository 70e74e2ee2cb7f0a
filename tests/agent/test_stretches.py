"""The stretches of an act's way, bent: several that ask together, one that stands undecided, one that was changed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from oneact.agent import Refused, Undecided, flow
from oneact.agent.flow import Asker, Call, Offered
from tests.agent.test_flow import AIR, World


class Several(World):
    """A world in which offers come in a batch as well."""

    def kind(self, call: Call) -> str:
        return "ask" if call.form is not None and "batch" in call.form else super().kind(call)


@pytest.fixture
def world() -> Several:
    return Several()


def offered(world: World, key: str, reason: str = "") -> Offered:
    described, keys = world._go(flow.discover(AIR))
    asker = Asker(world.server(), "hint", world.agent.client_id, world.agent.jkt, key, reason)
    found = world._go(
        flow.offered(flow.by_name(AIR, "book_flight", {"to": "NYC"}, described.act_uri), asker, described, keys)
    )
    assert isinstance(found, Offered)
    return found


@pytest.mark.parametrize("reason", ["", "because"])
def test_several_offers_are_one_question_with_a_key_and_an_item_each(world: Several, reason: str) -> None:
    acts = [offered(world, key, reason) for key in ("a", "b")]
    named = {"transaction_authorization_id": "i-1", "items": ["i-1", "i-2"], "joined": True, "authorization_uri": "u"}
    world.bent["ask"] = [lambda: world.json(200, named)]
    asked = world._go(flow.asked_together(acts))
    assert [(each.identifier, each.joined, each.page) for each in asked] == [("i-1", True, "u"), ("i-2", True, "u")]
    form: Any = world.calls[-1][1].form
    assert json.loads(form["batch"]) == [act.text for act in acts]
    assert json.loads(form["batch_keys"]) == ["a", "b"]
    assert form.get("reason", "") == reason


@pytest.mark.parametrize("items", [None, "i-1", [], ["i-1"], ["i-1", "i-1"], ["i-1", 2], ["i-1", "i-2", "i-3"]])
def test_a_server_that_does_not_name_each_item_is_not_followed(world: Several, items: Any) -> None:
    acts = [offered(world, key) for key in ("a", "b")]
    world.bent["ask"] = [lambda: world.json(200, {"transaction_authorization_id": "i-1", "items": items})]
    with pytest.raises(Refused) as refused:
        world._go(flow.asked_together(acts))
    assert refused.value.reason == "request_malformed"


def test_a_request_that_is_kept_stands_when_nobody_has_decided(world: World) -> None:
    found = offered(world, "a")
    found = replace(found, asker=replace(found.asker, patience=0, keeps=True))
    named = {"transaction_authorization_id": "i-1", "authorization_uri": "https://approve.example/inbox"}
    world.bent["ask"] = [lambda: world.json(200, named)]
    [asked] = world._go(flow.asked_together([found]))
    world.bent["transaction_authorization_endpoint"] = [world.pending]
    with pytest.raises(Undecided) as undecided:
        world._go(flow.outcome(found, asked))
    assert (undecided.value.identifier, undecided.value.page) == ("i-1", "https://approve.example/inbox")
    assert world.asked("cancellation_endpoint") == 0
    assert world._go(flow.outcome(found, asked)).receipt is not None


def test_what_the_author_no_longer_means_is_not_sent(world: World) -> None:
    with pytest.raises(Refused) as refused:
        world.run(still=lambda: False)
    assert refused.value.reason == "act_mismatch"
    assert world.asked("act") == 0


def test_a_batch_with_a_key_that_was_used_is_refused_and_each_tells_alone_what_became_of_it(world: Several) -> None:
    acts = [offered(world, key) for key in ("a", "b")]
    said = {"error": "invalid_request", "reason": "idempotency_conflict", "receipt": world.receipt()}
    for asked, earlier in ((acts, None), (acts[:1], "executed")):
        world.bent["ask"] = [lambda: world.json(409, said)]
        with pytest.raises(Refused) as refused:
            world._go(flow.asked_together(asked))
        assert refused.value.reason == "idempotency_conflict"
        assert (refused.value.earlier and refused.value.earlier.status) == earlier
