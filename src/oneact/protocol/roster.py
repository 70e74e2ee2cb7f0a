"""The roster: which passkeys speak for a person at one service, signed by a passkey, pinned by the service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from oneact.errors import Reason, Refusal
from oneact.protocol import approval, form, jws, passkey

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oneact.protocol.canonical import Json
    from oneact.protocol.jwk import PublicKey, SigningKey
    from oneact.protocol.passkey import Assertion, Credential

TYP: Final = "oneact-roster+jwt"
MAX_OCTETS: Final = 64 * 1024
MAX_CREDENTIALS: Final = 32
MAX_ORIGINS: Final = 8
SEQ_AHEAD: Final = 300  # how far a server alone may raise `seq` above what is pinned and above the clock
_MEMBERS: Final = frozenset({"iss", "aud", "sub", "rp_id", "origins", "seq", "credentials"})
_FAULTS: Final = jws.Faults(
    Reason.ROSTER_MALFORMED,
    Reason.ROSTER_MALFORMED,
    Reason.ROSTER_MALFORMED,
    Reason.ROSTER_SIGNATURE,
    Reason.ROSTER_SIGNATURE,
)


@dataclass(frozen=True, slots=True)
class Roster:
    """A roster: `iss` the approval server, `aud` the service, `sub` the person's pairwise name there, `seq` from 1."""

    iss: str
    aud: str
    sub: str
    rp_id: str
    origins: tuple[str, ...]
    seq: int
    credentials: tuple[Credential, ...]

    def members(self) -> dict[str, Json]:
        """Give the roster as it stands on the wire and as it is signed."""
        return {
            "iss": self.iss,
            "aud": self.aud,
            "sub": self.sub,
            "rp_id": self.rp_id,
            "origins": list(self.origins),
            "seq": self.seq,
            "credentials": [credential.members() for credential in self.credentials],
        }

    def credential(self, credential_id: str) -> Credential | None:
        """Give the credential of that id, or None."""
        return next((found for found in self.credentials if found.id == credential_id), None)

    def challenge(self) -> bytes:
        """Give the 32 octets that a passkey signs to vouch for this roster."""
        return approval.challenge(approval.ROSTER, self.members())


@dataclass(frozen=True, slots=True)
class SignedRoster:
    """A roster with the assertion of the passkey that vouches for it."""

    roster: Roster
    webauthn: Assertion

    def members(self) -> dict[str, Json]:
        """Give the form in which an ID token or a roster update carries it."""
        return {"roster": self.roster.members(), "webauthn": self.webauthn.members()}


def parse(value: Json) -> Roster:
    """Read a roster whose members are exactly these; refuses `roster_malformed`.

    No roster is empty: with no passkey left nobody could ever sign the next one, or end the link.
    """
    reason = Reason.ROSTER_MALFORMED
    members = form.closed(value, reason, _MEMBERS)
    listed = members["credentials"]
    if not isinstance(listed, list) or not 0 < len(listed) <= MAX_CREDENTIALS:
        raise Refusal(reason, "credentials are not an array within its limits")
    credentials = tuple(passkey.parse_credential(item, reason) for item in listed)
    if len({credential.id for credential in credentials}) != len(credentials):
        raise Refusal(reason, "a credential stands twice")
    return Roster(
        iss=form.text(members["iss"], reason),
        aud=form.text(members["aud"], reason),
        sub=form.text(members["sub"], reason, 255),
        rp_id=form.text(members["rp_id"], reason, 253),
        origins=form.texts(members["origins"], reason, MAX_ORIGINS),
        seq=form.integer(members["seq"], reason),
        credentials=credentials,
    )


def parse_signed(value: Json) -> SignedRoster:
    """Read a roster with its assertion; refuses `roster_malformed` or `assertion_malformed`."""
    members = form.closed(value, Reason.ROSTER_MALFORMED, {"roster", "webauthn"})
    return SignedRoster(parse(members["roster"]), passkey.parse_assertion(members["webauthn"]))


