"""Runs the vectors: a plain script that needs this library and nothing else.

`python tests/vectors/run.py spec/vectors` prints a line for each file and `N passed, N failed`; it ends with 1 where
anything differs from what a vector expects, or where a vector has a member that its kind does not know.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oneact.errors import Reason, Refusal
from oneact.log import checkpoint, evidence, proving, tree
from oneact.log import entry as log_entry
from oneact.protocol import (
    act,
    action,
    approval,
    base64url,
    canonical,
    client_assertion,
    display,
    dpop,
    ended,
    fitting,
    id_token,
    jwk,
    jws,
    offer,
    passkey,
    reading,
    receipt,
    roster,
    schema,
    terms,
    ticket,
    token,
)
from oneact.service import asking as asking_checks
from oneact.service import checks
from oneact.service import reads as read_checks

if TYPE_CHECKING:
    from collections.abc import Callable

Outcome = dict[str, Any]


def _canonical(json_hex: str) -> Outcome:
    return {"jcs": canonical.encode(canonical.parse(bytes.fromhex(json_hex))).decode()}


def _action(action: Any) -> Outcome:
    return {"digest": _parse_action(action).digest}


def _parse_action(document: Any) -> Any:
    return action.parse(document)


def _parameters(schema: Any, given: Any) -> Outcome:
    _check_schema(schema)
    filled = _fill(schema, given)
    _validate(schema, filled)
    return {"parameters": filled}


_check_schema, _fill, _validate = schema.check_schema, fitting.fill, fitting.validate


def _act(details: Any) -> Outcome:
    found = act.parse_details(details, Reason.ACT_MALFORMED)
    return {"digest": found.digest, "parameters_digest": found.parameters_digest}


def _display(action: Any, parameters: Any, terms: Any) -> Outcome:
    lines = display.render(_parse_action(action), parameters, terms)
    return {"lines": [list(line) for line in lines], "digest": display.digest(lines)}


def _item(aud: str, sub: str, txn: str, act: str, display: str) -> Outcome:
    return {"item": approval.item_hash(aud, sub, txn, act, display)}


def _statement(statement: Any) -> Outcome:
    found = approval.parse(statement)
    return {"challenge": base64url.encode(approval.challenge(approval.APPROVAL, found.members()))}


def _roster(signed: Any, pinned: Any, issuer: str, audience: str, subject: str) -> Outcome:
    found = roster.parse_signed(signed)
    if pinned is None:
        roster.check_first(found, issuer, audience, subject)
    else:
        roster.check_next(found, roster.parse(pinned))
    return {"seq": found.roster.seq}


def _removal(removal: str, jwks: Any, pinned: Any, now: int) -> Outcome:
    return {"seq": roster.check_removal(removal, jwk.parse_set(jwks), roster.parse(pinned), now).seq}


def _txn(  # noqa: PLR0917 - the inputs of the MAC
    keys_hex: list[str], txn: str, issuer: str, act_digest: str, sub: str, jkt: str, approved_at: int
) -> Outcome:
    terms.check([bytes.fromhex(key) for key in keys_hex], txn, issuer, act_digest, (sub, jkt), approved_at)
    return {"ok": True}


def _offer(offer: str, jwks: Any, audience: str, now: int) -> Outcome:
    found, parsed = _parse_offer(offer)
    _check_offer(found, parsed, jwk.parse_set(jwks), audience, now)
    return {"act_digest": found.act.digest}


_parse_offer, _check_offer = offer.parse, offer.check


def _asked(offer: str, sub: str, jkt: str, action: Any) -> Outcome:
    found, _ = _parse_offer(offer)
    _check_holder(found, sub, jkt)
    described = _parse_action(action)
    _check_action(found, described)
    lines = display.render(described, found.act.parameters or {}, found.act.terms)
    return {"display": display.digest(lines)}


_check_holder, _check_action = offer.check_holder, offer.check_action


def _token(token: str, jwks: Any) -> Outcome:
    found, parsed = _parse_token(token)
    jws.verify_with(parsed, jwk.parse_set(jwks), _TOKEN_FAULTS)
    return {"jti": found.jti}


_parse_token, _TOKEN_FAULTS = token.parse, token.FAULTS


def _proof(proof: str, htm: str, htu: str, now: int, token: str | None, nonces: list[str] | None) -> Outcome:
    return {"jkt": dpop.check(proof, htm, htu, now, token=token, nonces=nonces).jkt}


def _assertion(assertion: Any, credential: Any, challenge: str, rp_id: str, origins: list[str]) -> Outcome:
    found = passkey.parse_assertion(assertion)
    pinned = passkey.parse_credential(credential, Reason.ROSTER_MALFORMED)
    return {"counter": passkey.verify(found, pinned, base64url.decode(challenge), rp_id, origins)}


def _receipt(receipt: str, jwks: Any) -> Outcome:
    return {"status": _check_receipt(receipt, jwk.parse_set(jwks)).status}


_check_receipt = receipt.check


def _receipt_for(receipt: str, issuer: str, jti: str, act_digest: str) -> Outcome:
    found, _ = _parse_receipt(receipt)
    _check_receipt_for(found, issuer, jti, act_digest)
    return {"status": found.status}


_parse_receipt, _check_receipt_for = receipt.parse, receipt.check_for


def _ended(ended: str, jwks: Any) -> Outcome:
    return {"status": _check_ended(ended, jwk.parse_set(jwks)).status}


_check_ended = ended.check


def _gesture(tag: str, value: Any) -> Outcome:
    return {"challenge": base64url.encode(approval.challenge(tag, value))}


def _client_assertion(client_assertion: str, jwk: Any, audience: str, now: int) -> Outcome:
    found = _parse_assertion(client_assertion)
    _check_assertion(found, (_parse_key(jwk),), audience, now)
    return {"client_id": found.client_id}


_parse_assertion, _check_assertion, _parse_key = client_assertion.parse, client_assertion.check, jwk.parse_public


def _id_token(  # noqa: PLR0917 - what an ID token is held against
    id_token: str, jwks: Any, issuer: str, client_id: str, resource: str, nonce: str, now: int
) -> Outcome:
    return {"sub": _check_id_token(id_token, jwk.parse_set(jwks), issuer, client_id, resource, nonce, now).sub}


_check_id_token = id_token.check


def _ticket(ticket: str, jwks: Any, issuer: str, audience: str, now: int, late: int) -> Outcome:
    found = _check_ticket(ticket, jwk.parse_set(jwks), issuer, audience, now, late)
    return {"sub": found.sub, "pinned": found.pinned}


_check_ticket = ticket.check


def _check(request: Any, service: Any, account: Any, now: int) -> Outcome:
    """Make both halves of the service's checks, as one request meets them."""
    presented = checks.Presented(
        tuple(request["authorization"]),
        tuple(request["dpop"]),
        request["method"],
        request["htu"],
        _parse_action(request["action"]),
        request["parameters"],
    )
    trust = checks.Trust(
        service["resource"],
        tuple(bytes.fromhex(key) for key in service["txn_keys_hex"]),
        {issuer: jwk.parse_set(keys) for issuer, keys in service["issuers"].items()},
        service["nonces"],
    )
    held = checks.check_presented(presented, trust, now)
    linked = None if account is None else _account(account)
    return {"persons": list(checks.check_approved(held, trust, linked, now).persons)}


