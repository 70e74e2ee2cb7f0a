"""The small parts: the header that asks for an offer, limits, keys, cookies, answers."""

from pathlib import Path
from typing import Any

import pytest

from oneact.errors import Reason, Refusal
from oneact.protocol import canonical
from oneact.protocol.action import Rule
from oneact.service import Answer, actions, exchange, keys, reading
from oneact.service.exchange import Request
from oneact.service.guarded import Guarded, field_at_fault
from oneact.service.limits import RateLimit, SeenProofs
from oneact.service.offers import asked_issuer
from oneact.testing import new_key


@pytest.mark.parametrize(
    ("values", "issuer"),
    [
        (('?1;as="https://a.example"',), "https://a.example"),
        (('?1; as="https://a.example" ',), "https://a.example"),
        (('?1;v=1;as="https://a.example";flag',), "https://a.example"),
        (('?1;as="https://b.example";as="https://a.example"',), "https://a.example"),
        ((), None),
        (("?1",), None),
        (('?0;as="https://a.example"',), None),
        (("?1;as=https://a.example",), None),
        (('?1;as="a"', '?1;as="a"'), None),
        (('?1;as="a\\"b"',), None),
        (('?1;as="a"garbage',), None),
    ],
)
def test_the_asking_header_is_read_strictly(values: tuple[str, ...], issuer: str | None) -> None:
    assert asked_issuer(values) == issuer


def reason(call: Any, *arguments: Any) -> Reason:
    with pytest.raises(Refusal) as caught:
        call(*arguments)
    found: Reason = caught.value.reason
    return found


def test_a_rate_refills_steadily_and_is_each_clients_own() -> None:
    rate = RateLimit(2)
    rate.take("a", 0.0)
    rate.take("a", 0.0)
    assert reason(rate.take, "a", 0.0) is Reason.RATE_LIMITED
    rate.take("b", 0.0)
    rate.take("a", 30.0)
    assert reason(rate.take, "a", 30.0) is Reason.RATE_LIMITED


def test_the_memory_of_rates_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oneact.service.limits._MAX_CLIENTS", 2)
    rate = RateLimit(1)
    for client in "abc":
        rate.take(client, 0.0)
    assert list(rate._buckets) == ["b", "c"]


def test_an_ipv6_address_is_rated_with_its_whole_subnet() -> None:
    rate = RateLimit(1)
    rate.take("2001:db8::1", 0.0)
    assert reason(rate.take, "2001:db8::ffff:1", 0.0) is Reason.RATE_LIMITED
    rate.take("2001:db8:0:1::1", 0.0)


def test_a_proof_is_remembered_as_long_as_it_could_be_shown_again() -> None:
    seen = SeenProofs()
    seen.remember("k", "j", 100)
    seen.remember("other", "j", 100)
    assert reason(seen.remember, "k", "j", 170) is Reason.PROOF_REPLAYED
    seen.remember("k", "j", 171)


def test_a_key_that_fills_the_memory_of_proofs_is_refused_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oneact.service.limits._MAX_PROOFS", 3)
    monkeypatch.setattr("oneact.service.limits._MAX_HELD", 3)
    monkeypatch.setattr("oneact.service.limits._FAIR_SHARE", 2)
    seen = SeenProofs()
    for jti in "abc":
        seen.remember("k", jti, 100)
    assert reason(seen.remember, "k", "d", 100) is Reason.RATE_LIMITED
    for jti in "ab":
        seen.remember("other", jti, 100)
    assert reason(seen.remember, "other", "c", 100) is Reason.RATE_LIMITED
    seen.remember("k", "d", 171)
    assert seen._held == {"k": 1}


def test_the_offer_key_follows_from_the_key_file_alone(tmp_path: Path) -> None:
    first, again = keys.load(tmp_path / "air.jwk"), keys.load(str(tmp_path / "air.jwk"))
    assert first.txn_keys == again.txn_keys
    assert len(first.txn_keys[0]) == 32
    assert "d" not in first.jwks["keys"][0]  # type: ignore[operator,index,call-overload]


def test_of_several_keys_the_first_signs_and_the_first_two_know_their_offers(tmp_path: Path) -> None:
    made = [new_key() for _ in range(3)]
    file = tmp_path / "air.jwk"
    file.touch(0o600)
    file.write_bytes(canonical.encode({"keys": [key.private_jwk() for key in made]}))
    found = keys.load(file)
    assert found.signing.public.thumbprint == made[0].public.thumbprint
    assert len(found.txn_keys) == 2
    assert [key["kid"] for key in found.jwks["keys"]] == [key.public.thumbprint for key in made]  # type: ignore[union-attr,index,call-overload]


