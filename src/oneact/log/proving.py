"""What a file of evidence proves, in nine numbered steps, with nothing but the file.

 1. Offer: the service stated this act and its terms, for this approval server.
 2. Display: the lines follow from action and act alone; nothing was shown that was not signed.
 3. Statement: it names this act, at this service, for this account and this agent's key.
 4. Passkey: a passkey of the roster signed the statement; a passkey vouched for the roster.
 5. Token: the approval server made it, of this approval, for this act, within the statement's time.
 6. Receipt: the service says what became of this very act and token.
 7. End: the approval server's word that the act was denied, taken back, or not decided in time.
 8. Log: the checkpoint is the log's, and every entry is in its tree.
 9. Story: what the entries say is what the documents are.

A step that fails does not keep the others from being looked at. Keys are the file's own unless the one who checks names
those that they expect.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from oneact.errors import Reason, Refusal
from oneact.log import checkpoint, tree
from oneact.log.entry import Kind, commitment
from oneact.protocol import approval, base64url, canonical, display, ended, jws, offer, passkey, receipt, roster, token
from oneact.protocol.roster import SignedRoster

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from oneact.log.evidence import Evidence
    from oneact.protocol.canonical import Json
    from oneact.protocol.token import Approval

_ROSTERS: Final = (Kind.SERVICE_LINKED, Kind.ROSTER_CHANGED)
_MISMATCH: Final = Reason.EVIDENCE_MISMATCH


class Step(NamedTuple):
    """The outcome of one step: `absent` where the file has nothing of it; `reason` where it failed."""

    number: int
    name: str
    result: Literal["passed", "failed", "absent"]
    reason: Reason | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Expected:
    """Keys that the one who checks knows from elsewhere; an empty set takes any key, as the file's own word.

    `server` and `service` are thumbprints (RFC 7638), `log` verifier lines, `passkeys` base64url(SHA-256(public key)).
    """

    server: Collection[str] = field(default_factory=frozenset)
    service: Collection[str] = field(default_factory=frozenset)
    log: Collection[str] = field(default_factory=frozenset)
    passkeys: Collection[str] = field(default_factory=frozenset)


def check(found: Evidence, expected: Expected | None = None) -> list[Step]:
    """Take all nine steps; gives the outcome of each, in their order."""
    wanted = expected or Expected()
    steps: list[tuple[str, object, Callable[[Evidence, Expected], None]]] = [
        ("offer", found.offer, _offer),
        ("display", found.lines, _display),
        ("statement", found.approvals, _statements),
        ("passkey", found.approvals, _passkeys),
        ("token", found.token, _token),
        ("receipt", found.receipt, _receipt),
        ("end", found.ended, _end),
        ("log", found.entries, _log),
        ("story", found.entries, _story),
    ]
    return [_taken(number, name, there, step, found, wanted) for number, (name, there, step) in enumerate(steps, 1)]


def _taken(
    number: int,
    name: str,
    there: object,
    step: Callable[[Evidence, Expected], None],
    found: Evidence,
    wanted: Expected,
) -> Step:
    if not there:
        return Step(number, name, "absent")
    try:
        step(found, wanted)
    except Refusal as refusal:
        return Step(number, name, "failed", refusal.reason, refusal.detail)
    return Step(number, name, "passed")


def _offer(found: Evidence, wanted: Expected) -> None:
    """Step 1."""
    stated, parsed = offer.parse(found.offer or "")
    jws.verify_with(parsed, found.service_keys, offer.FAULTS)
    _known(found.service_keys[parsed.header.kid or ""].thumbprint, wanted.service)
    _same("offer", (stated.iss, stated.aud, stated.txn), (found.resource, found.issuer, found.txn))
    _same("offered act", stated.act.digest, found.act.digest)


def _display(found: Evidence, _: Expected) -> None:
    """Step 2."""
    _same("action", found.act.action_digest, found.action.digest)
    _same("service of the act", found.act.location, found.resource)
    if found.act.parameters is None:
        raise Refusal(_MISMATCH, "the parameters are not whole")
    _same("lines", display.render(found.action, found.act.parameters, found.act.terms), found.lines)


def _statements(found: Evidence, _: Expected) -> None:
    """Step 3."""
    item = approval.item_hash(found.resource, found.sub, found.txn, found.act.digest, display.digest(found.lines))
    for given in found.approvals:
        said = given.statement
        named = (said.iss, said.client_id, said.jkt)
        _same("statement", named, (found.issuer, found.agent.client_id, found.agent.jkt))
        if item not in said.acts:
            raise Refusal(Reason.STATEMENT_ITEM, f"item {item} is not among those signed")
        limit = approval.lifetime_limit(len(said.acts), found.action.rule.approvers)
        if not 0 < said.exp - said.iat <= limit:
            raise Refusal(Reason.STATEMENT_LIFETIME, f"{said.exp - said.iat} s, at most {limit}")


def _passkeys(found: Evidence, wanted: Expected) -> None:
    """Step 4."""
    if found.roster is None:
        raise Refusal(Reason.PASSKEY_NOT_PINNED, "no roster")
    pinned = found.roster
    _same("roster", (pinned.iss, pinned.aud, pinned.sub), (found.issuer, found.resource, found.sub))
    if found.vouched is not None:
        _vouched(SignedRoster(pinned, found.vouched))
    for given in found.approvals:
        credential = pinned.credential(given.webauthn.credential_id)
        if credential is None:
            raise Refusal(Reason.PASSKEY_NOT_PINNED, f"credential {given.webauthn.credential_id!r}")
        _known(canonical.sha256(base64url.decode(credential.public_key)), wanted.passkeys)
        passkey.verify(given.webauthn, credential, given.statement.challenge(), pinned.rp_id, pinned.origins)


def _vouched(signed: SignedRoster) -> None:
    """Check that one of the roster's own passkeys vouched for it, as for a first roster.

    A later roster may have been vouched for by a passkey that it no longer names: that the file does not hold.
    """
    if signed.roster.credential(signed.webauthn.credential_id) is not None:
        roster.check_first(signed, signed.roster.iss, signed.roster.aud, signed.roster.sub)


def _token(found: Evidence, wanted: Expected) -> None:
    """Step 5."""
    made, parsed = token.parse(found.token or "")
    jws.verify_with(parsed, found.server_keys, token.FAULTS)
    _known(found.server_keys[parsed.header.kid or ""].thumbprint, wanted.server)
    _same("token", (made.iss, made.aud, made.sub, made.txn), (found.issuer, found.resource, found.sub, found.txn))
    _same("token's agent", (made.client_id, made.jkt), found.agent)
    _same("token's act", token.parse_act(made).digest, found.act.digest)
    approvals = token.parse_approvals(made)
    _same("token's approvals", approvals, found.approvals)
    if not all(_within(given, made.iat, made.exp) for given in approvals):
        raise Refusal(Reason.STATEMENT_TIME, "the token does not lie within the statement's time")


def _within(given: Approval, issued: int, until: int) -> bool:
    return given.statement.iat <= issued < until <= given.statement.exp


def _receipt(found: Evidence, wanted: Expected) -> None:
    """Step 6."""
    said, parsed = receipt.parse(found.receipt or "")
    jws.verify_with(parsed, found.service_keys, receipt.FAULTS)
    _known(found.service_keys[parsed.header.kid or ""].thumbprint, wanted.service)
    _same("receipt", (said.iss, said.aud, said.sub, said.txn), (found.resource, found.issuer, found.sub, found.txn))
    _same("receipt's act", said.act_digest, found.act.digest)
    if found.token is None:
        raise Refusal(_MISMATCH, "a receipt, but no token")
    _same("receipt's token", said.jti, token.parse(found.token)[0].jti)


def _end(found: Evidence, wanted: Expected) -> None:
    """Step 7."""
    said, parsed = ended.parse(found.ended or "")
    jws.verify_with(parsed, found.server_keys, ended.FAULTS)
    _known(found.server_keys[parsed.header.kid or ""].thumbprint, wanted.server)
    named = (said.iss, said.aud, said.resource, said.sub, said.txn)
    _same("end", named, (found.issuer, found.agent.client_id, found.resource, found.sub, found.txn))
    if found.receipt is not None or found.token is not None:
        raise Refusal(_MISMATCH, "a token or a receipt for an act that ended without")


def _log(found: Evidence, wanted: Expected) -> None:
    """Step 8."""
    _known(found.log_key.line(), wanted.log)
    point = checkpoint.check(found.checkpoint, found.log_key)
    for logged in found.entries:
        leaf = tree.leaf_hash(base64url.decode(commitment(logged.entry, logged.salt)))
        tree.check_inclusion(leaf, logged.leaf, point.size, logged.proof, point.root)


def _story(found: Evidence, _: Expected) -> None:
    """Step 9."""
    requests = {logged.entry.request for logged in found.entries if logged.entry.kind not in _ROSTERS}
    if len(requests) != 1 or len({logged.entry.account for logged in found.entries}) != 1:
        raise Refusal(_MISMATCH, "the entries are of several requests or accounts")
    told: dict[Kind, list[dict[str, Json]]] = {}
    for logged in found.entries:
        told.setdefault(logged.entry.kind, []).append(logged.entry.content)
    if len(told.get(Kind.ASKED, [])) != 1:
        raise Refusal(_MISMATCH, "the log does not say once that this was asked")
    asked = told[Kind.ASKED][0]
    said = tuple(asked.get(name) for name in ("service", "txn", "act_digest"))
    _same("what was asked", said, (found.resource, found.txn, found.act.digest))
    _same("who asked", asked.get("agent"), {"client_id": found.agent.client_id, "jkt": found.agent.jkt})
    if found.approvals and Kind.SHOWN not in told:
        raise Refusal(_MISMATCH, "approved, but never shown")
    for shown in told.get(Kind.SHOWN, []):
        _same("what was shown", shown.get("display"), display.digest(found.lines))
    if found.roster is not None:
        rosters = [content.get("roster") for kind in _ROSTERS for content in told.get(kind, [])]
        _same("the roster in the log", rosters, [found.roster.members()])
    members: list[Json] = [given.members() for given in found.approvals]
    _told(told.get(Kind.APPROVED, []), "approvals", members or None)
    digest = None if found.token is None else canonical.sha256(found.token.encode())
    _told(told.get(Kind.TOKEN_ISSUED, []), "token", digest)
    _told(told.get(Kind.RECEIPT, [])[-1:], "receipt", found.receipt)
    ends = [content for kind in (Kind.DENIED, Kind.EXPIRED, Kind.CANCELLED) for content in told.get(kind, [])]
    _told(ends, "statement", found.ended)


def _told(contents: list[dict[str, Json]], name: str, value: Json) -> None:
    """Refuse unless the log tells of `value` once, or not at all of what is not there."""
    _same(f"what the log says of the {name}", [content.get(name) for content in contents], _listed(value))


def _listed(value: Json) -> list[Json]:
    return [] if value is None else [value]


def _same(what: str, one: object, other: object) -> None:
    if one != other:
        raise Refusal(_MISMATCH, f"{what}: {one!r}, not {other!r}")


def _known(key: str, expected: Collection[str]) -> None:
    if expected and key not in expected:
        raise Refusal(Reason.EVIDENCE_KEY, f"{key!r} is none of those expected")
