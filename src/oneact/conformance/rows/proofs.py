"""Rows of check 5: the proof."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ed25519

from oneact.conformance import making, outcome
from oneact.conformance.fault import Fault, drop, put, shift, spoil
from oneact.conformance.outcome import Failed, Skipped
from oneact.conformance.row import Group, Row, accepted, answered, refusal
from oneact.errors import Reason
from oneact.protocol.jwk import SigningKey
from oneact.testing import TestAgent, new_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from oneact.conformance.fault import Members
    from oneact.conformance.stage import Stage

_PROCESSES: Final = 8


def _other_host(right: Members) -> Members:
    parts = urlsplit(right["htu"])
    return {**right, "htu": f"{parts.scheme}://other.example{parts.path}"}


def _replayed(stage: Stage) -> None:
    """Show one proof again and again, with a token that a later check refuses, until it meets the same process."""
    wrong = Fault(passkey=lambda person: person.stranger)
    asked = stage.ask()
    made = stage.approve(asked, wrong)
    proof = dict(stage.credentials("POST", stage.described.act_uri, made))["DPoP"]
    once = Fault(proof=lambda _: proof)
    answer = stage.show(asked, made, once)
    outcome.refused(answer, Reason.PASSKEY_NOT_PINNED)
    for _ in range(_PROCESSES):
        answer = stage.show(asked, made, once)
        if outcome.body(answer).get("reason") != Reason.PASSKEY_NOT_PINNED.value:
            return outcome.refused(answer, Reason.PROOF_REPLAYED)
    raise Failed(outcome.wanted(Reason.PROOF_REPLAYED), f"{_PROCESSES} times {outcome.told(answer)}")


def _at(seconds: int) -> Callable[[Stage], None]:
    """Make a proof at another time, which counts where there is no nonce."""

    def play(stage: Stage) -> None:
        if stage.nonce:
            raise Skipped("the service asks for a DPoP-Nonce, which stands in place of the time")
        outcome.refused(stage.attempt(Fault(proof_claims=shift(iat=seconds))), Reason.PROOF_IAT)

    return play


def _nonce(value: str | None) -> Callable[[Stage], None]:
    """Put another nonce into the proof, or none; the refusal has to hand out a good one."""

    def play(stage: Stage) -> None:
        if not stage.nonce:
            raise Skipped("the service asks for no DPoP-Nonce")
        answer = stage.attempt(Fault(proof_claims=drop("nonce") if value is None else put(nonce=value)))
        outcome.refused(answer, Reason.PROOF_NONCE)
        outcome.holds("a DPoP-Nonce", "none", right=bool(answer.headers.get("dpop-nonce")))

    return play


def _agent_in_eddsa(stage: Stage) -> None:
    agent = TestAgent("https://agent.example/eddsa", SigningKey(ed25519.Ed25519PrivateKey.generate()))
    asked = stage.ask()
    outcome.executed(stage.show(asked, stage.approve(asked, agent=agent), agent=agent))


GROUP: Final = Group(
    "Check 5: the proof",
    (
        refusal("5.1", "typ", "a proof of typ JWT", Reason.PROOF_TYP, Fault(proof_header=put(typ="JWT"))),
        refusal("5.2", "alg none", "alg none", Reason.PROOF_ALG, Fault(proof_header=put(alg="none"))),
        refusal(
            "5.3", "another alg than the key's", "alg EdDSA with a P-256 key", Reason.PROOF_ALG,
            Fault(proof_header=put(alg="EdDSA")),
        ),
        refusal(
            "5.4", "private key", "a jwk with the member d", Reason.PROOF_KEY,
            Fault(proof_header=lambda right: {**right, "jwk": {**right["jwk"], "d": right["jwk"]["x"]}}),
        ),
        refusal("5.5", "no key", "no jwk", Reason.PROOF_KEY, Fault(proof_header=drop("jwk"))),
        refusal("5.6", "bad signature", "one character of the signature changed", Reason.PROOF_SIGNATURE, Fault(proof=spoil)),
        refusal("5.7", "another method", "htm GET", Reason.PROOF_HTM, Fault(proof_claims=put(htm="GET"))),
        refusal(
            "5.8", "another path", "htu with /other behind it", Reason.PROOF_HTU,
            Fault(proof_claims=lambda right: {**right, "htu": right["htu"] + "/other"}),
        ),
        refusal("5.9", "another host", "htu at other.example", Reason.PROOF_HTU, Fault(proof_claims=_other_host)),
        refusal(
            "5.10", "htu with a query", "htu with ?x=1 behind it", Reason.PROOF_HTU,
            Fault(proof_claims=lambda right: {**right, "htu": right["htu"] + "?x=1"}),
        ),
        refusal("5.11", "no ath", "no ath", Reason.PROOF_ATH, Fault(proof_claims=drop("ath"))),
        refusal(
            "5.12", "another token's ath", "the ath of another token", Reason.PROOF_ATH,
            Fault(proof_claims=put(ath=making.other_digest("another token"))),
        ),
        answered("5.13", "old", "iat 70 s ago", (Reason.PROOF_IAT,), _at(-70)),
        answered("5.14", "from the future", "iat 20 s ahead", (Reason.PROOF_IAT,), _at(20)),
        refusal(
            "5.15", "another key", "a right proof by another key than the token's cnf", Reason.PROOF_BINDING,
            Fault(proof_key=lambda _: new_key()),
        ),
        refusal("5.16", "no jti", "no jti", Reason.PROOF_MALFORMED, Fault(proof_claims=drop("jti"))),
        refusal("5.17", "long jti", "a jti of 129 characters", Reason.PROOF_MALFORMED, Fault(proof_claims=put(jti="j" * 129))),
        answered(
            "5.18", "replayed", "one proof twice, its token stopped at check 10 both times",
            (Reason.PROOF_REPLAYED,), _replayed,
        ),
        accepted("5.19", "55 s old", "iat 55 s ago", Fault(proof_claims=shift(iat=-55))),
        accepted("5.20", "further members", "a member that RFC 9449 does not name", Fault(proof_claims=put(extra="x"))),
        Row("5.21", "agent with EdDSA", "an agent whose key is Ed25519", "executed", _agent_in_eddsa),
        answered("5.22", "no nonce", "a proof without the nonce that was handed out", (Reason.PROOF_NONCE,), _nonce(None)),
        answered("5.23", "another nonce", "a nonce that was not handed out", (Reason.PROOF_NONCE,), _nonce("another")),
    ),
)  # fmt: skip
