"""The guard's settings, looked at when it is made: a mistake is told then, and not by a refusal months later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast
from urllib.parse import urlsplit

from oneact.service.issuers import Linked
from oneact.service.tickets import Beside

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from oneact.service.approvals import Approvals

_MAX_NAME: Final = 80
_MAX_APPROVERS: Final = 8


def identifier(setting: str, value: object, plain: Collection[str]) -> str:
    """Give an issuer or resource as it is compared (specification, section "Conventions"); else raise ValueError.

    It is an https URL without query, fragment, user or final slash; plain http is for the names `plain`.
    """
    if not isinstance(value, str):
        raise ValueError(f"{setting} is a text like https://air.example, not {value!r}")  # noqa: TRY004 - one kind of error
    parts = urlsplit(value)
    if parts.scheme not in {"https", "http"} or not parts.hostname or parts.port == 0:
        raise ValueError(f"{setting} {value!r} is no address: write it whole, like https://air.example")
    if parts.scheme == "http" and parts.hostname not in plain:
        raise ValueError(f"{setting} {value!r} needs https: plain http is for private_hosts=, and among localhost")
    if value.endswith("/") or {"?", "#", "@"} & set(value):
        raise ValueError(f"{setting} {value!r} is compared as text: no final slash, query, fragment or user")
    if not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError(f"{setting} {value!r} holds a character that no address has")
    return value


def approvals(value: Iterable[str] | Linked | Beside | Approvals) -> Approvals | None:
    """Give the approval server in this process, where that is what is accepted."""
    return cast("Approvals", value) if hasattr(type(value), "attach") else None


def issuers(value: Iterable[str] | Linked | Beside | Approvals, plain: Collection[str]) -> tuple[str, ...] | Linked:
    """Give the accepted approval servers, each an identifier; raises ValueError for anything else.

    Plain http is for the names `plain`, those that the guard may fetch from.
    """
    own = value if isinstance(value, Beside) else approvals(value)
    if own is not None:
        return (identifier("the issuer of the service's own approval server", own.issuer, plain),)
    if isinstance(value, Linked):
        return value
    if isinstance(value, str | bytes):
        raise ValueError(f"issuers= is a list, as in issuers=[{value!r}], or LINKED")  # noqa: TRY004 - as in `identifier`
    return tuple(identifier("an entry of issuers=", item, plain) for item in cast("Iterable[str]", value))


def hosts(value: Collection[str]) -> frozenset[str]:
    """Give the private hosts; raises ValueError for a single text, which would be read letter by letter."""
    if isinstance(value, str | bytes):
        raise ValueError(f"private_hosts= is a list, as in private_hosts=[{value!r}]")  # noqa: TRY004 - as in `identifier`
    return frozenset(value)


def name(value: str) -> str:
    """Give the service's name; raises ValueError for one that no approval page could show."""
    if not 0 < len(value) <= _MAX_NAME:
        raise ValueError(f"name= has 1 to {_MAX_NAME} characters, this one {len(value)}")
    return value


def login_uri(value: str | None) -> str | None:
    """Give the sign-in's address; raises ValueError for what is neither a path nor an http address."""
    if value is not None and not value.startswith(("/", "https://", "http://")):
        raise ValueError(f"login_uri= {value!r} is a path like /login, or an address like https://air.example/login")
    return value


def approvers(value: int, own: object) -> int:
    """Give how many persons may approve for an account; raises ValueError for what could not work.

    Where the service has its own approval server, an account is one person.
    """
    if not 1 <= value <= _MAX_APPROVERS:
        raise ValueError(f"approvers= is 1 to {_MAX_APPROVERS}, not {value}")
    if value > 1 and own is not None:
        raise ValueError("approvers= is 1 where the service has its own approval server: its persons are the accounts")
    return value


def rate(value: int) -> int:
    """Give the rate of stated terms; raises ValueError for one that would never let anybody ask."""
    if value < 1:
        raise ValueError(f"terms_per_minute= is at least 1, not {value}")
    return value
