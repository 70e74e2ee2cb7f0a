from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from oneact.agent import Denied, Expired, OutcomeUnknown, Refused, TermsChanged, Unreachable, flow
from oneact.agent.flow import Answer, Asker, Call, Event, Lost, Outcome, Wait
from oneact.errors import Reason, Refusal
from oneact.protocol import action, base64url, metadata, offer, receipt, terms, token
from oneact.protocol.act import Act
from oneact.protocol.receipt import Receipt
from oneact.testing import InProcessApprover, TestAgent, new_key, one_act

NOW = 1_800_000_000
AIR, ISSUER = "https://air.example", "http://localhost:8400"
DOCUMENT: dict[str, Any] = {
    "action": "book_flight",
    "schema": {
        "type": "object",
        "additionalProperties": False,
        "properties": {"to": {"type": "string"}, "bags": {"type": "array", "items": {"type": "integer"}}},
    },
    "method": "POST",
    "path": "/bookings",
    "sources": {"to": "body", "bags": "body"},
    "intent": "Book a flight",
    "summary": "",
    "display": [],
    "terms": {"type": "object", "additionalProperties": False, "properties": {"price": {"type": "string"}}},
    "reversible": False,
    "rule": {"approvers": 1, "requester_excluded": False},
}
BODY = b'{"reference":"ABC"}'
SALT = b"s" * 16


class World:
    """A service and an approval server that answer as they should, unless a test bends an answer."""

    def __init__(self) -> None:
        self.key = new_key()
        self.published = [self.key]
        self.approver = InProcessApprover(ISSUER)
        self.agent = TestAgent()
        self.parameters: dict[str, Any] = {"to": "NYC", "bags": [1]}
        self.now = NOW
        self.bent: dict[str, list[Any]] = {}
        self.calls: list[tuple[str, Call]] = []
        self.waited = 0
        self.changes: dict[str, Any] = {}

    def booked(self) -> Act:
        return one_act(AIR, DOCUMENT, self.parameters, {"price": "312.00"})

    def offer(self, **changes: Any) -> str:
        booked = changes.pop("act", self.booked())
        txn = terms.mint(b"k" * 32, b"r" * 16, NOW + 600, ISSUER, booked.digest)
        claims = {"iss": AIR, "aud": ISSUER, "iat": NOW, "exp": NOW + 600, "jti": "j", "txn": txn, "reason": "r"}
        return offer.sign(offer.Offer(**{**claims, "act": booked, **changes}), self.key)

    def token(self) -> str:
        if not hasattr(self, "_token"):
            self._token = self.approver.approve(self.offer(), DOCUMENT, self.agent, NOW, **self.changes)
        return self._token

    def receipt(self, **changes: Any) -> str:
        claims = token.parse(self.token())[0]
        told = Receipt(
            AIR, ISSUER, claims.sub, claims.txn, claims.jti, self.booked().digest, NOW, "executed",
            receipt.result_digest(SALT, BODY),
        )  # fmt: skip
        return receipt.sign(replace(told, **changes), changes.pop("key", self.key))

    def server(self) -> metadata.ServerMetadata:
        names = ("transaction_authorization_endpoint", "receipt_endpoint", "cancellation_endpoint")
        return metadata.ServerMetadata(ISSUER, {name: f"{ISSUER}/{name}" for name in names})

    def kind(self, call: Call) -> str:
        if call.url == AIR + "/oneact/act":
            return "act" if call.token else "plain"
        if call.form is not None and "transaction_challenge" in call.form:
            return "ask"
        return call.url.rpartition("/")[2]

    def answer(self, kind: str) -> Event:
        queue = self.bent.get(kind, [])
        if queue:
            bent = queue.pop(0)
            found = bent() if callable(bent) else bent
            return Lost(self.now) if found is None else found
        normal: dict[str, Callable[[], Answer]] = {
            "oauth-protected-resource": lambda: self.json(200, self.metadata()),
            "jwks.json": lambda: self.json(200, {"keys": [key.public.public_jwk() for key in self.published]}),
            "plain": lambda: self.json(401, {"error": "x", "transaction_challenge": self.offer()}),
            "ask": lambda: self.json(200, {"transaction_authorization_id": "id-1"}),
            "transaction_authorization_endpoint": lambda: self.json(200, {"access_token": self.token()}),
            "act": self.done,
            "receipt_endpoint": lambda: self.json(200, {"receipt": self.receipt()}),
            "cancellation_endpoint": lambda: self.json(200, {}),
        }
        return normal[kind]()

    def metadata(self) -> dict[str, Any]:
        return metadata.ServiceMetadata(
            AIR, "Air", AIR + "/jwks.json", AIR + "/actions", AIR + "/link", AIR + "/oneact/act", None
        ).document()

    def json(self, status: int, value: Any, **headers: str) -> Answer:
        return Answer(status, headers, json.dumps(value).encode(), self.now)

    def done(self, **changes: Any) -> Answer:
        headers = {
            "content-type": "application/json",
            "oneact-receipt": changes.get("receipt", self.receipt()),
            "oneact-result-salt": changes.get("salt", base64url.encode(SALT)),
        }
        return Answer(200, headers, changes.get("body", BODY), self.now)

    def pending(self) -> Answer:
        return self.json(400, {"error": "authorization_pending"})

    def run(
        self, given: dict[str, Any] | None = None, patience: int = 600, reason: str = "because", **wanted: Any
    ) -> Outcome:
        described, keys = self._go(flow.discover(AIR))
        want = flow.by_name(AIR, "book_flight", given or {"to": "NYC"}, described.act_uri)
        asker = Asker(self.server(), "hint", self.agent.client_id, self.agent.jkt, "key", reason, patience)
        return self._go(flow.act(replace(want, **wanted), asker, described, keys))

    def _go(self, going: Any) -> Any:
        event: Event = None
        while True:
            try:
                step = going.send(event)
            except StopIteration as stop:
                return stop.value
            if isinstance(step, Wait):
                self.waited += step.seconds
                self.now += step.seconds
                event = None
            else:
                kind = self.kind(step)
                self.calls.append((kind, step))
                event = self.answer(kind)

    def asked(self, kind: str) -> int:
        return sum(found == kind for found, _ in self.calls)


