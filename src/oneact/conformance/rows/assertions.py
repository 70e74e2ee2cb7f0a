"""Rows of check 10: a pinned passkey signed that statement, with the person there and verified."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from oneact.conformance.fault import Fault, put
from oneact.conformance.row import Group, Row, accepted, refusal
from oneact.errors import Reason
from oneact.protocol import approval, canonical

if TYPE_CHECKING:
    from collections.abc import Callable

    from oneact.conformance.fault import Members
    from oneact.protocol.canonical import Json

_UP, _UV, _AT, _ED = 0x01, 0x04, 0x40, 0x80
_FLAGS: Final = 32


def _data(number: str, name: str, sent: str, reason: Reason, change: Callable[[bytes], bytes]) -> Row:
    """Give a row about client data that the passkey signs."""
    return refusal(number, name, sent, reason, Fault(client_data=change))


def _member(**members: Json) -> Callable[[bytes], bytes]:
    """Put members into client data, the others in their order."""

    def changed(data: bytes) -> bytes:
        found = canonical.parse(data)
        return canonical.encode({**found, **members}) if isinstance(found, dict) else data

    return changed


def _without(name: str) -> Callable[[bytes], bytes]:
    def changed(data: bytes) -> bytes:
        found = canonical.parse(data)
        return canonical.encode({key: found[key] for key in found if key != name}) if isinstance(found, dict) else data

    return changed


def _second_origin(data: bytes) -> bytes:
    """Name the origin twice, first another one: a reader that takes the last one sees nothing wrong."""
    return b'{"origin":"https://other.example",' + data[1:]


def _flags(*, clear: int = 0, raised: int = 0, after: bytes = b"") -> Callable[[bytes], bytes]:
    return lambda data: data[:_FLAGS] + bytes([data[_FLAGS] & ~clear | raised]) + data[_FLAGS + 1 :] + after


def _login(_: bytes) -> bytes:
    value: dict[str, Json] = {"iss": "https://approve.example", "nonce": "AAAAAAAAAAAAAAAAAAAAAA", "iat": 1}
    return approval.challenge(approval.LOGIN, value)


def _spoilt(right: Members) -> Members:
    """Change a character in the middle of the signature."""
    text = right["signature"]
    at = len(text) // 2
    return {**right, "signature": text[:at] + ("B" if text[at] == "A" else "A") + text[at + 1 :]}


GROUP: Final = Group(
    "Check 10: the assertion",
    (
        refusal(
            "10.1", "unpinned passkey", "the assertion of a passkey that is not pinned", Reason.PASSKEY_NOT_PINNED,
            Fault(passkey=lambda person: person.stranger),
        ),
        refusal(
            "10.2", "another passkey's signature", "a pinned credential_id, the signature of another passkey",
            Reason.ASSERTION_SIGNATURE, Fault(passkey=lambda person: person.impostor),
        ),
        _data("10.3", "type", "type webauthn.create", Reason.ASSERTION_TYPE, _member(type="webauthn.create")),
        refusal(
            "10.4", "another challenge", "the challenge of something else", Reason.ASSERTION_CHALLENGE,
            Fault(challenge=lambda _: hashlib.sha256(b"something else").digest()),
        ),
        refusal(
            "10.5", "a sign-in", "the gesture of a sign-in, by a pinned passkey", Reason.ASSERTION_CHALLENGE,
            Fault(challenge=_login),
        ),
        _data("10.6", "another origin", "origin https://other.example", Reason.ASSERTION_ORIGIN, _member(origin="https://other.example")),
        _data(
            "10.7", "origin with a slash", "the pinned origin and a slash", Reason.ASSERTION_ORIGIN,
            lambda data: data.replace(b'","crossOrigin"', b'/","crossOrigin"'),
        ),
        _data("10.8", "in a frame", "crossOrigin true", Reason.ASSERTION_CROSS_ORIGIN, _member(crossOrigin=True)),
        _data(
            "10.9", "topOrigin", "crossOrigin false and a topOrigin", Reason.ASSERTION_CROSS_ORIGIN,
            _member(topOrigin="https://other.example"),
        ),
        _data("10.10", "a member twice", "client data that names origin twice", Reason.ASSERTION_MALFORMED, _second_origin),
        _data("10.11", "no JSON", "client data that is no JSON", Reason.ASSERTION_MALFORMED, lambda data: data[:-1]),
        refusal(
            "10.12", "another RP ID", "the hash of another RP ID", Reason.ASSERTION_RP_ID,
            Fault(authenticator_data=lambda data: hashlib.sha256(b"other.example").digest() + data[32:]),
        ),
        refusal(
            "10.13", "person not present", "UP not set", Reason.ASSERTION_UP, Fault(authenticator_data=_flags(clear=_UP))
        ),
        refusal(
            "10.14", "person not verified", "UV not set", Reason.ASSERTION_UV, Fault(authenticator_data=_flags(clear=_UV))
        ),
        refusal(
            "10.15", "attested data", "AT set", Reason.ASSERTION_MALFORMED, Fault(authenticator_data=_flags(raised=_AT))
        ),
        refusal(
            "10.16", "trailing octets", "an octet more, without ED", Reason.ASSERTION_MALFORMED,
            Fault(authenticator_data=_flags(after=b"\xa0")),
        ),
        refusal(
            "10.17", "extensions missing", "ED set, and no octet more", Reason.ASSERTION_MALFORMED,
            Fault(authenticator_data=_flags(raised=_ED)),
        ),
        refusal(
            "10.18", "short authenticator data", "36 octets of authenticator data", Reason.ASSERTION_MALFORMED,
            Fault(authenticator_data=lambda data: data[:36]),
        ),
        refusal("10.19", "bad signature", "one character of the signature changed", Reason.ASSERTION_SIGNATURE, Fault(assertion=_spoilt)),
        refusal(
            "10.20", "signature no DER", "64 octets in place of the DER", Reason.ASSERTION_SIGNATURE,
            Fault(assertion=put(signature="A" * 86)),
        ),
        refusal(
            "10.21", "unknown member", "an assertion with a member that none has", Reason.ASSERTION_MALFORMED,
            Fault(assertion=put(user_handle="AA")),
        ),
        refusal(
            "10.22", "one of two fails", "a right approval beside one of an unpinned passkey", Reason.PASSKEY_NOT_PINNED,
            Fault(approvals=lambda right: [*right, {**right[0], "webauthn": {**right[0]["webauthn"], "credential_id": "AAAA"}}]),
        ),
        accepted("10.23", "unknown client data", "a member that no one knows yet", Fault(client_data=_member(other_keys="x"))),
        accepted("10.24", "no crossOrigin", "client data without crossOrigin", Fault(client_data=_without("crossOrigin"))),
        accepted(
            "10.25", "extensions", "ED set, and a map of extensions", Fault(authenticator_data=_flags(raised=_ED, after=b"\xa0"))
        ),
        accepted(
            "10.26", "counter at zero", "a signature counter lower than before",
            Fault(authenticator_data=lambda data: data[:33] + bytes(4)),
        ),
        accepted("10.27", "passkey in EdDSA", "a pinned Ed25519 passkey", Fault(passkey=lambda person: person.in_eddsa)),
        accepted("10.28", "passkey in RS256", "a pinned RSA passkey", Fault(passkey=lambda person: person.in_rs256)),
    ),
)  # fmt: skip
