"""Makes the vectors of read tokens: `python -m tests.vectors.generate_read`.

By hand, as `tests.vectors.generate`: signatures differ each time. Each refused request has one thing wrong.
"""

from __future__ import annotations

from typing import Any

from oneact.protocol import approval, canonical, display, reading
from oneact.testing import SoftwarePasskey
from tests.vectors.generate import (
    ADA,
    AGENT,
    AIR,
    APPROVE,
    BOB,
    DROP,
    EDWARDS,
    MALLORY,
    SERVER,
    STRANGER,
    File,
    T,
    changed,
    jwks,
    passkey,
    proof,
    signed,
    token_claims,
)
from tests.vectors.generate_asking import asking_claims
from tests.vectors.generate_check import account_of

TYP = "at+jwt"
ITINERARIES: dict[str, Any] = {"read": "itineraries", "intent": "Search itineraries", "path": "/itineraries"}
BOOKINGS: dict[str, Any] = {"read": "bookings", "intent": "See your bookings", "path": "/bookings/{reference}"}
FARES: dict[str, Any] = {"read": "fares", "intent": "See fares", "path": "/fares"}
OPENED = [ITINERARIES, BOOKINGS]


def details(*reads: dict[str, Any], **changes: Any) -> list[Any]:
    """Give the array of a session over these reads, or over the two of this file."""
    listed = list(reads) or OPENED
    made = {
        "type": "oneact_read", "locations": [AIR], "datatypes": [item["read"] for item in listed],
        "datatypes_digest": canonical.digest(listed), "duration": 3600, **changes,
    }  # fmt: skip
    return [{name: value for name, value in made.items() if value is not DROP}]


def shown(*reads: dict[str, Any], duration: int = 3600) -> str:
    """Give the digest of the lines of a session over these reads."""
    return display.digest(reading.render([reading.parse_read(item) for item in reads or OPENED], duration))


def opened(signer: SoftwarePasskey = ADA, tag: str = approval.READ, **changes: Any) -> list[Any]:
    """Give the approval of a session, with its statement changed before it is signed."""
    said = {
        "iss": APPROVE, "aud": AIR, "sub": "p-1", "client_id": "c-1", "jkt": AGENT.public.thumbprint, "iat": T,
        "exp": T + 3600, "nonce": "A" * 22, "authorization_details": details(), "display": shown(), **changes,
    }  # fmt: skip
    said = {name: value for name, value in said.items() if value is not DROP}
    return [{"statement": said, "webauthn": signer.get(approval.challenge(tag, said)).members()}]


def read_claims(**changes: Any) -> dict[str, Any]:
    """Give the claims of a read token, with changes."""
    claims: dict[str, Any] = {
        "iss": APPROVE, "sub": "p-1", "aud": AIR, "client_id": "c-1", "iat": T + 2, "exp": T + 302, "jti": "j-1",
        "cnf": {"jkt": AGENT.public.thumbprint}, "scope": "read", "authorization_details": details(),
        "approvals": opened(), **changes,
    }  # fmt: skip
    return {name: value for name, value in claims.items() if value is not DROP}


def a_read(**changes: Any) -> dict[str, Any]:
    """Give a request for a read that every check passes, with changes to its parts."""
    claims = read_claims(**changes.pop("token", {}))
    text = changes.pop("text", None) or signed(
        claims, changes.pop("typ", TYP), changes.pop("signer", SERVER), **changes.pop("header", {})
    )
    shown_ = proof(text, **{"htm": "GET", "htu": AIR + "/itineraries", **changes.pop("proof_changes", {})})
    vector: dict[str, Any] = {
        "request": {
            "authorization": [f"DPoP {text}"], "dpop": [shown_], "method": "GET", "htu": AIR + "/itineraries",
            **changes.pop("request", {}),
        },
        "read": "itineraries",
        "published": [ITINERARIES, BOOKINGS, FARES],
        "service": {"resource": AIR, "nonces": None, "issuers": {APPROVE: jwks(SERVER, EDWARDS)}},
        "account": account_of(ADA),
        "now": T + 3,
    }  # fmt: skip
    return {**vector, **changes}