@pytest.fixture
def world() -> World:
    return World()


def test_the_way_is_offer_question_token_act_receipt(world: World) -> None:
    outcome = world.run()
    assert (outcome.status, outcome.body) == (200, BODY)
    assert outcome.receipt is not None
    assert outcome.receipt.status == "executed"
    assert [kind for kind, _ in world.calls][2:] == ["plain", "ask", "transaction_authorization_endpoint", "act"]
    plain = next(call for kind, call in world.calls if kind == "plain")
    assert plain.headers["Accept-Txn-Challenge"] == f'?1;as="{ISSUER}"'
    ask = next(call for kind, call in world.calls if kind == "ask")
    assert ask.authenticated
    assert (ask.form or {})["login_hint"] == "hint"
    assert (ask.form or {})["reason"] == "because"


def test_an_agent_need_not_give_a_reason(world: World) -> None:
    assert world.run(reason="").receipt is not None
    ask = next(call for kind, call in world.calls if kind == "ask")
    assert "reason" not in (ask.form or {})


def test_a_service_that_cannot_be_reached_is_unreachable(world: World) -> None:
    world.bent["oauth-protected-resource"] = [None]
    with pytest.raises(Unreachable):
        world.run()
    world.bent["oauth-protected-resource"] = [lambda: world.json(404, {})]
    with pytest.raises(Unreachable):
        world.run()
    world.bent["plain"] = [None]
    with pytest.raises(Unreachable):
        world.run()