def _account(account: Any) -> checks.Account:
    approvers = tuple(checks.Approver(item["person"], roster.parse(item["roster"])) for item in account["approvers"])
    return checks.Account(account["id"], approvers)


def _asking(request: Any, issuer: str, service: Any, account: str | None, now: int) -> Outcome:
    """Make the checks of an asking token, as a request for an offer meets them."""
    shown = checks.Shown(tuple(request["authorization"]), tuple(request["dpop"]), request["method"], request["htu"])
    issuers = {known: jwk.parse_set(keys) for known, keys in service["issuers"].items()}
    trust = checks.Trust(service["resource"], (), issuers, service["nonces"])
    found, _ = asking_checks.check_asking(shown, issuer, trust, now)
    linked = None if account is None else checks.Account(account, ())
    asker = asking_checks.check_linked(found, linked)
    return {"account": asker.account, "sub": asker.sub, "jkt": asker.jkt}


def _read(request: Any, read: str, published: list[Any], service: Any, account: Any, now: int) -> Outcome:
    """Make the checks of a read token, as a request for one read meets them."""
    shown = checks.Shown(tuple(request["authorization"]), tuple(request["dpop"]), request["method"], request["htu"])
    issuers = {known: jwk.parse_set(keys) for known, keys in service["issuers"].items()}
    trust = checks.Trust(service["resource"], (), issuers, service["nonces"])
    reads = {item["read"]: reading.parse_read(item) for item in published}
    found, _, wanted = read_checks.check_read(shown, read, reads, trust, now)
    opened = read_checks.check_opened(found, wanted, read, reads, None if account is None else _account(account))
    return {"account": opened.account, "until": opened.until}


