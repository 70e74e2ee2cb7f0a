"""Rows of checks 2 to 4: who signed the token, when it is good, and for which service."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from oneact.conformance import outcome
from oneact.conformance.fault import Fault, drop, put, shift, spoil, twice
from oneact.conformance.outcome import Skipped
from oneact.conformance.row import Group, Row, accepted, refusal
from oneact.errors import Reason
from oneact.testing import new_key

if TYPE_CHECKING:
    import httpx

    from oneact.conformance.person import Person
    from oneact.conformance.stage import Stage

_OTHER: Final = "https://other.example"
_HOST: Final = "evil.example"
_ERROR: Final = 400
_TRIES: Final = 5


def _hs256(person: Person, octets: bytes) -> bytes:
    """Sign with what everyone knows, as a verifier that takes the algorithm from the header would check it."""
    public = person.key.public.key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return hmac.digest(public, octets, hashlib.sha256)


def _expired_this_second(stage: Stage) -> None:
    """Show a token at the very second at which it expires: within one second of this clock, or once more."""
    wrong = Fault(statement=shift(iat=-30, exp=-30), claims=shift(iat=-30, exp=-30))
    for _ in range(_TRIES):
        began = stage.now()
        answer = stage.attempt(wrong)
        if stage.now() == began:
            return outcome.refused(answer, Reason.TOKEN_EXPIRED)
    raise Skipped("an answer takes longer than a second")


GROUP: Final = Group(
    "Check 2: the token's signature",
    (
        refusal("2.1", "typ", "a token of typ JWT", Reason.TOKEN_TYP, Fault(header=put(typ="JWT"))),
        refusal(
            "2.2", "alg none", "alg none and no signature", Reason.TOKEN_ALG,
            Fault(header=put(alg="none"), signed=lambda *_: b""),
        ),
        refusal(
            "2.3", "alg HS256", "alg HS256, an HMAC in place of the signature", Reason.TOKEN_ALG,
            Fault(header=put(alg="HS256"), signed=_hs256),
        ),
        refusal("2.4", "unknown alg", "alg XX256", Reason.TOKEN_ALG, Fault(header=put(alg="XX256"))),
        refusal(
            "2.5", "another alg than the key's", "alg EdDSA with the kid of an ES256 key", Reason.TOKEN_ALG,
            Fault(header=put(alg="EdDSA")),
        ),
        refusal(
            "2.6", "issuer not accepted", f"iss {_OTHER}, in token and statement", Reason.TOKEN_ISSUER,
            Fault(statement=put(iss=_OTHER), claims=put(iss=_OTHER)),
        ),
        refusal(
            "2.7", "unknown kid", "a kid that the issuer does not publish", Reason.TOKEN_KEY,
            Fault(header=put(kid="unknown")),
        ),
        refusal("2.8", "no kid", "no kid", Reason.TOKEN_KEY, Fault(header=drop("kid"))),
        refusal("2.9", "bad signature", "one character of the signature changed", Reason.TOKEN_SIGNATURE, Fault(token=spoil)),
        refusal(
            "2.10", "another's signature", "the published kid, the signature of another key", Reason.TOKEN_SIGNATURE,
            Fault(signed=lambda _, octets: new_key().sign(octets)),
        ),
        refusal("2.11", "crit", "a header with crit", Reason.TOKEN_MALFORMED, Fault(header=put(crit=["exp"]))),
        refusal(
            "2.12", "unknown member", "a claim that no token has", Reason.TOKEN_MALFORMED, Fault(claims=put(scope="all"))
        ),
        refusal("2.13", "missing member", "no jti", Reason.TOKEN_MALFORMED, Fault(claims=drop("jti"))),
        refusal(
            "2.14", "a member twice", "the payload names sub twice", Reason.TOKEN_MALFORMED,
            Fault(payload=twice("sub")),
        ),
        refusal(
            "2.15", "a fraction", "iat with a fraction", Reason.TOKEN_MALFORMED,
            Fault(payload=lambda right: b'.0,"iss"'.join(right.rsplit(b',"iss"', 1))),
        ),
        refusal("2.16", "two parts", "a token without its last part", Reason.TOKEN_MALFORMED, Fault(token=lambda text: text.rpartition(".")[0])),
        accepted(
            "2.17", "signed in EdDSA", "a right token, signed by the issuer's other key, in EdDSA",
            Fault(key=lambda person: person.second),
        ),
    ),
)  # fmt: skip

TIMES: Final = Group(
    "Check 3: the token's time",
    (
        refusal(
            "3.1", "issued in the future", "iat 20 s ahead, within the statement's time", Reason.TOKEN_NOT_YET_VALID,
            Fault(claims=shift(iat=20, exp=20)),
        ),
        Row(
            "3.2", "expired at the very second", "exp = now, iat 30 s ago, as the statement's",
            outcome.brief(Reason.TOKEN_EXPIRED), _expired_this_second,
        ),
        refusal(
            "3.3", "expired long ago", "iat an hour ago, as the statement's", Reason.TOKEN_EXPIRED,
            Fault(statement=shift(iat=-3600, exp=-3600), claims=shift(iat=-3600, exp=-3600)),
        ),
        refusal("3.4", "lives 31 s", "exp 31 s after iat", Reason.TOKEN_LIFETIME, Fault(claims=shift(exp=1))),
        refusal(
            "3.5", "exp = iat", "iat 4 s ahead and exp the same", Reason.TOKEN_LIFETIME,
            Fault(claims=shift(iat=4, exp=-26)),
        ),
        refusal(
            "3.6", "exp before iat", "iat 4 s ahead, exp 3 s ahead", Reason.TOKEN_LIFETIME,
            Fault(claims=shift(iat=4, exp=-27)),
        ),
        accepted("3.7", "clocks differ", "iat 3 s ahead, within the leeway of 5", Fault(claims=shift(iat=3, exp=3))),
    ),
)  # fmt: skip


def _play_host_and_aud(stage: Stage) -> None:
    """Name another service in token and Host: a guard that believes Host would take the token for its own."""
    at = urlsplit(stage.resource).scheme + "://" + _HOST + urlsplit(stage.resource).path
    wrong = Fault(claims=put(aud=at), fields=lambda right: [*right, ("Host", _HOST)])
    _refused_or_in_front(stage.attempt(wrong), Reason.TOKEN_AUDIENCE)


def _play_host_and_htu(stage: Stage) -> None:
    """Prove for another host and send it as Host: a guard that computes the address from Host would take the proof."""
    parts = urlsplit(stage.described.act_uri)
    wrong = Fault(
        proof_claims=put(htu=f"{parts.scheme}://{_HOST}{parts.path}"), fields=lambda right: [*right, ("Host", _HOST)]
    )
    _refused_or_in_front(stage.attempt(wrong), Reason.PROOF_HTU)


def _refused_or_in_front(answer: httpx.Response, reason: Reason) -> None:
    """Take the refusal of a server in front, which does not know the host, for as good as the guard's own."""
    if "reason" in outcome.body(answer) or answer.status_code < _ERROR:
        outcome.refused(answer, reason)


_HOSTS: Final = " or whatever a server in front says to an unknown host"
AUDIENCE: Final = Group(
    "Check 4: the token's service",
    (
        refusal("4.1", "another service", f"aud {_OTHER}", Reason.TOKEN_AUDIENCE, Fault(claims=put(aud=_OTHER))),
        refusal(
            "4.2", "aud with a slash", "the service's identifier with a final slash", Reason.TOKEN_AUDIENCE,
            Fault(claims=lambda right: {**right, "aud": right["aud"] + "/"}),
        ),
        refusal(
            "4.3", "aud an array", "an array of the service's identifier alone", Reason.TOKEN_MALFORMED,
            Fault(claims=lambda right: {**right, "aud": [right["aud"]]}),
        ),
        Row(
            "4.4", "Host and aud", f"aud of {_HOST}, and Host: {_HOST}", outcome.brief(Reason.TOKEN_AUDIENCE) + _HOSTS,
            _play_host_and_aud,
        ),
        Row(
            "4.5", "Host and htu", f"a proof for {_HOST}, and Host: {_HOST}", outcome.brief(Reason.PROOF_HTU) + _HOSTS,
            _play_host_and_htu,
        ),
    ),
)  # fmt: skip
