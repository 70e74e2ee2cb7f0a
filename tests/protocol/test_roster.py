from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from oneact.errors import Reason
from oneact.protocol import approval, roster
from oneact.protocol.roster import Roster, SignedRoster
from oneact.testing import SoftwarePasskey
from tests.protocol.flight import ISSUER, RESOURCE
from tests.protocol.keys import OTHER, SERVER, header, signed
from tests.protocol.refusing import expect_no_refusal, expect_refusal

_RP_ID = "approve.example"
NOW = 1_772_000_000
_PASSKEY = partial(SoftwarePasskey, _RP_ID, ISSUER, allow_foreign_origin_for_vectors=True)
_FIRST, _SECOND = _PASSKEY(), _PASSKEY("EdDSA")
_PINNED = Roster(ISSUER, RESOURCE, "person", _RP_ID, (ISSUER,), 1, (_FIRST.credential, _SECOND.credential))
_KEYS = {SERVER.public.thumbprint: SERVER.public}


def _vouched(found: Roster, by: SoftwarePasskey = _FIRST) -> SignedRoster:
    return SignedRoster(found, by.get(found.challenge()))


def _later(**changes: Any) -> Roster:
    return replace(_PINNED, **({"seq": 2} | changes))


def test_a_roster_is_read_back() -> None:
    assert roster.parse(_PINNED.members()) == _PINNED
    assert roster.parse_signed(_vouched(_PINNED).members()).roster == _PINNED
    assert _PINNED.credential(_SECOND.id) == _SECOND.credential
    assert _PINNED.credential("unknown") is None


@pytest.mark.parametrize("name", sorted(_PINNED.members()))
@pytest.mark.parametrize("value", [None, {}, "", [], -1])
def test_a_roster_outside_its_form_is_refused(name: str, value: Any) -> None:
    members = _PINNED.members()
    with expect_refusal(Reason.ROSTER_MALFORMED):
        roster.parse({**members, name: value})
    with expect_refusal(Reason.ROSTER_MALFORMED):
        roster.parse({key: member for key, member in members.items() if key != name})


@pytest.mark.parametrize(
    "change",
    [
        {"more": 1},
        {"credentials": [_FIRST.credential.members()] * 2},
        {"credentials": [_FIRST.credential.members()] * 33},
        {"credentials": [1]},
        {"origins": [ISSUER] * 2},
        {"origins": [f"{ISSUER}:{number}" for number in range(9)]},
        {"sub": "s" * 256},
        {"rp_id": "r" * 254},
        {"seq": True},
    ],
)
def test_a_roster_over_its_limits_is_refused(change: dict[str, Any]) -> None:
    with expect_refusal(Reason.ROSTER_MALFORMED):
        roster.parse(_PINNED.members() | change)


@pytest.mark.parametrize("value", [None, {}, {"roster": _PINNED.members()}, {"roster": 1, "webauthn": 1}])
def test_a_signed_roster_outside_its_form_is_refused(value: Any) -> None:
    with expect_refusal(Reason.ROSTER_MALFORMED):
        roster.parse_signed(value)


def test_a_signed_roster_with_another_assertion_form_is_refused() -> None:
    with expect_refusal(Reason.ASSERTION_MALFORMED):
        roster.parse_signed({"roster": _PINNED.members(), "webauthn": {}})


def test_a_first_roster_is_vouched_for_by_one_of_its_own_passkeys() -> None:
    roster.check_first(_vouched(_PINNED), ISSUER, RESOURCE, "person")
    roster.check_first(_vouched(_PINNED, _SECOND), ISSUER, RESOURCE, "person")
    with expect_refusal(Reason.ROSTER_UNPINNED):
        roster.check_first(_vouched(_PINNED, _PASSKEY()), ISSUER, RESOURCE, "person")


_NAMES = [
    ({"iss": "https://other.example"}, Reason.ROSTER_ISSUER),
    ({"aud": "https://other.example"}, Reason.ROSTER_AUDIENCE),
    ({"sub": "other"}, Reason.ROSTER_SUBJECT),
]


@pytest.mark.parametrize(("change", "reason"), _NAMES)
def test_a_first_roster_for_another_is_refused(change: dict[str, Any], reason: Reason) -> None:
    with expect_refusal(reason):
        roster.check_first(_vouched(replace(_PINNED, **change)), ISSUER, RESOURCE, "person")


def test_a_roster_changed_after_it_was_signed_is_refused() -> None:
    given = SignedRoster(replace(_PINNED, seq=7), _vouched(_PINNED).webauthn)
    with expect_refusal(Reason.ROSTER_SIGNATURE):
        roster.check_first(given, ISSUER, RESOURCE, "person")