def by(**changes: Any) -> dict[str, Any]:
    """Give a token's changes for another approval."""
    return {"token": {"approvals": opened(**changes)}}


def over(**changes: Any) -> dict[str, Any]:
    """Give a token over details that are changed in it and in the statement alike."""
    found = details(**changes)
    return {"token": {"authorization_details": found, "approvals": opened(authorization_details=found)}}


def an_act() -> dict[str, Any]:
    """Give a token whose approval is one of an act, whole as it was signed."""
    return {"token": {"approvals": token_claims()["approvals"]}}


def act_gesture() -> list[Any]:
    """Give a statement over reads that a passkey signed under the tag of acts."""
    return opened(tag=approval.APPROVAL)


def make_good(file: File) -> None:
    """Add what passes."""
    file.good("everything as it should be", **a_read())
    file.good("by EdDSA", **a_read(signer=EDWARDS))
    file.good("the other read", **a_read(
        read="bookings", request={"htu": AIR + "/bookings/B-1"}, proof_changes={"htu": AIR + "/bookings/B-1"}))  # fmt: skip
    later = {"iat": T + 3300, "exp": T + 3600}
    file.good("the last five minutes", **a_read(token=later, now=T + 3301, proof_changes={"iat": T + 3301}))
    short = details(duration=60)
    said = opened(authorization_details=short, display=shown(duration=60), exp=T + 60)
    minute = {"authorization_details": short, "approvals": said, "exp": T + 60}
    file.good("a session of a minute", **a_read(token=minute))


def make_of_the_token(file: File) -> None:
    """Add what is wrong with token and proof: checks 1 to 5."""
    for name, reason, change in [
        ("no proof", "proof_missing", {"request": {"dpop": []}}),
        ("another method", "proof_htm", {"request": {"method": "HEAD"}}),
        ("another address", "proof_htu", {"request": {"htu": AIR + "/fares"}}),
        ("an action token", "token_malformed", {"text": signed(token_claims(), TYP, SERVER)}),
        ("an asking token", "token_malformed", {"text": signed(asking_claims(), TYP, SERVER)}),
        ("an asking token with reads", "token_malformed", {"token": {"scope": "ask"}}),
        ("a transaction", "token_malformed", {"token": {"txn": "t-1"}}),
        ("another typ", "token_typ", {"typ": "JWT"}),
        ("an unknown issuer", "token_issuer", {"token": {"iss": "https://evil.example"}, "signer": STRANGER}),
        ("an unknown kid", "token_key", {"signer": STRANGER}),
        ("a forged signature", "token_signature", {"signer": STRANGER, "header": {"kid": SERVER.public.kid}}),
        ("another service's token", "token_audience", {"token": {"aud": "https://b.example"}}),
        ("another agent's key", "proof_binding", {"proof_changes": {"signer": STRANGER}}),
        ("from the future", "token_not_yet_valid", {"now": T - 4, "proof_changes": {"iat": T - 4}}),
        ("the second at which it expires", "token_expired", {"now": T + 302, "proof_changes": {"iat": T + 302}}),
        ("a life of three hundred and one seconds", "token_lifetime", {"token": {"exp": T + 303}}),
    ]:
        file.bad(name, reason, **a_read(**change))
    for member in read_claims():
        file.bad(f"{member} is missing", "token_malformed", **a_read(token={member: DROP}))


