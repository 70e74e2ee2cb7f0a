"""Rows about the passkeys that a service has pinned: later rosters, removals, and the end of the link."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from oneact.conformance import making, outcome
from oneact.conformance.fault import Fault
from oneact.conformance.outcome import Failed, Skipped
from oneact.conformance.row import Group, Row, answered
from oneact.conformance.stage import UNLINK
from oneact.errors import Reason
from oneact.protocol import canonical, roster
from oneact.testing import new_key

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from oneact.conformance.stage import Stage
    from oneact.protocol.roster import Roster, SignedRoster

_NO_CONTENT: Final = 204


def _post(stage: Stage, content: bytes, kind: str) -> httpx.Response:
    client = outcome.body(stage.get(stage.client_id))
    address = client.get("oneact_roster_uri")
    if not isinstance(address, str):
        raise Failed("oneact_roster_uri in the client document", str(address))
    return stage.send("POST", address, [("Content-Type", kind)], content)


def _hand_over(stage: Stage, signed: SignedRoster) -> httpx.Response:
    return _post(stage, canonical.encode(signed.members()), "application/json")


def _pinned(stage: Stage, answer: httpx.Response, later: Roster) -> None:
    if answer.status_code != _NO_CONTENT:
        raise Failed("204", outcome.told(answer))
    stage.person.pinned = later


def _later(stage: Stage, seq: int = 1) -> Roster:
    """Give the pinned roster with a `seq` that is so much higher."""
    return replace(stage.person.pinned, seq=stage.person.pinned.seq + seq)


def _added(stage: Stage) -> None:
    """Hand over a roster with one more passkey, then have that one approve."""
    person = stage.person
    fresh = person.new_passkey()
    later = replace(_later(stage), credentials=(*person.pinned.credentials, fresh.credential))
    _pinned(stage, _hand_over(stage, person.vouched(later)), later)
    outcome.executed(stage.attempt(Fault(passkey=lambda _: fresh)))


def _same_again(stage: Stage) -> None:
    answer = _hand_over(stage, stage.person.vouched(stage.person.pinned))
    _pinned(stage, answer, stage.person.pinned)


def _vouched(change: Callable[[Stage], SignedRoster], *reasons: Reason) -> Callable[[Stage], None]:
    return lambda stage: outcome.refused(_hand_over(stage, change(stage)), *reasons)


def _lower(stage: Stage) -> SignedRoster:
    return stage.person.vouched(_later(stage, -1))


def _equal(stage: Stage) -> SignedRoster:
    """Give another roster under the number that is pinned."""
    return stage.person.vouched(replace(stage.person.pinned, credentials=stage.person.pinned.credentials[:1]))


def _by_stranger(stage: Stage) -> SignedRoster:
    """Add a passkey by that passkey's own word."""
    thief = stage.person.stranger
    later = replace(_later(stage), credentials=(*stage.person.pinned.credentials, thief.credential))
    return stage.person.vouched(later, thief)


def _by_impostor(stage: Stage) -> SignedRoster:
    return stage.person.vouched(_later(stage), stage.person.impostor)


def _of_another(stage: Stage) -> SignedRoster:
    return stage.person.vouched(replace(_later(stage), sub="nobody"))


def _for_another(stage: Stage) -> SignedRoster:
    return stage.person.vouched(replace(_later(stage), aud="https://other.example"))


def _elsewhere(stage: Stage) -> SignedRoster:
    later = _later(stage)
    return stage.person.vouched(replace(later, origins=(*later.origins, "https://other.example")))


def _empty(stage: Stage) -> SignedRoster:
    return stage.person.vouched(replace(_later(stage), credentials=()))


def _remove(stage: Stage, later: Roster) -> httpx.Response:
    return _post(stage, roster.sign_removal(later, stage.person.key).encode(), "application/jwt")


def _removal(change: Callable[[Stage], Roster], reason: Reason) -> Callable[[Stage], None]:
    return lambda stage: outcome.refused(_remove(stage, change(stage)), reason)


def _without_last(stage: Stage) -> Roster:
    later = _later(stage)
    if len(later.credentials) < 2:  # noqa: PLR2004 - one of two can be removed
        raise Skipped("one passkey alone is pinned")
    return replace(later, credentials=later.credentials[:-1])


def _with_stranger(stage: Stage) -> Roster:
    later = _later(stage)
    return replace(later, credentials=(*later.credentials[:1], stage.person.stranger.credential))


def _too_far(stage: Stage) -> Roster:
    return replace(_without_last(stage), seq=max(stage.person.pinned.seq, stage.now()) + roster.SEQ_AHEAD + 60)


def _forged(stage: Stage) -> None:
    """Sign a removal with another key, under the published kid."""
    header = {"alg": "ES256", "kid": stage.person.key.public.kid, "typ": roster.TYP}
    forged = making.jws(header, canonical.encode(_without_last(stage).members()), new_key().sign)
    outcome.refused(_post(stage, forged.encode(), "application/jwt"), Reason.ROSTER_SIGNATURE)