@pytest.mark.parametrize("tag", [approval.LOGIN, approval.PAIR, approval.PASSKEY, approval.APPROVAL])
def test_another_gesture_over_the_same_roster_is_refused(tag: str) -> None:
    given = SignedRoster(_PINNED, _FIRST.get(approval.challenge(tag, _PINNED.members())))
    with expect_refusal(Reason.ROSTER_SIGNATURE):
        roster.check_first(given, ISSUER, RESOURCE, "person")


def test_a_roster_vouched_for_without_user_verification_is_refused() -> None:
    careless = replace(_FIRST, user_verified=False)
    with expect_refusal(Reason.ROSTER_SIGNATURE):
        roster.check_first(_vouched(_PINNED, careless), ISSUER, RESOURCE, "person")


def test_a_later_roster_is_vouched_for_by_a_passkey_pinned_before() -> None:
    fresh = _PASSKEY()
    grown = _later(credentials=(*_PINNED.credentials, fresh.credential))
    roster.check_next(_vouched(grown, _SECOND), _PINNED)
    with expect_refusal(Reason.ROSTER_UNPINNED):
        roster.check_next(_vouched(grown, fresh), _PINNED)


def test_a_passkey_may_vouch_for_its_own_removal() -> None:
    assert _FIRST.credential in _PINNED.credentials
    with expect_no_refusal():
        roster.check_next(_vouched(_later(credentials=(_SECOND.credential,)), _FIRST), _PINNED)


_SUCCESSIONS = [
    *_NAMES,
    ({"rp_id": "example"}, Reason.ROSTER_RP_ID),
    ({"origins": (ISSUER, "https://other.example")}, Reason.ROSTER_RP_ID),
    ({"seq": 1}, Reason.ROSTER_SEQ),
    ({"seq": 0}, Reason.ROSTER_SEQ),
]


@pytest.mark.parametrize(("change", "reason"), _SUCCESSIONS)
def test_a_roster_that_does_not_succeed_is_refused(change: dict[str, Any], reason: Reason) -> None:
    with expect_refusal(reason):
        roster.check_next(_vouched(_later(**change)), _PINNED)
    removal = _later(**({"credentials": (_FIRST.credential,)} | change))
    with expect_refusal(reason):
        roster.check_removal(roster.sign_removal(removal, SERVER), _KEYS, _PINNED, NOW)


@pytest.mark.parametrize("credential", [_FIRST.credential, _SECOND.credential])
@pytest.mark.parametrize("seq", [2, NOW, NOW + 300])
def test_the_server_alone_may_remove_passkeys(credential: Any, seq: int) -> None:
    later = _later(credentials=(credential,), seq=seq)
    assert roster.check_removal(roster.sign_removal(later, SERVER), _KEYS, _PINNED, NOW) == later


def test_the_server_alone_may_not_remove_the_last_passkey() -> None:
    with expect_refusal(Reason.ROSTER_MALFORMED):
        roster.check_removal(roster.sign_removal(_later(credentials=()), SERVER), _KEYS, _PINNED, NOW)


@pytest.mark.parametrize("now", [0, NOW])
def test_the_server_alone_may_not_use_up_the_numbers(now: int) -> None:
    for seq in (max(1, now) + 301, 2**53 - 1):
        text = roster.sign_removal(_later(credentials=(_FIRST.credential,), seq=seq), SERVER)
        with expect_refusal(Reason.ROSTER_SEQ):
            roster.check_removal(text, _KEYS, _PINNED, now)


@pytest.mark.parametrize(
    "credentials",
    [
        _PINNED.credentials,
        (_FIRST.credential, _PASSKEY().credential),
        (replace(_FIRST.credential, public_key=_PASSKEY().credential.public_key),),
        (replace(_FIRST.credential, id=_SECOND.id),),
    ],
)
def test_the_server_alone_may_do_nothing_else(credentials: Any) -> None:
    text = roster.sign_removal(_later(credentials=credentials), SERVER)
    with expect_refusal(Reason.ROSTER_NOT_SUBSET):
        roster.check_removal(text, _KEYS, _PINNED, NOW)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", Reason.ROSTER_MALFORMED),
        (signed(header("JWT", SERVER), _later().members(), SERVER), Reason.ROSTER_MALFORMED),
        (signed(header(roster.TYP, SERVER, alg="none"), _later().members(), SERVER), Reason.ROSTER_MALFORMED),
        (signed(header(roster.TYP, SERVER), {}, SERVER), Reason.ROSTER_MALFORMED),
        (roster.sign_removal(_later(), OTHER), Reason.ROSTER_SIGNATURE),
        (signed(header(roster.TYP, SERVER), _later().members(), OTHER), Reason.ROSTER_SIGNATURE),
    ],
)
def test_a_removal_that_the_server_did_not_sign_is_refused(text: str, reason: Reason) -> None:
    with expect_refusal(reason):
        roster.check_removal(text, _KEYS, _PINNED, NOW)
