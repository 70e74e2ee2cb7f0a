"""Makes the vectors of whole requests before the service's checks: `python -m tests.vectors.generate_check`.

By hand, as `tests.vectors.generate`: signatures differ each time. Each request has one thing wrong and nothing else: the
statement is over the very act and transaction that the token has, however broken they are. `test_isolation` holds it.
"""

from __future__ import annotations

import hmac
import itertools
from typing import TYPE_CHECKING, Any

from oneact.protocol import act, action, approval, base64url, display, dpop, terms, token
from oneact.testing import SoftwarePasskey
from tests.vectors.generate import (
    ADA,
    AGENT,
    AIR,
    APPROVE,
    BOB,
    BOOKED,
    DOCUMENT,
    DROP,
    EDWARDS,
    LINES,
    MALLORY,
    OWN_KEY,
    PARAMETERS,
    PLAIN,
    SERVER,
    STATED,
    STRANGER,
    TXN,
    TXN_KEY,
    File,
    T,
    booked,
    changed,
    given,
    hs256,
    item_of,
    jwks,
    passkey,
    proof,
    proof_claims,
    signed,
    statement,
    the_roster,
    token_claims,
)

if TYPE_CHECKING:
    from collections.abc import Callable

EVIL = "https://evil.example"


def a_check(**changes: Any) -> dict[str, Any]:
    """Give a whole request that every check passes, with changes to its parts."""
    claims = changes.pop("claims", None) or token_claims(**changes.pop("token", {}))
    text = changes.pop("text", None) or signed(
        claims, "at+jwt", changes.pop("signer", SERVER), **changes.pop("header", {})
    )
    shown = changes.pop("proof", None) or proof(text, **changes.pop("proof_changes", {}))
    vector: dict[str, Any] = {
        "request": {
            "authorization": [f"DPoP {text}"], "dpop": [shown], "method": "POST", "htu": AIR + "/bookings",
            "action": DOCUMENT, "parameters": PARAMETERS, **changes.pop("request", {}),
        },
        "service": {
            "resource": AIR, "txn_keys_hex": [TXN_KEY.hex()], "issuers": {APPROVE: jwks(SERVER, EDWARDS)}, "nonces": None,
            **changes.pop("service", {}),
        },
        "account": account_of(ADA),
        "now": T + 3,
    }  # fmt: skip
    return {**vector, **changes}


def account_of(someone: SoftwarePasskey, **roster: Any) -> dict[str, Any]:
    """Give an account with one approver."""
    found = the_roster(someone, **roster)
    return {"id": "ada", "approvers": [{"person": f"{found.iss} {found.sub}", "roster": found.members()}]}


def minted(wanted: act.Act, exp: int = T + 600, issuer: str = APPROVE, holder: Any = None, key: bytes = TXN_KEY) -> str:
    """Give the transaction of an offer."""
    return terms.mint(key, bytes(16), exp, issuer, wanted.digest, holder)


def approved(wanted: act.Act, txn: str | None = None, document: dict[str, Any] = DOCUMENT) -> dict[str, Any]:
    """Give what a token says of an act that was offered, shown and approved just as it is."""
    made = txn or minted(wanted)
    lines = display.render(action.parse(document), wanted.parameters or {}, wanted.terms)
    return {
        "txn": made,
        "authorization_details": wanted.details(),
        "approvals": [given(txn=made, act=wanted.digest, display=display.digest(lines))],
    }


def under(txn: str) -> dict[str, Any]:
    """Give a token's changes for another transaction, which the person has approved."""
    return {"token": {"txn": txn, "approvals": [given(txn=txn)]}}


def by(found: dict[str, Any]) -> dict[str, Any]:
    """Give a token's changes for one other approval."""
    return {"token": {"approvals": [found]}}


def an_act_with(member: str, value: Any) -> dict[str, Any]:
    """Give a token whose act differs from the request in one member; offer and approval are for the request."""
    return {"token": {"authorization_details": changed(BOOKED.details(), (0, member), value)}}


def around(limit: int, made: Callable[[int], str]) -> tuple[str, str]:
    """Give the longest of the texts that fits, and the next one, which is too long; `made` makes longer and longer."""
    fitting = ""
    for filled in itertools.count():
        found = made(filled)
        if len(found) > limit:
            return fitting, found
        fitting = found
    raise AssertionError