def test_what_a_service_publishes_is_read_as_strictly_as_an_offer(world: World) -> None:
    world.bent["actions"] = [lambda: world.json(200, {"actions": [DOCUMENT]})]
    [found] = world._go(flow.actions(AIR))
    assert found.name == "book_flight"
    for bad in ({"actions": [{**DOCUMENT, "path": "x"}]}, {"actions": {}}, []):
        world.bent["actions"] = [lambda bad=bad: world.json(200, bad)]
        with pytest.raises(Refusal) as refused:
            world._go(flow.actions(AIR))
        assert refused.value.reason is Reason.ACTION_INVALID


def test_an_address_that_asks_for_no_approval_just_answers(world: World) -> None:
    world.bent["plain"] = [Answer(200, {"content-type": "text/plain"}, b"hello", NOW)]
    outcome = world.run(action=None, parameters=None)
    assert (outcome.body, outcome.receipt) == (b"hello", None)


@pytest.mark.parametrize("status", [200, 204, 302])
def test_an_action_by_its_name_is_not_done_by_whatever_answers_without_an_offer(world: World, status: int) -> None:
    world.bent["plain"] = [Answer(status, {"content-type": "text/html"}, b"<html>", NOW)]
    with pytest.raises(Unreachable):
        world.run()
    assert world.asked("ask") == 0


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"error":"e","reason":"issuer_not_accepted"}', "issuer_not_accepted"),
        (b'{"error":"not_found"}', "not_found"),
        (b"<html>", "http_404"),
        (b"[1]", "http_404"),
        (b'{"error":1}', "http_404"),
    ],
)
def test_a_refusal_without_an_offer_is_told(world: World, body: bytes, reason: str) -> None:
    world.bent["plain"] = [Answer(404, {}, body, NOW)]
    with pytest.raises(Refused) as refused:
        world.run()
    assert refused.value.reason == reason


def test_an_offer_for_something_else_is_never_taken_further(world: World) -> None:
    other = one_act(AIR, {**DOCUMENT, "action": "buy_ticket"}, world.parameters, {"price": "1"})
    world.bent["plain"] = [lambda: world.json(401, {"transaction_challenge": world.offer(act=other)})]
    with pytest.raises(Refused) as refused:
        world.run()
    assert refused.value.reason == "offer_act"
    for parameters in ({"to": "LAX"}, {"to": "NYC", "class": "first"}, {"bags": [2]}, {"bags": [1, 2]}, {"bags": "1"}):
        with pytest.raises(Refused):
            world.run(parameters)
    assert world.asked("ask") == 0


def test_an_offer_by_another_service_with_known_keys_is_refused(world: World) -> None:
    elsewhere = one_act("https://other.example", DOCUMENT, world.parameters, {"price": "1"})
    text = world.offer(iss="https://other.example", act=elsewhere)
    world.bent["plain"] = [lambda: world.json(401, {"transaction_challenge": text})]
    with pytest.raises(Refused):
        world.run()


def test_an_offer_for_another_server_is_refused(world: World) -> None:
    world.bent["plain"] = [lambda: world.json(401, {"transaction_challenge": world.offer(aud="https://x.example")})]
    with pytest.raises(Refusal) as refused:
        world.run()
    assert refused.value.reason is Reason.OFFER_AUDIENCE


def test_any_action_and_parameters_are_taken_where_the_author_named_only_an_address(world: World) -> None:
    assert world.run({"to": "LAX"}, action=None, parameters=None).receipt is not None


def test_a_key_that_is_new_is_fetched_once(world: World) -> None:
    old = new_key()
    first = {"keys": [old.public.public_jwk()]}
    world.bent["jwks.json"] = [lambda: world.json(200, first)]
    assert world.run().receipt is not None
    assert world.asked("jwks.json") == 2


def test_a_lost_question_is_repeated_with_its_key(world: World) -> None:
    world.bent["ask"] = [None]
    assert world.run().receipt is not None
    keys = {call.headers["Idempotency-Key"] for kind, call in world.calls if kind == "ask"}
    assert (world.asked("ask"), keys) == (2, {"key"})
    world.bent["ask"] = [None, None]
    with pytest.raises(Unreachable):
        world.run()


