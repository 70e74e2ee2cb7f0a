"""The service's checks, numbered as in the specification: two pure halves with the guard's look-ups between them.

 1. One `Authorization: DPoP`, one `DPoP` header, within their sizes: a Bearer replay of a stolen token fails here.
 2. Token: `typ`, allowed `alg`, accepted issuer, `kid`, signature: `none`, HS256 and forged tokens fail here.
 3. Token: `iat`, `exp` and a lifetime of at most 30 seconds: a yes does not work hours later.
 4. Token: `aud` is this service, from configuration, never from the Host header.
 5. Proof: its form, signature, method, URI, token hash, time or nonce, and that its key is the token's.
 6. The act recomputed from the request equals the token's: a changed, added or dropped parameter fails here.
 7. Terms: the service itself stated them, in an offer that was alive when the person approved.
 8. The person is linked to one local account.
 9. Statement: this issuer, agent, key and time, and an item that the service builds itself from what it would show.
10. Assertion: a pinned passkey of an approver signed that statement; a stolen signing key or database forges nothing.
11. and 12., spend and execution, are the guard's.

Codes: 1 to 4 `invalid_token`, 5 `invalid_dpop_proof` or `use_dpop_nonce`, 6 to 10 `insufficient_authorization`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from oneact.errors import Reason, Refusal
from oneact.protocol import act, approval, display, dpop, jws, passkey, terms, token
from oneact.protocol.asking import AskingToken
from oneact.protocol.read_token import ReadToken
from oneact.protocol.token import ActionToken

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from oneact.protocol.act import Act
    from oneact.protocol.action import Action
    from oneact.protocol.approval import Statement
    from oneact.protocol.canonical import Json
    from oneact.protocol.display import Line
    from oneact.protocol.dpop import Proof
    from oneact.protocol.jwk import PublicKey
    from oneact.protocol.passkey import Credential
    from oneact.protocol.roster import Roster
    from oneact.protocol.token import Approval

_SCHEME: Final = "dpop "
_T = TypeVar("_T", ActionToken, AskingToken, ReadToken)


@dataclass(frozen=True, slots=True)
class Presented:
    """What the guard read off one request.

    `authorization` and `dpop` hold every value of those header fields. `htu` is the request's URI without query, from
    configuration. `parameters` is the guard's own validated object, which the handler will get.
    """

    authorization: tuple[str, ...]
    dpop: tuple[str, ...]
    method: str
    htu: str
    action: Action
    parameters: dict[str, Json]


class Shown(NamedTuple):
    """A token and a proof as they came with a request: every value of the two fields, the method, the address."""

    authorization: tuple[str, ...]
    dpop: tuple[str, ...]
    method: str
    htu: str


@dataclass(frozen=True, slots=True)
class Trust:
    """What the service holds true by itself: its identifier, its offer keys, the accepted issuers' keys by `kid`.

    `nonces` are the DPoP nonces good at this moment, or None where the service asks for none.
    """

    resource: str
    txn_keys: tuple[bytes, ...]
    issuers: Mapping[str, Mapping[str, PublicKey]]
    nonces: Collection[str] | None = None


class Held(NamedTuple):
    """A token that its holder showed with a proof, for this very act; not yet known to be approved.

    `act` is the act that the request asks for, `digest` its act digest.
    """

    token: ActionToken
    act: Act
    digest: str
    proof: Proof
    action: Action
    parameters: dict[str, Json]


@dataclass(frozen=True, slots=True)
class Approver:
    """One person who may approve for an account, by a stable local name, with the roster that is pinned."""

    person: str
    roster: Roster


@dataclass(frozen=True, slots=True)
class Account:
    """A local account and its approvers."""

    id: str
    approvers: tuple[Approver, ...]


class Approved(NamedTuple):
    """An act that may be executed once: by whom it was approved, and the lines they were shown."""

    held: Held
    account: Account
    persons: tuple[str, ...]
    lines: tuple[Line, ...]


def check_presented(presented: Presented, trust: Trust, now: int) -> Held:
    """Make checks 1, 2, 4, 5 and 6 at second `now`.

    That the proof's `jti` is new in this process is the guard's to look up (check 5, `proof_replayed`).
    """
    found, proof = check_holder(presented.authorization, presented.dpop, presented.method, presented.htu, trust, now)
    requested = _check_act(found, presented, trust.resource)
    return Held(found, requested, requested.digest, proof, presented.action, presented.parameters)


def check_holder(
    authorization: tuple[str, ...], proofs: tuple[str, ...], method: str, htu: str, trust: Trust, now: int
) -> tuple[ActionToken, Proof]:
    """Make checks 1, 2, 4 and 5 alone, as for a receipt that the token's holder asks for."""
    return check_shown(token.parse, Shown(authorization, proofs, method, htu), trust, now)


