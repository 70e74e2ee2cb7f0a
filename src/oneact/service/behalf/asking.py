"""The service as who asks: one call to the transaction endpoint of an approval server, and what it answers."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from typing import TYPE_CHECKING, Final, NamedTuple

from oneact.errors import Reason, Refusal
from oneact.fetch import form_body
from oneact.protocol import canonical, client_assertion, dpop, metadata
from oneact.protocol.ended import MAX_MESSAGE
from oneact.service import exchange

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from oneact.fetch import Fetched
    from oneact.protocol.canonical import Json
    from oneact.service.guard import GuardCore
    from oneact.service.store.holding import End, Held

WAIT: Final = 8  # seconds for which the approval server holds an answer
_LONG: Final = 2  # waits at a time, of the four connections that there are to one approval server
_LONG_WITHIN: Final = 64  # the same, where the approval server is in this process and no connection is held
EARLY: Final = 5  # seconds between two polls of one request that do not wait (section 6.3)
LATER: Final = frozenset({Reason.METADATA_UNREACHABLE, Reason.RATE_LIMITED, Reason.STORE_UNAVAILABLE})
_MAX_ISSUERS: Final = 256
_ENDPOINT: Final = "transaction_authorization_endpoint"
_CANCELLATION: Final = "cancellation_endpoint"
_OK, _ERROR = 200, 500
_UNAUTHORIZED: Final = 401
_RATE_LIMITED: Final = 429
_PENDING: Final = frozenset({"authorization_pending", "slow_down"})


class Asked(NamedTuple):
    """Where a submission has been asked for: the request's identifier, and its page for the person."""

    request: str
    page: str


class Ended(NamedTuple):
    """How a request has ended without a token; `said` is the person's words, or the reason of a refusal."""

    state: End
    said: str