def test_a_refused_question_is_told(world: World) -> None:
    world.bent["ask"] = [lambda: world.json(403, {"error": "access_denied", "reason": "unlinked_service"})]
    with pytest.raises(Refused) as refused:
        world.run()
    assert refused.value.reason == "unlinked_service"


def key_used(world: World, text: str) -> Refused:
    """Have the approval server say that the key was used, with this as the receipt of what it was used for."""
    said = {"error": "invalid_request", "reason": "idempotency_conflict", "receipt": text}
    world.bent["ask"] = [lambda: world.json(409, said)]
    with pytest.raises(Refused) as refused:
        world.run()
    assert (refused.value.reason, refused.value.status) == ("idempotency_conflict", 409)
    return refused.value


@pytest.mark.parametrize("status", ["executed", "failed", "unknown"])
def test_of_a_key_that_was_used_the_services_word_on_that_act_is_told(world: World, status: str) -> None:
    told = key_used(world, world.receipt(status=status, act_digest="x" * 43))
    assert told.earlier is not None
    assert (told.earlier.status, told.earlier.act_digest) == (status, "x" * 43)
    assert f"is {status}, in {told.earlier.txn}" in str(told)


def test_of_a_key_that_was_used_nothing_is_told_that_the_service_has_not_signed(world: World) -> None:
    good = receipt.parse(world.receipt())[0]
    for text in (
        "", "x.y.z", receipt.sign(good, new_key()), world.receipt(iss="https://other.example"),
        world.receipt(aud="https://other.example"),
    ):  # fmt: skip
        assert key_used(world, text).earlier is None


LINK_HELPS = ["unlinked_service", "account_not_linked", "issuer_not_accepted"]


@pytest.mark.parametrize(("reason", "link"), [*((reason, AIR + "/link") for reason in LINK_HELPS), ("denied", "")])
@pytest.mark.parametrize("kind", ["plain", "ask", "act"])
def test_a_refusal_that_linking_would_cure_names_the_services_own_link_page(
    world: World, kind: str, reason: str, link: str
) -> None:
    said = {"error": "x", "reason": reason, "link_uri": "https://evil.example", "not_executed": True}
    world.bent[kind] = [lambda: world.json(403, said)]
    with pytest.raises(Refused) as refused:
        world.run()
    assert (refused.value.reason, refused.value.link_uri) == (reason, link)


def test_no_poll_waits_longer_than_the_agent_still_wants_to(world: World) -> None:
    def waits(patience: int, *took: int | None) -> list[str]:
        def after(seconds: int | None) -> Callable[[], Answer | None]:
            def answer() -> Answer | None:
                world.now += seconds or 0
                return None if seconds is None else world.pending()

            return answer

        world.calls.clear()
        world.bent["transaction_authorization_endpoint"] = [after(seconds) for seconds in took]
        with pytest.raises(Expired):
            world.run(patience=patience)
        return [call.headers["Prefer"] for kind, call in world.calls if kind == "transaction_authorization_endpoint"]

    assert waits(3, 3) == ["wait=3"]
    assert waits(0, 0) == ["wait=0"]
    assert waits(120, 50, 50, 20) == ["wait=50", "wait=50", "wait=20"]
    assert waits(10, None, None, 4) == ["wait=10", "wait=8", "wait=4"]
    assert waits(2, None, 0) == ["wait=2", "wait=0"]


def test_the_agent_polls_on_slows_down_and_gets_over_silence(world: World) -> None:
    slow = lambda: world.json(400, {"error": "slow_down"})  # noqa: E731 - one answer
    world.bent["transaction_authorization_endpoint"] = [world.pending, slow, None, lambda: world.json(503, {})]
    assert world.run().receipt is not None
    assert world.waited == 10 + 2 + 4


def test_an_approval_server_that_stays_silent_is_unreachable(world: World) -> None:
    world.bent["transaction_authorization_endpoint"] = [None] * 5
    with pytest.raises(Unreachable):
        world.run()


