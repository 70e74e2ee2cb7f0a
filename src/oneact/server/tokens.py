"""What a token says, and how large it will be.

Whether it carries the parameters themselves or their digest is settled once, when the agent asks, by what the passkeys
that the service has pinned can make of it. What was settled is kept with the request and holds when it is issued.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from oneact.errors import Reason, Refusal
from oneact.protocol import act, approval, base64url, canonical, passkey, roster, token

if TYPE_CHECKING:
    from oneact.protocol.act import Act
    from oneact.protocol.canonical import Json
    from oneact.protocol.passkey import Credential
    from oneact.server.clients import Client
    from oneact.server.world import World
    from oneact.store.contract import Row

_AUTHENTICATOR_DATA: Final = 37
_CLIENT_DATA: Final = 240  # octets without the origin: 113 as browsers write it today, and room for what they may add
_ECDSA: Final = 72  # octets of the longest signature in DER (RFC 3279 section 2.2.3)
_EDDSA: Final = 64


def settle(world: World, client: Client, link: Row, wanted: Act, txn: str, together: int) -> bool:
    """Tell whether the token of an act will carry the parameters in full; where it will not, it has their digest.

    `link` has `sub` and `roster`; `together` is how many acts one statement may be over at the most. Refuses
    `token_would_be_too_large` where not even the digest keeps the token within 6 KiB.
    """
    now = world.now()
    row: Row = {
        "sub": link["sub"], "resource": wanted.location, "client_id": client.id, "jkt": client.jkt, "txn": txn,
        "auth_time": now, "approved_until": now + token.LIFETIME,
    }  # fmt: skip
    approvals = _largest(world, client, link, together)
    for whole in (True, False) if wanted.fits_inline() else (False,):
        if token.size(claims(world, row, wanted, approvals, now, whole=whole), world.key) <= token.MAX_OCTETS:
            return whole
    raise Refusal(Reason.TOKEN_WOULD_BE_TOO_LARGE, "with the digest of the parameters, too")


def check_size(world: World, row: Row, approvals: Json) -> None:
    """Refuse `token_would_be_too_large` where the token of a request with just these approvals would pass 6 KiB.

    That is left only where a browser adds what none adds today, or where the service has pinned a larger passkey since
    the agent asked.
    """
    if token.size(of_request(world, row, approvals, world.now()), world.key) > token.MAX_OCTETS:
        raise Refusal(Reason.TOKEN_WOULD_BE_TOO_LARGE, row["id"])


def of_request(world: World, row: Row, approvals: Json, now: int) -> token.ActionToken:
    """Give the claims of the token of a request with these approvals, issued at second `now`."""
    approved = act.parse_details([canonical.parse(row["act"].encode())], Reason.ACT_MALFORMED)
    return claims(world, row, approved, approvals, now, whole=bool(row["inline"]))


def claims(world: World, row: Row, wanted: Act, approvals: Json, now: int, *, whole: bool) -> token.ActionToken:
    """Give the claims of a token issued at second `now`; `whole` carries the parameters, else their digest."""
    return token.ActionToken(
        iss=world.issuer,
        sub=row["sub"],
        aud=row["resource"],
        client_id=row["client_id"],
        iat=now,
        exp=min(now + token.LIFETIME, row["approved_until"]),
        jti=world.new_id(),
        txn=row["txn"],
        jkt=row["jkt"],
        auth_time=row["auth_time"],
        acr="phrh",
        amr=("hwk", "user"),
        details=wanted.details(inline=whole),
        approvals=approvals,
    )


def _largest(world: World, client: Client, link: Row, together: int) -> Json:
    """Give an approval that is as long as the longest that a pinned passkey can make; nothing in it is signed."""
    now, origin = world.now(), world.settings.origin
    statement = approval.Statement(
        world.issuer, client.id, client.jkt, now, now + approval.LIFETIME_BATCH, world.new_id(), ("x" * 43,) * together
    )
    pinned = roster.parse(canonical.parse(link["roster"].encode())).credentials
    sizes = [(len(item.id), _signature_octets(item)) for item in pinned]
    length, octets = max(sizes, key=lambda found: found[0] + base64url.length(found[1]))
    data = bytes(_AUTHENTICATOR_DATA), bytes(_CLIENT_DATA + len(origin))
    return token.approvals_members([token.Approval(statement, passkey.Assertion("x" * length, *data, bytes(octets)))])


def _signature_octets(pinned: Credential) -> int:
    key = passkey.load_key(pinned.public_key, pinned.alg, Reason.ROSTER_MALFORMED)
    if isinstance(key, RSAPublicKey):
        return key.key_size // 8
    return _EDDSA if pinned.alg == "EdDSA" else _ECDSA