def _entry(entry: Any, salt: str) -> Outcome:
    found, octets = evidence.parse_entry(entry, Reason.LOG_MALFORMED), base64url.decode(salt)
    if len(octets) != log_entry.SALT_OCTETS:
        raise Refusal(Reason.LOG_MALFORMED, "salt")
    return {"commitment": log_entry.commitment(found, octets)}


def _checkpoint(note: str, key: str) -> Outcome:
    found = checkpoint.check(note, checkpoint.parse_verifier(key))
    return {"size": found.size, "root": base64url.encode(found.root)}


def _inclusion(leaf_hex: str, index: int, size: int, root: str, proof: list[str]) -> Outcome:
    leaf = tree.leaf_hash(bytes.fromhex(leaf_hex))
    tree.check_inclusion(leaf, index, size, [base64url.decode(item) for item in proof], base64url.decode(root))
    return {"ok": True}


def _consistency(old: int, old_root: str, new: int, new_root: str, proof: list[str]) -> Outcome:
    path = [base64url.decode(item) for item in proof]
    tree.check_consistency(old, base64url.decode(old_root), new, base64url.decode(new_root), path)
    return {"ok": True}


def _evidence(evidence: Any) -> Outcome:
    steps = proving.check(_parse_evidence(evidence))
    return {"steps": {step.name: step.reason.value if step.reason else step.result for step in steps}}


def _parse_evidence(value: Any) -> Any:
    return evidence.parse(value)


KINDS: dict[str, Callable[..., Outcome]] = {
    "canonical": _canonical,
    "entry": _entry,
    "checkpoint": _checkpoint,
    "inclusion": _inclusion,
    "consistency": _consistency,
    "evidence": _evidence,
    "action": _action,
    "parameters": _parameters,
    "act": _act,
    "display": _display,
    "item": _item,
    "statement": _statement,
    "roster": _roster,
    "removal": _removal,
    "txn": _txn,
    "offer": _offer,
    "asked": _asked,
    "token": _token,
    "proof": _proof,
    "assertion": _assertion,
    "receipt": _receipt,
    "receipt_for": _receipt_for,
    "ended": _ended,
    "gesture": _gesture,
    "client_assertion": _client_assertion,
    "id_token": _id_token,
    "ticket": _ticket,
    "check": _check,
    "asking": _asking,
    "read": _read,
}


def outcome(kind: str, vector: dict[str, Any]) -> Outcome:
    """Give what this implementation makes of a vector: `{"expect": …}` or `{"reason": …}`."""
    inputs = {name: value for name, value in vector.items() if name not in {"name", "expect", "reason"}}
    try:
        return {"expect": KINDS[kind](**inputs)}
    except Refusal as refusal:
        return {"reason": refusal.reason.value}


def differs(kind: str, vector: dict[str, Any]) -> str:
    """Say how the outcome differs from what the vector expects; an empty text where it does not."""
    if ("expect" in vector) == ("reason" in vector):
        return "a vector has to have either expect or reason"
    try:
        found = outcome(kind, vector)
    except TypeError as error:
        return f"the vector has other members than its kind: {error}"
    wanted = {name: vector[name] for name in ("expect", "reason") if name in vector}
    return "" if found == wanted else f"expected {wanted}, got {found}"


def main(folder: Path) -> int:
    """Run every file of a folder; give the exit status."""
    passed = failed = 0
    files = sorted(folder.glob("*.json"))
    for file in files:
        document = json.loads(file.read_text())
        wrong = [(item["name"], why) for item in document["vectors"] if (why := differs(file.stem, item))]
        for name, why in wrong:
            print(f"{file.name}: {name}: {why}")  # noqa: T201 - a script prints
        print(f"{file.name}: {len(document['vectors'])} vectors")  # noqa: T201 - a script prints
        passed += len(document["vectors"]) - len(wrong)
        failed += len(wrong)
    missing = KINDS.keys() - {file.stem for file in files}
    if missing:
        print(f"no vectors for {sorted(missing)}")  # noqa: T201 - a script prints
    print(f"{passed} passed, {failed} failed")  # noqa: T201 - a script prints
    return 1 if failed or missing or not passed else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