def test_the_persons_no_comes_with_their_words(world: World) -> None:
    said = {"error": "access_denied", "reason": "denied", "message": "Too dear"}
    world.bent["transaction_authorization_endpoint"] = [lambda: world.json(400, said)]
    with pytest.raises(Denied) as denied:
        world.run()
    assert denied.value.message == "Too dear"
    assert world.asked("act") == 0


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"error": "expired_token"}, Expired),
        ({"error": "access_denied", "reason": "cancelled"}, Expired),
        ({"error": "invalid_grant", "reason": "grant_unknown"}, Refused),
    ],
)
def test_other_ends_of_a_request_are_told_apart(world: World, said: dict[str, str], error: type[Exception]) -> None:
    world.bent["transaction_authorization_endpoint"] = [lambda: world.json(400, said)]
    with pytest.raises(error):
        world.run()


def test_an_agent_that_has_waited_enough_takes_its_request_back(world: World) -> None:
    def later() -> Answer:
        world.now += 50
        return world.pending()

    world.bent["transaction_authorization_endpoint"] = [later] * 3
    with pytest.raises(Expired):
        world.run(patience=100)
    assert world.asked("cancellation_endpoint") == 1


def test_a_token_for_another_act_is_not_used(world: World) -> None:
    world.changes = {"txn": "x" * 76}
    with pytest.raises(Refused):
        world.run()
    world.bent["transaction_authorization_endpoint"] = [lambda: world.json(200, {"access_token": "x"})]
    with pytest.raises(Refused) as refused:
        world.run()
    assert refused.value.reason == "token_malformed"
    assert world.asked("act") == 0


def test_a_lost_answer_is_repeated_with_the_same_token_and_reconciled(world: World) -> None:
    kept = {"status": 201, "content_type": "application/json", "body_base64url": base64url.encode(BODY)}
    said = {
        "error": "already_spent",
        "receipt": world.receipt(),
        "response": kept,
        "salt": base64url.encode(SALT),
    }
    running = lambda: world.json(409, {"error": "act_in_progress"})  # noqa: E731 - one answer
    world.bent["act"] = [None, running, lambda: world.json(409, said)]
    outcome = world.run()
    assert (outcome.status, outcome.body) == (201, BODY)
    assert len({call.token for kind, call in world.calls if kind == "act"}) == 1
    assert world.asked("plain") == world.asked("ask") == 1


def test_while_the_service_says_that_the_act_is_running_it_is_asked_on(world: World) -> None:
    running = lambda: world.json(409, {"error": "act_in_progress"})  # noqa: E731 - one answer
    world.bent["act"] = [None, *[running] * 15, None, None, None, *[running] * 9]
    outcome = world.run(patience=0)
    assert (outcome.status, outcome.body) == (200, BODY)
    assert world.asked("act") == 29
    assert world.asked("receipt_endpoint") == 0


@pytest.mark.parametrize(("patience", "seconds"), [(0, 60), (59, 60), (300, 300)])
def test_a_service_that_never_stops_saying_so_is_asked_no_longer_than_the_agent_waits(
    world: World, patience: int, seconds: int
) -> None:
    running = lambda: world.json(409, {"error": "act_in_progress"})  # noqa: E731 - one answer
    world.bent["act"] = [running] * 1000
    world.bent["receipt_endpoint"] = [lambda: world.json(404, {"error": "x"})]
    with pytest.raises(OutcomeUnknown):
        world.run(patience=patience)
    assert world.waited == seconds
    assert world.asked("receipt_endpoint") == 1


def test_a_refusal_after_the_act_was_running_is_no_word_that_it_was_not_executed(world: World) -> None:
    refused = lambda: world.json(401, {"error": "invalid_token", "reason": "token_key"})  # noqa: E731 - one answer
    world.bent["act"] = [lambda: world.json(409, {"error": "act_in_progress"}), *[refused] * 4]
    world.bent["receipt_endpoint"] = [lambda: world.json(404, {"error": "invalid_request"})]
    with pytest.raises(OutcomeUnknown):
        world.run()


