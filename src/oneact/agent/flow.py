"""The way of one act as its agent goes it, without I/O: a generator that gives the next step and takes what came of it.

discover the service -> plain request -> offer -> approval server -> poll -> request with token -> receipt.
A lost answer is repeated with the same token, then asked after; an act is never asked for anew.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from oneact.agent.errors import Denied, Expired, OutcomeUnknown, Refused, Unreachable
from oneact.errors import Reason, Refusal
from oneact.protocol import base64url, canonical, jwk, metadata, offer, receipt, token

if TYPE_CHECKING:
    from oneact.protocol.canonical import Json
    from oneact.protocol.jwk import PublicKey
    from oneact.protocol.metadata import ServerMetadata
    from oneact.protocol.offer import Offer
    from oneact.protocol.receipt import Receipt

WAIT: Final = 50
_INTERVAL: Final = 5
_REPEATS: Final = 4
_PAUSE: Final = 2
_RECEIPT: Final = "oneact-receipt"
_SALT: Final = "oneact-result-salt"
# Every request with the same token would have failed these checks, which come after the look-up of a spend.
_FINAL: Final = frozenset(reason.value for reason in Reason if reason.check in {3, 7, 8, 9, 10})
_CLIENT_ERROR: Final = 400
_SERVER_ERROR: Final = 500


@dataclass(frozen=True, slots=True)
class Call:
    """A request to make. `authenticated` calls carry client assertion and proof; `token` the action token and proof."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] | None = None
    body: bytes | None = None
    authenticated: bool = False
    token: str | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """A pause to make, in seconds."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, at second `now`; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    now: int

    def members(self) -> dict[str, Json]:
        """Give the JSON object of the body; an empty one where it holds none."""
        try:
            value = canonical.parse(self.body)
        except Refusal:
            return {}
        return value if isinstance(value, dict) else {}

    def member(self, name: str) -> str:
        """Give a text member of the body, or an empty text."""
        value = self.members().get(name)
        return value if isinstance(value, str) else ""


@dataclass(frozen=True, slots=True)
class Lost:
    """No answer came, or not whole; whether the request arrived is not known."""

    now: int


Step: TypeAlias = Call | Wait
Event: TypeAlias = Answer | Lost | None
Flow: TypeAlias = Generator[Step, Event, "Outcome"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an author wants done: one request to a guarded address of a service.

    `action` and `parameters` are what the offer has to be for; None leaves the choice to the address.
    """

    service: str
    method: str
    url: str
    body: bytes | None
    content_type: str
    action: str | None
    parameters: dict[str, Json] | None


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: the approval server's metadata, the hint and the key of this pairing, and how long to wait."""

    server: ServerMetadata
    hint: str
    client_id: str
    jkt: str
    idempotency_key: str
    reason: str = ""
    patience: int = 600


@dataclass(frozen=True, slots=True)
class Outcome:
    """An act's end: the answer of the service, and its receipt, verified; both None for a request without approval."""

    status: int
    content_type: str
    body: bytes | None
    receipt: Receipt | None
    jws: str


@dataclass(frozen=True, slots=True)
class _Service:
    resource: str
    jwks_uri: str
    keys: Mapping[str, PublicKey]


def by_name(service: str, action: str, parameters: dict[str, Json], act_uri: str) -> Wanted:
    """Want an action by its name at the service's own address for that."""
    body = canonical.encode({"action": action, "parameters": parameters})
    return Wanted(service, "POST", act_uri, body, "application/json", action, parameters)


def discover(service: str) -> Generator[Step, Event, tuple[metadata.ServiceMetadata, dict[str, PublicKey]]]:
    """Give a service's metadata and keys; raises `Unreachable` or `Refused`."""
    found = yield from _document(metadata.well_known(service, metadata.SERVICE_PATH))
    described = metadata.parse_service(found, service)
    return described, jwk.parse_set((yield from _document(described.jwks_uri)))


def act(wanted: Wanted, asker: Asker, jwks_uri: str, keys: Mapping[str, PublicKey]) -> Flow:
    """Go the whole way of one act; raises `Denied`, `Expired`, `Refused`, `Unreachable` or `OutcomeUnknown`."""
    service = _Service(wanted.service, jwks_uri, keys)
    first = yield _request(wanted, {"Accept-Txn-Challenge": f'?1;as="{asker.server.issuer}"'})
    answer = _arrived(first, "the service")
    text = answer.member("transaction_challenge")
    if not text:
        return _without_approval(answer)
    offered, service = yield from _checked_offer(text, wanted, asker, service, answer.now)
    identifier, issued = yield from _approved(text, asker, answer.now)
    claims = _claims(issued)
    if claims.txn != offered.txn or claims.jkt != asker.jkt:
        raise Refused("token_malformed", "the token is for another act or key")
    return (yield from _execute(wanted, asker, service, offered, identifier, issued))