def a_long_token(filled: int) -> str:
    """Give a token that what informs only makes long."""
    half = filled // 2
    return signed(token_claims(amr=["hwk", "x" * (half + 1), "y" * (filled - half + 1)]), "at+jwt", SERVER)


def a_long_proof(text: str) -> Callable[[int], str]:
    """Give how long proofs of a token are made: a proof may have further members."""
    return lambda filled: proof(text, more="x" * filled)


def several(approvers: int, *, excluded: bool = False) -> dict[str, Any]:
    """Give the action with a rule of several persons."""
    return {**DOCUMENT, "rule": {"approvers": approvers, "requester_excluded": excluded}}


def with_rule(
    document: dict[str, Any], *people: SoftwarePasskey, beside: tuple[str, ...] = (), **changes: Any
) -> dict[str, Any]:
    """Give a request under another rule, approved by these people; their account has Ada, Bob and Mallory.

    `beside` are other items in the same statement.
    """
    described = action.parse(document)
    stated = STATED if described.terms else None
    wanted = act.build(AIR, described.name, described.digest, PARAMETERS, stated)
    txn = minted(wanted)
    lines = display.render(described, PARAMETERS, stated)
    item = item_of(txn=txn, act=wanted.digest, display=display.digest(lines))
    approvals = []
    for someone in people:
        found = statement(item, acts=[*beside, item], **changes)
        webauthn = someone.get(approval.challenge(approval.APPROVAL, found)).members()
        approvals.append({"statement": found, "webauthn": webauthn})
    rosters = [
        {"person": f"{APPROVE} p-{number}", "roster": the_roster(someone, sub=f"p-{number}").members()}
        for number, someone in enumerate((ADA, BOB, MALLORY), 1)
    ]
    claims = token_claims(txn=txn, authorization_details=wanted.details(), approvals=approvals)
    return a_check(claims=claims, request={"action": document}, account={"id": "team", "approvers": rosters})


def make_good(file: File) -> None:
    """Add what passes."""
    file.good("everything as it should be", **a_check())
    file.good("the token by EdDSA", **a_check(signer=EDWARDS))
    file.good("the last second", **a_check(now=T + 31, proof_changes={"iat": T + 31}))
    base = a_check()
    lower = base["request"]["authorization"][0].replace("DPoP", "dpop")
    file.good("the scheme in lower case", **{**base, "request": {**base["request"], "authorization": [lower]}})
    file.good("a token of almost 6 KiB", **a_check(text=around(token.MAX_OCTETS, a_long_token)[0]))
    text = signed(token_claims(), "at+jwt", SERVER)
    file.good("a proof of 2 KiB", **a_check(text=text, proof=around(dpop.MAX_OCTETS, a_long_proof(text))[0]))
    file.good("an action without terms", **with_rule(PLAIN, ADA))
    file.good("parameters by digest", **a_check(token={"authorization_details": BOOKED.details(inline=False)}))
    others = [f"{n:043d}" for n in range(19)]
    file.good("one of a batch of twenty", **a_check(**by(given(acts=[*others, item_of()], exp=T + 120))))
    file.good("two of two persons", **with_rule(several(2), ADA, BOB, exp=T + 600))
    file.good("three of three persons", **with_rule(several(3), ADA, BOB, MALLORY))
    file.good("another person than the one who asked", **with_rule(several(1, excluded=True), BOB))
    named = minted(BOOKED, holder=("p-1", AGENT.public.thumbprint))
    file.good("an offer that names this person and agent", **a_check(**under(named)))
    older = minted(BOOKED, key=bytes(32))
    file.good(
        "an offer by the key before", **a_check(**under(older), service={"txn_keys_hex": [TXN_KEY.hex(), "00" * 32]})
    )
    file.good("unknown members of client data", **a_check(**by(_client_data(other="x"))))