def test_an_answer_kept_outside_its_form_is_not_told_as_a_refusal(world: World) -> None:
    kept = {"status": 201, "content_type": "application/json", "body_base64url": "+"}
    said = {"error": "already_spent", "receipt": world.receipt(), "response": kept}
    world.bent["act"] = [lambda: world.json(409, said)]
    with pytest.raises(OutcomeUnknown):
        world.run()


def joined(world: World) -> Answer:
    return world.json(200, {"transaction_authorization_id": "id-1", "joined": True})


def test_a_wish_that_was_asked_for_before_ends_with_the_token_of_then(world: World) -> None:
    first = world.token()
    later = terms.mint(b"k" * 32, b"s" * 16, NOW + 600, ISSUER, world.booked().digest)
    fresh = lambda: world.json(401, {"transaction_challenge": world.offer(txn=later)})  # noqa: E731 - one answer
    world.bent["plain"], world.bent["ask"] = [fresh], [lambda: joined(world)]
    outcome = world.run()
    assert outcome.receipt is not None
    assert outcome.receipt.txn == token.parse(first)[0].txn != later
    world.bent["plain"] = [fresh]
    with pytest.raises(Refused):
        world.run()


def test_a_token_for_another_act_is_not_used_either_where_the_wish_was_joined(world: World) -> None:
    first, world.parameters = world.token(), {"to": "NYC", "bags": [2]}
    world.bent["ask"] = [lambda: joined(world)]
    world.bent["transaction_authorization_endpoint"] = [lambda: world.json(200, {"access_token": first})]
    with pytest.raises(Refused):
        world.run()
    assert world.asked("act") == 0


def test_a_joined_wish_whose_token_has_run_out_is_looked_up(world: World) -> None:
    lapsed = lambda: world.json(400, {"error": "expired_token"})  # noqa: E731 - one answer
    world.bent["ask"] = [lambda: joined(world)]
    world.bent["transaction_authorization_endpoint"] = [lapsed]
    outcome = world.run()
    assert outcome.receipt is not None
    assert (outcome.body, world.asked("act")) == (None, 0)
    for told in (lambda: world.json(404, {"error": "x"}), lambda: world.json(200, {"receipt": world.receipt(aud="x")})):
        world.bent["ask"] = [lambda: joined(world)]
        world.bent["transaction_authorization_endpoint"] = [lapsed]
        world.bent["receipt_endpoint"] = [told]
        with pytest.raises(OutcomeUnknown):
            world.run()


def test_a_joined_wish_that_nobody_decided_is_expired_as_the_server_has_signed(world: World) -> None:
    world.bent["ask"] = [lambda: joined(world)]
    said = {"error": "expired_token", "statement": "signed"}
    world.bent["transaction_authorization_endpoint"] = [lambda: world.json(400, said)]
    with pytest.raises(Expired):
        world.run()


def test_a_receipt_alone_is_an_outcome_without_the_answer(world: World) -> None:
    world.bent["act"] = [lambda: world.json(409, {"error": "already_spent", "receipt": world.receipt()})]
    outcome = world.run()
    assert (outcome.body, outcome.status) == (None, 0)
    assert outcome.receipt is not None


def test_after_silence_the_approval_server_is_asked_for_the_receipt(world: World) -> None:
    world.bent["act"] = [None, lambda: world.json(503, {"error": "temporarily_unavailable"}), None, None]
    outcome = world.run()
    assert (outcome.status, outcome.body) == (0, None)
    assert outcome.receipt is not None
    assert world.asked("receipt_endpoint") == 1


@pytest.mark.parametrize("event", [None, 404])
def test_with_no_word_from_anyone_the_outcome_is_unknown(world: World, event: int | None) -> None:
    world.bent["act"] = [None] * 4
    world.bent["receipt_endpoint"] = [event and (lambda: world.json(404, {"error": "x"}))]
    with pytest.raises(OutcomeUnknown) as unknown:
        world.run()
    assert unknown.value.txn
    assert world.asked("plain") == 1


