"""Rows about offers: what the plain request is answered, and what the offer says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from oneact.conformance import candidates, outcome
from oneact.conformance.outcome import Failed, Skipped
from oneact.conformance.row import Group, Row, answered
from oneact.errors import Reason, Refusal
from oneact.protocol import base64url, display, fitting, offer

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from oneact.conformance.stage import Stage

_HEADER: Final = 2 * 1024
_TXN: Final = 57  # octets
_EXP: Final = slice(17, 25)
_TOO_LARGE: Final = 17_000  # characters, over the 16 KiB that are shown


def _told(stage: Stage) -> None:
    answer = stage.plain()
    outcome.refused(answer, Reason.APPROVAL_REQUIRED)
    kept = answer.headers.get("cache-control", "nothing")
    outcome.holds("Cache-Control: no-store", kept, right="no-store" in kept)
    outcome.holds("DPoP in WWW-Authenticate", answer.headers.get("www-authenticate", "nothing"),
                  right=answer.headers.get("www-authenticate", "").startswith("DPoP "))  # fmt: skip


def _in_header(stage: Stage) -> None:
    """Hold the header against the body: the same offer, or none where it would pass 2 KiB."""
    answer = stage.plain()
    header, text = answer.headers.get("www-authenticate", ""), outcome.body(answer).get("transaction_challenge")
    outcome.holds("at most 2 KiB", f"{len(header)} octets", right=len(header) <= _HEADER)
    whole = f'transaction_challenge="{text}"'
    fits = len(header) + len(whole) + 2 <= _HEADER
    outcome.holds("the body's offer in the header", header, right=whole in header or not fits)


def _verifies(stage: Stage) -> None:
    text = stage.ask().text
    try:
        found, parsed = offer.parse(text)
        offer.check(found, parsed, stage.keys, stage.person.issuer, stage.now())
    except Refusal as refusal:
        raise Failed(
            "an offer that verifies by a published key, for this approval server, of this time", str(refusal)
        ) from refusal
    outcome.same("iss", found.iss, stage.resource)


def _act(stage: Stage) -> None:
    """Hold the act in the offer against what was asked for."""
    act = stage.ask().act
    outcome.same("action", act.action, stage.action.name)
    outcome.same("action_digest", act.action_digest, stage.action.digest)
    outcome.same("location", act.location, stage.resource)
    sent, filled = stage.parameters, act.parameters or {}
    outcome.same("the parameters sent, unchanged:", {name: filled.get(name) for name in sent}, sent)
    outcome.same(
        "the parameters with the schema's defaults:", filled, fitting.fill(dict(stage.action.schema), dict(sent))
    )
    outcome.same("terms if and only if the action has them:", act.terms is not None, stage.with_terms)
    if act.terms is not None and stage.action.terms is not None:
        fitting.validate(stage.action.terms, dict(act.terms))
    outcome.holds("lines that can be shown", "none", right=bool(display.render(stage.action, filled, act.terms)))


def _txn(stage: Stage) -> None:
    """Take the `txn` apart, and hold its end against the offer's."""
    first, second = stage.ask(), stage.ask()
    outcome.holds("another txn for another offer", first.txn, right=first.txn != second.txn)
    found, octets = offer.parse(first.text)[0], base64url.decode(first.txn)
    outcome.same("octets of txn:", len(octets), _TXN)
    outcome.same("first octet of txn:", octets[0], int(found.sub is not None))
    outcome.same("the end in txn", int.from_bytes(octets[_EXP], "big"), found.exp)


def _asking(value: str | None) -> Callable[[Stage], None]:
    """Ask with this header, or without it."""

    def play(stage: Stage) -> None:
        fields = [] if value is None else [("Accept-Txn-Challenge", value.format(stage.person.issuer))]
        _no_offer(stage, stage.post(stage.request_body(stage.parameters), *fields))

    return play


def _twice(stage: Stage) -> None:
    _no_offer(stage, stage.post(stage.request_body(stage.parameters), stage.accept, stage.accept))


def _no_offer(stage: Stage, answer: httpx.Response) -> None:
    outcome.refused(answer, Reason.ISSUER_NOT_ACCEPTED)
    outcome.same("link_uri", outcome.body(answer).get("link_uri"), stage.described.link_uri)
    outcome.holds("no offer", "an offer", right="transaction_challenge" not in answer.text + str(answer.headers))


def _too_large(stage: Stage) -> None:
    """Make a text of the parameters longer than a page may show, one that the service itself takes."""
    for name in (name for names in candidates.names(stage.action) for name in names):
        parameters = {**stage.parameters, name: "x" * _TOO_LARGE}
        if not candidates.fits(stage.action, parameters):
            continue
        answer = stage.plain(parameters)
        if outcome.body(answer).get("reason") != Reason.PARAMETERS_INVALID.value:
            return outcome.refused(answer, Reason.TOO_LARGE_TO_SHOW)
    raise Skipped("no parameter takes a text that long")


_NONE: Final = (Reason.ISSUER_NOT_ACCEPTED,)
GROUP: Final = Group(
    "Offers",
    (
        answered("offer.1", "told in the body", "a plain request", (Reason.APPROVAL_REQUIRED,), _told),
        answered("offer.2", "told in the header", "a plain request", (Reason.APPROVAL_REQUIRED,), _in_header),
        Row("offer.3", "signed", "a plain request", "an offer that verifies by a published key", _verifies),
        Row("offer.4", "of this act", "a plain request", "action, digest, parameters and terms of what was asked", _act),
        Row("offer.5", "txn", "two plain requests", "two txn in the form of section 4.3", _txn),
        answered("offer.6", "not asked for", "no Accept-Txn-Challenge", _NONE, _asking(None)),
        answered("offer.7", "no as", "Accept-Txn-Challenge: ?1", _NONE, _asking("?1")),
        answered("offer.8", "declined", 'Accept-Txn-Challenge: ?0;as="…"', _NONE, _asking('?0;as="{}"')),
        answered(
            "offer.9", "unknown issuer", "an as that nobody lists or has linked", _NONE,
            _asking('?1;as="https://other.example"'),
        ),
        answered("offer.10", "as a prefix", "the issuer and a slash", _NONE, _asking('?1;as="{}/"')),
        answered("offer.11", "header twice", "Accept-Txn-Challenge twice", _NONE, _twice),
        answered("offer.12", "too large to show", "a text of 17,000 characters", (Reason.TOO_LARGE_TO_SHOW,), _too_large),
    ),
)  # fmt: skip
