"""What one full check costs, as a multiple of three bare P-256 verifications in the same run.

Full check: 1 to 10 with six lines shown, one act, the agent's key seen before, the display rendered. Both sides are
timed in turns, so that a machine whose speed drifts drifts for both; the last number printed is the median ratio.
"""

from __future__ import annotations

import statistics
import time

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from oneact.protocol import action, canonical, terms
from oneact.service import checks
from oneact.testing import InProcessApprover, TestAgent, one_act

RESOURCE = "https://air.example"
NOW = 1_700_000_000
ROUNDS, CALLS = 60, 50
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
    private = ec.generate_private_key(ec.SECP256R1())
    public, algorithm, data = private.public_key(), ec.ECDSA(hashes.SHA256()), b"d" * 400
    signatures = [private.sign(data, algorithm) for _ in range(3)]

    full, bare = [], []
    for number in range(ROUNDS):
        start = time.perf_counter()
        for request in requests[number * CALLS : (number + 1) * CALLS]:
            checks.check_approved(checks.check_presented(request, trust, NOW), trust, account, NOW)
        middle = time.perf_counter()
        for _ in range(CALLS):
            for signature in signatures:
                public.verify(signature, data, algorithm)
        full.append((middle - start) / CALLS * 1e6)
        bare.append((time.perf_counter() - middle) / CALLS * 1e6)
    print(f"one full check: {statistics.median(full):.1f} µs")
    print(f"three bare P-256 verifications: {statistics.median(bare):.1f} µs")
    print(f"{statistics.median(a / b for a, b in zip(full, bare, strict=True)):.2f}")


if __name__ == "__main__":
    main()
