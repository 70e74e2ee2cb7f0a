"""The played person: passkeys of all three algorithms, the approval server's keys, the roster that a service pins."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ed25519

from oneact.fetch import LOCAL_NAMES
from oneact.protocol.jwk import SigningKey
from oneact.protocol.roster import Roster, SignedRoster
from oneact.testing import SoftwarePasskey, new_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oneact.protocol.canonical import Json

_ELSEWHERE = "http://localhost"


@dataclass
class Person:
    """One person at the played approval server `issuer`, under the name `sub` at the service `resource`.

    The passkeys belong to localhost wherever the issuer stands: what a service pins here is good for no real page.
    `key` and `second` sign what the server signs, in ES256 and EdDSA; `pinned` is the roster as the service has it.
    """

    issuer: str
    resource: str
    sub: str = field(default_factory=lambda: "played-" + secrets.token_urlsafe(9))
    key: SigningKey = field(default_factory=new_key)
    second: SigningKey = field(default_factory=lambda: SigningKey(ed25519.Ed25519PrivateKey.generate()))
    pinned: Roster = field(init=False)

    def __post_init__(self) -> None:
        """Make the roster with which the account is linked."""
        self.pinned = self.roster(1, [self.passkey, self.in_eddsa, self.in_rs256])

    @property
    def rp_id(self) -> str:
        """Give the RP ID of the passkeys."""
        return str(urlsplit(self.origin).hostname)

    @property
    def origin(self) -> str:
        """Give the origin at which the passkeys are used."""
        parts = urlsplit(self.issuer)
        return f"{parts.scheme}://{parts.netloc}" if parts.hostname in LOCAL_NAMES else _ELSEWHERE

    @cached_property
    def passkey(self) -> SoftwarePasskey:
        """Give the passkey that approves unless a row says otherwise; ES256."""
        return self.new_passkey()

    @cached_property
    def in_eddsa(self) -> SoftwarePasskey:
        """Give the pinned passkey with an EdDSA key."""
        return self.new_passkey("EdDSA")

    @cached_property
    def in_rs256(self) -> SoftwarePasskey:
        """Give the pinned passkey with an RS256 key."""
        return self.new_passkey("RS256")

    @cached_property
    def stranger(self) -> SoftwarePasskey:
        """Give a passkey that no service has pinned."""
        return self.new_passkey()

    @cached_property
    def impostor(self) -> SoftwarePasskey:
        """Give a passkey with a key of its own and the identifier of the pinned one."""
        made = self.new_passkey()
        made.credential_id = self.passkey.credential_id
        return made

    def new_passkey(self, alg: str = "ES256") -> SoftwarePasskey:
        """Make a passkey for this issuer."""
        return SoftwarePasskey(self.rp_id, self.origin, alg)

    def roster(self, seq: int, passkeys: Sequence[SoftwarePasskey]) -> Roster:
        """Give a roster of these passkeys."""
        listed = tuple(passkey.credential for passkey in passkeys)
        return Roster(self.issuer, self.resource, self.sub, self.rp_id, (self.origin,), seq, listed)

    def vouched(self, roster: Roster, passkey: SoftwarePasskey | None = None) -> SignedRoster:
        """Give a roster with the gesture by which a passkey vouches for it."""
        return SignedRoster(roster, (passkey or self.passkey).get(roster.challenge()))

    def jwks(self) -> dict[str, Json]:
        """Give the server's JWK Set."""
        return {"keys": [self.key.public.public_jwk(), self.second.public.public_jwk()]}
