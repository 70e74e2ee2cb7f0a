"""Making what an agent shows: statement, assertion, token, proof and request, right but for one fault."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from oneact.protocol import approval, base64url, canonical, display, dpop, token

if TYPE_CHECKING:
    from collections.abc import Callable

    from oneact.conformance.fault import Fault, Members
    from oneact.conformance.person import Person
    from oneact.protocol.act import Act
    from oneact.protocol.action import Action
    from oneact.testing import TestAgent


@dataclass(frozen=True, slots=True)
class Asked:
    """What was offered: the text of the offer, its act and `txn`, the published action, the parameters sent."""

    text: str
    act: Act
    txn: str
    action: Action
    parameters: Members


@dataclass(frozen=True, slots=True)
class Made:
    """A token with the claims in it, and the act that its person approved."""

    text: str
    claims: Members
    act: Act


def make(person: Person, agent: TestAgent, asked: Asked, fault: Fault, now: int) -> Made:
    """Have the person approve what was offered, at second `now`, and give the token."""
    act, txn = fault.act(asked.act), fault.txn(asked.txn)
    statement = _statement(person, agent, asked.action, act, txn, fault, now)
    approvals = fault.approvals([_approval(person, statement, fault)])
    claims = fault.claims(
        {
            "iss": person.issuer, "sub": person.sub, "aud": person.resource, "client_id": agent.client_id,
            "iat": now, "exp": now + token.LIFETIME, "jti": secrets.token_urlsafe(16), "txn": txn,
            "cnf": {"jkt": agent.jkt}, "auth_time": now, "acr": "phrh", "amr": ["hwk", "user"],
            "authorization_details": fault.details(act.details(inline=act.fits_inline())), "approvals": approvals,
        }
    )  # fmt: skip
    key = fault.key(person)
    header = fault.header({"alg": key.alg, "kid": key.public.kid, "typ": token.TYP})
    signed = fault.signed
    sign = key.sign if signed is None else lambda octets: signed(person, octets)
    text = jws(header, fault.payload(canonical.encode(claims)), sign)
    return Made(fault.token(text), claims, act)


def prove(agent: TestAgent, fault: Fault, target: tuple[str, str], token_text: str, now: int, nonce: str) -> str:
    """Make the proof with which the agent shows a token; `target` is method and URL, `nonce` may be empty."""
    key = fault.proof_key(agent.key)
    claims = {
        "jti": secrets.token_urlsafe(12), "htm": target[0], "htu": target[1], "iat": now,
        "ath": canonical.sha256(token_text.encode()), **({"nonce": nonce} if nonce else {}),
    }  # fmt: skip
    header = fault.proof_header({"alg": key.alg, "typ": dpop.TYP, "jwk": key.public.members})
    return fault.proof(jws(header, canonical.encode(fault.proof_claims(claims)), key.sign))


def jws(header: Members, payload: bytes, sign: Callable[[bytes], bytes]) -> str:
    """Sign whatever header and payload there are."""
    text = base64url.encode(canonical.encode(header)) + "." + base64url.encode(payload)
    return text + "." + base64url.encode(sign(text.encode()))


def _statement(  # noqa: PLR0913, PLR0917 - the parts that an item names, and when
    person: Person, agent: TestAgent, action: Action, act: Act, txn: str, fault: Fault, now: int
) -> Members:
    lines = fault.display([list(line) for line in display.render(action, act.parameters or {}, act.terms)])
    item = fault.item(
        {"aud": person.resource, "sub": person.sub, "txn": txn, "act": act.digest, "display": canonical.digest(lines)}
    )
    return fault.statement(
        {
            "iss": person.issuer, "client_id": agent.client_id, "jkt": agent.jkt, "iat": now,
            "exp": now + approval.LIFETIME_ONE, "nonce": base64url.encode(secrets.token_bytes(16)),
            "acts": [approval.item_hash(**item)],
        }
    )  # fmt: skip


def _approval(person: Person, statement: Members, fault: Fault) -> Members:
    passkey = fault.passkey(person)
    challenge = fault.challenge(approval.challenge(approval.APPROVAL, statement))
    client_data = fault.client_data(passkey.client_data("webauthn.get", challenge))
    given = passkey.sign(fault.authenticator_data(passkey.authenticator_data()), client_data)
    return {"statement": statement, "webauthn": fault.assertion(given.members())}


def other_digest(name: str) -> str:
    """Give a digest of something else."""
    return base64url.encode(hashlib.sha256(name.encode()).digest())


def by_digest(details: list[Any]) -> list[Any]:
    """Give `authorization_details` that carry the parameters' digest in their place."""
    whole: Members = dict(details[0])
    if "parameters" in whole:
        whole["parameters_digest"] = canonical.digest(whole.pop("parameters"))
    return [whole]
