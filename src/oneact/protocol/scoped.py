"""What the tokens of a scope have in common: whose, where, how long, by which key (RFC 9068, RFC 9449)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from oneact.errors import Reason, Refusal
from oneact.protocol import form, jws, token

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from oneact.protocol.canonical import Json

    Shared = tuple[str, str, str, str, int, int, str, str]
    """`iss`, `sub`, `aud`, `client_id`, `iat` and `exp` in seconds, `jti`, `jkt`."""

MEMBERS: Final = frozenset({"iss", "sub", "aud", "client_id", "iat", "exp", "jti", "cnf", "scope"})


def claims(shared: Shared, scope: str) -> dict[str, Json]:
    """Give the shared claims of a token of this scope as they are signed."""
    iss, sub, aud, client_id, iat, exp, jti, jkt = shared
    return {
        "iss": iss,
        "sub": sub,
        "aud": aud,
        "client_id": client_id,
        "iat": iat,
        "exp": exp,
        "jti": jti,
        "cnf": {"jkt": jkt},
        "scope": scope,
    }


def parse(text: str, scope: str, more: AbstractSet[str] = frozenset()) -> tuple[Shared, dict[str, Json], jws.Jws]:
    """Read the form of a token of this scope, with `more` members, without verifying it.

    Gives the shared claims, all claims, and the signed text. Refuses `token_malformed`, `token_typ`, `token_alg`.
    """
    parsed = jws.parse(text, token.TYP, token.FAULTS)
    reason = Reason.TOKEN_MALFORMED
    found = form.closed(parsed.claims, reason, MEMBERS | more)
    if found["scope"] != scope:
        raise Refusal(reason, "another scope")
    shared = (
        form.text(found["iss"], reason),
        form.text(found["sub"], reason, 255),
        form.text(found["aud"], reason),
        form.text(found["client_id"], reason),
        form.integer(found["iat"], reason),
        form.integer(found["exp"], reason),
        form.text(found["jti"], reason, 128),
        form.digest(form.closed(found["cnf"], reason, {"jkt"})["jkt"], reason),
    )
    return shared, found, parsed
