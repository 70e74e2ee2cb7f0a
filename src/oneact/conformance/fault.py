"""What can be wrong with one request: each member gets what is right, and gives what is sent in its place.

All that follows is made of what was changed: a passkey signs the changed statement, the server the changed claims. So
nothing but the fault is wrong, and a service that lets it through has skipped the one check it is about.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

from oneact.protocol import canonical

if TYPE_CHECKING:
    from collections.abc import Callable

    from oneact.conformance.person import Person
    from oneact.protocol.act import Act
    from oneact.protocol.jwk import SigningKey
    from oneact.testing import SoftwarePasskey

_T = TypeVar("_T")
Members: TypeAlias = dict[str, Any]
Fields: TypeAlias = list[tuple[str, str]]


def same(value: _T) -> _T:
    """Leave a part as it is."""
    return value


def _main(person: Person) -> SoftwarePasskey:
    return person.passkey


def _signing(person: Person) -> SigningKey:
    return person.key


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Where one request departs from a right one; without an argument it departs nowhere.

    `txn` and `act` come first, as the person saw them. `item` holds the texts that the item hash is made of, `display`
    the lines whose digest is among them; `statement` is signed by `passkey` over `challenge`. `details` and `claims`
    are the token's, `payload` its octets; `key` signs them and is named in its header, unless `signed` makes another
    signature; `token` is its text. `proof_…` are the same of the proof. `parameters` and `body` are the request's,
    `fields` its header fields.
    """

    txn: Callable[[str], str] = same
    act: Callable[[Act], Act] = same
    display: Callable[[list[Any]], list[Any]] = same
    item: Callable[[dict[str, str]], dict[str, str]] = same
    statement: Callable[[Members], Members] = same
    passkey: Callable[[Person], SoftwarePasskey] = _main
    challenge: Callable[[bytes], bytes] = same
    client_data: Callable[[bytes], bytes] = same
    authenticator_data: Callable[[bytes], bytes] = same
    assertion: Callable[[Members], Members] = same
    approvals: Callable[[list[Any]], list[Any]] = same
    details: Callable[[list[Any]], Any] = same
    claims: Callable[[Members], Members] = same
    header: Callable[[Members], Members] = same
    payload: Callable[[bytes], bytes] = same
    key: Callable[[Person], SigningKey] = _signing
    signed: Callable[[Person, bytes], bytes] | None = None
    token: Callable[[str], str] = same
    proof_header: Callable[[Members], Members] = same
    proof_claims: Callable[[Members], Members] = same
    proof_key: Callable[[SigningKey], SigningKey] = same
    proof: Callable[[str], str] = same
    parameters: Callable[[Members], Members] = same
    body: Callable[[bytes], bytes] = same
    fields: Callable[[Fields], Fields] = same


NONE: Final = Fault()


def put(**members: Any) -> Callable[[Members], Members]:  # noqa: ANN401 - any value a member may have
    """Put members in place of those there are."""
    return lambda right: {**right, **members}


def drop(name: str) -> Callable[[Members], Members]:
    """Leave one member out."""
    return lambda right: {member: value for member, value in right.items() if member != name}


def shift(**seconds: int) -> Callable[[Members], Members]:
    """Move times by so many seconds."""
    return lambda right: {**right, **{name: right[name] + by for name, by in seconds.items()}}


def spoil(text: str) -> str:
    """Change the first character of the last part of a compact JWS, its signature."""
    head, dot, last = text.rpartition(".")
    return head + dot + ("B" if last[:1] == "A" else "A") + last[1:]


def twice(name: str) -> Callable[[bytes], bytes]:
    """Name a member of a JSON object twice, with the same value."""

    def doubled(right: bytes) -> bytes:
        found = canonical.parse(right)
        again = {name: found[name]} if isinstance(found, dict) else {}
        return right[:-1] + b"," + canonical.encode(again)[1:]

    return doubled
