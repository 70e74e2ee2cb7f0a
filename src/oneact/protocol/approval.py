"""The statement that a person's passkey signs, and the tags that keep one gesture from standing for another."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from oneact.errors import Reason, Refusal
from oneact.protocol import canonical, form

if TYPE_CHECKING:
    from oneact.protocol.canonical import Json

LOGIN: Final = "oneact-login-1"
PAIR: Final = "oneact-pair-1"
PASSKEY: Final = "oneact-passkey-1"
ROSTER: Final = "oneact-roster-1"
APPROVAL: Final = "oneact-approval-1"
READ: Final = "oneact-read-1"
TAGS: Final = (LOGIN, PAIR, PASSKEY, ROSTER, APPROVAL, READ)

MAX_ACTS: Final = 20
LIFETIME_ONE: Final = 60
LIFETIME_BATCH: Final = 120
LIFETIME_SEVERAL: Final = 600  # one act that several persons approve
_ITEM_TAG: Final = b"oneact-item-1\n"
_APPROVAL_TAG: Final = b"oneact-approval-1\n"
_MEMBERS: Final = frozenset({"iss", "client_id", "jkt", "iat", "exp", "nonce", "acts"})
_NONCE: Final = re.compile(r"[A-Za-z0-9_-]{21}[AQgw]")  # base64url of 16 octets, whose last character has two bits


class Statement(NamedTuple):
    """What one approval says: this agent and key may have these items done, until `exp` (seconds).

    `nonce` is 128 random bits in base64url, `acts` are 1 to 20 distinct item hashes.
    """

    iss: str
    client_id: str
    jkt: str
    iat: int
    exp: int
    nonce: str
    acts: tuple[str, ...]

    def encoded(self) -> bytes:
        """Give the JCS of the statement, whose names are fixed: as the passkey signs it."""
        text = canonical.text
        acts = ",".join([text(item) for item in self.acts])
        return (
            f'{{"acts":[{acts}],"client_id":{text(self.client_id)},"exp":{self.exp},"iat":{self.iat},'
            f'"iss":{text(self.iss)},"jkt":{text(self.jkt)},"nonce":{text(self.nonce)}}}'
        ).encode()

    def challenge(self) -> bytes:
        """Give the 32 octets that the approving gesture over this statement has as its challenge."""
        return hashlib.sha256(_APPROVAL_TAG + self.encoded()).digest()

    def members(self) -> dict[str, Json]:
        """Give the statement as it stands on the wire."""
        return {
            "iss": self.iss,
            "client_id": self.client_id,
            "jkt": self.jkt,
            "iat": self.iat,
            "exp": self.exp,
            "nonce": self.nonce,
            "acts": list(self.acts),
        }


def parse(value: Json) -> Statement:
    """Read a statement whose members are exactly these; refuses `statement_malformed`."""
    reason = Reason.STATEMENT_MALFORMED
    members = form.closed(value, reason, _MEMBERS)
    acts = form.texts(members["acts"], reason, MAX_ACTS)
    for item in acts:
        form.digest(item, reason)
    return Statement(
        iss=form.text(members["iss"], reason),
        client_id=form.text(members["client_id"], reason),
        jkt=form.digest(members["jkt"], reason),
        iat=form.integer(members["iat"], reason),
        exp=form.integer(members["exp"], reason),
        nonce=nonce(members["nonce"]),
        acts=acts,
    )


def nonce(value: Json) -> str:
    """Read a statement's nonce, 16 octets in base64url; refuses `statement_malformed`."""
    found = form.text(value, Reason.STATEMENT_MALFORMED)
    if not _NONCE.fullmatch(found):
        raise Refusal(Reason.STATEMENT_MALFORMED, "the nonce is not 16 octets in base64url")
    return found


def item_hash(aud: str, sub: str, txn: str, act: str, display: str) -> str:
    """Give the hash by which a statement names one act: service, account, transaction, act digest, display digest."""
    text = canonical.text
    item = f'{{"act":{text(act)},"aud":{text(aud)},"display":{text(display)},"sub":{text(sub)},"txn":{text(txn)}}}'
    return canonical.sha256(_ITEM_TAG + item.encode())


def challenge(tag: str, value: Json) -> bytes:
    """Give the 32 octets that a passkey gesture of kind `tag` over `value` has as its WebAuthn challenge."""
    if tag not in TAGS:
        raise ValueError(f"no such gesture: {tag}")
    return hashlib.sha256(tag.encode("ascii") + b"\n" + canonical.encode(value)).digest()


def lifetime_limit(acts: int, approvers: int) -> int:
    """Give the seconds that a statement over so many acts, of a rule with so many approvers, may live at most.

    There is no batch where several persons have to approve, hence 0.
    """
    if acts > 1:
        return LIFETIME_BATCH if approvers == 1 else 0
    return LIFETIME_SEVERAL if approvers > 1 else LIFETIME_ONE