def make_of_the_request(file: File) -> None:
    """Add one good token and proof before requests that are not theirs."""
    text = signed(token_claims(), "at+jwt", SERVER)
    shown = proof(text)
    tokens, long = [f"DPoP {text}"], around(token.MAX_OCTETS, a_long_token)[1]
    for name, reason, request in [
        ("no token", "authorization_not_dpop", {"authorization": []}),
        ("as Bearer", "authorization_not_dpop", {"authorization": [f"Bearer {text}"]}),
        ("two tokens", "authorization_repeated", {"authorization": tokens * 2}),
        ("no proof", "proof_missing", {"dpop": []}),
        ("two proofs", "proof_repeated", {"dpop": [shown] * 2}),
        ("a token over 6 KiB", "token_too_large", {"authorization": [f"DPoP {long}"], "dpop": [proof(long)]}),
        ("a proof over 2 KiB", "proof_too_large", {"dpop": [around(dpop.MAX_OCTETS, a_long_proof(text))[1]]}),
        ("another method", "proof_htm", {"method": "PUT"}),
        ("another address", "proof_htu", {"htu": AIR + "/oneact/act"}),
        ("a changed parameter", "act_mismatch", {"parameters": {"from": "SFO", "to": "LAX"}}),
        ("an added parameter", "act_mismatch", {"parameters": {**PARAMETERS, "bags": 1}}),
        ("a dropped parameter", "act_mismatch", {"parameters": {"from": "SFO"}}),
        ("another action", "act_mismatch", {"action": PLAIN}),
        ("a new release of the action", "act_mismatch", {"action": {**DOCUMENT, "intent": "Book"}}),
    ]:
        file.bad(name, reason, **a_check(text=text, proof=shown, request=request))


def make_of_the_token(file: File) -> None:
    """Add what is wrong with the token itself: checks 2 to 4."""
    text = signed(token_claims(), "at+jwt", SERVER)
    unsigned = signed(token_claims(), "at+jwt", SERVER, alg="none").rpartition(".")[0] + "."
    for name, reason, change in [
        ("a token that is none", "token_malformed", {"text": "x"}),
        ("a token with more", "token_malformed", {"token": {"more": 1}}),
        ("another typ", "token_typ", {"header": {"typ": "JWT"}}),
        ("alg none", "token_alg", {"text": unsigned}),
        ("HS256 with the public key", "token_alg", {"text": hs256(token_claims(), "at+jwt", SERVER)}),
        ("another algorithm than the key's", "token_alg", {"header": {"alg": "EdDSA"}}),
        ("another issuer", "token_issuer", _another_issuer()),
        ("an unknown kid", "token_key", {"signer": STRANGER}),
        ("no kid", "token_key", {"header": {"kid": DROP}}),
        ("a forged signature", "token_signature", {"signer": STRANGER, "header": {"kid": SERVER.public.kid}}),
        ("another service's token", "token_audience", {"token": {"aud": "https://b.example"}}),
        ("from the future", "token_not_yet_valid", {"now": T - 4, "proof_changes": {"iat": T - 4}}),
        ("the second at which it expires", "token_expired", {"now": T + 32, "proof_changes": {"iat": T + 32}}),
        ("a life of thirty-one seconds", "token_lifetime", {"token": {"exp": T + 33}}),
        ("another proof's key", "proof_binding", {"proof_changes": {"signer": STRANGER}}),
        ("a proof that is none", "proof_malformed", {"proof": "x"}),
        ("a proof whose jti is a number", "proof_malformed", {"proof_changes": {"jti": 1}}),
        ("a proof of another typ", "proof_typ", {"proof_changes": {"header": {"typ": "JWT"}}}),
        ("a proof by HS256", "proof_alg", {"text": text, "proof": hs256(proof_claims(text), "dpop+jwt", AGENT, **OWN_KEY)}),
        ("a proof by another algorithm than its key's", "proof_alg", {"proof_changes": {"header": {"alg": "EdDSA"}}}),
        ("a proof without key", "proof_key", {"proof_changes": {"header": {"jwk": DROP}}}),
        ("a proof with its private key", "proof_key", {"proof_changes": {"header": {"jwk": AGENT.private_jwk()}}}),
        ("a proof that is forged", "proof_signature", {"proof_changes": {"signer": STRANGER, "header": OWN_KEY}}),
        ("a proof of another token", "proof_ath", {"proof_changes": {"ath": "x" * 43}}),
        ("a proof with a query in its address", "proof_htu", {"proof_changes": {"htu": AIR + "/bookings?x=1"}}),
        ("a stale proof", "proof_iat", {"proof_changes": {"iat": T - 58}}),
        ("a proof without our nonce", "proof_nonce", {"service": {"nonces": ["n"]}}),
    ]:  # fmt: skip
        file.bad(name, reason, **a_check(**change))