def make_of_the_reads(file: File) -> None:
    """Add what is wrong with the reads: check 6."""
    for name, reason, change in [
        ("no reads", "read_malformed", {"token": {"authorization_details": []}}),
        ("two sessions", "read_malformed", {"token": {"authorization_details": details() * 2}}),
        ("an act", "read_malformed", {"token": {"authorization_details": token_claims()["authorization_details"]}}),
        ("reads of the type of acts", "read_malformed", over(type="oneact_act")),
        ("reads with more", "read_malformed", over(more=1)),
        ("reads without duration", "read_malformed", over(duration=DROP)),
        ("longer than an hour", "read_malformed", over(duration=3601)),
        ("shorter than a minute", "read_malformed", over(duration=59)),
        ("one read twice", "read_malformed", over(datatypes=["itineraries"] * 2)),
        ("eleven reads", "read_malformed", over(datatypes=[f"r{number}" for number in range(11)])),
        ("a name that is none", "read_malformed", over(datatypes=["Itineraries"])),
        ("a read that was not opened", "read_not_opened", {"read": "fares"}),
        ("reads of another service", "read_not_opened", over(locations=["https://b.example"])),
        ("another digest", "read_changed", over(datatypes_digest="A" * 43)),
        ("a read that the service says otherwise", "read_changed", {
            "published": [{**ITINERARIES, "intent": "Search everything"}, BOOKINGS]}),
        ("a read that has moved", "read_changed", {"published": [{**ITINERARIES, "path": "/all"}, BOOKINGS]}),
        ("a read that is gone", "read_changed", {"published": [ITINERARIES]}),
    ]:  # fmt: skip
        file.bad(name, reason, **a_read(**change))


def make_of_the_approval(file: File) -> None:
    """Add what is wrong with link, statement and assertion: checks 8 to 10."""
    other = details(ITINERARIES)
    for name, reason, change in [
        ("nobody linked", "account_not_linked", {"account": None}),
        ("no approval", "statement_malformed", {"token": {"approvals": []}}),
        ("two approvals", "statement_malformed", {"token": {"approvals": opened() * 2}}),
        ("the approval of an act", "statement_malformed", an_act()),
        ("a statement with more", "statement_malformed", by(more=1)),
        ("a statement with acts", "statement_malformed", by(acts=["A" * 43])),
        ("a nonce that is none", "statement_malformed", by(nonce="short")),
        ("a statement of another server", "statement_issuer", by(iss=AIR)),
        ("a statement to another agent", "statement_client", by(client_id="c-2")),
        ("a statement to another key", "statement_key", by(jkt="K" * 43)),
        ("a token before its statement", "statement_time", by(iat=T + 3)),
        ("a token past its statement", "statement_time", by(exp=T + 301)),
        ("a statement of an hour and a second", "statement_lifetime", by(exp=T + 3601)),
        ("a statement for another service", "statement_item", by(aud="https://b.example")),
        ("a statement of another person", "statement_item", by(sub="p-2")),
        ("a statement over fewer reads", "statement_item", by(authorization_details=other)),
        ("a statement over reads that were shown otherwise", "statement_item", by(display=shown(ITINERARIES))),
        ("an unpinned passkey", "passkey_not_pinned", by(signer=MALLORY)),
        ("a passkey of another person", "passkey_not_pinned", {"account": account_of(BOB)}),
        ("a gesture of an act", "assertion_challenge", {"token": {"approvals": act_gesture()}}),
        ("a sign-in", "assertion_challenge", by(tag=approval.LOGIN)),
        ("an assertion over another statement", "assertion_challenge", {
            "token": {"approvals": changed(opened(), (0, "statement", "nonce"), "B" * 21 + "A")}}),
        ("without verification", "assertion_uv", by(signer=passkey(3001, user_verified=False))),
        ("a forged assertion", "assertion_signature", by(signer=passkey(3009, credential_id=ADA.credential_id))),
    ]:  # fmt: skip
        file.bad(name, reason, **a_read(**change))


def main() -> None:
    """Make the file."""
    file = File("read", "Read tokens, before a service's read (section 7.2).")
    make_good(file)
    make_of_the_token(file)
    make_of_the_reads(file)
    make_of_the_approval(file)
    file.write()


if __name__ == "__main__":
    main()
