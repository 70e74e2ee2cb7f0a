"""What one full check costs, as a multiple of three bare P-256 verifications in the same run.

Full check: 1 to 10 with six lines shown, one act, the agent's key seen before, the display rendered. The bare
verifications are those of the very same signatures. Both sides are timed in turns, so that a machine whose speed
drifts drifts for both; the last number printed is the median ratio.
"""

from __future__ import annotations

import hashlib
import statistics
import time
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from oneact.protocol import action, canonical, dpop, jws, terms, token
from oneact.service import checks
from oneact.testing import InProcessApprover, TestAgent, one_act

RESOURCE = "https://air.example"
NOW = 1_700_000_000
ROUNDS, CALLS = 60, 50
ES256 = ec.ECDSA(hashes.SHA256())
DOCUMENT = {
    "action": "book_flight",
    "schema": {
        "type": "object",
        "additionalProperties": False,
        "required": ["from", "to", "date"],
        "properties": {"from": {"type": "string"}, "to": {"type": "string"}, "date": {"type": "string"}},
    },
    "method": "POST",
    "path": "/bookings",
    "sources": {"from": "body", "to": "body", "date": "body"},
    "intent": "Book a flight",
    "summary": "Fly {/parameters/from} to {/parameters/to} on {/parameters/date}",
    "display": [
        {"pointer": "/parameters/from", "label": "From", "format": "text"},
        {"pointer": "/parameters/to", "label": "To", "format": "text"},
        {"pointer": "/parameters/date", "label": "Date", "format": "date"},
        {"pointer": "/terms/price", "label": "Price", "format": "money"},
        {"pointer": "/terms/carrier", "label": "Carrier", "format": "text"},
    ],
    "terms": {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "price": {
                "type": "object",
                "additionalProperties": False,
                "properties": {"amount": {"type": "string"}, "currency": {"type": "string"}},
            },
            "carrier": {"type": "string"},
        },
    },
    "reversible": False,
    "rule": {"approvers": 1, "requester_excluded": False},
}


def main() -> None:
    """Print the microseconds of both sides and their ratio."""
    approver, agent, key = InProcessApprover(), TestAgent(), b"k" * 32
    described = action.parse(canonical.parse(canonical.encode(DOCUMENT)))
    parameters = {"from": "SFO", "to": "NYC", "date": "2024-03-01"}
    stated = {"price": {"amount": "312.00", "currency": "USD"}, "carrier": "Example Air"}
    booked = one_act(RESOURCE, DOCUMENT, parameters, stated)
    txn = terms.mint(key, b"r" * 16, NOW + 600, approver.issuer, booked.digest)
    token_text = approver.approve_act(booked, described, agent, NOW, txn=txn)
    trust = checks.Trust(RESOURCE, (key,), {approver.issuer: {approver.key.public.thumbprint: approver.key.public}})
    account = checks.Account("1", (checks.Approver("p", approver.roster(RESOURCE)),))
    url = RESOURCE + "/bookings"
    shown = [agent.headers("POST", url, token_text, NOW) for _ in range(ROUNDS * CALLS)]
    requests = [
        checks.Presented((headers["Authorization"],), (headers["DPoP"],), "POST", url, described, parameters)
        for headers in shown
    ]
    verifications = [_verifications(request, approver, agent) for request in requests]

    full, bare = [], []
    for number in range(ROUNDS):
        start = time.perf_counter()
        for request in requests[number * CALLS : (number + 1) * CALLS]:
            checks.check_approved(checks.check_presented(request, trust, NOW), trust, account, NOW)
        middle = time.perf_counter()
        for three in verifications[number * CALLS : (number + 1) * CALLS]:
            for key, signature, data in three:
                key.verify(signature, data, ES256)
        full.append((middle - start) / CALLS * 1e6)
        bare.append((time.perf_counter() - middle) / CALLS * 1e6)
    print(f"one full check: {statistics.median(full):.1f} µs")
    print(f"three bare P-256 verifications: {statistics.median(bare):.1f} µs")
    print(f"{statistics.median(a / b for a, b in zip(full, bare, strict=True)):.2f}")


def _verifications(request: checks.Presented, approver: InProcessApprover, agent: TestAgent) -> list[Any]:
    """Give the three signatures of one request, ready for the bare verification: key, DER signature, octets."""
    found, token_jws = token.parse(request.authorization[0].removeprefix("DPoP "))
    proof_jws = jws.parse(request.dpop[0], dpop.TYP, dpop.FAULTS)
    asserted = token.parse_approvals(found)[0].webauthn
    signed = asserted.authenticator_data + hashlib.sha256(asserted.client_data_json).digest()
    return [
        (approver.key.public.key, _der(token_jws.signature), token_jws.signing_input),
        (agent.key.public.key, _der(proof_jws.signature), proof_jws.signing_input),
        (approver.passkey.private_key.public_key(), asserted.signature, signed),
    ]


def _der(signature: bytes) -> bytes:
    return encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))


if __name__ == "__main__":
    main()
