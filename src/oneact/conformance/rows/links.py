"""Rows about linking itself: what the service has to refuse, shown by an account that is not linked by it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from oneact.conformance import linking, outcome
from oneact.conformance.outcome import Failed, Skipped
from oneact.conformance.played import Misled
from oneact.conformance.row import Group, Row
from oneact.errors import Reason
from oneact.testing import new_key

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from oneact.conformance.stage import Stage
    from oneact.protocol.id_token import IdToken
    from oneact.protocol.roster import SignedRoster

_OTHER: Final = "https://other.example"
_ERROR: Final = 400


def _claims(**changes: Any) -> Misled:  # noqa: ANN401 - any claim
    return Misled(id_token=lambda right: replace(right, **changes))


def _expired(right: IdToken) -> IdToken:
    return replace(right, iat=right.iat - 120, exp=right.iat - 60)


def _row(number: str, name: str, sent: str, reason: Reason, misled: Misled) -> Row:
    """Give the row of a linking in which the played server misleads the service."""
    return _played(number, name, sent, reason, lambda stage: _misled(stage, misled))


def _roster(number: str, name: str, sent: str, reason: Reason, change: Callable[[Stage], SignedRoster]) -> Row:
    """Give the row of an ID token with another roster."""

    def make(stage: Stage) -> httpx.Response:
        signed = change(stage)
        return _misled(stage, Misled(id_token=lambda right: replace(right, signed_roster=signed)))

    return _played(number, name, sent, reason, make)


def _played(number: str, name: str, sent: str, reason: Reason | None, make: Callable[[Stage], httpx.Response]) -> Row:
    """Give the row of a linking that has to be refused, on a page: by its status, and by no link being there."""
    expected = f"{reason.status if reason else 'a refusal'}, and no link"

    def play(stage: Stage) -> None:
        _unlink(stage)
        answer = make(stage)
        stage.linked = answer.status_code < _ERROR
        refused = answer.status_code == reason.status if reason else answer.status_code >= _ERROR
        outcome.holds(expected, outcome.told(answer), right=refused)
        outcome.holds(expected, "a link", right=linking.has_form(linking.follow(stage, stage.described.link_uri)))

    return Row(number, name, sent, expected, play)


def _unlink(stage: Stage) -> None:
    """Begin with an account that is not linked."""
    if not stage.session:
        raise Skipped("the account was linked in a browser, and is only with --cookie linked again")
    if not linking.end(stage):
        raise Failed("the account unlinked before", "it is still linked")


def _misled(stage: Stage, misled: Misled) -> httpx.Response:
    stage.server.misled = misled
    try:
        return linking.submit(stage)
    finally:
        stage.server.misled = Misled()


def _used_twice(stage: Stage) -> httpx.Response:
    """Bring one state back twice, the second time with nothing wrong."""
    first = _misled(stage, _claims(nonce="another"))
    return linking.follow(stage, str(first.request.url))


def _unlisted(stage: Stage) -> httpx.Response:
    if stage.described.authorization_servers is None:
        raise Skipped("the service accepts whichever approval server is linked")
    return linking.submit(stage, issuer=_OTHER)


GROUP: Final = Group(
    "Linking refused",
    (
        _row("link.4", "another nonce", "an ID token with another nonce", Reason.LINK_NONCE, _claims(nonce="another")),
        _row(
            "link.5", "another key", "an ID token by a key that the issuer does not publish", Reason.ID_TOKEN_INVALID,
            Misled(key=lambda _: new_key()),
        ),
        _row("link.6", "another client", "an ID token whose aud is another service's", Reason.ID_TOKEN_INVALID, _claims(aud=_OTHER)),
        _row("link.7", "another issuer", f"an ID token of {_OTHER}", Reason.ID_TOKEN_INVALID, _claims(iss=_OTHER)),
        _row("link.8", "expired", "an ID token that expired a minute ago", Reason.ID_TOKEN_INVALID, Misled(id_token=_expired)),
        _roster(
            "link.9", "roster for another service", f"a roster whose aud is {_OTHER}", Reason.ROSTER_AUDIENCE,
            lambda stage: stage.person.vouched(replace(stage.person.pinned, aud=_OTHER)),
        ),
        _roster(
            "link.10", "roster of another person", "a roster with another sub than the ID token's", Reason.ROSTER_SUBJECT,
            lambda stage: stage.person.vouched(replace(stage.person.pinned, sub="another")),
        ),
        _roster(
            "link.11", "roster of another issuer", f"a roster of {_OTHER}", Reason.ROSTER_ISSUER,
            lambda stage: stage.person.vouched(replace(stage.person.pinned, iss=_OTHER)),
        ),
        _roster(
            "link.12", "vouched for by a stranger", "a roster signed by a passkey that is not in it", Reason.ROSTER_UNPINNED,
            lambda stage: stage.person.vouched(stage.person.pinned, stage.person.stranger),
        ),
        _roster(
            "link.13", "another's signature", "a credential_id of the roster, the signature of another passkey",
            Reason.ROSTER_SIGNATURE, lambda stage: stage.person.vouched(stage.person.pinned, stage.person.impostor),
        ),
        _row(
            "link.14", "another state", "another state than the browser was sent away with", Reason.LINK_STATE,
            Misled(back=lambda right: {**right, "state": "another"}),
        ),
        _row(
            "link.15", "another iss", f"iss of {_OTHER} beside the code", Reason.LINK_ISSUER,
            Misled(back=lambda right: {**right, "iss": _OTHER}),
        ),
        _row(
            "link.16", "no iss", "no iss beside the code", Reason.LINK_ISSUER,
            Misled(back=lambda right: {name: value for name, value in right.items() if name != "iss"}),
        ),
        _played("link.17", "state used twice", "a state that came back before", Reason.LINK_STATE, _used_twice),
        _played(
            "link.18", "another browser", "the way back in a browser that did not begin it", Reason.LINK_STATE,
            lambda stage: linking.submit(stage, elsewhere=True),
        ),
        _played(
            "link.19", "no token of the form", "the link page's form without its other fields", None,
            lambda stage: linking.submit(stage, bare=True),
        ),
        _played("link.20", "issuer not listed", f"the form with {_OTHER}", Reason.LINK_ISSUER, _unlisted),
    ),
)  # fmt: skip