def test_the_services_refusal_is_told_with_its_code(world: World) -> None:
    said = {"error": "insufficient_authorization", "reason": "act_mismatch", "check": 6, "not_executed": True}
    world.bent["act"] = [lambda: world.json(401, said)]
    with pytest.raises(Refused) as refused:
        world.run()
    assert refused.value.reason == "act_mismatch"


def test_a_token_that_ran_out_on_the_way_is_expired_and_was_not_executed(world: World) -> None:
    said = {"error": "invalid_token", "reason": "token_expired", "not_executed": True}
    world.bent["act"] = [None, lambda: world.json(401, said)]
    with pytest.raises(Expired):
        world.run()


def test_after_silence_a_refusal_counts_only_if_it_says_that_nothing_was_executed(world: World) -> None:
    told = {"error": "insufficient_authorization", "reason": "terms_changed", "not_executed": True}
    world.bent["act"] = [None, lambda: world.json(401, told)]
    with pytest.raises(Refused):
        world.run()


def test_terms_that_changed_come_signed_beside_those_that_were_approved_and_nothing_is_asked_anew(
    world: World,
) -> None:
    fresh = world.offer(act=one_act(AIR, DOCUMENT, world.parameters, {"price": "399.00"}))
    told = {"reason": "terms_changed", "not_executed": True, "transaction_challenge": fresh}
    world.bent["act"] = [lambda: world.json(401, told)]
    with pytest.raises(TermsChanged) as changed:
        world.run()
    assert (changed.value.reason, changed.value.status) == ("terms_changed", 401)
    assert (changed.value.approved, changed.value.terms) == ({"price": "312.00"}, {"price": "399.00"})
    assert (world.asked("plain"), world.asked("ask"), world.asked("act")) == (1, 1, 1)


def test_terms_that_changed_are_told_after_silence_too(world: World) -> None:
    fresh = world.offer(act=one_act(AIR, DOCUMENT, world.parameters, None))
    told = {"reason": "terms_changed", "not_executed": True, "transaction_challenge": fresh}
    world.bent["act"] = [None, lambda: world.json(401, told)]
    with pytest.raises(TermsChanged) as changed:
        world.run()
    assert changed.value.terms is None


def _not_the_services(world: World) -> str:
    claims, _ = offer.parse(world.offer())
    return offer.sign(claims, new_key())


_BAD_OFFERS: list[Callable[[World], str]] = [
    lambda _: "x.y.z",
    _not_the_services,
    lambda world: world.offer(aud="https://other.example"),
    lambda world: world.offer(iss="https://other.example"),
    lambda world: world.offer(exp=NOW),
    lambda world: world.offer(act=one_act(AIR, DOCUMENT, {**world.parameters, "to": "LAX"}, {"price": "1"})),
    lambda world: world.offer(act=one_act(AIR, {**DOCUMENT, "action": "other"}, world.parameters, {"price": "1"})),
    lambda world: world.offer(act=one_act(AIR, {**DOCUMENT, "intent": "New"}, world.parameters, {"price": "1"})),
]


@pytest.mark.parametrize("bad", _BAD_OFFERS)
def test_a_fresh_offer_that_is_not_good_leaves_a_refusal_without_terms(
    world: World, bad: Callable[[World], str]
) -> None:
    told = {"reason": "terms_changed", "not_executed": True, "transaction_challenge": bad(world)}
    world.bent["act"] = [lambda: world.json(401, told)]
    with pytest.raises(Refused) as refused:
        world.run()
    assert type(refused.value) is Refused
    assert refused.value.reason == "terms_changed"