def make_of_the_act(file: File) -> None:
    """Add what is wrong with act, terms and account: checks 6 to 8."""
    bare, unexpected = booked(terms_=None), booked(PLAIN)
    for name, reason, change in [
        ("no act", "act_malformed", {"token": {"authorization_details": []}}),
        ("an act with more", "act_malformed", an_act_with("more", 1)),
        ("another act in the token", "act_mismatch", {"token": {"authorization_details": booked(to="LAX").details()}}),
        ("an act at another service", "act_mismatch", an_act_with("locations", ["https://b.example"])),
        ("an act of another action", "act_mismatch", an_act_with("actions", ["check_in"])),
        ("an act of another release", "act_mismatch", an_act_with("action_digest", "A" * 43)),
        ("another digest of the parameters", "act_mismatch", _by_digest("A" * 43)),
        ("no terms", "terms_missing", {"token": approved(bare)}),
        ("terms that an action has not", "terms_unexpected", {
            "token": approved(unexpected, document=PLAIN), "request": {"action": PLAIN}}),
        ("a txn that is none", "txn_malformed", under("x")),
        ("a txn of an unknown form", "txn_malformed", under(_unknown_form())),
        ("terms nobody stated", "txn_foreign", {"service": {"txn_keys_hex": ["00" * 32]}}),
        ("other terms than those stated", "txn_foreign", {
            "token": approved(booked(terms_={"price": {"amount": "1.00", "currency": "USD"}}), TXN)}),
        ("an offer to another approval server", "txn_foreign", under(minted(BOOKED, issuer=EVIL))),
        ("an offer for another act", "txn_foreign", under(minted(booked(to="LAX")))),
        ("an offer to another person", "txn_foreign", under(minted(BOOKED, holder=("p-2", AGENT.public.thumbprint)))),
        ("an offer to another agent", "txn_foreign", under(minted(BOOKED, holder=("p-1", STRANGER.public.thumbprint)))),
        ("an offer that had expired", "txn_expired", under(minted(BOOKED, T))),
        ("nobody linked", "account_not_linked", {"account": None}),
    ]:  # fmt: skip
        file.bad(name, reason, **a_check(**change))


def make_of_the_statement(file: File) -> None:
    """Add what is wrong with the statement: check 9."""
    late = [item_of(), "I" * 43]
    for name, reason, change in [
        ("no approval", "statement_malformed", {"token": {"approvals": []}}),
        ("four approvals", "statement_malformed", {"token": {"approvals": [given()] * 4}}),
        ("an approval with more", "statement_malformed", by({**given(), "more": 1})),
        ("a statement with more", "statement_malformed", by(given(more=1))),
        (
            "a statement with more than was signed",
            "statement_malformed",
            by(changed(given(), ("statement", "more"), 1)),
        ),
        ("a statement of another server", "statement_issuer", by(given(iss=AIR))),
        ("a statement to another agent", "statement_client", by(given(client_id="c-2"))),
        ("a statement to another key", "statement_key", by(given(jkt="K" * 43))),
        ("a token before its statement", "statement_time", by(given(iat=T + 3))),
        ("a token past its statement", "statement_time", by(given(exp=T + 31))),
        ("a statement of sixty-one seconds", "statement_lifetime", by(given(exp=T + 61))),
        ("a batch of two minutes and a second", "statement_lifetime", by(given(acts=late, exp=T + 121))),
        ("another item", "statement_item", by(given(acts=["I" * 43]))),
        ("another batch's items", "statement_item", by(given(acts=[f"{n:043d}" for n in range(20)]))),
        ("another person's item", "statement_item", by(given(sub="p-2"))),
        ("another person in the token", "statement_item", {"token": {"sub": "p-2"}}),
        ("another service's item", "statement_item", by(given(aud="https://b.example"))),
        ("another transaction's item", "statement_item", by(given(txn="other"))),
        ("another act's item", "statement_item", by(given(act=booked(to="LAX").digest))),
        ("an item that was shown otherwise", "statement_item", by(given(display=display.digest(LINES[:-1])))),
    ]:
        file.bad(name, reason, **a_check(**change))
    file.bad("a batch for two persons", "statement_lifetime", **with_rule(several(2), ADA, BOB, beside=("A" * 43,)))
    file.bad("six hundred and one seconds", "statement_lifetime", **with_rule(several(2), ADA, BOB, exp=T + 601))


