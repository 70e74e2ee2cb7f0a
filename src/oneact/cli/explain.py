"""`oneact explain`: say in plain words what a token, a receipt, an offer or a code means, and what was checked."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from oneact.protocol.canonical import Json
    from oneact.protocol.jwk import PublicKey

_CHECKS: Final = {
    1: "one DPoP token and one proof",
    2: "the token's form, issuer and signature",
    4: "the token is for this service",
    5: "the proof, by the token's key",
    6: "the request is the act that the token names",
    3: "the token's time",
    7: "the service's own terms",
    8: "the linked account",
    9: "the person's statement",
    10: "the passkey's signature",
    11: "the one use",
    12: "the execution, with the one use in its own transaction",
}  # in the order in which they are made
_USE: Final = 11
_LOOKED_UP_AFTER: Final = 4  # so many checks stand before an earlier use is looked up
_SCHEME: Final = re.compile(r"(?:authorization\s*:\s*)?(?:dpop|bearer)\s*:?\s+", re.IGNORECASE)


def explain(
    what: Annotated[str, typer.Argument(help="A token, a receipt, an offer, or a code such as token_expired.")],
    fetch: Annotated[bool, typer.Option("--fetch", help="Fetch the issuer's keys and verify the signature.")] = False,
) -> None:
    """Say what something means, what was checked of it here, and what to do."""
    from oneact.errors import Reason, Refusal

    what = _bare(what)
    if what in {reason.value for reason in Reason}:
        lines: Iterator[str] = _code(what)
    else:
        lines = _signed(what, fetch=fetch)
    try:
        for line in lines:
            typer.echo(line)
    except Refusal as refusal:
        typer.echo(f"failed   {refusal.reason.says} ({refusal})")
        raise typer.Exit(5) from refusal


def _bare(text: str) -> str:
    """Give what was pasted without the quotes and the scheme that stood around it."""
    text = text.strip().strip("'\"`,").strip()
    found = _SCHEME.match(text)
    return _bare(text[found.end() :]) if found else text


def _code(value: str) -> Iterator[str]:
    from oneact.cli.advice import ADVICE
    from oneact.errors import Reason

    reason = next(found for found in Reason if found.value == value)
    yield f"{reason.value}: {reason.says}"
    yield f"answered as {reason.error} with HTTP status {reason.status}"
    if reason.check and reason is not Reason.STORE_UNAVAILABLE:  # that one may come at any moment
        yield from _checks(reason.check)
    yield f"what to do: {ADVICE[reason]}"


def _checks(failed: int) -> Iterator[str]:
    """Say what the service had checked by then; an act that was used before is looked up early."""
    made = [number for number in _CHECKS if number != _USE or failed == _USE]  # which is rolled back with the execution
    for number in made[: _LOOKED_UP_AFTER if failed == _USE else made.index(failed)]:
        yield f"passed   check {number}, {_CHECKS[number]}"
    yield f"failed   check {failed}, {_CHECKS[failed]}"


def _signed(text: str, *, fetch: bool) -> Iterator[str]:
    from oneact.protocol import offer, receipt, token

    kinds: dict[str, Callable[[str, bool], Iterator[str]]] = {
        token.TYP: _token,
        receipt.TYP: _receipt,
        offer.TYP: _offer,
    }
    found = _typ(text)
    if found not in kinds:
        typer.echo("this is no code of the error table, and no token, receipt or offer", err=True)
        raise typer.Exit(2)
    yield from kinds[found](text, fetch)


def _typ(text: str) -> str:
    from oneact.errors import Refusal
    from oneact.protocol import base64url, canonical

    try:
        header = canonical.parse(base64url.decode(text.partition(".")[0]))
    except Refusal:
        return ""
    typ = header.get("typ") if isinstance(header, dict) else None
    return typ if isinstance(typ, str) else ""


def _token(text: str, fetch: bool) -> Iterator[str]:
    from oneact.protocol import asking, jws, read_token, token

    others = {asking.SCOPE: _asking, read_token.SCOPE: _read}
    other = others.get(str(jws.parse(text, token.TYP, token.FAULTS).claims.get("scope")))
    if other is not None:
        yield from other(text, fetch)
        return
    found, parsed = token.parse(text)
    named, now = token.parse_act(found), int(time.time())
    yield "an action token: the right to have one act done, once"
    yield f"act      {named.action} at {named.location}"
    yield f"by       agent {found.client_id}, key {found.jkt}"
    yield f"from     {found.iss} for {found.sub}"
    yield f"txn      {found.txn}"
    yield f"approved by {len(token.parse_approvals(found))} person(s)"
    yield "passed   form, type and algorithm"
    yield _time(found.exp - now)
    yield from _signature(lambda keys: jws.verify_with(parsed, keys, token.FAULTS), found.iss, fetch, server=True)
    yield "not checked here: proof, parameters, link, and the passkey's signature, which need the service's own data"


def _asking(text: str, fetch: bool) -> Iterator[str]:
    from oneact.protocol import asking, jws, token

    found, parsed = asking.parse(text)
    yield "an asking token: it says who asks for an offer, and leads to no act"
    yield f"at       {found.aud}"
    yield f"by       agent {found.client_id}, key {found.jkt}"
    yield f"from     {found.iss} for {found.sub}"
    yield "passed   form, type and algorithm"
    yield _time(found.exp - int(time.time()))
    yield from _signature(lambda keys: jws.verify_with(parsed, keys, token.FAULTS), found.iss, fetch, server=True)
    yield "not checked here: proof and link, which need the service's own data"


def _read(text: str, fetch: bool) -> Iterator[str]:
    from oneact.errors import Reason
    from oneact.protocol import jws, read_token, reading, token

    found, parsed = read_token.parse(text)
    wanted = reading.parse_details(found.details, Reason.READ_MALFORMED)
    said, _ = read_token.parse_approvals(found.approvals)
    yield "a read token: it reads what a person has opened, and leads to no act"
    yield f"reads    {', '.join(wanted.names)} at {wanted.location}"
    yield f"by       agent {found.client_id}, key {found.jkt}"
    yield f"from     {found.iss} for {found.sub}"
    yield f"session  ends {said.exp}, {said.exp - int(time.time())} s from now"
    yield "passed   form, type and algorithm"
    yield _time(found.exp - int(time.time()))
    yield from _signature(lambda keys: jws.verify_with(parsed, keys, token.FAULTS), found.iss, fetch, server=True)
    yield "not checked here: proof, link, and the passkey's signature, which need the service's own data"


def _time(left: int) -> str:
    return f"passed   time: {left} s are left" if left > 0 else f"failed   time: expired {-left} s ago (token_expired)"


def _receipt(text: str, fetch: bool) -> Iterator[str]:
    from oneact.protocol import jws, receipt

    found, parsed = receipt.parse(text)
    says = {"executed": "the act was executed", "failed": "the act was tried and failed", "unknown": "nobody knows yet"}
    yield f"a receipt: {found.iss} says that {says[found.status]}"
    yield f"txn      {found.txn}"
    yield f"act      digest {found.act_digest}"
    yield f"at       {found.iat}"
    yield "passed   form, type and algorithm"
    yield from _signature(lambda keys: jws.verify_with(parsed, keys, receipt.FAULTS), found.iss, fetch, server=False)


def _offer(text: str, fetch: bool) -> Iterator[str]:
    from oneact.protocol import jws, offer

    found, parsed = offer.parse(text)
    left = found.exp - int(time.time())
    yield "an offer: an act as the service states it, to be approved"
    yield f"act      {found.act.action} at {found.iss}"
    yield f"for      the approval server {found.aud}"
    yield f"parameters {found.act.parameters}"
    yield f"terms    {found.act.terms}"
    yield "passed   form, type and algorithm"
    yield f"passed   time: {left} s are left" if left > 0 else f"failed   time: expired {-left} s ago (offer_expired)"
    yield from _signature(lambda keys: jws.verify_with(parsed, keys, offer.FAULTS), found.iss, fetch, server=False)


def _signature(
    verify: Callable[[dict[str, PublicKey]], None], issuer: str, fetch: bool, *, server: bool
) -> Iterator[str]:
    if not fetch:
        yield "not checked: the signature (use --fetch to get the issuer's keys)"
        return
    verify(_keys(issuer, server=server))
    yield f"passed   signature, by a key that {issuer} publishes"


def _keys(issuer: str, *, server: bool) -> dict[str, PublicKey]:
    from oneact.fetch import LOCAL_NAMES, fetch
    from oneact.protocol import jwk, metadata

    def document_at(uri: str) -> Json:
        return fetch("GET", uri, private_hosts=LOCAL_NAMES).json()  # by whoever types --fetch, from their own machine

    path = metadata.SERVER_PATH if server else metadata.SERVICE_PATH
    document = document_at(metadata.well_known(issuer, path))
    if server:
        uri = metadata.parse_server(document, issuer).endpoint("jwks_uri")
    else:
        uri = metadata.parse_service(document, issuer).jwks_uri
    return jwk.parse_set(document_at(uri))
