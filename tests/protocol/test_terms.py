from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneact.errors import Reason
from oneact.protocol import base64url, terms
from tests.protocol.flight import ISSUER, one_act
from tests.protocol.refusing import expect_refusal

_KEY, _NONCE, _EXP = bytes(range(32)), bytes(range(16)), 1_700_000_600
_HOLDER = ("person", "J" * 43)
_DIGEST = one_act().digest


def _txn(**changes: Any) -> str:
    parts: dict[str, Any] = {
        "key": _KEY, "nonce": _NONCE, "exp": _EXP, "issuer": ISSUER, "act_digest": _DIGEST, "holder": None,
    }  # fmt: skip
    return terms.mint(**(parts | changes))


def _check(txn: str, **changes: Any) -> None:
    parts: dict[str, Any] = {
        "keys": (_KEY,), "issuer": ISSUER, "act_digest": _DIGEST, "holder": _HOLDER, "approved_at": _EXP - 1,
    }  # fmt: skip
    terms.check(txn=txn, **(parts | changes))


@pytest.mark.parametrize("holder", [None, _HOLDER])
def test_a_txn_verifies_for_what_it_was_made_for(holder: tuple[str, str] | None) -> None:
    txn = _txn(holder=holder)
    assert len(txn) == 76
    _check(txn)
    _check(txn, keys=(bytes(32), _KEY))


def test_an_anonymous_txn_is_good_for_any_holder_and_a_named_one_for_its_own() -> None:
    for other in (("other", _HOLDER[1]), (_HOLDER[0], "K" * 43)):
        _check(_txn(), holder=other)
        with expect_refusal(Reason.TXN_FOREIGN):
            _check(_txn(holder=_HOLDER), holder=other)


@pytest.mark.parametrize(
    "change", [{"keys": ()}, {"keys": (bytes(32),)}, {"issuer": "https://other.example"}, {"act_digest": "B" * 43}]
)
def test_a_txn_for_anything_else_is_foreign(change: dict[str, Any]) -> None:
    with expect_refusal(Reason.TXN_FOREIGN):
        _check(_txn(), **change)


@given(st.integers(0, 56), st.integers(1, 255))
def test_no_octet_of_a_txn_can_be_changed(at: int, flip: int) -> None:
    octets = bytearray(base64url.decode(_txn()))
    octets[at] ^= flip
    changed = at == 0 and octets[0] > 1
    with expect_refusal(Reason.TXN_MALFORMED if changed else Reason.TXN_FOREIGN):
        _check(base64url.encode(bytes(octets)))


def test_a_txn_expires_at_its_very_second() -> None:
    _check(_txn(), approved_at=_EXP - 1)
    with expect_refusal(Reason.TXN_EXPIRED):
        _check(_txn(), approved_at=_EXP)


@pytest.mark.parametrize(
    "txn", ["", "A", _txn() + "AAAA", _txn()[:-4], _txn() + "\n", base64url.encode(b"\x02" + bytes(56)), "=" * 76]
)
def test_what_is_no_txn_is_refused(txn: str) -> None:
    with expect_refusal(Reason.TXN_MALFORMED):
        _check(txn)


def test_a_nonce_of_another_length_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="16 octets"):
        _txn(nonce=b"short")