def _document(url: str) -> Generator[Step, Event, Json]:
    answer = _arrived((yield Call("GET", url)), url)
    if answer.status != 200:  # noqa: PLR2004 - OK
        raise Unreachable(f"{url} answered {answer.status}")
    return canonical.parse(answer.body)


def _request(wanted: Wanted, headers: dict[str, str], issued: str | None = None) -> Call:
    typed = {"Content-Type": wanted.content_type} if wanted.body is not None else {}
    return Call(wanted.method, wanted.url, {**typed, **headers}, body=wanted.body, token=issued)


def _arrived(event: Event, whom: str) -> Answer:
    if not isinstance(event, Answer):
        raise Unreachable(f"{whom} cannot be reached")
    return event


def _refused(answer: Answer) -> Refused:
    reason = answer.member("reason") or answer.member("error") or f"http_{answer.status}"
    return Refused(reason, answer.member("error_description"), answer.status, answer.member("link_uri"))


def _without_approval(answer: Answer) -> Outcome:
    """Give the answer of an address that asked for none; a refusal raises."""
    if answer.status >= _CLIENT_ERROR:
        raise _refused(answer)
    return Outcome(answer.status, answer.headers.get("content-type", ""), answer.body, None, "")


def _checked_offer(
    text: str, wanted: Wanted, asker: Asker, service: _Service, now: int
) -> Generator[Step, Event, tuple[Offer, _Service]]:
    """Check that the offer is the service's, for this server, and for what was wanted."""
    offered, parsed = offer.parse(text)
    if parsed.header.kid not in service.keys:
        service = yield from _refreshed(service)
    offer.check(offered, parsed, service.keys, asker.server.issuer, now)
    if offered.iss != service.resource:
        raise Refused("offer_act", "the offer is for another service")
    if wanted.action is not None and offered.act.action != wanted.action:
        raise Refused("offer_act", "the offer is for another action")
    if wanted.parameters is not None and not _covers(offered.act.parameters, wanted.parameters):
        raise Refused("offer_act", "the offer is for other parameters")
    return offered, service


def _refreshed(service: _Service) -> Generator[Step, Event, _Service]:
    return _Service(service.resource, service.jwks_uri, jwk.parse_set((yield from _document(service.jwks_uri))))


def _covers(offered: Json, wanted: Json) -> bool:
    """Tell whether everything wanted stands in the offer unchanged; the service may fill in defaults beside it."""
    if isinstance(offered, dict) and isinstance(wanted, dict):
        return all(name in offered and _covers(offered[name], value) for name, value in wanted.items())
    if isinstance(offered, list) and isinstance(wanted, list):
        return len(offered) == len(wanted) and all(map(_covers, offered, wanted))
    return type(offered) is type(wanted) and offered == wanted


def _approved(text: str, asker: Asker, since: int) -> Generator[Step, Event, tuple[str, str]]:
    """Bring the offer to the approval server and wait for the person; give the request's identifier and the token."""
    form = {"transaction_challenge": text, "login_hint": asker.hint}
    if asker.reason:
        form["reason"] = asker.reason
    address = asker.server.endpoints["transaction_authorization_endpoint"]
    asking = Call("POST", address, {"Idempotency-Key": asker.idempotency_key}, form, authenticated=True)
    event = yield asking
    if isinstance(event, Lost):  # the key makes a repetition the same request
        event = yield asking
    answer = _arrived(event, "the approval server")
    identifier = answer.member("transaction_authorization_id")
    if not identifier:
        raise _refused(answer)
    return identifier, (yield from _polled(asker, identifier, since + asker.patience))


def _polled(asker: Asker, identifier: str, until: int) -> Generator[Step, Event, str]:
    address = asker.server.endpoints["transaction_authorization_endpoint"]
    poll = Call(
        "POST", address, {"Prefer": f"wait={WAIT}"}, {"transaction_authorization_id": identifier}, authenticated=True
    )
    interval, lost = _INTERVAL, 0
    while True:
        event = yield poll
        if not isinstance(event, Answer) or event.status >= _SERVER_ERROR:
            lost += 1
            if lost > _REPEATS:
                raise Unreachable("the approval server cannot be reached")
            yield Wait(min(_PAUSE**lost, WAIT))
            continue
        lost, error = 0, event.member("error")
        if event.status == 200:  # noqa: PLR2004 - OK
            return event.member("access_token")
        if error not in {"authorization_pending", "slow_down"}:
            raise _ended(event)
        if event.now >= until:
            yield _cancellation(asker, identifier)
            raise Expired("nobody decided while the agent waited")
        if error == "slow_down":
            interval += 5
            yield Wait(interval)


