"""Plays the specification's literal run: an agent is paired, a service linked, one act done, with fixed keys and times.

`python -m tests.spec.literal` writes `spec/literal.json` and puts the run into `spec/oneact.md` between its marks;
`python -m tests.spec.literal text` tells the run that stands in `spec/literal.json` once more, with its signatures.
Both also put the metadata of the run's two sides between marks of its own.
ECDSA signs differently each time, so this is run by hand; the tests check that what stands in the files is true.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from oneact.protocol import (
    act,
    action,
    approval,
    base64url,
    canonical,
    client_assertion,
    display,
    dpop,
    id_token,
    offer,
    receipt,
    terms,
    token,
)
from oneact.protocol.jwk import SigningKey
from oneact.protocol.passkey import parse_assertion
from oneact.protocol.receipt import Receipt
from oneact.protocol.roster import Roster, SignedRoster
from oneact.testing import SoftwarePasskey

ROOT = Path(__file__).resolve().parent.parent.parent
AIR, APPROVE = "https://air.example", "https://approve.example"
CLIENT_ID, AGENT_ID = AIR + "/oneact/client.json", "c-9f2k"
T = 1_772_000_000
PAIRED, LINKED = T - 7200, T - 3600
TXN_KEY = bytes(range(32))
DOCUMENT: dict[str, Any] = {
    "action": "book_flight",
    "schema": {
        "type": "object",
        "additionalProperties": False,
        "required": ["from", "to", "date"],
        "properties": {
            "from": {"type": "string", "pattern": "^[A-Z]{3}$"},
            "to": {"type": "string", "pattern": "^[A-Z]{3}$"},
            "date": {"type": "string", "format": "date"},
        },
    },
    "method": "POST",
    "path": "/bookings",
    "sources": {"from": "body", "to": "body", "date": "body"},
    "intent": "Book a flight",
    "summary": "Fly {/parameters/from} to {/parameters/to} on {/parameters/date}",
    "display": [
        {"pointer": "/terms/price", "label": "Price", "format": "money"},
        {"pointer": "/parameters/from", "label": "From", "format": "text"},
        {"pointer": "/parameters/to", "label": "To", "format": "text"},
        {"pointer": "/parameters/date", "label": "Date", "format": "date"},
    ],
    "terms": {
        "type": "object",
        "additionalProperties": False,
        "required": ["price"],
        "properties": {
            "price": {
                "type": "object",
                "additionalProperties": False,
                "required": ["amount", "currency"],
                "properties": {"amount": {"type": "string"}, "currency": {"type": "string"}},
            }
        },
    },
    "reversible": False,
    "rule": {"approvers": 1, "requester_excluded": False},
}  # fmt: skip
PARAMETERS: dict[str, Any] = {"from": "SFO", "to": "NYC", "date": "2026-03-01"}
STATED: dict[str, Any] = {"price": {"amount": "312.00", "currency": "USD"}}
BODY = canonical.encode({"reference": "F60B04", "price": "312.00 USD"}).decode()
SALT = bytes(range(16))
VERIFIER = base64url.encode(bytes(range(64, 96)))
STATE, NONCE = "s-4Hq", "m-8Zt"
NONCES = ("n-Pa1", "n-Xb1", "n-Xb2")  # of the minutes in which the server hands them out


def key(number: int) -> SigningKey:
    """Give a fixed key; its private half is the number itself, so it is nobody's."""
    return SigningKey(ec.derive_private_key(number, ec.SECP256R1()))


SERVICE, SERVER, AGENT = key(1001), key(1002), key(1003)


def passkey() -> SoftwarePasskey:
    """Give the person's passkey, which has not been used yet."""
    key_: Any = key(1004).key
    return SoftwarePasskey(
        "approve.example", APPROVE, credential_id=b"a passkey of Ada", key=key_, allow_foreign_origin_for_vectors=True
    )


def called(path: str, now: int, jti: str, nonce: str | None = NONCES[1]) -> dict[str, str]:
    """Give what an agent's call of the approval server carries: a client assertion and a proof."""
    return {
        "assertion": client_assertion.build(AGENT, AGENT_ID, APPROVE, now, "a" + jti),
        "proof": dpop.build(AGENT, "POST", APPROVE + path, now, "p" + jti, nonce=nonce),
    }


def gesture(signer: SoftwarePasskey, tag: str, value: Any) -> dict[str, Any]:
    """Give what a gesture of this kind signs and what the passkey gives."""
    challenge = approval.challenge(tag, value)
    return {
        "value": value,
        "challenge": base64url.encode(challenge),
        "webauthn": signer.get(challenge).members(),
    }


