"""At the approval server: bring the offer, wait for the person, take the token."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from oneact.agent.errors import Denied, Expired, Refused, Undecided, Unreachable, as_refused
from oneact.agent.flow import steps
from oneact.agent.flow.steps import Answer, Call, Lost, Wait
from oneact.errors import Reason
from oneact.protocol import token

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from oneact.agent.flow.steps import Asker, Event, Step
    from oneact.protocol.offer import Offer

LONGEST: Final = 50
_INTERVAL: Final = 5
_REPEATS: Final = 4
_PAUSE: Final = 2
_SERVER_ERROR: Final = 500


@dataclass(frozen=True, slots=True)
class Asked:
    """The request at the approval server, asked at second `at`; `joined` if an earlier call had asked for it.

    `page` is where the person finds it.
    """

    identifier: str
    joined: bool
    at: int
    page: str = ""


class KeyUsed(Exception):  # noqa: N818 - an answer, and never seen outside
    """The key of this wish was used for another one; `answer` may hold the receipt of that."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


class Lapsed(Exception):  # noqa: N818 - no fault, and never seen outside
    """The token of a request that was joined has run out; it may have been used."""


def ask(text: str, asker: Asker) -> Generator[Step, Event, Asked]:
    """Bring the offer to the approval server; raises `KeyUsed` where it says what the key was used for."""
    form = {"transaction_challenge": text, "login_hint": asker.hint}
    if asker.reason:
        form["reason"] = asker.reason
    address = asker.server.endpoints["transaction_authorization_endpoint"]
    asking = Call("POST", address, {"Idempotency-Key": asker.idempotency_key}, form, authenticated=True)
    answer = yield from brought(asking)
    return asked(answer, answer.member("transaction_authorization_id"))


def brought(asking: Call) -> Generator[Step, Event, Answer]:
    """Bring a question to the approval server and give its answer; raises what it refuses."""
    event = yield asking
    if isinstance(event, Lost):  # the key makes a repetition the same request
        event = yield asking
    answer = steps.arrived(event, "the approval server")
    if answer.member("reason") == Reason.IDEMPOTENCY_CONFLICT.value and answer.member("receipt"):
        raise KeyUsed(answer)
    if not answer.member("transaction_authorization_id"):
        raise steps.refused(answer)
    return answer


def asked(answer: Answer, identifier: str) -> Asked:
    """Read where one request stands; of a batch `joined` is said of all its items as soon as one was asked before."""
    joined = answer.members().get("joined") is True
    return Asked(identifier, joined, answer.now, answer.member("authorization_uri"))


def wait_for(asker: Asker, asked: Asked, until: int) -> Generator[Step, Event, str]:
    """Wait for the person and give the token; raises `Lapsed` where an earlier call with the same key had it."""
    return (yield from decided(asker, asked, until, _poll)).member("access_token")


def decided(
    asker: Asker, asked: Asked, until: int, poll: Callable[[Asker, str, int], Call]
) -> Generator[Step, Event, Answer]:
    """Poll until the person has said yes, and give the answer with the token; raises what else it ends with."""
    interval, lost, now = _INTERVAL, 0, asked.at
    while True:
        event = yield poll(asker, asked.identifier, until - now)
        now = event.now if event is not None else now
        if not isinstance(event, Answer) or event.status >= _SERVER_ERROR:
            lost += 1
            if lost > _REPEATS:
                raise Unreachable("the approval server cannot be reached")
            yield Wait(min(_PAUSE**lost, LONGEST))
            now += min(_PAUSE**lost, LONGEST)
            continue
        lost, error = 0, event.member("error")
        if event.status == 200:  # noqa: PLR2004 - OK
            return event
        if error not in {"authorization_pending", "slow_down"}:
            raise _ended(event, asked)
        if now >= until and asker.keeps:
            raise Undecided(asked.identifier, asked.page)
        if now >= until:
            yield _cancellation(asker, asked.identifier)
            raise Expired("nobody decided while the agent waited")
        if error == "slow_down":
            interval += 5
            yield Wait(interval)
            now += interval


def _poll(asker: Asker, identifier: str, seconds: int) -> Call:
    """Poll once, for as long as the server holds it and the agent still wants to wait (RFC 7240 section 4.3)."""
    address = asker.server.endpoints["transaction_authorization_endpoint"]
    headers = {"Prefer": f"wait={max(0, min(LONGEST, seconds))}"}
    return Call("POST", address, headers, {"transaction_authorization_id": identifier}, authenticated=True)


def _ended(answer: Answer, asked: Asked) -> Exception:
    """Tell the ends apart; every end but that of a token which ran out comes with the server's signed statement."""
    if answer.member("reason") == "denied":
        return Denied(answer.member("message"))
    if answer.member("error") == "expired_token" and asked.joined and not answer.member("statement"):
        return Lapsed()
    if answer.member("error") == "expired_token" or answer.member("reason") == "cancelled":
        return Expired(answer.member("error_description"))
    return steps.refused(answer)


def _cancellation(asker: Asker, identifier: str) -> Call:
    form = {"transaction_authorization_id": identifier}
    return Call("POST", asker.server.endpoints["cancellation_endpoint"], {}, form, authenticated=True)


def claims_of(issued: str) -> token.ActionToken:
    """Read the token; raises `Refused`."""
    with as_refused():
        return token.parse(issued)[0]


def of_token(issued: str, offered: Offer, asker: Asker, asked: Asked) -> Offer:
    """Give the offer that the token is for: this one, or an earlier one of the same act that was joined."""
    claims = claims_of(issued)
    same = claims.txn == offered.txn or (asked.joined and token.parse_act(claims).digest == offered.act.digest)
    if not same or claims.jkt != asker.jkt:
        raise Refused("token_malformed", "the token is for another act or key")
    return replace(offered, txn=claims.txn)
