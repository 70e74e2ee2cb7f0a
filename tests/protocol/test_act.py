from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneact.errors import Reason
from oneact.protocol import act, canonical
from oneact.protocol.act import Act
from tests.protocol.flight import PARAMETERS, RESOURCE, TERMS, one_act
from tests.protocol.refusing import expect_refusal

_DIGEST = "A" * 43


def _plain_digest(found: Act) -> str:
    """Give the act digest as the specification words it, without a template."""
    members: dict[str, canonical.Json] = {
        "type": "oneact_act",
        "locations": [found.location],
        "actions": [found.action],
        "action_digest": found.action_digest,
        "parameters_digest": found.parameters_digest,
    }
    if found.terms_digest is not None:
        members["terms_digest"] = found.terms_digest
    return canonical.sha256(b"oneact-act-1\n" + canonical.encode(members))


@given(st.text(max_size=8), st.text(max_size=8), st.sampled_from([None, TERMS]))
def test_the_digest_is_the_one_of_the_specification(location: str, name: str, terms: Any) -> None:
    found = one_act(location=location, action=name, terms=terms)
    assert found.digest == _plain_digest(found)


@pytest.mark.parametrize(
    "change",
    [
        {"location": "https://sea.example"},
        {"action": "book_train"},
        {"action_digest": _DIGEST},
        {"parameters": PARAMETERS | {"to": "BOS"}},
        {"parameters": PARAMETERS | {"class": "first"}},
        {"parameters": {}},
        {"terms": {"price": {"amount": "312.01", "currency": "USD"}}},
        {"terms": None},
    ],
)
def test_a_change_of_any_part_is_another_act(change: dict[str, Any]) -> None:
    changed = one_act(**change)
    assert changed.digest != one_act().digest
    assert not changed.names_the_same(one_act())


def test_parameters_and_their_digest_name_the_same_act() -> None:
    bare = act.parse_details(one_act().details(inline=False), Reason.ACT_MALFORMED)
    assert bare.parameters is None
    assert bare.digest == one_act().digest
    assert bare.names_the_same(one_act())
    assert not bare.fits_inline()
    assert bare.details() == one_act().details(inline=False)


def test_details_are_read_back() -> None:
    assert act.parse_details(one_act().details(), Reason.ACT_MALFORMED) == one_act()
    assert act.parse_details(one_act(terms=None).details(), Reason.ACT_MALFORMED) == one_act(terms=None)


def test_empty_terms_are_absent_terms() -> None:
    assert one_act(terms={}) == one_act(terms=None)
    assert "terms" not in str(one_act(terms={}).details())


def test_an_act_is_rebuilt_with_the_terms_that_a_token_claims() -> None:
    rebuilt = act.rebuild(one_act(), RESOURCE, "book_flight", one_act().action_digest, dict(PARAMETERS))
    assert rebuilt == one_act()


def test_parameters_of_1_kib_fit_inline_and_one_octet_more_does_not() -> None:
    room = act.INLINE_OCTETS - len('{"a":""}')
    assert one_act(parameters={"a": "b" * room}).fits_inline()
    assert not one_act(parameters={"a": "b" * (room + 1)}).fits_inline()


def _entry(**changes: Any) -> dict[str, Any]:
    members: dict[str, Any] = dict(one_act().details()[0]) | changes  # type: ignore[arg-type]
    return {name: value for name, value in members.items() if value is not None}


@pytest.mark.parametrize(
    "details",
    [
        None,
        {},
        [],
        [_entry(), _entry()],
        ["oneact_act"],
        [_entry(type="payment")],
        [_entry(type=["oneact_act"])],
        [_entry(more=1)],
        [_entry(locations=None)],
        [_entry(locations=RESOURCE)],
        [_entry(locations=[])],
        [_entry(locations=[RESOURCE, RESOURCE])],
        [_entry(locations=[1])],
        [_entry(locations=[""])],
        [_entry(actions="book_flight")],
        [_entry(actions=[])],
        [_entry(actions=["book_flight", "book_train"])],
        [_entry(actions=["a" * 65])],
        [_entry(action_digest=None)],
        [_entry(action_digest="short")],
        [_entry(parameters=None)],
        [_entry(parameters=[])],
        [_entry(parameters_digest=_DIGEST)],
        [_entry(parameters=None, parameters_digest="short")],
        [_entry(terms={})],
        [_entry(terms=[])],
        [_entry(terms={"a": "b" * 1017})],
    ],
)
def test_what_is_not_exactly_one_act_is_refused(details: Any) -> None:
    with expect_refusal(Reason.ACT_MALFORMED):
        act.parse_details(details, Reason.ACT_MALFORMED)
    with expect_refusal(Reason.OFFER_ACT):
        act.parse_details(details, Reason.OFFER_ACT)


def test_terms_of_1_kib_are_read() -> None:
    found = act.parse_details([_entry(terms={"a": "b" * 1016})], Reason.ACT_MALFORMED)
    assert found.terms_digest == canonical.digest({"a": "b" * 1016})


@pytest.mark.parametrize("name", ["location", "action", "action_digest", "parameters_digest", "terms_digest"])
def test_acts_that_differ_in_one_text_are_not_the_same(name: str) -> None:
    changed: Any = {name: _DIGEST}
    assert not one_act()._replace(**changed).names_the_same(one_act())