def _removed(stage: Stage) -> None:
    """Have the server remove the RSA passkey, then have that one approve."""
    later = _later(stage)
    kept = tuple(item for item in later.credentials if item != stage.person.in_rs256.credential)
    _pinned(stage, _remove(stage, replace(later, credentials=kept)), replace(later, credentials=kept))
    answer = stage.attempt(Fault(passkey=lambda person: person.in_rs256))
    outcome.refused(answer, Reason.PASSKEY_NOT_PINNED)


def _media(stage: Stage) -> None:
    signed = stage.person.vouched(_later(stage))
    outcome.refused(_post(stage, canonical.encode(signed.members()), "text/plain"), Reason.MEDIA_TYPE)


def _unlinked(stage: Stage) -> None:
    """Have the link itself ended by an approved act, then use a right token."""
    if UNLINK not in stage.published:
        raise Skipped(f"the service publishes no {UNLINK}")
    asked = stage.ask({"issuer": stage.person.issuer}, stage.published[UNLINK])
    late = stage.ask()
    outcome.executed(stage.show(asked, stage.approve(asked)))
    stage.linked = False
    outcome.refused(stage.attempt(asked=late), Reason.ACCOUNT_NOT_LINKED, Reason.TOKEN_ISSUER)


GROUP: Final = Group(
    "Rosters",
    (
        Row("roster.1", "a passkey added", "a higher seq, vouched for by a pinned passkey", "204, and the new one approves", _added),
        Row("roster.2", "the same again", "the roster that is pinned", "204", _same_again),
        answered("roster.3", "lower seq", "a lower seq", (Reason.ROSTER_SEQ,), _vouched(_lower, Reason.ROSTER_SEQ)),
        answered(
            "roster.4", "equal seq", "another roster with the pinned seq", (Reason.ROSTER_SEQ,),
            _vouched(_equal, Reason.ROSTER_SEQ),
        ),
        answered(
            "roster.5", "vouches for itself", "a new passkey added by its own gesture", (Reason.ROSTER_UNPINNED,),
            _vouched(_by_stranger, Reason.ROSTER_UNPINNED),
        ),
        answered(
            "roster.6", "another's signature", "a pinned credential_id, the signature of another passkey",
            (Reason.ROSTER_SIGNATURE,), _vouched(_by_impostor, Reason.ROSTER_SIGNATURE),
        ),
        answered(
            "roster.7", "another person", "a sub that is linked to no account", (Reason.ROSTER_SUBJECT,),
            _vouched(_of_another, Reason.ROSTER_SUBJECT),
        ),
        answered(
            "roster.8", "another service", "aud https://other.example", (Reason.ROSTER_AUDIENCE,),
            _vouched(_for_another, Reason.ROSTER_AUDIENCE),
        ),
        answered(
            "roster.9", "another origin", "one origin more", (Reason.ROSTER_RP_ID,),
            _vouched(_elsewhere, Reason.ROSTER_RP_ID),
        ),
        answered(
            "roster.10", "no passkey", "no credentials", (Reason.ROSTER_MALFORMED,), _vouched(_empty, Reason.ROSTER_MALFORMED)
        ),
        answered("roster.11", "media type", "a right roster as text/plain", (Reason.MEDIA_TYPE,), _media),
        answered(
            "roster.12", "server adds", "a passkey added by the server's signature alone", (Reason.ROSTER_NOT_SUBSET,),
            _removal(_with_stranger, Reason.ROSTER_NOT_SUBSET),
        ),
        answered(
            "roster.13", "server removes none", "the same passkeys by the server's signature alone",
            (Reason.ROSTER_NOT_SUBSET,), _removal(_later, Reason.ROSTER_NOT_SUBSET),
        ),
        answered(
            "roster.14", "number too far", "a removal with a seq 360 ahead of pinned and clock", (Reason.ROSTER_SEQ,),
            _removal(_too_far, Reason.ROSTER_SEQ),
        ),
        answered("roster.15", "forged removal", "a removal by another key", (Reason.ROSTER_SIGNATURE,), _forged),
        Row(
            "roster.16", "server removes", "a removal by the server's signature alone, then the removed passkey",
            f"204, then {outcome.brief(Reason.PASSKEY_NOT_PINNED)}", _removed,
        ),
    ),
)  # fmt: skip
END: Final = Group(
    "The end of the link",
    (
        Row(
            "unlink.1", "unlinked", f"{UNLINK}, approved, then a right token",
            f"executed, then {outcome.brief(Reason.ACCOUNT_NOT_LINKED, Reason.TOKEN_ISSUER)}", _unlinked,
        ),
    ),
)  # fmt: skip