def check_shown(parse: Callable[[str], tuple[_T, jws.Jws]], shown: Shown, trust: Trust, now: int) -> tuple[_T, Proof]:
    """Make checks 1, 2, 4 and 5 of a token of the one form that `parse` reads."""
    token_text, proof_text = _one_token_one_proof(shown.authorization, shown.dpop)
    found, parsed = parse(token_text)
    keys = trust.issuers.get(found.iss)
    if keys is None:
        raise Refusal(Reason.TOKEN_ISSUER, f"iss {found.iss!r}")
    taken = dpop.parse(proof_text)  # its form only, so that both signatures are verified one after the other, hot
    jws.verify_with(parsed, keys, token.FAULTS)
    if found.aud != trust.resource:
        raise Refusal(Reason.TOKEN_AUDIENCE, f"aud {found.aud!r}")
    proof = dpop.check_parsed(taken, shown.method, shown.htu, now, token=token_text, nonces=trust.nonces)
    if proof.jkt != found.jkt:
        raise Refusal(Reason.PROOF_BINDING, "another key than cnf.jkt")
    return found, proof


def check_approved(held: Held, trust: Trust, account: Account | None, now: int) -> Approved:
    """Make checks 3 and 7 to 10 at second `now`; `account` is the local account of (`iss`, `sub`), if there is one."""
    found = held.token
    check_time(found, now, token.LIFETIME)
    approvals = token.parse_approvals(found)
    _check_terms(held, trust, min(given.statement.iat for given in approvals))
    if account is None:
        raise Refusal(Reason.ACCOUNT_NOT_LINKED, f"iss {found.iss!r}, sub {found.sub!r}")
    lines = display.render(held.action, held.parameters, held.act.terms)
    item = approval.item_hash(trust.resource, found.sub, found.txn, held.digest, display.digest(lines))
    for given in approvals:
        _check_statement(given.statement, held, item)
    persons = {_check_assertion(given, found.iss, account.approvers) for given in approvals}
    _check_rule(persons, held)
    return Approved(held, account, tuple(sorted(persons)), lines)


def _one_token_one_proof(authorization: tuple[str, ...], proofs: tuple[str, ...]) -> tuple[str, str]:
    """Check 1."""
    if len(authorization) > 1:
        raise Refusal(Reason.AUTHORIZATION_REPEATED, f"{len(authorization)} values")
    credentials = authorization[0] if authorization else ""
    if credentials[: len(_SCHEME)].lower() != _SCHEME:
        raise Refusal(Reason.AUTHORIZATION_NOT_DPOP, "another scheme")
    if not proofs:
        raise Refusal(Reason.PROOF_MISSING, "no DPoP header")
    if len(proofs) > 1:
        raise Refusal(Reason.PROOF_REPEATED, f"{len(proofs)} values")
    token_text, proof_text = credentials[len(_SCHEME) :], proofs[0]
    if len(token_text) > token.MAX_OCTETS:
        raise Refusal(Reason.TOKEN_TOO_LARGE, f"{len(token_text)} octets")
    if len(proof_text) > dpop.MAX_OCTETS:
        raise Refusal(Reason.PROOF_TOO_LARGE, f"{len(proof_text)} octets")
    return token_text, proof_text


