"""Rows of check 12: the receipt, and its way to the approval server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from oneact.conformance import outcome
from oneact.conformance.outcome import Failed, Skipped
from oneact.conformance.row import Group, Row
from oneact.errors import Reason, Refusal
from oneact.protocol import base64url, receipt
from oneact.testing import TestAgent

if TYPE_CHECKING:
    import httpx

    from oneact.conformance.making import Asked, Made
    from oneact.conformance.stage import Stage
    from oneact.protocol.receipt import Receipt

_FRESH: Final = 10  # seconds within which an outcome was known


def _act(stage: Stage) -> tuple[Asked, Made, httpx.Response]:
    asked = stage.ask()
    made = stage.approve(asked)
    return asked, made, outcome.executed(stage.show(asked, made))


def _read(stage: Stage, text: str) -> Receipt:
    try:
        return receipt.check(text, stage.keys)
    except Refusal as refusal:
        raise Failed("a receipt that verifies by a published key", str(refusal)) from refusal


def _signed(stage: Stage) -> None:
    _, _, answer = _act(stage)
    _read(stage, answer.headers["oneact-receipt"])


def _named(stage: Stage) -> None:
    asked, made, answer = _act(stage)
    found = _read(stage, answer.headers["oneact-receipt"])
    right = receipt.Receipt(
        stage.resource, stage.person.issuer, stage.person.sub, asked.txn, made.claims["jti"], made.act.digest, found.iat,
        "executed", found.result_digest,
    )  # fmt: skip
    outcome.same("a receipt", found.claims(), right.claims())
    outcome.holds("iat of this moment", str(found.iat), right=abs(found.iat - stage.now()) <= _FRESH)


def _digest(stage: Stage) -> None:
    _, _, answer = _act(stage)
    found = _read(stage, answer.headers["oneact-receipt"])
    try:
        salt = base64url.decode(answer.headers.get("oneact-result-salt", ""))
    except Refusal as refusal:
        raise Failed("OneAct-Result-Salt in base64url", str(refusal)) from refusal
    outcome.same("a salt of octets:", len(salt), 16)
    outcome.same("result_digest", found.result_digest, receipt.result_digest(salt, answer.content))


def _fetched(stage: Stage) -> None:
    """Fetch the receipt where this implementation keeps it; the protocol does not ask for such an address."""
    asked, made, answer = _act(stage)
    found = _fetch(stage, asked, made, stage.agent)
    if outcome.body(found).get("reason") in {None, Reason.ADDRESS_UNKNOWN.value} and found.status_code in {404, 405}:
        raise Skipped("the service has no such address, and the protocol asks for none")
    outcome.same("the receipt of the answer", outcome.body(found).get("receipt"), answer.headers["oneact-receipt"])
    outcome.refused(_fetch(stage, asked, made, TestAgent("https://agent.example/thief")), Reason.PROOF_BINDING)


def _fetch(stage: Stage, asked: Asked, made: Made, agent: TestAgent) -> httpx.Response:
    url = f"{stage.resource}/oneact/receipts/{asked.txn}"
    return stage.send("GET", url, stage.credentials("GET", url, made, agent=agent))


def _delivered(stage: Stage) -> None:
    asked, _, answer = _act(stage)
    came = stage.server.receipts.texts
    if not stage.server.wait_for(lambda: asked.txn in came, stage.patience):
        raise Failed(f"the receipt at the receipt_endpoint within {stage.patience:.0f} s", "nothing")
    outcome.same("the receipt of the answer", came[asked.txn][0], answer.headers["oneact-receipt"])
    outcome.same("content type", stage.server.receipts.kinds[-1].partition(";")[0], "application/jwt")


def _delivered_again(stage: Stage) -> None:
    """Answer 503 when the receipt comes first, and wait until it comes again."""
    asked = stage.ask()
    stage.server.receipts.busy[asked.txn] = 1
    answer = outcome.executed(stage.show(asked, stage.approve(asked)))
    came = stage.server.receipts.texts
    if not stage.server.wait_for(lambda: len(came.get(asked.txn, ())) > 1, stage.patience):
        times = len(came.get(asked.txn, ()))
        raise Failed(f"the receipt once more within {stage.patience:.0f} s of a 503", f"it came {times} times")
    outcome.same("the same receipt twice", came[asked.txn][:2], [answer.headers["oneact-receipt"]] * 2)


GROUP: Final = Group(
    "Check 12: the receipt",
    (
        Row("12.1", "signed", "a right request", "a receipt that verifies by a published key", _signed),
        Row("12.2", "of this act", "a right request", "a receipt that names service, issuer, person, txn, jti, act", _named),
        Row("12.3", "over the answer", "a right request", "result_digest over salt and body", _digest),
        Row(
            "12.4", "fetched", "GET /oneact/receipts/<txn> by the token's holder, then with another key's proof",
            f"the receipt; then {outcome.brief(Reason.PROOF_BINDING)}", _fetched,
        ),
    ),
)  # fmt: skip
DELIVERY: Final = Group(
    "Reconciliation",
    (
        Row("receipt.1", "delivered", "a right request", "the receipt at receipt_endpoint", _delivered),
        Row("receipt.2", "again after a 503", "503 to the receipt's first delivery", "the receipt once more", _delivered_again),
    ),
)  # fmt: skip
