"""Rows of checks 7 and 8: the service's own terms, and the account."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Final

from oneact.conformance import candidates, outcome
from oneact.conformance.fault import Fault, put
from oneact.conformance.outcome import Failed, Skipped
from oneact.conformance.row import Group, Row, answered, refusal
from oneact.errors import Reason
from oneact.protocol import base64url, canonical, offer

if TYPE_CHECKING:
    from collections.abc import Callable

    from oneact.conformance.making import Asked
    from oneact.conformance.stage import Stage
    from oneact.protocol.act import Act

_EXP: Final = slice(17, 25)  # of a txn's octets: the offer's end, behind one octet and sixteen random ones


def _with_terms(number: str, name: str, sent: str, reason: Reason, wrong: Fault) -> Row:
    """Give a row for an action with terms; at one without it is skipped."""

    def play(stage: Stage) -> None:
        _need_terms(stage)
        outcome.refused(stage.attempt(wrong), reason)

    return answered(number, name, sent, (reason,), play)


def _need_terms(stage: Stage) -> None:
    if not stage.with_terms:
        raise Skipped(f"{stage.action.name} has no terms")


def _without(right: Act) -> Act:
    return right._replace(terms=None, terms_digest=None)


def _stated(terms: dict[str, Any]) -> Callable[[Act], Act]:
    return lambda right: right._replace(terms=terms, terms_digest=canonical.digest(terms))


def _changed(right: Act) -> Act:
    return _stated(candidates.other_terms(dict(right.terms or {})))(right)


def _octets(change: Callable[[bytearray], object]) -> Callable[[str], str]:
    """Change octets of a `txn`."""

    def changed(txn: str) -> str:
        octets = bytearray(base64url.decode(txn))
        change(octets)
        return base64url.encode(bytes(octets))

    return changed


def _later(octets: bytearray) -> None:
    octets[_EXP] = (int.from_bytes(octets[_EXP], "big") + 3600).to_bytes(8, "big")


def _flipped(octets: bytearray) -> None:
    octets[-1] ^= 1


def _random(octets: bytearray) -> None:
    octets[1:17], octets[25:] = secrets.token_bytes(16), secrets.token_bytes(32)


def _shortened(octets: bytearray) -> None:
    del octets[16:]


def _set(value: int) -> Callable[[bytearray], None]:
    def put_in(octets: bytearray) -> None:
        octets[0] = value

    return put_in


def _of_another_act(stage: Stage) -> None:
    """Take the `txn` that the service stated for other parameters."""
    _need_terms(stage)
    other = _other_offer(stage)
    outcome.refused(stage.attempt(Fault(txn=lambda _: other.txn)), Reason.TXN_FOREIGN)


def _other_offer(stage: Stage) -> Asked:
    for name in stage.parameters:
        for value in candidates.others(stage.action, stage.parameters, name):
            parameters = {**stage.parameters, name: value}
            if outcome.body(stage.plain(parameters)).get("reason") == Reason.APPROVAL_REQUIRED.value:
                return stage.ask(parameters)
    raise Skipped(f"no other parameters of {stage.action.name} are known")


def _for_another_issuer(stage: Stage) -> None:
    """Take the `txn` of an offer that the service made to another approval server that it accepts."""
    _need_terms(stage)
    others = [issuer for issuer in stage.described.authorization_servers or () if issuer != stage.person.issuer]
    if not others:
        raise Skipped("the service lists no other approval server")
    answer = stage.post(stage.request_body(stage.parameters), ("Accept-Txn-Challenge", f'?1;as="{others[0]}"'))
    text = outcome.body(answer).get("transaction_challenge")
    if not isinstance(text, str):
        raise Failed(f"an offer to {others[0]}", outcome.told(answer))
    txn = offer.parse(text)[0].txn
    outcome.refused(stage.attempt(Fault(txn=lambda _: txn)), Reason.TXN_FOREIGN)


def _expired(stage: Stage) -> None:
    """Sign the statement at the second at which the offer ends."""
    _need_terms(stage)
    asked = stage.ask()
    end = int.from_bytes(base64url.decode(asked.txn)[_EXP], "big")
    wrong = Fault(statement=put(iat=end, exp=end + 60))
    outcome.refused(stage.attempt(wrong, asked), Reason.TXN_EXPIRED)


def _unexpected(stage: Stage) -> None:
    """Put terms into an act whose action has none."""
    asked = stage.ask_without_terms()
    terms = {"price": {"amount": "1.00", "currency": "USD"}}
    outcome.refused(stage.attempt(Fault(act=_stated(terms)), asked), Reason.TERMS_UNEXPECTED)


def _any_txn(stage: Stage) -> None:
    """Use an approval server's own `txn`, as where an agent asked it first."""
    asked = stage.ask_without_terms()
    answer = stage.attempt(Fault(txn=lambda _: base64url.encode(secrets.token_bytes(16))), asked)
    if asked.action is stage.action:
        outcome.executed(answer)
    outcome.holds("an answer with OneAct-Receipt", outcome.told(answer), right="oneact-receipt" in answer.headers)


GROUP: Final = Group(
    "Check 7: the terms",
    (
        _with_terms("7.1", "no terms", "an act without the terms of its action", Reason.TERMS_MISSING, Fault(act=_without)),
        _with_terms(
            "7.2", "changed terms", "one value of the terms changed, all else made of it", Reason.TXN_FOREIGN,
            Fault(act=_changed),
        ),
        _with_terms(
            "7.3", "invented txn", "a txn in its form that the service never made", Reason.TXN_FOREIGN,
            Fault(txn=_octets(_random)),
        ),
        _with_terms("7.4", "forged txn", "the last bit of the txn flipped", Reason.TXN_FOREIGN, Fault(txn=_octets(_flipped))),
        _with_terms(
            "7.5", "prolonged txn", "the end in the txn moved by an hour", Reason.TXN_FOREIGN, Fault(txn=_octets(_later))
        ),
        _with_terms(
            "7.6", "txn says it names a person", "the txn's first octet 1 in place of 0", Reason.TXN_FOREIGN,
            Fault(txn=_octets(_set(1))),
        ),
        _with_terms(
            "7.7", "unknown form of txn", "the txn's first octet 2", Reason.TXN_MALFORMED, Fault(txn=_octets(_set(2)))
        ),
        _with_terms("7.8", "short txn", "a txn of 16 octets", Reason.TXN_MALFORMED, Fault(txn=_octets(_shortened))),
        answered(
            "7.9", "txn of another act", "the txn stated for other parameters", (Reason.TXN_FOREIGN,), _of_another_act
        ),
        answered(
            "7.10", "txn for another issuer", "the txn of an offer to another accepted approval server",
            (Reason.TXN_FOREIGN,), _for_another_issuer,
        ),
        answered(
            "7.11", "expired offer", "a statement from the second at which the offer ended", (Reason.TXN_EXPIRED,), _expired
        ),
        answered(
            "7.12", "terms where there are none", "terms in an act whose action has none", (Reason.TERMS_UNEXPECTED,),
            _unexpected,
        ),
        Row(
            "7.13", "no look into txn", "an act without terms, its txn the approval server's own", "executed", _any_txn
        ),
    ),
)  # fmt: skip
ACCOUNT: Final = Group(
    "Check 8: the account",
    (
        refusal(
            "8.1", "nobody's name", "a sub that is linked to no account, in item and token", Reason.ACCOUNT_NOT_LINKED,
            Fault(item=put(sub="nobody"), claims=put(sub="nobody")),
        ),
    ),
)  # fmt: skip
