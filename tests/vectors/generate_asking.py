"""Makes the vectors of asking tokens: `python -m tests.vectors.generate_asking`.

By hand, as `tests.vectors.generate`: signatures differ each time. Each refused request has one thing wrong.
"""

from __future__ import annotations

from typing import Any

from tests.vectors.generate import (
    AGENT,
    AIR,
    APPROVE,
    DROP,
    EDWARDS,
    SERVER,
    STRANGER,
    File,
    T,
    hs256,
    jwks,
    proof,
    signed,
    token_claims,
)

TYP = "at+jwt"
OTHER = "https://other.example"


def asking_claims(**changes: Any) -> dict[str, Any]:
    """Give the claims of an asking token, with changes."""
    claims: dict[str, Any] = {
        "iss": APPROVE, "sub": "p-1", "aud": AIR, "client_id": "c-1", "iat": T + 2, "exp": T + 302, "jti": "j-1",
        "cnf": {"jkt": AGENT.public.thumbprint}, "scope": "ask", **changes,
    }  # fmt: skip
    return {name: value for name, value in claims.items() if value is not DROP}


def asked(**changes: Any) -> dict[str, Any]:
    """Give a request for an offer that every check passes, with changes to its parts."""
    claims = asking_claims(**changes.pop("token", {}))
    text = changes.pop("text", None) or signed(
        claims, changes.pop("typ", TYP), changes.pop("signer", SERVER), **changes.pop("header", {})
    )
    shown = changes.pop("proof", None) or proof(text, **changes.pop("proof_changes", {}))
    vector: dict[str, Any] = {
        "request": {
            "authorization": [f"DPoP {text}"], "dpop": [shown], "method": "POST", "htu": AIR + "/bookings",
            **changes.pop("request", {}),
        },
        "issuer": APPROVE,
        "service": {
            "resource": AIR, "nonces": None, "issuers": {APPROVE: jwks(SERVER, EDWARDS), OTHER: jwks(STRANGER)},
        },
        "account": "ada",
        "now": T + 3,
    }  # fmt: skip
    return {**vector, **changes}


def main() -> None:
    """Make the file."""
    file = File("asking", "Asking tokens, before a service that is asked for an offer (section 7.1).")
    file.good("everything as it should be", **asked())
    file.good("by EdDSA", **asked(signer=EDWARDS))
    file.good("the last second", **asked(now=T + 301, proof_changes={"iat": T + 301}))
    text = signed(asking_claims(), TYP, SERVER)
    for name, reason, request in [
        ("as Bearer", "authorization_not_dpop", {"authorization": [f"Bearer {text}"]}),
        ("two tokens", "authorization_repeated", {"authorization": [f"DPoP {text}"] * 2}),
        ("no proof", "proof_missing", {"dpop": []}),
        ("another method", "proof_htm", {"method": "PUT"}),
        ("another address", "proof_htu", {"htu": AIR + "/oneact/act"}),
    ]:
        file.bad(name, reason, **asked(text=text, request=request))
    for member in asking_claims():
        file.bad(f"{member} is missing", "token_malformed", **asked(token={member: DROP}))
    unsigned = signed(asking_claims(), TYP, SERVER, alg="none").rpartition(".")[0] + "."
    for name, reason, change in [
        ("an action token", "token_malformed", {"text": signed(token_claims(), TYP, SERVER)}),
        ("an action token with the scope", "token_malformed", {"text": signed(token_claims(scope="ask"), TYP, SERVER)}),
        ("another scope", "token_malformed", {"token": {"scope": "act"}}),
        ("more than the scope", "token_malformed", {"token": {"scope": "ask openid"}}),
        ("an array of scopes", "token_malformed", {"token": {"scope": ["ask"]}}),
        ("a transaction", "token_malformed", {"token": {"txn": "t-1"}}),
        ("a sub too long", "token_malformed", {"token": {"sub": "x" * 256}}),
        ("a time that is a text", "token_malformed", {"token": {"iat": "1"}}),
        ("another typ", "token_typ", {"typ": "JWT"}),
        ("alg none", "token_alg", {"text": unsigned}),
        ("HS256 with the public key", "token_alg", {"text": hs256(asking_claims(), TYP, SERVER)}),
        ("an unknown issuer", "token_issuer", {"token": {"iss": "https://evil.example"}, "signer": STRANGER}),
        ("another issuer than the one asked for", "token_issuer", {"token": {"iss": OTHER}, "signer": STRANGER}),
        ("an unknown kid", "token_key", {"signer": STRANGER}),
        ("a forged signature", "token_signature", {"signer": STRANGER, "header": {"kid": SERVER.public.kid}}),
        ("another service's token", "token_audience", {"token": {"aud": "https://b.example"}}),
        ("another proof's key", "proof_binding", {"proof_changes": {"signer": STRANGER}}),
        ("a proof of another token", "proof_ath", {"proof_changes": {"ath": "x" * 43}}),
        ("a stale proof", "proof_iat", {"proof_changes": {"iat": T - 58}}),
        ("from the future", "token_not_yet_valid", {"now": T - 4, "proof_changes": {"iat": T - 4}}),
        ("the second at which it expires", "token_expired", {"now": T + 302, "proof_changes": {"iat": T + 302}}),
        ("a life of three hundred and one seconds", "token_lifetime", {"token": {"exp": T + 303}}),
        ("nobody linked", "account_not_linked", {"account": None}),
    ]:  # fmt: skip
        file.bad(name, reason, **asked(**change))
    file.write()


if __name__ == "__main__":
    main()