class Asking:
    """Asks approval servers on behalf of programs without a key (specification, section 6.3).

    `waits` where an answer may take some seconds without a thread that waits for it.
    """

    def __init__(self, guard: GuardCore, *, waits: bool) -> None:
        self._guard, self._waits = guard, waits
        self._nonces: dict[str, str] = {}
        self._long = asyncio.Semaphore(_LONG if guard.approvals is None else _LONG_WITHIN)

    async def ask(self, held: Held) -> Asked | Ended:
        """Ask for a held submission; the same again is the same request.

        Refuses `metadata_…` and `rate_limited` where it may be tried again later.
        """
        question = held.question
        found = await self._post(
            question.iss,
            {"transaction_challenge": question.offer, "login_hint": question.sub},
            {"Idempotency-Key": held.id},
        )
        told = _members(found)
        request, page = told.get("transaction_authorization_id"), told.get("authorization_uri")
        if found.status == _OK and isinstance(request, str) and isinstance(page, str):
            return self._asked(held, request, page)
        return Ended("refused", _reason(found, told).value)

    async def ask_all(self, held: Sequence[Held]) -> list[Asked | Ended | Refusal]:
        """Ask for calls of one person and service as one batch, or, where that is refused, for each by itself.

        Gives for each what `ask` gives or refuses.
        """
        if len(held) > 1:
            offers: list[Json] = [each.question.offer for each in held]
            fields = {"batch": canonical.encode(offers).decode(), "login_hint": held[0].question.sub}
            key = canonical.digest([each.id for each in held])
            found = await self._post(held[0].question.iss, fields, {"Idempotency-Key": key})
            told = _members(found)
            items, page = told.get("items"), told.get("authorization_uri")
            if found.status == _OK and isinstance(items, list) and len(items) == len(held) and isinstance(page, str):
                return [self._asked(held[0], str(item), page) for item in items]
        return [await self._alone(each) for each in held]

    async def poll(self, held: Held) -> str | Ended | None:
        """Give the token of a request, or how it has ended; None while it is pending, after some seconds at most.

        Refuses `metadata_…` where the approval server cannot be reached.
        """
        fields = {"transaction_authorization_id": held.asked}
        async with self._waiting() as wait:
            headers = {"Prefer": f"wait={wait}"} if wait else {}
            found = await self._post(held.question.iss, fields, headers, wait)
        told = _members(found)
        token, error = told.get("access_token"), told.get("error")
        if found.status == _OK and isinstance(token, str):
            return token
        if error in _PENDING:
            await asyncio.sleep(EARLY if self._waits and not wait else 0)
            return None
        if error == "expired_token":
            return Ended("expired", "")
        if error == "access_denied":
            message = told.get("message")
            return Ended("denied", message[:MAX_MESSAGE] if isinstance(message, str) else "")
        return Ended("refused", _reason(found, told).value)

    async def _alone(self, held: Held) -> Asked | Ended | Refusal:
        try:
            return await self.ask(held)
        except Refusal as refusal:
            return refusal

    @staticmethod
    def _asked(held: Held, request: str, page: str) -> Asked:
        """Give where it was asked for; a page elsewhere than at the approval server is never shown."""
        mine = metadata.origin(page) == metadata.origin(held.question.iss)
        return Asked(request, page if mine else held.question.iss)

    async def cancel(self, held: Held) -> None:
        """Withdraw a request that nobody has decided; one that has been decided stays as it is.

        Refuses `metadata_…` where the approval server cannot be reached.
        """
        fields = {"transaction_authorization_id": held.asked}
        await self._post(held.question.iss, fields, {}, endpoint=_CANCELLATION)

    @contextlib.asynccontextmanager
    async def _waiting(self) -> AsyncIterator[int]:
        """Give how long to have the approval server wait: not at all where a thread would, or where others wait."""
        if not self._waits or self._long.locked():
            yield 0
            return
        async with self._long:
            yield WAIT

    async def _post(
        self, issuer: str, fields: dict[str, str], headers: dict[str, str], wait: int = 0, endpoint: str = _ENDPOINT
    ) -> Fetched:
        """Post as this service; once more where the approval server hands out its first nonce.

        And where it takes this service for nobody after some time: a machine that slept has signed in the past.
        """
        address, began = await self._guard.issuers.endpoint(issuer, endpoint), self._guard.now()
        found = await self._send(issuer, address, fields, headers, wait)
        slept = found.status == _UNAUTHORIZED and self._guard.now() - began > client_assertion.LEEWAY
        if slept or _members(found).get("error") == "use_dpop_nonce":
            found = await self._send(issuer, address, fields, headers, wait)
        return found

    async def _send(
        self, issuer: str, endpoint: str, fields: dict[str, str], headers: dict[str, str], wait: int
    ) -> Fetched:
        guard, now = self._guard, self._guard.now()
        client_id, key = guard.resource + metadata.CLIENT_PATH, guard.keys.signing
        authenticated = {
            **fields, "client_id": client_id, "client_assertion_type": client_assertion.ASSERTION_TYPE,
            "client_assertion": client_assertion.build(key, client_id, issuer, now, secrets.token_urlsafe(16)),
        }  # fmt: skip
        nonce = self._nonces.get(issuer)
        proof = dpop.build(key, "POST", endpoint, now, secrets.token_urlsafe(16), nonce=nonce)
        found = await guard.fetcher.request(
            "POST",
            endpoint,
            headers={**headers, "Content-Type": exchange.FORM, "Accept": exchange.JSON, "DPoP": proof},
            body=form_body(authenticated),
            seconds=wait + 5.0,
        )
        given = found.headers.get("dpop-nonce")
        if given:
            if len(self._nonces) >= _MAX_ISSUERS:
                self._nonces.clear()
            self._nonces[issuer] = given
        return found


def _members(found: Fetched) -> dict[str, Json]:
    try:
        value = found.json()
    except Refusal:
        return {}
    return value if isinstance(value, dict) else {}


def _reason(found: Fetched, told: dict[str, Json]) -> Reason:
    """Give the reason of a refusal that is final; refuses where it is none, or is not in the table."""
    if found.status >= _ERROR or found.status == _RATE_LIMITED:
        limited = found.status == _RATE_LIMITED
        raise Refusal(Reason.RATE_LIMITED if limited else Reason.METADATA_UNREACHABLE, f"answered {found.status}")
    named = told.get("reason")
    known = next((reason for reason in Reason if reason.value == named), None)
    if known is None:
        raise Refusal(Reason.METADATA_UNREACHABLE, f"answered {found.status}, {named!r}")
    return known