def _ended(answer: Answer) -> Exception:
    if answer.member("reason") == "denied":
        return Denied(answer.member("message"))
    if answer.member("error") == "expired_token" or answer.member("reason") == "cancelled":
        return Expired(answer.member("error_description"))
    return _refused(answer)


def _cancellation(asker: Asker, identifier: str) -> Call:
    form = {"transaction_authorization_id": identifier}
    return Call("POST", asker.server.endpoints["cancellation_endpoint"], {}, form, authenticated=True)


def _claims(issued: str) -> token.ActionToken:
    try:
        return token.parse(issued)[0]
    except Refusal as refusal:
        raise Refused(refusal.reason.value, refusal.reason.says) from refusal


def _execute(wanted: Wanted, asker: Asker, service: _Service, offered: Offer, identifier: str, issued: str) -> Flow:
    """Send the act with its token; on silence, and on what is no end after it, the same again; then ask after it."""
    for number in range(_REPEATS):
        event = yield _request(wanted, {}, issued)
        if isinstance(event, Answer):
            text = event.headers.get(_RECEIPT, "")
            if text:
                return (yield from _settled(asker, service, offered, issued, text, _of_handler(event)))
            if event.member("receipt"):
                kept = _of_spend(event)
                return (yield from _settled(asker, service, offered, issued, event.member("receipt"), kept))
            undecided = event.status >= _SERVER_ERROR or event.member("error") == "act_in_progress"
            if not undecided and (number == 0 or _is_end(event)):
                raise _end(event, offered, number)
        yield Wait(_PAUSE)
    return (yield from _asked_after(asker, service, offered, identifier, issued))


def _is_end(answer: Answer) -> bool:
    """Tell whether a refusal after silence is the end: there is no spend, whichever release of the service answers."""
    return answer.members().get("not_executed") is True and answer.member("reason") in _FINAL


def _end(answer: Answer, offered: Offer, number: int) -> Exception:
    if number and answer.member("reason") == Reason.TOKEN_EXPIRED.value:
        return Expired("the token lived out its seconds before it reached the service")
    if answer.status >= _CLIENT_ERROR:
        return _refused(answer)
    return OutcomeUnknown(offered.txn, "the service answered without a receipt")


def _asked_after(asker: Asker, service: _Service, offered: Offer, identifier: str, issued: str) -> Flow:
    """Ask the approval server for the receipt."""
    form = {"transaction_authorization_id": identifier}
    event = yield Call("POST", asker.server.endpoints["receipt_endpoint"], {}, form, authenticated=True)
    text = event.member("receipt") if isinstance(event, Answer) else ""
    if not text:
        raise OutcomeUnknown(offered.txn, "no answer, and no receipt at the approval server")
    return (yield from _settled(asker, service, offered, issued, text, Outcome(0, "", None, None, "")))


def _of_handler(answer: Answer) -> Outcome:
    kind = answer.headers.get("content-type", "")
    return Outcome(answer.status, kind, answer.body, None, answer.headers.get(_SALT, ""))


def _of_spend(answer: Answer) -> Outcome:
    """Read the kept response of an act that had been executed before."""
    kept = answer.members().get("response")
    members = kept if isinstance(kept, dict) else {}
    status, kind, body = members.get("status"), members.get("content_type"), members.get("body_base64url")
    return Outcome(
        status if isinstance(status, int) else 0,
        kind if isinstance(kind, str) else "",
        base64url.decode(body) if isinstance(body, str) else None,
        None,
        answer.member("salt"),
    )


def _settled(asker: Asker, service: _Service, offered: Offer, issued: str, text: str, found: Outcome) -> Flow:
    """Verify the receipt; an outcome that the service did not sign is no outcome."""
    try:
        _, parsed = receipt.parse(text)
        if parsed.header.kid not in service.keys:
            service = yield from _refreshed(service)
        signed = receipt.check(text, service.keys)
    except (Refusal, Unreachable) as error:
        raise OutcomeUnknown(offered.txn, f"the receipt does not verify ({error})") from error
    claims = _claims(issued)
    expected = (service.resource, asker.server.issuer, offered.txn, claims.jti, offered.act.digest)
    if (signed.iss, signed.aud, signed.txn, signed.jti, signed.act_digest) != expected:
        raise OutcomeUnknown(offered.txn, "the receipt is for another act")
    if signed.status == "unknown":
        raise OutcomeUnknown(offered.txn, "the service says so")
    if found.body is not None and not _is_result(signed, found):
        raise OutcomeUnknown(offered.txn, "the answer is not the one that the receipt is for")
    return Outcome(found.status, found.content_type, found.body, signed, text)


def _is_result(signed: Receipt, found: Outcome) -> bool:
    if signed.result_digest is None or found.body is None:
        return True
    try:
        salt = base64url.decode(found.jws)
    except Refusal:
        return False
    return receipt.result_digest(salt, found.body) == signed.result_digest