_NO_END: list[dict[str, Any]] = [
    {"error": "insufficient_authorization", "reason": "act_mismatch", "check": 6, "not_executed": True},
    {"error": "insufficient_authorization", "reason": "act_malformed", "check": 6},
    {"error": "invalid_token", "reason": "token_key", "check": 2, "not_executed": True},
    {"error": "invalid_dpop_proof", "reason": "proof_replayed", "check": 5, "not_executed": True},
    {"error": "insufficient_authorization", "reason": "terms_changed", "check": 7},
    {"error": "insufficient_authorization", "reason": "nobody_knows", "not_executed": True},
    {"error": "invalid_request", "reason": "parameters_invalid"},
    {"error": "not_found"},
]


@pytest.mark.parametrize("said", _NO_END)
def test_after_silence_a_refusal_of_another_release_is_asked_after_like_silence(
    world: World, said: dict[str, Any]
) -> None:
    refused = lambda: world.json(401, said)  # noqa: E731 - one answer
    world.bent["act"] = [None, refused, refused, refused]
    outcome = world.run()
    assert outcome.receipt is not None
    assert (world.asked("act"), world.asked("receipt_endpoint")) == (4, 1)


@pytest.mark.parametrize("said", _NO_END)
def test_after_silence_a_refusal_without_a_receipt_leaves_the_outcome_unknown(
    world: World, said: dict[str, Any]
) -> None:
    refused = lambda: world.json(401, said)  # noqa: E731 - one answer
    world.bent["act"] = [None, refused, refused, refused]
    world.bent["receipt_endpoint"] = [lambda: world.json(404, {"error": "invalid_request"})]
    with pytest.raises(OutcomeUnknown):
        world.run()


def test_an_answer_without_a_receipt_after_silence_is_asked_after_too(world: World) -> None:
    world.bent["act"] = [None, *[Answer(200, {}, BODY, NOW)] * 3]
    assert world.run().receipt is not None
    assert world.asked("receipt_endpoint") == 1


def test_an_answer_without_a_receipt_is_no_outcome(world: World) -> None:
    world.bent["act"] = [lambda: Answer(200, {}, BODY, NOW)]
    with pytest.raises(OutcomeUnknown):
        world.run()


def test_a_receipt_that_does_not_hold_is_no_outcome(world: World) -> None:
    bad = [
        lambda: world.done(receipt="x.y.z"),
        lambda: world.done(receipt=receipt.sign(receipt.parse(world.receipt())[0], new_key())),
        lambda: world.done(receipt=world.receipt(jti="another")),
        lambda: world.done(receipt=world.receipt(act_digest="x" * 43)),
        lambda: world.done(receipt=world.receipt(txn="another")),
        lambda: world.done(receipt=world.receipt(aud="https://other.example")),
        lambda: world.done(receipt=world.receipt(iss="https://other.example")),
        lambda: world.done(receipt=world.receipt(status="unknown")),
        lambda: world.done(body=b"something else"),
        lambda: world.done(salt="!"),
    ]
    for bent in bad:
        world.bent["act"] = [bent]
        with pytest.raises(OutcomeUnknown):
            world.run()


def test_a_receipt_without_a_result_digest_needs_no_salt(world: World) -> None:
    world.bent["act"] = [lambda: world.done(receipt=world.receipt(result_digest=None), salt="")]
    assert world.run().body == BODY


def test_a_receipt_by_a_new_key_of_the_service_is_taken(world: World) -> None:
    rotated = new_key()

    def done() -> Answer:
        world.published = [world.key, rotated]
        return world.done(receipt=receipt.sign(receipt.parse(world.receipt())[0], rotated))

    world.bent["act"] = [done]
    assert world.run().receipt is not None


def test_a_kept_response_in_another_form_is_no_answer(world: World) -> None:
    said = {"error": "already_spent", "receipt": world.receipt(), "response": {"status": "x", "content_type": 1}}
    world.bent["act"] = [lambda: world.json(409, said)]
    outcome = world.run()
    assert (outcome.status, outcome.content_type, outcome.body) == (0, "", None)


def test_the_document_of_the_example_is_valid() -> None:
    assert action.parse(DOCUMENT).name == "book_flight"