def make_of_the_assertion(file: File) -> None:
    """Add what is wrong with the assertion, and rules that are not met: check 10."""
    for name, reason, change in [
        ("an unpinned passkey", "passkey_not_pinned", by(given(MALLORY))),
        ("a passkey pinned for another server", "passkey_not_pinned", {"account": account_of(ADA, iss="https://other.example")}),
        ("a passkey of another linked person", "passkey_not_pinned", {"account": account_of(BOB)}),
        ("an assertion with more", "assertion_malformed", by(changed(given(), ("webauthn", "more"), 1))),
        ("an assertion over another statement", "assertion_challenge", by(
            {"statement": given(nonce="B" * 21 + "A")["statement"], "webauthn": given()["webauthn"]})),
        ("a login gesture", "assertion_challenge", by(_gesture(approval.LOGIN))),
        ("a pairing gesture", "assertion_challenge", by(_gesture(approval.PAIR))),
        ("a gesture over a roster", "assertion_challenge", by(_gesture(approval.ROSTER))),
        ("a gesture over reads", "assertion_challenge", by(_gesture(approval.READ))),
        ("without verification", "assertion_uv", by(given(passkey(3001, user_verified=False)))),
        ("without presence", "assertion_up", by(given(passkey(3001, user_present=False)))),
        ("another origin", "assertion_origin", by(given(_at(origin=EVIL)))),
        ("another relying party", "assertion_rp_id", by(given(_at(rp_id="evil.example")))),
        ("another type", "assertion_type", by(_client_data(type="webauthn.create"))),
        ("in a frame", "assertion_cross_origin", by(_client_data(crossOrigin=True))),
        ("under another page", "assertion_cross_origin", by(_client_data(topOrigin=EVIL))),
        ("a forged assertion", "assertion_signature", by(given(passkey(3009, credential_id=ADA.credential_id)))),
    ]:  # fmt: skip
        file.bad(name, reason, **a_check(**change))
    file.bad("one of two persons", "rule_not_met", **with_rule(several(2), ADA))
    file.bad("one person twice", "rule_not_met", **with_rule(several(2), ADA, ADA))
    file.bad("the one who asked alone", "rule_not_met", **with_rule(several(1, excluded=True), ADA))


def _another_issuer() -> dict[str, Any]:
    """Give a request that is whole, but for an issuer that the service does not accept."""
    txn = minted(BOOKED, issuer=EVIL)
    return {
        "token": {"iss": EVIL, "txn": txn, "approvals": [given(txn=txn, iss=EVIL)]},
        "signer": STRANGER,
        "account": account_of(ADA, iss=EVIL),
    }


def _by_digest(digest: str) -> dict[str, Any]:
    details = changed(BOOKED.details(inline=False), (0, "parameters_digest"), digest)
    return {"token": {"authorization_details": details}}


def _unknown_form() -> str:
    """Give a txn that the service's key made, but of a form 2, over all that form 1 is over."""
    head = b"\x02" + bytes(16) + (T + 600).to_bytes(8, "big")
    named = f"{APPROVE}\n{BOOKED.digest}\np-1\n{AGENT.public.thumbprint}".encode()
    return base64url.encode(head + hmac.digest(TXN_KEY, b"oneact-txn-1\n" + head + named, "sha256"))


def _gesture(tag: str) -> dict[str, Any]:
    found = given()
    return {**found, "webauthn": ADA.get(approval.challenge(tag, found["statement"])).members()}


def _at(**changes: Any) -> SoftwarePasskey:
    found = passkey(3001)
    for name, value in changes.items():
        setattr(found, name, value)
    return found


def _client_data(**changes: Any) -> dict[str, Any]:
    found = given()
    challenge = approval.challenge(approval.APPROVAL, found["statement"])
    return {**found, "webauthn": ADA.get(challenge, **changes).members()}


def main() -> None:
    """Make the file."""
    file = File("check", "Whole requests before the service's checks 1 to 10 (section 7).")
    make_good(file)
    make_of_the_request(file)
    make_of_the_token(file)
    make_of_the_act(file)
    make_of_the_statement(file)
    make_of_the_assertion(file)
    file.write()


if __name__ == "__main__":
    main()
