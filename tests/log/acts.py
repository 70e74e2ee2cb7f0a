"""Evidence of acts, made with software keys: whole, and bent in any one place."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from oneact.log import checkpoint, evidence, tiles, tree
from oneact.log.checkpoint import Checkpoint, Verifier
from oneact.log.entry import Entry, Kind, commitment
from oneact.log.evidence import Agent, Evidence, Logged
from oneact.protocol import base64url, canonical, display, ended, jws, offer, receipt, terms, token
from oneact.protocol.receipt import Receipt
from oneact.protocol.roster import SignedRoster
from oneact.protocol.token import Approval
from oneact.testing import InProcessApprover, TestAgent, new_key
from tests.protocol.flight import FLIGHT, PARAMETERS, TERMS
from tests.protocol.flight import one_act as flight_act

NOW = 1_800_000_000
LOG_KEY = Ed25519PrivateKey.from_private_bytes(b"l" * 32)
ORIGIN = "localhost:8400/log"


class Story:
    """One act from its offer to its end, with the log's entries; `evidence` gives the file."""

    def __init__(self) -> None:
        self.approver, self.agent, self.service = InProcessApprover(), TestAgent(), new_key()
        self.act = flight_act()
        self.resource = self.act.location
        approver = self.approver
        self.txn = terms.mint(b"k" * 32, b"r" * 16, NOW + 600, approver.issuer, self.act.digest)
        self.offer = offer.sign(
            offer.Offer(self.resource, approver.issuer, NOW, NOW + 600, "jti", self.txn, self.act, FLIGHT.intent),
            self.service,
        )
        self.lines = display.render(FLIGHT, PARAMETERS, TERMS)
        statement = approver.statement(self.act, FLIGHT, self.agent, NOW, self.txn)
        self.approval = Approval(statement, approver.passkey.get(statement.challenge()))
        claims = approver.token(self.act, self.agent, NOW, self.txn, self.approval)
        self.token = token.sign(claims, approver.key)
        self.signed: SignedRoster = approver.signed_roster(self.resource)
        self.receipt = self.make_receipt()
        self.ended = self.make_end()

    def make_receipt(self, **changes: Any) -> str:
        jti = token.parse(self.token)[0].jti
        said = Receipt(
            self.resource, self.approver.issuer, self.approver.sub, self.txn, jti, self.act.digest, NOW + 5, "executed"
        )
        return receipt.sign(replace(said, **changes), self.service)

    def make_end(self, **changes: Any) -> str:
        claims = {
            "iss": self.approver.issuer, "aud": self.agent.client_id, "sub": self.approver.sub,
            "resource": self.resource, "txn": self.txn, "status": "denied", "iat": NOW, **changes,
        }  # fmt: skip
        return jws.sign(claims, ended.TYP, self.approver.key)

    def told(self, *kinds: Kind) -> list[Entry]:
        """Give the log's entries of these kinds, in this order, as the server writes them."""
        contents: dict[Kind, dict[str, Any]] = {
            Kind.SERVICE_LINKED: {"service": self.resource, **self.signed.members()},
            Kind.ASKED: {
                "service": self.resource, "txn": self.txn, "act_digest": self.act.digest,
                "agent": {"client_id": self.agent.client_id, "jkt": self.agent.jkt},
            },
            Kind.SHOWN: {"display": display.digest(self.lines)},
            Kind.APPROVED: {"approvals": [self.approval.members()]},
            Kind.TOKEN_ISSUED: {"token": canonical.sha256(self.token.encode())},
            Kind.RECEIPT: {"receipt": self.receipt},
            Kind.DENIED: {"statement": self.ended},
        }  # fmt: skip
        linked = {Kind.SERVICE_LINKED: ""}
        return [Entry(kind, NOW, "account", linked.get(kind, "request"), contents[kind]) for kind in kinds]

    def executed(self) -> Evidence:
        """Give the evidence of an act that was approved and executed."""
        told = self.told(Kind.SERVICE_LINKED, Kind.ASKED, Kind.SHOWN, Kind.APPROVED, Kind.TOKEN_ISSUED, Kind.RECEIPT)
        return self.evidence(told)

    def denied(self) -> Evidence:
        """Give the evidence of an act that was denied."""
        told = self.told(Kind.ASKED, Kind.SHOWN, Kind.DENIED)
        return replace(
            self.evidence(told),
            approvals=(),
            roster=None,
            vouched=None,
            token=None,
            receipt=None,
            ended=self.ended,
        )

    def evidence(self, told: list[Entry]) -> Evidence:
        """Give evidence with these entries, among others in the log."""
        logged, note = in_a_log(told)
        approver = self.approver
        return Evidence(
            issuer=approver.issuer,
            resource=self.resource,
            sub=approver.sub,
            txn=self.txn,
            agent=Agent(self.agent.client_id, self.agent.jkt),
            action=FLIGHT,
            act=self.act,
            lines=self.lines,
            offer=self.offer,
            approvals=(self.approval,),
            roster=self.signed.roster,
            vouched=self.signed.webauthn,
            token=self.token,
            ended=None,
            receipt=self.receipt,
            entries=logged,
            checkpoint=note,
            server_keys={approver.key.public.thumbprint: approver.key.public},
            service_keys={self.service.public.thumbprint: self.service.public},
            log_key=Verifier(ORIGIN, LOG_KEY.public_key()),
        )


def in_a_log(told: list[Entry]) -> tuple[tuple[Logged, ...], str]:
    """Put entries into a log between others; give them with their proofs, and its checkpoint."""
    salts = [number.to_bytes(16, "big") for number in range(len(told))]
    commitments = [base64url.decode(commitment(entry, salt)) for entry, salt in zip(told, salts, strict=True)]
    held = [leaf for found in commitments for leaf in (b"x" * 32, found)] + [b"y" * 32] * 300
    edge: dict[int, bytes] = {}
    made = tiles.append(edge, 0, [tree.leaf_hash(leaf) for leaf in held])
    read = tiles.reader(lambda tile: made[tile.level, tile.number][: tile.width * 32], len(held))
    logged = tuple(
        Logged(2 * number + 1, salt, entry, tuple(tree.inclusion(read, 2 * number + 1, len(held))))
        for number, (entry, salt) in enumerate(zip(told, salts, strict=True))
    )
    return logged, checkpoint.sign(Checkpoint(ORIGIN, len(held), tiles.root_of_edge(edge)), LOG_KEY)


def members(found: Evidence) -> dict[str, Any]:
    """Give the file's members as fresh values that may be bent."""
    bent: dict[str, Any] = json.loads(canonical.encode(found.members()))
    return bent


def read(bent: dict[str, Any]) -> Evidence:
    """Read a bent file as whoever checks it does."""
    return evidence.parse(canonical.parse(json.dumps(bent).encode()))