def request(**changes: Any) -> Request:
    settings: dict[str, Any] = {
        "method": "POST", "path": "/", "query": "", "headers": (), "body": b"", "client": "c",
    }  # fmt: skip
    return Request(**(settings | changes))


def test_a_cookie_given_twice_is_none() -> None:
    assert request(headers=(("cookie", "a=1; b=2"),)).cookie("b") == "2"
    assert request(headers=(("cookie", "a=1; a=2"),)).cookie("a") is None


@pytest.mark.parametrize(
    "kind", ["application/json", "Application/JSON; charset=UTF-8", 'application/json;charset="utf-8"']
)
def test_json_is_read_with_a_charset_of_utf_8(kind: str) -> None:
    assert request(headers=(("content-type", kind),), body=b"{}").json() == {}


def test_a_content_type_given_twice_is_none() -> None:
    twice = (("content-type", "application/json"), ("content-type", "application/json"))
    assert reason(request(headers=twice, body=b"{}").json) is Reason.MEDIA_TYPE


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a=1&a=2", Reason.PARAMETER_REPEATED), ("a", Reason.REQUEST_MALFORMED), ("a=%FF", Reason.REQUEST_MALFORMED)],
)
def test_fields_are_read_strictly(text: str, expected: Reason) -> None:
    assert reason(reading.fields, text) is expected
    assert reading.fields("") == {}
    assert reading.fields("a=&b=+%2B") == {"a": "", "b": " +"}


COUNT: dict[str, Any] = {"type": "object", "properties": {"count": {"type": "integer"}}}


def counted(text: str) -> Any:
    described = actions.describe(
        "count", intent="Count", summary="", schema=COUNT, terms=None, sources={"count": "query"}, display=None,
        reversible=True, rule=Rule(), method="POST", path="/count",
    )  # fmt: skip
    return reading.typed(Guarded(described, dict, answer_nothing), {"count": text})["count"]


async def answer_nothing(*_: Any) -> Answer:
    return Answer(204)


@pytest.mark.parametrize("text", ["9007199254740991", "-9007199254740991", "0"])
def test_a_text_is_read_as_the_integer_it_is(text: str) -> None:
    assert counted(text) == int(text)


@pytest.mark.parametrize("text", ["9007199254740992", "-9007199254740992", "9999999999999999"])
def test_an_integer_in_a_text_beyond_what_json_may_hold_is_refused(text: str) -> None:
    assert reason(counted, text) is Reason.PARAMETERS_INVALID


@pytest.mark.parametrize("text", ["99999999999999999", "01", "+1", "1.0", ""])
def test_a_text_that_is_no_integer_stays_a_text(text: str) -> None:
    assert counted(text) == text


OUTER: dict[str, Any] = {
    "properties": {"home": {"$ref": "#/$defs/Home"}, "tags": {"type": "array", "maxItems": 1}, "open": {}},
    "required": ["tags"],
    "$defs": {"Home": {"type": "object", "properties": {"street": {"type": "string"}}, "additionalProperties": False}},
}


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "tags"),
        ({"tags": [], "home": {"street": 1}}, "home"),
        ({"tags": [], "home": {"number": "1"}}, "home"),
        ({"tags": [1, 2]}, "tags"),
        ({"tags": [], "open": 1, "foreign": 1}, ""),
        ([], ""),
    ],
)
def test_the_field_at_fault_is_one_of_the_schemas_own(given: Any, field: str) -> None:
    assert field_at_fault(OUTER, given) == field
    assert field_at_fault({}, given) == ""


@pytest.mark.parametrize(
    ("result", "answer"),
    [
        (None, Answer(204)),
        (b"x", Answer(200, b"x", "application/octet-stream")),
        ({"a": "ü"}, Answer(200, '{"a": "ü"}'.encode())),
        ((201, {"Content-Type": "text/plain", "X-A": "1"}, b"x"), Answer(201, b"x", "text/plain", (("x-a", "1"),))),
        (Answer(418), Answer(418)),
    ],
)
def test_an_answer_is_made_of_what_a_handler_gives(result: Any, answer: Answer) -> None:
    assert exchange.of_result(result) == answer


def test_a_refusal_says_nothing_of_its_detail() -> None:
    answer = exchange.of_refusal(Refusal(Reason.TOKEN_KEY, "secret detail"))
    assert b"secret" not in answer.body
    assert answer.status == 401
