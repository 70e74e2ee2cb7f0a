"""What a model is told of an act's end: a plain sentence each. An outage is not told, it raises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from oneact.agent.errors import AgentError, Denied, Expired, Refused, TermsChanged, Undecided
from oneact.errors import Reason
from oneact.protocol import canonical

if TYPE_CHECKING:
    from oneact.agent.result import Result

_CLIENT_ERROR: Final = 400
_SERVER_ERROR: Final = 500
_OUTAGES: Final = frozenset({Reason.RATE_LIMITED.value, Reason.HINT_UNKNOWN.value, Reason.CLIENT_UNKNOWN.value})


@dataclass(frozen=True, slots=True)
class Told:
    """What a model is told: `text`, whether the act `failed`, and the `result` itself where there is one."""

    text: str
    failed: bool
    result: Result | None = None


def told(ended: Result | AgentError) -> Told:
    """Word what `agent.act` gave or raised.

    Raises what is no word of the person or the service, and so nothing for a model to go by: `Unreachable`,
    `OutcomeUnknown`, a refusal for want of service (5xx, `rate_limited`) or without any reason, a pairing that is gone.
    """
    if not isinstance(ended, AgentError):
        return _of_result(ended)
    if isinstance(ended, Refused) and ended.status < _SERVER_ERROR and not _is_outage(ended.reason):
        return Told(_of_refusal(ended), failed=True)
    if isinstance(ended, Denied):
        words = f": {ended.message}" if ended.message else "."
        return Told(f"The person said no{words}\nNothing was done. Do not ask for the same again.", failed=True)
    if isinstance(ended, Expired):
        return Told("Nobody decided in time. Nothing was done.", failed=True)
    if isinstance(ended, Undecided):
        return Told(f"The person has not decided yet. They find the request at {ended.page}", failed=True)
    raise ended


def _is_outage(reason: str) -> bool:
    """Tell whether a refusal is no word on the act: `http_…` is what something in between answers, without a reason."""
    return reason in _OUTAGES or reason.startswith("http_")


def _of_result(result: Result) -> Told:
    failed = result.status >= _CLIENT_ERROR or (result.receipt is not None and result.receipt.status != "executed")
    if result.body is None:
        state = "failed" if failed else "was executed"
        return Told(f"This {state} before, as the service's receipt says. Its answer is not kept.", failed, result)
    text = result.body.decode("utf-8", "replace")
    return Told(f"The service says that it failed ({result.status}): {text}" if failed else text, failed, result)


def _of_refusal(refused: Refused) -> str:
    if isinstance(refused, TermsChanged):
        old, new = (canonical.encode(terms or {}).decode() for terms in (refused.approved, refused.terms))
        return (
            f"The service's terms have changed: {old} was approved, now it is {new}. Nothing was done. "
            "Call again only if the new terms are wanted; the person will be asked about them."
        )
    if refused.reason == Reason.IDEMPOTENCY_CONFLICT.value:
        before = f" What was begun then is {refused.earlier.status}." if refused.earlier else ""
        return (
            f"This call was begun with other arguments or terms, and is not gone on with.{before} Nothing was done now."
        )
    helps = f" The account has to be linked first, by its person, at {refused.link_uri}" if refused.link_uri else ""
    return f"Refused ({refused}). Nothing was done.{helps}"