def pairing(signer: SoftwarePasskey) -> dict[str, Any]:
    """Play how the agent is registered and paired."""
    jkt = AGENT.public.thumbprint
    value = {
        "iss": APPROVE, "client_id": AGENT_ID, "jkt": jkt, "name": "Trip planner",
        "nonce": base64url.encode(bytes(range(48, 64))),
    }  # fmt: skip
    return {
        "registered without nonce": called("/oauth/register", PAIRED, "0", None)["proof"],
        "registered": called("/oauth/register", PAIRED, "1", NONCES[0])["proof"],
        "started": called("/oauth/device", PAIRED + 1, "2", NONCES[0]),
        "gesture": gesture(signer, approval.PAIR, value),
        "polled too early": called("/oauth/token", PAIRED + 6, "3", NONCES[0]),
        "polled": called("/oauth/token", PAIRED + 30, "4", NONCES[0]),
    }


def linking(signer: SoftwarePasskey, roster: Roster) -> dict[str, Any]:
    """Play how the person links the service."""
    vouched = gesture(signer, approval.ROSTER, roster.members())
    signed = SignedRoster(roster, parse_assertion(vouched["webauthn"]))
    claims = id_token.IdToken(APPROVE, CLIENT_ID, roster.sub, LINKED + 25, LINKED + 85, NONCE, LINKED + 10, signed)
    return {
        "pushed": client_assertion.build(SERVICE, CLIENT_ID, APPROVE, LINKED, "l1"),
        "gesture": vouched,
        "exchanged": client_assertion.build(SERVICE, CLIENT_ID, APPROVE, LINKED + 25, "l2"),
        "id token": id_token.sign(claims, SERVER),
    }


def run() -> dict[str, Any]:
    """Play all of it and give everything that is sent or signed on the way."""
    described = action.parse(DOCUMENT)
    booked = act.build(AIR, described.name, described.digest, PARAMETERS, STATED)
    txn = terms.mint(TXN_KEY, bytes(range(16, 32)), T + 600, APPROVE, booked.digest)
    offered = offer.sign(offer.Offer(AIR, APPROVE, T, T + 600, "oXo9uQ", txn, booked, "Book a flight"), SERVICE)
    lines = display.render(described, PARAMETERS, STATED)
    signer = passkey()
    roster = Roster(APPROVE, AIR, "p-7Yc1", "approve.example", (APPROVE,), 1, (signer.credential,))
    paired, linked = pairing(signer), linking(signer, roster)
    item = approval.item_hash(AIR, roster.sub, txn, booked.digest, display.digest(lines))
    jkt, decided = AGENT.public.thumbprint, T + 40
    statement = approval.Statement(
        APPROVE, AGENT_ID, jkt, decided, decided + 60, base64url.encode(bytes(range(32, 48))), (item,)
    )
    given = gesture(signer, approval.APPROVAL, statement.members())
    approvals = token.approvals_members([token.Approval(statement, parse_assertion(given["webauthn"]))])
    claims = token.ActionToken(
        APPROVE, roster.sub, AIR, AGENT_ID, decided + 2, decided + 32, "Hq3vXw", txn, jkt, decided, "phrh",
        ("hwk", "user"), booked.details(), approvals,
    )  # fmt: skip
    text = token.sign(claims, SERVER)
    told = Receipt(
        AIR, APPROVE, roster.sub, txn, claims.jti, booked.digest, decided + 4, "executed",
        receipt.result_digest(SALT, BODY.encode()),
    )  # fmt: skip
    asked = called("/oauth/transaction", T + 1, "6")
    return {
        "keys": {
            "service": SERVICE.public.public_jwk(),
            "approval server": SERVER.public.public_jwk(),
            "agent": AGENT.public.members,
            "txn key (hex)": TXN_KEY.hex(),
        },
        "pairing": paired,
        "linking": linked,
        "action": DOCUMENT,
        "action digest": described.digest,
        "parameters": PARAMETERS,
        "terms": STATED,
        "act digest": booked.digest,
        "txn": txn,
        "offer": offered,
        "asked with a stale nonce": called("/oauth/transaction", T + 1, "5", NONCES[0]),
        "client assertion": asked["assertion"],
        "proof to server": asked["proof"],
        "polled": called("/oauth/transaction", T + 2, "7"),
        "polled again": called("/oauth/transaction", T + 32, "8"),
        "lines": [list(line) for line in lines],
        "display digest": display.digest(lines),
        "item": item,
        "roster": roster.members(),
        "statement": statement.members(),
        "challenge": given["challenge"],
        "webauthn": given["webauthn"],
        "token": text,
        "proof to service": dpop.build(AGENT, "POST", AIR + "/bookings", decided + 3, "p9", token=text),
        "body": BODY,
        "salt": base64url.encode(SALT),
        "receipt": receipt.sign(told, SERVICE),
    }


def main(*, anew: bool) -> None:
    """Write the text, and, where the run is played `anew`, the values it tells."""
    from tests.spec import telling  # noqa: PLC0415 - it tells what is played here

    values = ROOT / "spec" / "literal.json"
    if anew:
        values.write_text(json.dumps(run(), indent=1, ensure_ascii=False) + "\n")
    telling.write(json.loads(values.read_text()))


if __name__ == "__main__":
    main(anew=sys.argv[1:] != ["text"])