def check_time(found: ActionToken | AskingToken | ReadToken, now: int, limit: int) -> None:
    """Make check 3 of a token that may live `limit` seconds."""
    if found.iat > now + token.LEEWAY:
        raise Refusal(Reason.TOKEN_NOT_YET_VALID, f"iat {found.iat} at {now}")
    if now >= found.exp:
        raise Refusal(Reason.TOKEN_EXPIRED, f"exp {found.exp} at {now}")
    if not 0 < found.exp - found.iat <= limit:
        raise Refusal(Reason.TOKEN_LIFETIME, f"{found.exp - found.iat} s")


def _check_act(found: ActionToken, presented: Presented, resource: str) -> Act:
    """Check 6; digests are compared, never objects. Terms are the token's: check 7 holds them against the offer."""
    claimed = token.parse_act(found)
    action = presented.action
    requested = act.rebuild(claimed, resource, action.name, action.digest, presented.parameters)
    if not requested.names_the_same(claimed):
        raise Refusal(Reason.ACT_MISMATCH, f"act digest {requested.digest}, in the token {claimed.digest}")
    return requested


def _check_terms(held: Held, trust: Trust, approved_at: int) -> None:
    """Check 7: what is asked for follows from the action, not from the token."""
    if held.action.terms is None:
        if held.act.terms is not None:
            raise Refusal(Reason.TERMS_UNEXPECTED, "terms for an action without")
        return
    if held.act.terms is None:
        raise Refusal(Reason.TERMS_MISSING, "no terms for an action with")
    found = held.token
    terms.check(trust.txn_keys, found.txn, found.iss, held.digest, (found.sub, found.jkt), approved_at)


def _check_statement(statement: Statement, held: Held, item: str) -> None:
    """Check 9."""
    found = held.token
    if statement.iss != found.iss:
        raise Refusal(Reason.STATEMENT_ISSUER, f"iss {statement.iss!r}")
    if statement.client_id != found.client_id:
        raise Refusal(Reason.STATEMENT_CLIENT, f"client_id {statement.client_id!r}")
    if statement.jkt != found.jkt:
        raise Refusal(Reason.STATEMENT_KEY, f"jkt {statement.jkt!r}")
    if not statement.iat <= found.iat < found.exp <= statement.exp:
        raise Refusal(Reason.STATEMENT_TIME, f"{statement.iat} to {statement.exp}")
    limit = approval.lifetime_limit(len(statement.acts), held.action.rule.approvers)
    if statement.exp - statement.iat > limit:
        raise Refusal(Reason.STATEMENT_LIFETIME, f"{statement.exp - statement.iat} s, at most {limit}")
    if item not in statement.acts:
        raise Refusal(Reason.STATEMENT_ITEM, f"item {item} is not among them")


def _check_assertion(given: Approval, issuer: str, approvers: Sequence[Approver]) -> str:
    """Check 10 for one approval; gives the person."""
    approver, credential = pinned(given.webauthn.credential_id, issuer, approvers)
    passkey.verify(
        given.webauthn, credential, given.statement.challenge(), approver.roster.rp_id, approver.roster.origins
    )
    return approver.person


def pinned(credential_id: str, issuer: str, approvers: Sequence[Approver]) -> tuple[Approver, Credential]:
    """Give the pinned passkey of that id with its approver; refuses `passkey_not_pinned`."""
    for approver in approvers:
        credential = approver.roster.credential(credential_id) if approver.roster.iss == issuer else None
        if credential is not None:
            return approver, credential
    raise Refusal(Reason.PASSKEY_NOT_PINNED, f"credential {credential_id!r}")


def _check_rule(persons: Collection[str], held: Held) -> None:
    """Check 10, its end: the rule is met by distinct persons, the one who asked left out where it says so."""
    rule = held.action.rule
    asker = f"{held.token.iss} {held.token.sub}"
    counted = [person for person in persons if not (rule.requester_excluded and person == asker)]
    if len(counted) < rule.approvers:
        raise Refusal(Reason.RULE_NOT_MET, f"{len(counted)} of {rule.approvers}")