def check_first(signed: SignedRoster, issuer: str, audience: str, subject: str) -> None:
    """Check the roster by which an account is linked: for these three, and vouched for by one of its own passkeys."""
    _check_names(signed.roster, issuer, audience, subject)
    _check_vouched(signed, signed.roster)


def check_next(signed: SignedRoster, pinned: Roster) -> None:
    """Check a later roster: for the same three, a higher `seq`, and vouched for by a passkey pinned before."""
    _check_succeeds(signed.roster, pinned)
    _check_vouched(signed, pinned)


def check_removal(text: str, keys: Mapping[str, PublicKey], pinned: Roster, now: int) -> Roster:
    """Check a roster that the approval server signed by itself: it may only remove passkeys. Give the roster.

    Whoever has stolen the server's key can neither take the last passkey nor use up the numbers: `seq` stays within
    300 of the larger of what is pinned and `now` (seconds). Refuses `roster_…`.
    """
    check_octets(len(text))
    parsed = jws.parse(text, TYP, _FAULTS)
    jws.verify_with(parsed, keys, _FAULTS)
    later = parse(parsed.claims)
    _check_succeeds(later, pinned)
    if later.seq > max(pinned.seq, now) + SEQ_AHEAD:
        raise Refusal(Reason.ROSTER_SEQ, f"seq {later.seq} after {pinned.seq} at {now}")
    _check_removes(later, pinned)
    return later


def check_claimed_removal(text: str, later: Roster, pinned: Roster | None) -> None:
    """Check of a removal all but its signature and time: that it is this roster, and takes passkeys off `pinned`.

    `pinned` is None where it is not known any more. For an audit, which does not have the server's keys of that day.
    """
    if parse(jws.parse(text, TYP, _FAULTS).claims) != later:
        raise Refusal(Reason.ROSTER_SIGNATURE, "another roster was signed")
    if pinned is not None:
        _check_succeeds(later, pinned)
        _check_removes(later, pinned)


def check_octets(octets: int) -> None:
    """Refuse a roster update, in either of its forms, that is larger than 64 KiB as it stands on the wire."""
    if octets > MAX_OCTETS:
        raise Refusal(Reason.ROSTER_MALFORMED, f"{octets} octets")


def sign_removal(later: Roster, key: SigningKey) -> str:
    """Sign, with the approval server's key, a roster that only removes passkeys."""
    return jws.sign(later.members(), TYP, key)


def _check_succeeds(later: Roster, pinned: Roster) -> None:
    _check_names(later, pinned.iss, pinned.aud, pinned.sub)
    if later.rp_id != pinned.rp_id or later.origins != pinned.origins:
        raise Refusal(Reason.ROSTER_RP_ID, "RP ID or origins differ from those pinned")
    if later.seq <= pinned.seq:
        raise Refusal(Reason.ROSTER_SEQ, f"seq {later.seq} after {pinned.seq}")


def _check_removes(later: Roster, pinned: Roster) -> None:
    if not set(later.credentials) < set(pinned.credentials):
        raise Refusal(Reason.ROSTER_NOT_SUBSET, "not a strict subset of what is pinned")


def _check_names(roster: Roster, issuer: str, audience: str, subject: str) -> None:
    if roster.iss != issuer:
        raise Refusal(Reason.ROSTER_ISSUER, f"iss {roster.iss!r}")
    if roster.aud != audience:
        raise Refusal(Reason.ROSTER_AUDIENCE, f"aud {roster.aud!r}")
    if roster.sub != subject:
        raise Refusal(Reason.ROSTER_SUBJECT, f"sub {roster.sub!r}")


def _check_vouched(signed: SignedRoster, pinned: Roster) -> None:
    credential = pinned.credential(signed.webauthn.credential_id)
    if credential is None:
        raise Refusal(Reason.ROSTER_UNPINNED, "signed by a passkey that is not pinned")
    try:
        passkey.verify(signed.webauthn, credential, signed.roster.challenge(), pinned.rp_id, pinned.origins)
    except Refusal as refusal:
        raise Refusal(Reason.ROSTER_SIGNATURE, str(refusal)) from refusal
